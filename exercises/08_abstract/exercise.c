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
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

    if (sock == -1 || strlen(name) >= sizeof addr.sun_path) {
        return -1;
    }
    memcpy(addr.sun_path + 1, name, strlen(name));
    return connect(sock, (struct sockaddr *)&addr, sizeof addr) == -1 ? -1 : sock;
}
