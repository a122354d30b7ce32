/*
 * Connects a stream socket to the socket file of this name in this directory, whose path may
 * have any length. Returns the socket, or -1.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int connect_long(const char *dir, const char *name)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int sock, size, result = -1;

    if (fd == -1) {
        return -1;
    }
    sock = socket(AF_UNIX, SOCK_STREAM, 0);
    if (sock != -1) {
        size = snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%s", fd, name);
        if (size > 0 && (size_t)size < sizeof addr.sun_path) {
            result = connect(sock, (struct sockaddr *)&addr, sizeof addr);
        }
        if (result == -1) {
            close(sock);
        }
    }
    close(fd);
    return result == -1 ? -1 : sock;
}
