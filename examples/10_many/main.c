/* How can one thread serve many, and what if nobody accepts? */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Prints a call. Every error but EAGAIN ends the program. */
static int check(const char *call, int result)
{
    int error = result == -1 ? errno : 0;
    printf("%s = %s\n", call, error == 0 ? "ok"
        : error == EAGAIN ? "EAGAIN" : strerror(error));
    if (error != 0 && error != EAGAIN) {
        errx(1, "%s: %s", call, strerror(error));
    }
    return result;
}

int main(void)
{
    /* 1. Address: this path fits. */
    struct sockaddr_un addr = { .sun_family = AF_UNIX,
        .sun_path = "a.sock" };
    const struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len = sizeof addr;

    /* 2. Listen: a queue with space for two connections. */
    int type = SOCK_STREAM;
    int sock = check("socket()", socket(AF_UNIX, type, 0));
    fcntl(sock, F_SETFL, O_NONBLOCK);
    check("bind(sock)", bind(sock, sa, len));
    check("listen(sock, 1)", listen(sock, 1));

    /* 3. Full: a nonblocking connect does not wait. */
    const char *words[] = { "work", "stop", "late" };
    for (int i = 0; i < 3; i++) {
        int fd = check("socket()", socket(AF_UNIX, type, 0));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if (check("connect()", connect(fd, sa, len)) == 0) {
            send(fd, words[i], 4, MSG_NOSIGNAL);
        }
    }

    /* 4. Serve: one call waits for the listener and for all. */
    struct pollfd fds[8] = { { sock, POLLIN, 0 } };
    for (int n = 1, stop = 0; !stop;) {
        printf("poll() = %d\n", poll(fds, n, -1));
        if (fds[0].revents != 0 && n < 8) {
            int fd = accept(sock, NULL, NULL);
            check("accept()", fd);
            fcntl(fd, F_SETFL, O_NONBLOCK);
            fds[n++] = (struct pollfd){ fd, POLLIN, 0 };
        }
        for (int i = 1; i < n; i++) {
            if (fds[i].revents != 0) {
                char buf[16] = "";
                ssize_t got = recv(fds[i].fd, buf, 15, 0);
                printf("recv() = %zd, \"%s\"\n", got, buf);
                stop = stop || strcmp(buf, "stop") == 0;
                if (got > 0) {
                    send(fds[i].fd, "done", 4, MSG_NOSIGNAL);
                } else {
                    close(fds[i].fd);
                    fds[i].fd = -1;
                }
            }
        }
    }

    /* 5. Stop: only unlink removes the file. */
    check("unlink(path)", unlink("a.sock"));
}
