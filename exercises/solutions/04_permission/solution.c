/*
 * Binds a stream socket to this path, so that only its owner can ever connect. Returns the
 * socket, or -1.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int bind_private(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    if (sock == -1) {
        return -1;
    }
    if (strlen(path) < sizeof addr.sun_path && fchmod(sock, 0600) == 0) {
        memcpy(addr.sun_path, path, strlen(path));
        if (bind(sock, (struct sockaddr *)&addr, sizeof addr) == 0) {
            return sock;
        }
    }
    close(sock);
    return -1;
}
