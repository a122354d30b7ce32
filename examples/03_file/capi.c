/* The daemon was killed. Why can it not start again? */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sunpath.h>

static const char *path = "a.sock";
static uint64_t error;

static int show(const char *call, int result)
{
    int saved = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
        : errno == EADDRINUSE ? "EADDRINUSE"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == ENOENT ? "ENOENT"
        : errno == EPROTOTYPE ? "EPROTOTYPE" : strerror(errno));
    errno = saved;
    return result;
}

/* Ends the program, and says why, if a call failed. */
static int check(const char *call, int result)
{
    if (show(call, result) == -1) {
        char text[256] = "";
        sunpath_explain(error, text, sizeof text);
        errx(1, "%s: %s", path, error ? text : strerror(errno));
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
    if (sunpath_addr_from_path(path, &addr, &len,
        &error) == -1) {
        char text[256] = "";
        sunpath_explain(error, text, sizeof text);
        errx(1, "%s: %s", path, text);
    }
    int type = SOCK_STREAM;
    int client = check("socket()", socket(AF_UNIX, type, 0));
    int probe = socket(AF_UNIX, SOCK_DGRAM, 0);
    check("socket()", probe);

    /* 2. Live: a connect of the wrong type proves it. */
    int first = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(first)", bind(first, sa, len));
    check("listen(first)", listen(first, SOMAXCONN));
    show("connect(probe)", connect(probe, sa, len));

    /* 3. Killed: the socket is closed, and the file stays. */
    check("close(first)", close(first));
    show("connect(client)", connect(client, sa, len));

    /* 4. Start again: the file is in the way. */
    int second = check("socket()", socket(AF_UNIX, type, 0));
    show("bind(second)", bind(second, sa, len));

    /* 5. Replace: only a file that is proved dead. */
    struct sunpath_bind_options options
        = SUNPATH_BIND_OPTIONS_INIT;
    options.if_exists = SUNPATH_REPLACE_STALE;
    sunpath_server *server = NULL;
    check("bind(second)", sunpath_bind(SOCK_STREAM, path,
        &options, &server, &error));

    /* 6. Clean up: nobody else removes the file. */
    check("unlink(path)", sunpath_server_close(server, &error));
}
