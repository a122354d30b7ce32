/*
 * Receives exactly size bytes from a stream. Returns 0, or -1 if the stream ends before.
 */
#include <errno.h>
#include <sys/socket.h>

int receive_exactly(int sock, char *buf, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t n = recv(sock, buf + have, size - have, 0);

        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        have += (size_t)n;
    }
    return 0;
}
