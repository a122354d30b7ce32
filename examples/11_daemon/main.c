/* What does a daemon's socket need, all told? */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *path = "a.sock";
static char lock_path[256];
static struct sockaddr_un addr = { .sun_family = AF_UNIX };
static struct sockaddr *sa = (struct sockaddr *)&addr;
static socklen_t len;

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == EACCES ? "EACCES"
        : errno == EADDRINUSE ? "EADDRINUSE"
        : errno == EAGAIN ? "EAGAIN" : errno == EPIPE ? "EPIPE"
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

/* Closes two descriptors, and fails with an errno. */
static int fail(int one, int other, int error)
{
    close(one);
    close(other);
    errno = error;
    return -1;
}

/* 1. Lock: one daemon at a time, until it dies. */
static int take_lock(void)
{
    for (;;) {
        int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
        int lock = open(lock_path, flags, 0600);
        if (lock == -1) {
            return -1;
        }
        if (flock(lock, LOCK_EX | LOCK_NB) == -1) {
            return fail(lock, -1, EADDRINUSE);
        }
        /* If the locked file was unlinked, try again. */
        struct stat ours, there;
        if (fstat(lock, &ours) == 0
            && stat(lock_path, &there) == 0
            && ours.st_dev == there.st_dev
            && ours.st_ino == there.st_ino) {
            return lock;
        }
        close(lock);
    }
}

/* 2. Probe: a file is removed only if it is proved dead. */
static int remove_dead(void)
{
    struct stat st;
    if (lstat(path, &st) == -1) {
        return errno == ENOENT ? 0 : -1;
    }
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe == -1) {
        return -1;
    }
    int dead = S_ISSOCK(st.st_mode)
        && connect(probe, sa, len) == -1
        && errno == ECONNREFUSED;
    if (!dead) {
        return fail(probe, -1, EADDRINUSE);
    }
    close(probe);
    return unlink(path);
}

/* 3. Listen: with its mode from the beginning. */
static int start(int *ret_lock)
{
    int lock = take_lock();
    if (lock == -1) {
        return -1;
    }
    int type = SOCK_STREAM | SOCK_CLOEXEC;
    int listener = socket(AF_UNIX, type, 0);
    if (listener == -1
        || remove_dead() == -1
        || fchmod(listener, 0600) == -1
        || bind(listener, sa, len) == -1
        || listen(listener, SOMAXCONN) == -1) {
        return fail(listener, lock, errno);
    }
    *ret_lock = lock;
    return listener;
}

int main(int argc, char **argv)
{
    /* 4. Crash: a daemon was killed, and its file is left. */
    path = argc > 1 ? argv[1] : path;
    size_t size = strlen(path) + 1;
    if (size == 1 || size > sizeof addr.sun_path) {
        errx(1, "%s: empty or too long", path);
    }
    memcpy(addr.sun_path, path, size);
    len = (socklen_t)
        (offsetof(struct sockaddr_un, sun_path) + size);
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    int type = SOCK_STREAM;
    int killed = check("socket()", socket(AF_UNIX, type, 0));
    check("bind(killed)", bind(killed, sa, len));
    check("close(killed)", close(killed));

    /* 5. Start: the first daemon runs, a second does not. */
    int lock = -1, other = -1;
    int listener = check("start(daemon)", start(&lock));
    struct stat st;
    check("stat(path)", stat(path, &st));
    printf("mode: %04o\n", st.st_mode & 07777);
    show("start(second)", start(&other));

    /* 6. Serve: a client that has gone does not kill us. */
    int client = check("socket()", socket(AF_UNIX, type, 0));
    check("connect(client)", connect(client, sa, len));
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    check("accept(daemon)", server);
    send(server, "hello\n", 6, MSG_NOSIGNAL);
    char buf[16] = "";
    printf("recv(client) = %zd\n", recv(client, buf, 15, 0));
    close(client);
    show("send()", (int)send(server, "x", 1, MSG_NOSIGNAL));

    /* 7. Stop: unlink the file, then release the lock. */
    check("unlink(path)", unlink(path));
    close(listener);
    unlink(lock_path);
    close(lock);
}
