/* Why does accept not tell me who has connected? */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sunpath.h>

static const char *path = "a.sock";
static uint64_t error;

/* Prints a call. An error ends the program, which says why. */
static int check(const char *call, int result)
{
    int saved = result == -1 ? errno : 0;
    printf("%s = %s\n", call, saved == 0 ? "ok"
        : saved == EACCES ? "EACCES"
        : saved == ECONNREFUSED ? "ECONNREFUSED"
        : saved == ENOENT ? "ENOENT" : strerror(saved));
    if (saved != 0) {
        char text[256] = "";
        sunpath_explain(error, text, sizeof text);
        errx(1, "%s: %s", path, error ? text : strerror(saved));
    }
    return result;
}

int main(int argc, char **argv)
{
    /* 1. Address: the path must fit, with its NUL. */
    path = argc > 1 ? argv[1] : path;
    struct sockaddr_un addr;
    struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len;
    if (sunpath_addr_from_path(path, &addr, &len, &error)) {
        char text[256] = "";
        sunpath_explain(error, text, sizeof text);
        errx(1, "%s: %s", path, text);
    }

    /* 2. Connect: the client is not bound to any name. */
    int type = SOCK_STREAM;
    int listener = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(listener)", bind(listener, sa, len));
    check("listen(listener)", listen(listener, SOMAXCONN));
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", connect(client, sa, len));

    /* 3. Accept: the address is the family alone. */
    len = sizeof addr;
    int server = accept(listener, sa, &len);
    check("accept(listener)", server);
    printf("name of the client: %d bytes\n", (int)len);

    /* 4. Ask the other way: the server has a name. */
    len = sizeof addr;
    int named = getpeername(client, sa, &len);
    check("getpeername(client)", named);
    char text[512];
    sunpath_addr_to_text(&addr, len, text, sizeof text);
    printf("name of the server: \"%s\"\n", text);

    /* 5. Credentials: the kernel knows who connected. */
    uid_t uid;
    int got = sunpath_peer_cred(server, NULL, &uid, NULL,
        &error);
    check("getsockopt(server, SO_PEERCRED)", got);
    int ours = uid == geteuid();
    printf("uid of client: %s\n", ours ? "ours" : "not ours");

    /* 6. Clean up: only unlink removes the file. */
    check("unlink(path)", unlink(path));
}
