/*
 * Returns 1 if there is a socket file at this path that no process holds any more, and
 * otherwise 0. A live server must not notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int is_dead(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}
