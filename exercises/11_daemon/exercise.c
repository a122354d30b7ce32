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
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}
