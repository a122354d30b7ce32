/*
 * Receives one message. Returns its length, or -1 if it did not fit into the buffer.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/uio.h>

ssize_t receive_whole(int sock, char *buf, size_t size)
{
    struct iovec iov = { buf, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = recvmsg(sock, &msg, 0);

    return (msg.msg_flags & MSG_TRUNC) != 0 ? -1 : n;
}
