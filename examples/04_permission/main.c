/* Who may connect to my socket? */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path = "a.sock";

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
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

    /* 2. Umask: the file gets 0777 less the umask. */
    umask(022);
    int type = SOCK_STREAM;
    int sock = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(sock)", bind(sock, sa, len));
    check("listen(sock)", listen(sock, SOMAXCONN));
    struct stat st;
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);

    /* 3. Chmod: too late for those who were faster. */
    int early = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(early)", connect(early, sa, len));
    check("chmod(path, 0)", chmod(path, 0));
    int late = check("socket()", socket(AF_UNIX, type, 0));
    /* Root may connect to all, so it becomes another user. */
    check("seteuid()", seteuid(getuid() ? getuid() : 65534));
    show("connect(late)", connect(late, sa, len));
    check("seteuid()", seteuid(getuid()));
    check("accept(sock)", accept(sock, NULL, NULL));
    check("unlink(path)", unlink(path));

    /* 4. Fchmod: before bind, so that it is never wider. */
    sock = check("socket()", socket(AF_UNIX, type, 0));
    check("fchmod(sock, 0600)", fchmod(sock, 0600));
    check("bind(sock)", bind(sock, sa, len));
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);
    check("unlink(path)", unlink(path));

    /* 5. Directory: nobody else can even look up the file. */
    check("mkdir(dir, 0700)", mkdir("dir", 0700));
    check("rmdir(dir)", rmdir("dir"));
}
