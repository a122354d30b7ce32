/*
 * Receives exactly size bytes from a stream. Returns 0, or -1 if the stream ends before.
 */
#include <errno.h>
#include <sys/socket.h>

int receive_exactly(int sock, char *buf, size_t size)
{
    return recv(sock, buf, size, 0) == -1 ? -1 : 0;
}
