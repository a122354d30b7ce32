/* My path does not fit into sun_path. What now? */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
        : errno == ENAMETOOLONG ? "ENAMETOOLONG"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == ENOTDIR ? "ENOTDIR"
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
    /* 1. Address: the path has 157 bytes, 107 fit. */
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct sockaddr *sa = (struct sockaddr *)&addr;
    char dir[151] = "", path[160];
    memset(dir, 'd', 150);
    snprintf(path, sizeof path, "%s/a.sock", dir);
    /* No call fails here: the program compares lengths. */
    errno = ENAMETOOLONG;
    int fits = strlen(path) < sizeof addr.sun_path;
    show("address(path)", fits ? 0 : -1);

    /* 2. Directory: a descriptor stands for the long part. */
    check("mkdir(dir)", mkdir(dir, 0755));
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    check("open(dir)", fd);

    /* 3. Alias: a short path to the same file. */
    int size = snprintf(path, sizeof addr.sun_path,
        "/proc/self/fd/%d/a.sock", fd) + 1;
    memcpy(addr.sun_path, path, (size_t)size);
    socklen_t len = (socklen_t)
        (offsetof(struct sockaddr_un, sun_path) + (size_t)size);

    /* 4. Bind and connect: the file is in the directory. */
    int type = SOCK_STREAM;
    int listener = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(listener)", bind(listener, sa, len));
    check("listen(listener)", listen(listener, SOMAXCONN));
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", connect(client, sa, len));

    /* 5. The trap: the peer sees the alias of this process. */
    len = sizeof addr;
    int named = getpeername(client, sa, &len);
    check("getpeername(client)", named);
    int same = strcmp(addr.sun_path, path) == 0;
    printf("name of server: %s\n", same ? "alias" : "other");

    /* 6. Clean up: the file, and then the directory. */
    check("unlink(path)", unlinkat(fd, "a.sock", 0));
    check("rmdir(dir)", rmdir(dir));
}
