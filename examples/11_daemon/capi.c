/* What does a daemon's socket need, all told? */
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
        : errno == EADDRINUSE ? "EADDRINUSE"
        : errno == ENOENT ? "ENOENT"
        : errno == EPIPE ? "EPIPE" : strerror(errno));
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

/* 1. Lock: one daemon at a time, until it dies. */

/* 2. Probe: a file is removed only if it is proved dead. */

/* 3. Listen: with its mode from the beginning. */
static int start(sunpath_server **ret_server)
{
    struct sunpath_bind_options options
        = SUNPATH_BIND_OPTIONS_INIT;
    options.flags = SUNPATH_SET_MODE;
    options.mode = 0600;
    options.if_exists = SUNPATH_REPLACE_STALE;
    return sunpath_bind(SOCK_STREAM, path, &options,
        ret_server, &error);
}

int main(int argc, char **argv)
{
    /* 4. Crash: a daemon was killed, and its file is left. */
    path = argc > 1 ? argv[1] : path;
    int type = SOCK_STREAM;
    int killed = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(killed)",
        sunpath_bind_to_at(killed, AT_FDCWD, path, &error));
    check("close(killed)", close(killed));

    /* 5. Start: the first daemon runs, a second does not. */
    sunpath_server *daemon = NULL, *other = NULL;
    check("start(daemon)", start(&daemon));
    struct stat st;
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);
    show("start(second)", start(&other));

    /* 6. Serve: a client that has gone does not kill us. */
    int client
        = sunpath_connect(SOCK_STREAM, path, NULL, &error);
    check("connect(client)", client);
    int server = sunpath_accept(sunpath_server_fd(daemon), 0);
    check("accept(daemon)", server);
    send(server, "hello\n", 6, MSG_NOSIGNAL);
    char buf[16] = "";
    ssize_t n = recv(client, buf, sizeof buf - 1, 0);
    printf("recv(client) = %zd\n", n);
    close(client);
    show("send()", (int)send(server, "x", 1, MSG_NOSIGNAL));

    /* 7. Stop: unlink the file, then release the lock. */
    check("unlink(path)", sunpath_server_close(daemon, &error));
}
