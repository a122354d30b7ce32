/*
 * Connects a stream socket to this abstract name, which is passed without its first NUL. Returns
 * the socket, or -1.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int connect_abstract(const char *name)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t size = strlen(name);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    if (sock == -1) {
        return -1;
    }
    if (size < sizeof addr.sun_path) {
        memcpy(addr.sun_path + 1, name, size);
        if (connect(sock, (struct sockaddr *)&addr, len) == 0) {
            return sock;
        }
    }
    close(sock);
    return -1;
}
