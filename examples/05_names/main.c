/* Why does accept not tell me who has connected? */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path = "a.sock";

/* Prints a call. An error ends the program. */
static int check(const char *call, int result)
{
    int error = result == -1 ? errno : 0;
    printf("%s = %s\n", call, error == 0 ? "ok"
        : error == EACCES ? "EACCES"
        : error == ECONNREFUSED ? "ECONNREFUSED"
        : error == ENOENT ? "ENOENT" : strerror(error));
    if (error != 0) {
        errx(1, "%s: %s", path, strerror(error));
    }
    return result;
}

int main(int argc, char **argv)
{
    /* 1. Address: the path must fit, with its NUL. */
    path = argc > 1 ? argv[1] : path;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t size = strlen(path) + 1;
    if (size == 1 || size > sizeof addr.sun_path) {
        errx(1, "%s: empty or too long", path);
    }
    memcpy(addr.sun_path, path, size);
    struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len = (socklen_t)
        (offsetof(struct sockaddr_un, sun_path) + size);

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
    printf("name of the server: \"%s\"\n", addr.sun_path);

    /* 5. Credentials: the kernel knows who connected. */
#ifdef __linux__
    struct ucred cred;
    len = sizeof cred;
    int got = getsockopt(server, SOL_SOCKET, SO_PEERCRED,
        &cred, &len);
#else /* macOS and the BSDs */
    struct { uid_t uid; gid_t gid; } cred;
    int got = getpeereid(server, &cred.uid, &cred.gid);
#endif
    check("getsockopt(server, SO_PEERCRED)", got);
    int ours = cred.uid == geteuid();
    printf("uid of client: %s\n", ours ? "ours" : "not ours");

    /* 6. Clean up: only unlink removes the file. */
    check("unlink(path)", unlink(path));
}
