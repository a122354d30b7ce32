/* How does an open file travel through a socket? */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sunpath.h>

static int check(const char *call, int result)
{
    if (result == -1) {
        err(1, "%s", call);
    }
    printf("%s = ok\n", call);
    return result;
}

/* 1. Control: aligned, with space for one descriptor. */

/* 2. Send: one byte, and the descriptor with it. */
static void send_fd(int sock, int fd)
{
    check("sendmsg()", sunpath_send_fd(sock, fd, NULL));
}

/* 3. Receive: a new number for the same open file. */
static int recv_fd(int sock)
{
    return check("recvmsg()", sunpath_recv_fd(sock, NULL));
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
    check("write(received)", (int)write(received, "hello", 5));
    ssize_t n = read(ends[0], buf, sizeof buf - 1);
    printf("read(ends[0]) = %zd, \"%s\"\n", n, buf);

    /* 6. Lost: recv takes the byte, and not the descriptor. */
    send_fd(p[0], received);
    close(received);
    check("recv(p[1])", (int)recv(p[1], buf, 1, 0));
    printf("read(ends[0]) = %zd\n", read(ends[0], buf, 16));
}
