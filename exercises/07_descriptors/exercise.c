/*
 * Receives one byte and one descriptor, which is close-on-exec. Returns the descriptor, or -1 if
 * none came with the byte.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int receive_one(int sock)
{
    char byte;

    recv(sock, &byte, 1, 0);
    return -1;
}
