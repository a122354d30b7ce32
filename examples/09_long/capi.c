/* My path does not fit into sun_path. What now? */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sunpath.h>

static const char *path = "a.sock";
static uint64_t error;

static int show(const char *call, int result)
{
    int saved = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
        : errno == ENAMETOOLONG ? "ENAMETOOLONG"
        : errno == ENOENT ? "ENOENT" : strerror(errno));
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

int main(void)
{
    /* 1. Address: the path has 157 bytes, 107 fit. */
    struct sockaddr_un addr;
    struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len;
    char dir[151] = "", long_path[160];
    memset(dir, 'd', 150);
    snprintf(long_path, sizeof long_path, "%s/a.sock", dir);
    path = long_path;
    show("address(path)",
        sunpath_addr_from_path(path, &addr, &len, NULL));

    /* 2. Directory: a descriptor stands for the long part. */
    check("mkdir(dir)", mkdir(dir, 0755));

    /* 3. Alias: a short path to the same file. */

    /* 4. Bind and connect: the file is in the directory. */
    int type = SOCK_STREAM;
    int listener = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(listener)", sunpath_bind_to_at(listener,
        AT_FDCWD, path, &error));
    check("listen(listener)", listen(listener, SOMAXCONN));
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", sunpath_connect_to_at(client,
        AT_FDCWD, path, &error));

    /* 5. The trap: the peer sees the alias of this process. */
    len = sizeof addr;
    int named = getpeername(client, sa, &len);
    check("getpeername(client)", named);
    const char *alias = "/proc/self/fd/";
    int same = strncmp(addr.sun_path, alias, 14) == 0;
    printf("name of server: %s\n", same ? "alias" : "other");

    /* 6. Clean up: the file, and then the directory. */
    check("unlink(path)", unlink(path));
    check("rmdir(dir)", rmdir(dir));
}
