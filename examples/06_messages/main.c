/* Where does one message end and the next begin? */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int show(const char *call, int result)
{
    int error = errno;
    printf("%s = %s\n", call, result != -1 ? "ok"
        : errno == ECONNREFUSED ? "ECONNREFUSED"
        : errno == EPIPE ? "EPIPE" : strerror(errno));
    errno = error;
    return result;
}

static void check(const char *call, int result)
{
    if (show(call, result) == -1) {
        err(1, "%s", call);
    }
}

/* Receives at most size bytes, and prints what arrived. */
static void receive(const char *call, int sock, size_t size)
{
    char buf[16] = "";
    struct iovec iov = { buf, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n = recvmsg(sock, &msg, 0);
    int lost = (msg.msg_flags & MSG_TRUNC) != 0;
    const char *end = lost ? ", the rest is lost" : "";
    printf("%s = %zd, \"%s\"%s\n", call, n, buf, end);
}

/* Makes a pair of a type, and sends two messages. */
static void send_two(const char *call, int type, int *p)
{
    check(call, socketpair(AF_UNIX, type, 0, p));
    send(p[0], "one", 3, MSG_NOSIGNAL);
    send(p[0], "second", 6, MSG_NOSIGNAL);
}

int main(void)
{
    /* 1. Stream: bytes, and no messages. */
    int p[2];
    send_two("socketpair(STREAM)", SOCK_STREAM, p);
    receive("recv(16)", p[1], 16);

    /* 2. Its end: 0 bytes. */
    close(p[0]);
    receive("recv(16)", p[1], 16);
    show("send()", (int)send(p[1], "x", 1, MSG_NOSIGNAL));

    /* 3. Datagram: a message is kept whole, or truncated. */
    send_two("socketpair(DGRAM)", SOCK_DGRAM, p);
    receive("recv(16)", p[1], 16);
    receive("recv(3)", p[1], 3);

    /* 4. Empty message: 0 bytes, which are not the end. */
    send(p[0], "", 0, MSG_NOSIGNAL);
    receive("recv(16)", p[1], 16);
    close(p[0]);
    show("send()", (int)send(p[1], "x", 1, MSG_NOSIGNAL));

    /* 5. Seqpacket: whole messages, and an end. */
    send_two("socketpair(SEQPACKET)", SOCK_SEQPACKET, p);
    receive("recv(16)", p[1], 16);
    close(p[0]);
    receive("recv(16)", p[1], 16);
    receive("recv(16)", p[1], 16);
}
