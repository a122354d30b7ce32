/* How does an open file travel through a socket? */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifndef MSG_CMSG_CLOEXEC /* macOS has only fcntl(2) for it */
#define MSG_CMSG_CLOEXEC 0
#endif

static void check(const char *call, ssize_t result)
{
    if (result == -1) {
        err(1, "%s", call);
    }
    printf("%s = ok\n", call);
}

/* 1. Control: aligned, with space for one descriptor. */
static union {
    struct cmsghdr align;
    char buf[CMSG_SPACE(sizeof(int))];
} ctrl;

/* 2. Send: one byte, and the descriptor with it. */
static void send_fd(int sock, int fd)
{
    struct iovec iov = { "x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &ctrl, .msg_controllen = sizeof ctrl };
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
    check("sendmsg()", sendmsg(sock, &msg, MSG_NOSIGNAL));
}

/* 3. Receive: a new number for the same open file. */
static int recv_fd(int sock)
{
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &ctrl, .msg_controllen = sizeof ctrl };
    check("recvmsg()", recvmsg(sock, &msg, MSG_CMSG_CLOEXEC));
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg == NULL || cmsg->cmsg_type != SCM_RIGHTS) {
        errx(1, "no descriptor came with the byte");
    }
    int fd;
    memcpy(&fd, CMSG_DATA(cmsg), sizeof fd);
    return fd;
}

int main(void)
{
    /* 4. Pass: one end of another pair. */
    int p[2], ends[2], type = SOCK_STREAM;
    check("socketpair(p)", socketpair(AF_UNIX, type, 0, p));
    int made = socketpair(AF_UNIX, type, 0, ends);
    check("socketpair(ends)", made);
    send_fd(p[0], ends[1]);
    int received = recv_fd(p[1]);
    printf("close-on-exec: %d\n", fcntl(received, F_GETFD));

    /* 5. Use: it stays open when the sender closes its own. */
    char buf[16] = "";
    close(ends[1]);
    check("write(received)", write(received, "hello", 5));
    ssize_t n = read(ends[0], buf, sizeof buf - 1);
    printf("read(ends[0]) = %zd, \"%s\"\n", n, buf);

    /* 6. Lost: recv takes the byte, and not the descriptor. */
    send_fd(p[0], received);
    close(received);
    check("recv(p[1])", recv(p[1], buf, 1, 0));
    printf("read(ends[0]) = %zd\n", read(ends[0], buf, 16));
}
