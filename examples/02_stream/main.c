/* A stream from socket to close, server and client in one. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void check(const char *call, ssize_t result)
{
    if (result == -1) {
        perror(call);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "a.sock";

    /* 1. Address: the path is copied only if it fits. */
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t size = strlen(path) + 1;
    if (size == 1 || size > sizeof addr.sun_path) {
        fprintf(stderr, "empty or too long: \"%s\"\n", path);
        return EXIT_FAILURE;
    }
    memcpy(addr.sun_path, path, size);
    const struct sockaddr *sa = (struct sockaddr *)&addr;
    socklen_t len = (socklen_t)
        (offsetof(struct sockaddr_un, sun_path) + size);

    /* 2. Listen: the mode first, so that it is never wider. */
    int type = SOCK_STREAM | SOCK_CLOEXEC;
    int listener = socket(AF_UNIX, type, 0);
    check("socket", listener);
    check("fchmod", fchmod(listener, 0600));
    check("bind", bind(listener, sa, len));
    check("listen", listen(listener, SOMAXCONN));

    /* 3. Connect: the connection waits in the queue. */
    int client = socket(AF_UNIX, type, 0);
    check("socket", client);
    check("connect", connect(client, sa, len));

    /* 4. Accept: the kernel knows which process connected. */
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    check("accept4", server);
    struct ucred peer;
    socklen_t peer_size = sizeof peer;
    check("getsockopt", getsockopt(server, SOL_SOCKET,
        SO_PEERCRED, &peer, &peer_size));
    int ours = peer.pid == getpid();
    const char *which = ours ? "this" : "another";
    printf("client: %s process\n", which);

    /* 5. Talk: without SIGPIPE, and again after a signal. */
    char buf[16];
    ssize_t n;
    do {
        n = send(server, "hello", 5, MSG_NOSIGNAL);
    } while (n == -1 && errno == EINTR);
    check("send", n);
    do {
        n = recv(client, buf, sizeof buf, 0);
    } while (n == -1 && errno == EINTR);
    check("recv", n);
    printf("received: %.*s\n", (int)n, buf);

    /* 6. Clean up: close leaves the file, unlink removes it. */
    close(server);
    close(client);
    close(listener);
    check("unlink", unlink(path));
    return EXIT_SUCCESS;
}
