/* Many connections in one process, over epoll. A second process has their other ends, because the
 * limit of descriptors is too low for both ends in one process. libraries/crowd.rs is the same
 * program with sunpath.
 *
 *   crowd N    prints, of N connections: bytes of memory for each; nanoseconds to accept one of the
 *              first thousand with its address, and of the last; nanoseconds of a round trip over one of a thousand
 *              connections when there are no more, and when there are N.
 */
#include "bench.h"
#include <sys/epoll.h>
#include <sys/wait.h>

enum { THOUSAND = 1000, ROUNDS = 20, EVENTS = 64 };

/* The commands that the server sends to the process of its clients. */
enum { CONNECT = 'c', SEND = 's', RECEIVE = 'r' };

/* ---- The clients. Each command makes a thousand more connections, or sends or receives a byte on
 * each of a thousand connections. */

static void clients(int orders, const char *path, size_t n, int most) {
    int *fds = calloc(most, sizeof *fds), made = 0;
    MUST(fds);
    for (char order; recv(orders, &order, 1, 0) == 1;) {
        for (int i = 0; i < THOUSAND; i++) {
            int *fd = order == CONNECT ? &fds[made++] : &fds[made / THOUSAND * i];
            char byte = 7;
            if (order == CONNECT) MUST((*fd = connect_to(path, n)) >= 0);
            else if (order == SEND) MUST(send(*fd, &byte, 1, MSG_NOSIGNAL) == 1);
            else MUST(recv(*fd, &byte, 1, 0) == 1);
        }
        MUST(send(orders, &order, 1, MSG_NOSIGNAL) == 1);
    }
    _exit(0);
}

/* ---- The server. */

struct server { int epoll, listener, orders, *fds, count; };

static void let(struct server *server, char order) {
    MUST(send(server->orders, &order, 1, MSG_NOSIGNAL) == 1);
    MUST(recv(server->orders, &order, 1, 0) == 1);
}

static void watch(struct server *server, int fd, uint32_t what) {
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };
    MUST(epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* Lets the clients make a thousand connections, accepts them with their addresses, and returns the
 * nanoseconds that each accept took. */
static double accept_thousand(struct server *server) {
    let(server, CONNECT);
    uint64_t start = now();
    for (int end = server->count + THOUSAND; server->count < end;) {
        struct epoll_event events[EVENTS];
        MUST(epoll_wait(server->epoll, events, EVENTS, -1) == 1 && events[0].data.u32 == UINT32_MAX);
        struct sockaddr_un from;
        socklen_t len = sizeof from;
        int fd = accept4(server->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
        MUST(fd >= 0);
        ESCAPE(&from);
        ESCAPE(len);
        watch(server, fd, server->count);
        server->fds[server->count++] = fd;
    }
    return (double)(now() - start) / THOUSAND;
}

/* Exchanges a byte on a thousand of the connections, again and again, and returns the
 * nanoseconds that each exchange took. */
static double round_trips(struct server *server) {
    uint64_t start = now();
    for (int round = 0; round < ROUNDS; round++) {
        let(server, SEND);
        for (int back = 0; back < THOUSAND;) {
            struct epoll_event events[EVENTS];
            int n = epoll_wait(server->epoll, events, EVENTS, -1);
            MUST(n > 0);
            for (int i = 0; i < n; i++, back++) {
                int fd = server->fds[events[i].data.u32];
                char byte;
                MUST(recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1);
            }
        }
        let(server, RECEIVE);
    }
    return (double)(now() - start) / (THOUSAND * ROUNDS);
}

/* Returns the memory of this process that no file backs, in bytes. */
static double memory(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status);
    long kilobytes = -1;
    while (fgets(line, sizeof line, status)) sscanf(line, "RssAnon: %ld kB", &kilobytes);
    fclose(status);
    MUST(kilobytes >= 0);
    return kilobytes * 1024.0;
}

int main(int argc, char **argv) {
    MUST(argc == 2);
    int most = atoi(argv[1]), orders[2];
    MUST(most >= 2 * THOUSAND && most % THOUSAND == 0);
    char room[108];
    const char *path = socket_path("crowd", &room);
    size_t n = strlen(path);
    struct server server = { .listener = bound(SOCK_STREAM, path, n) };
    MUST(listen(server.listener, THOUSAND) == 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, orders) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        close(server.listener);
        close(orders[0]);
        clients(orders[1], path, n, most);
    }
    close(orders[1]);
    server.orders = orders[0];
    MUST((server.epoll = epoll_create1(EPOLL_CLOEXEC)) >= 0);
    watch(&server, server.listener, UINT32_MAX);

    memory();
    double before = memory();
    MUST((server.fds = malloc(most * sizeof *server.fds)) != NULL);
    double accept_first = accept_thousand(&server), trip_first = round_trips(&server), accept_last = accept_first;
    while (server.count < most) accept_last = accept_thousand(&server);
    double trip_last = round_trips(&server);
    double bytes = (memory() - before) / most;

    close(server.orders);
    MUST(waitpid(child, NULL, 0) == child);
    unlink(path);
    printf("%.2f %.1f %.1f %.1f %.1f\n", bytes, accept_first, accept_last, trip_first, trip_last);
}
