/*
 * Receives one message. Returns its length, or -1 if it did not fit into the buffer.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/uio.h>

ssize_t receive_whole(int sock, char *buf, size_t size)
{
    return recv(sock, buf, size, 0);
}
