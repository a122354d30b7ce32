/* Why does connect return before anyone has accepted? */
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
        : errno == EBADF ? "EBADF"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == ECONNRESET ? "ECONNRESET"
        : errno == ENOENT ? "ENOENT" : strerror(errno));
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

    /* 2. Listen: from here on the kernel takes connections. */
    int type = SOCK_STREAM;
    int listener = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(listener)", bind(listener, sa, len));
    check("listen(listener)", listen(listener, SOMAXCONN));

    /* 3. Connect: the connection waits in the queue. */
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", connect(client, sa, len));
    ssize_t n = send(client, "hello", 5, MSG_NOSIGNAL);
    printf("send(client, \"hello\") = %zd\n", n);

    /* 4. Accept: a new socket, and the bytes are in it. */
    int server = accept(listener, NULL, NULL);
    check("accept(listener)", server);
    char buf[16] = "";
    n = recv(server, buf, sizeof buf - 1, 0);
    printf("recv(server) = %zd, \"%s\"\n", n, buf);

    /* 5. Close: the other end reads 0 bytes. */
    check("close(client)", close(client));
    n = recv(server, buf, sizeof buf - 1, 0);
    printf("recv(server) = %zd\n", n);

    /* 6. Clean up: only unlink removes the file. */
    close(server);
    close(listener);
    check("unlink(path)", unlink(path));
}
