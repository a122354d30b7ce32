/* Who may connect to my socket? */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

int main(int argc, char **argv)
{
    /* 1. Address: the path must fit, with its NUL. */
    path = argc > 1 ? argv[1] : path;

    /* 2. Umask: the file gets 0777 less the umask. */
    umask(022);
    int type = SOCK_STREAM;
    int sock = check("socket()", socket(AF_UNIX, type, 0));
    int done = sunpath_bind_to_at(sock, AT_FDCWD, path, &error);
    check("bind(sock)", done);
    check("listen(sock)", listen(sock, SOMAXCONN));
    struct stat st;
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);

    /* 3. Chmod: too late for those who were faster. */
    int early = check("socket()", socket(AF_UNIX, type, 0));
    done = sunpath_connect_to_at(early, AT_FDCWD, path, &error);
    check("connect(early)", done);
    check("chmod(path, 0)", chmod(path, 0));
    int late = check("socket()", socket(AF_UNIX, type, 0));
    /* Root may connect to all, so it becomes another user. */
    check("seteuid()", seteuid(getuid() ? getuid() : 65534));
    done = sunpath_connect_to_at(late, AT_FDCWD, path, &error);
    show("connect(late)", done);
    check("seteuid()", seteuid(getuid()));
    check("accept(sock)", sunpath_accept(sock, 0));
    check("unlink(path)", unlink(path));

    /* 4. Fchmod: before bind, so that it is never wider. */
    struct sunpath_bind_options options
        = SUNPATH_BIND_OPTIONS_INIT;
    options.flags = SUNPATH_SET_MODE;
    options.mode = 0600;
    sunpath_server *server;
    done = sunpath_bind(type, path, &options, &server, &error);
    check("bind(sock)", done);
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);
    check("unlink(path)", sunpath_server_close(server, &error));

    /* 5. Directory: nobody else can even look up the file. */
    check("mkdir(dir, 0700)", sunpath_private_dir("dir", NULL));
    check("rmdir(dir)", rmdir("dir"));
}
