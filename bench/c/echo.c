/* A server that greets, and sends back what it receives. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t n = argc > 1 ? strlen(argv[1]) : sizeof addr.sun_path;
    if (n >= sizeof addr.sun_path) { fprintf(stderr, "no path, or one that is too long\n"); return 1; }
    memcpy(addr.sun_path, argv[1], n);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + n + 1;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&addr, len) < 0 || listen(listener, 128) < 0) { perror("bind"); return 1; }
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) { perror("accept"); return 1; }
        char buf[512];
        ssize_t count = send(client, "hello\n", 6, MSG_NOSIGNAL);
        while (count > 0 && (count = recv(client, buf, sizeof buf, 0)) > 0)
            count = send(client, buf, count, MSG_NOSIGNAL);
        close(client);
    }
}
