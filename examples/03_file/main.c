/* The daemon was killed. Why can it not start again? */
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path = "a.sock";

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
        : errno == EADDRINUSE ? "EADDRINUSE"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == ENOENT ? "ENOENT"
        : errno == EPROTOTYPE ? "EPROTOTYPE" : strerror(errno));
    errno = error;
    return result;
}

static int check(const char *call, int result)
{
    if (show(call, result) == -1) {
        err(1, "%s", path);
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
    const struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len = (socklen_t)
        (offsetof(struct sockaddr_un, sun_path) + size);
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
    int dead = show("connect(probe)", connect(probe, sa, len));
    if (dead == -1 && errno == ECONNREFUSED) {
        check("unlink(path)", unlink(path));
    }
    show("connect(client)", connect(client, sa, len));
    check("bind(second)", bind(second, sa, len));

    /* 6. Clean up: nobody else removes the file. */
    close(second);
    check("unlink(path)", unlink(path));
}
