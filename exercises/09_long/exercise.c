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
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    char path[4096];

    if (sock == -1) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s", dir, name);
    memcpy(addr.sun_path, path, sizeof addr.sun_path);
    return connect(sock, (struct sockaddr *)&addr, sizeof addr) == -1 ? -1 : sock;
}
