/* How long may a path be, and what becomes of a longer one? */
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
        : errno == ENOENT ? "ENOENT"
        : errno == EACCES ? "EACCES" : strerror(errno));
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

/* Prints what the kernel says that a socket is bound to. */
static void show_name(const char *call, int sock)
{
    struct sockaddr_un addr;
    socklen_t len = sizeof addr;
    getsockname(sock, (struct sockaddr *)&addr, &len);
    printf("%s = %d\n", call, (int)len);
}

int main(int argc, char **argv)
{
    /* 1. Address: a family, 108 bytes, and a length. */
    path = argc > 1 ? argv[1] : path;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const struct sockaddr *sa = (struct sockaddr *)&addr;
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    printf("offsetof(sun_path) = %zu\n", offset);
    printf("sizeof(sun_path) = %zu\n", sizeof addr.sun_path);

    /* 2. Check: the path and its NUL must fit. */
    size_t size = strlen(path) + 1;
    if (size == 1 || size > sizeof addr.sun_path) {
        errx(1, "%s: empty or too long", path);
    }
    memcpy(addr.sun_path, path, size);
    socklen_t len = (socklen_t)(offset + size);

    /* 3. Bind: the length is that of the whole address. */
    int type = SOCK_STREAM;
    int sock = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(sock)", bind(sock, sa, len));
    show_name("getsockname(sock)", sock);

    /* 4. The trap: a path of 200 bytes, where 107 fit. */
    char long_path[201] = "";
    memset(long_path, 'x', 200);
    strncpy(addr.sun_path, long_path, sizeof addr.sun_path);
    int trap = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(trap, long_path)", bind(trap, sa, sizeof addr));
    show_name("getsockname(trap)", trap);

    /* 5. Clean up: is there a file that nobody asked for? */
    check("unlink(path)", unlink(path));
    long_path[108] = '\0';
    show("unlink(<108 bytes>)", unlink(long_path));
}
