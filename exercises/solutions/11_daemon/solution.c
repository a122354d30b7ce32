/*
 * Takes the lock at this path, which a process holds as long as it lives. Returns its
 * descriptor, or -1 if another one has it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int take_lock(const char *path)
{
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (lock != -1 && flock(lock, LOCK_EX | LOCK_NB) == -1) {
        close(lock);
        return -1;
    }
    return lock;
}
