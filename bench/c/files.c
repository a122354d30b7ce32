/* Socket files: a path that does not fit into sun_path, and a file that a server left behind. This
 * is careful C for Linux. libraries/files.rs does the same with sunpath. */
#include "bench.h"
#include <sys/stat.h>

/* The directories have names of 99 bytes, and a slash before each, so that a path has about a
 * thousand bytes. */
enum { DEEP = 10, COMPONENT = 100, LONG = DEEP * (COMPONENT + 1) };

/* Makes an address that reaches a directory by its descriptor, because the path of the directory is
 * too long, while /proc/self/fd/N is short. The buffer has the size of sun_path. */
static inline int address_below(int dir, const char *last, struct sockaddr_un *ret_addr, socklen_t *ret_len) {
    char alias[108];
    int n = snprintf(alias, sizeof alias, "/proc/self/fd/%d/%s", dir, last);
    if (n < 0 || n >= (int)sizeof alias) { errno = ENAMETOOLONG; return -1; }
    return address_of_path(alias, n, ret_addr, ret_len);
}

static inline int open_directory(const char *path, const char **ret_last) {
    char directory[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash - path;
    if (n >= sizeof directory) { errno = ENAMETOOLONG; return -1; }
    memcpy(directory, path, n);
    directory[n] = 0;
    *ret_last = slash + 1;
    return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static inline int connect_to_long(const char *path) {
    const char *last;
    int dir = open_directory(path, &last);
    if (dir < 0) return -1;
    struct sockaddr_un addr;
    socklen_t len;
    int fd = -1;
    if (address_below(dir, last, &addr, &len) == 0 && (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 &&
        connect(fd, (struct sockaddr *)&addr, len) < 0) {
        close(fd);
        fd = -1;
    }
    close(dir);
    return fd;
}

static int bound_to_long(const char *path) {
    const char *last;
    int dir = open_directory(path, &last), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr;
    socklen_t len;
    MUST(dir >= 0 && fd >= 0 && address_below(dir, last, &addr, &len) == 0);
    MUST(bind(fd, (struct sockaddr *)&addr, len) == 0);
    close(dir);
    return fd;
}

/* Connects, accepts, and closes both sockets. */
#define CONNECT(connect) \
    REPEAT(int client = connect; MUST(client >= 0); int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC); MUST(server >= 0); \
        close(server); close(client))

static void connecting(void) {
    char room[108], path[LONG + 108] = "";
    if (is("connect.short")) {
        const char *path = socket_path("short", &room);
        size_t n = strlen(path);
        int listener = bound(SOCK_STREAM, path, n);
        MUST(listen(listener, 4096) == 0);
        CONNECT(connect_to(OPAQUE(path), OPAQUE(n)));
        unlink(path);
    }
    if (is("connect.long")) {
        size_t n = snprintf(path, sizeof path, "%07d", getpid());
        MUST(mkdir(path, 0700) == 0);
        for (int i = 0; i < DEEP; i++) {
            path[n] = '/';
            memset(path + n + 1, 'd', COMPONENT - 1);
            n += COMPONENT;
            MUST(mkdir(path, 0700) == 0);
        }
        strcpy(path + n, "/socket");
        int listener = bound_to_long(path);
        MUST(listen(listener, 4096) == 0);
        CONNECT(connect_to_long(OPAQUE((const char *)path)));
        unlink(path);
        for (char *slash; (slash = strrchr(path, '/'));) {
            *slash = 0;
            MUST(rmdir(path) == 0);
        }
    }
}

/* Tests whether a server is alive at the path, and binds to the path if none is. If two servers start
 * at once, both can succeed. */
static inline int listen_instead(const char *path, size_t n) {
    int probe = connect_to(path, n);
    if (probe >= 0) { close(probe); errno = EADDRINUSE; return -1; }
    if (errno == ECONNREFUSED) unlink(path);
    int fd = bound(SOCK_STREAM, path, n);
    if (listen(fd, 4096) < 0) { close(fd); return -1; }
    return fd;
}

static void stale(const char *key, int others) {
    if (!is(key)) return;
    int fds[2000];
    char room[108];
    for (int i = 0; i < others; i++) {
        char tag[13];
        snprintf(tag, sizeof tag, "other-%d", i);
        const char *path = socket_path(tag, &room);
        fds[i] = bound(SOCK_STREAM, path, strlen(path));
        MUST(listen(fds[i], 1) == 0);
    }
    const char *path = socket_path("stale", &room);
    size_t n = strlen(path);
    close(bound(SOCK_STREAM, path, n));
    REPEAT(int fd = listen_instead(OPAQUE(path), OPAQUE(n)); MUST(fd >= 0); close(fd));
    unlink(path);
    for (int i = 0; i < others; i++) {
        char tag[13];
        snprintf(tag, sizeof tag, "other-%d", i);
        unlink(socket_path(tag, &room));
        close(fds[i]);
    }
}

int main(int argc, char **argv) {
    begin(argc, argv);
    connecting();
    stale("stale.0", 0);
    stale("stale.2000", 2000);
    end();
}
