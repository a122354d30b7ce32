/* Can a socket have a name without a file? */
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EADDRINUSE ? "EADDRINUSE"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == ENOENT ? "ENOENT" : strerror(errno));
    errno = error;
    return result;
}

static int check(const char *call, int result)
{
    if (show(call, result) == -1) {
        err(1, "%s", call);
    }
    return result;
}

int main(void)
{
    /* 1. Address: a NUL, the name, and no NUL after it. */
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct sockaddr *sa = (struct sockaddr *)&addr;
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    char *name = addr.sun_path + 1;
    int size = snprintf(name, 32, "lesson-%d", (int)getpid());
    socklen_t len = (socklen_t)(offset + 1 + (size_t)size);

    /* 2. Listen: there is no file, and no permission. */
    int type = SOCK_STREAM;
    int listener = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(listener)", bind(listener, sa, len));
    check("listen(listener)", listen(listener, SOMAXCONN));
    show("access(name)", access(name, F_OK));

    /* 3. Connect: with exactly the bytes that were bound. */
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", connect(client, sa, len));

    /* 4. The trap: the NULs after it make another name. */
    int wrong = check("socket()", socket(AF_UNIX, type, 0));
    show("connect(wrong)", connect(wrong, sa, sizeof addr));

    /* 5. Close: the name is free at once. */
    check("close(listener)", close(listener));
    int again = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(again)", bind(again, sa, len));

    /* 6. Autobind: the kernel makes up a name that is free. */
    int sock = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(sock)", bind(sock, sa, (socklen_t)offset));
    len = sizeof addr;
    check("getsockname(sock)", getsockname(sock, sa, &len));
    printf("length: %d, first byte: %d\n", (int)len,
        addr.sun_path[0]);
}
