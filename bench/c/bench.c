/* The workloads in plain C, as it is usually written. They are the reference. src/lib.rs has
 * the same loops under the same keys for the libraries in Rust. */
#include "bench.h"

enum { DATAGRAM = 64, BUFFER = 4096, REQUEST = 64, BULK = 65536, MOST_FDS = 253 };

/* ---- The operations. */

static inline int address_of_name(const char *name, size_t n, struct sockaddr_un *ret_addr, socklen_t *ret_len) {
    if (n >= sizeof ret_addr->sun_path) { errno = EINVAL; return -1; }
#ifdef CAREFUL
    ret_addr->sun_path[0] = 0;
#else
    memset(ret_addr, 0, sizeof *ret_addr);
#endif
    ret_addr->sun_family = AF_UNIX;
    memcpy(ret_addr->sun_path + 1, name, n);
    *ret_len = offsetof(struct sockaddr_un, sun_path) + 1 + n;
    return 0;
}

enum kind { UNNAMED, PATHNAME, ABSTRACT };
struct seen { enum kind kind; size_t len; };

static inline struct seen seen(enum kind kind, const char *name, size_t len) {
    ESCAPE(name);
    ESCAPE(len);
    return (struct seen){ kind, len };
}

static inline struct seen parse(const struct sockaddr_un *addr, socklen_t len) {
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    if (len <= offset || addr->sun_family != AF_UNIX) return seen(UNNAMED, addr->sun_path, 0);
    if (addr->sun_path[0] == 0) return seen(ABSTRACT, addr->sun_path + 1, len - offset - 1);
#ifdef CAREFUL
    if (len > sizeof *addr) len = sizeof *addr;
    return seen(PATHNAME, addr->sun_path, len - offset - (((const char *)addr)[len - 1] == 0));
#else
    return seen(PATHNAME, addr->sun_path, strnlen(addr->sun_path, len - offset));
#endif
}

static inline ssize_t send_to(int fd, const void *bytes, size_t count, const char *path, size_t n) {
    struct sockaddr_un addr;
    socklen_t len;
    if (address_of_path(path, n, &addr, &len) < 0) return -1;
    return sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&addr, len);
}

static inline ssize_t recv_from(int fd, void *buf, size_t size, struct seen *ret_from) {
    struct sockaddr_un addr;
    socklen_t len = sizeof addr;
    ssize_t count = recvfrom(fd, buf, size, 0, (struct sockaddr *)&addr, &len);
    if (count >= 0) *ret_from = parse(&addr, len);
    return count;
}

/* The headers of a batch are initialised once and reused in every call. The data is new in each call. */
struct batch { int count; struct mmsghdr *headers; struct iovec *pieces; char *bufs; };

static struct batch batch(int count) {
    struct batch b = { count, calloc(count, sizeof *b.headers), calloc(count, sizeof *b.pieces), calloc(count, DATAGRAM) };
    MUST(b.headers && b.bufs && b.pieces);
    for (int i = 0; i < count; i++) {
        b.pieces[i] = (struct iovec){ b.bufs + i * DATAGRAM, DATAGRAM };
        b.headers[i].msg_hdr.msg_iov = &b.pieces[i];
        b.headers[i].msg_hdr.msg_iovlen = 1;
    }
    return b;
}

static inline int send_batch(int fd, struct batch *b, char (*data)[DATAGRAM]) {
    int count = b->count;
    for (int i = 0; i < count; i++) b->pieces[i].iov_base = data[i];
    return sendmmsg(fd, b->headers, b->count, MSG_NOSIGNAL);
}

static inline int recv_batch(int fd, struct batch *b) {
    int received = recvmmsg(fd, b->headers, b->count, MSG_WAITFORONE, NULL);
    for (int i = 0; i < received; i++) MUST(b->headers[i].msg_len == DATAGRAM);
    return received;
}

static inline void send_fds(int fd, const int *fds, int n) {
    union { char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))]; struct cmsghdr align; } control;
    char byte = 0;
    struct iovec piece = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(header), fds, n * sizeof(int));
    MUST(sendmsg(fd, &msg, MSG_NOSIGNAL) == 1);
}

/* Receives descriptors into the array of the caller, who owns them. */
static inline int recv_fds(int fd, int *ret_fds, int most) {
    union { char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))]; struct cmsghdr align; } control;
    char byte;
    struct iovec piece = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(most * sizeof(int)) };
    MUST(recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) == 1 && !(msg.msg_flags & MSG_CTRUNC));
    int count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&msg); header; header = CMSG_NXTHDR(&msg, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        MUST(n <= most - count);
        if (most == 1) { /* a constant, for which no memcpy is called */
            MUST(n == 1);
            memcpy(ret_fds, CMSG_DATA(header), sizeof(int));
        } else memcpy(ret_fds + count, CMSG_DATA(header), n * sizeof(int));
        count += n;
    }
    return count;
}

static inline void close_fds(const int *fds, int n) {
#ifdef CAREFUL
    for (int i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && fds[i + run] == fds[i] + run;) run++;
        if (run == 1) close(fds[i]);
        else close_range(fds[i], fds[i] + run - 1, 0);
    }
#else
    for (int i = 0; i < n; i++) close(fds[i]);
#endif
}

static inline void send_all(int fd, const char *bytes, size_t n) {
    for (size_t done = 0; done < n;) { ssize_t sent = send(fd, bytes + done, n - done, MSG_NOSIGNAL); MUST(sent >= 0); done += sent; }
}

/* Receives what a client has sent, and sends it back. Returns 0 if the client has closed. A program has
 * such a function for each client, and the compiler does not see its caller. */
static __attribute__((noinline)) int echo(int client, char *buf) {
    ssize_t n = recv(client, buf, BUFFER, 0);
    MUST(n >= 0);
    if (n == 0) return 0;
    send_all(client, buf, n);
    return 1;
}

/* ---- The workloads. */

static const char *name(size_t n) {
    static char bytes[128] = "/run/app/x";
    for (size_t i = 10; i < n; i++) bytes[i] = 'a' + (i - 10) % 26;
    bytes[n] = 0;
    return bytes;
}

static struct sockaddr_un filled(enum kind kind, size_t n, socklen_t *ret_len) {
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (kind != UNNAMED) memcpy(addr.sun_path + (kind == ABSTRACT), name(n), n);
    *ret_len = kind == UNNAMED ? 2 : 2 + n + 1;
    return addr;
}

static void address(void) {
    for (int len = 20; len <= 107; len += 87)
        if (is(len == 20 ? "address.path20" : "address.path107")) {
            const char *path = name(len);
            size_t n = len;
            REPEAT(struct sockaddr_un addr; socklen_t addr_len; MUST(address_of_path(OPAQUE(path), OPAQUE(n), &addr, &addr_len) == 0);
                ESCAPE(&addr); ESCAPE(addr_len));
        }
    if (is("address.abstract20")) {
        const char *path = name(20);
        size_t n = 20;
        REPEAT(struct sockaddr_un addr; socklen_t addr_len; MUST(address_of_name(OPAQUE(path), OPAQUE(n), &addr, &addr_len) == 0);
            ESCAPE(&addr); ESCAPE(addr_len));
    }
    if (is("address.constant")) {
        static const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/app/control.sock" };
        REPEAT(ESCAPE(&addr));
    }
}

static void parsing(void) {
    static const struct { const char *key; enum kind kind; size_t len; } cases[] = {
        { "parse.path20", PATHNAME, 20 },
        { "parse.path107", PATHNAME, 107 },
        { "parse.abstract20", ABSTRACT, 20 },
        { "parse.unnamed", UNNAMED, 0 },
    };
    for (int i = 0; i < 4; i++)
        if (is(cases[i].key)) {
            socklen_t len;
            struct sockaddr_un addr = filled(cases[i].kind, cases[i].len, &len);
            struct seen first = parse(&addr, len);
            MUST(first.kind == cases[i].kind && first.len == cases[i].len);
            REPEAT(struct seen s = parse(OPAQUE(&addr), OPAQUE(len)); ESCAPE((size_t)s.kind); ESCAPE(s.len));
        }
}

static void streams(void) {
    int pair[2];
    if (is("connect")) {
        char room[108];
        const char *path = socket_path("connect", &room);
        size_t n = strlen(path);
        int listener = bound(SOCK_STREAM, path, n);
        MUST(listen(listener, 4096) == 0);
        REPEAT(int client = connect_to(OPAQUE(path), OPAQUE(n)); MUST(client >= 0);
            struct sockaddr_un peer; socklen_t peer_len = sizeof peer;
            int server = accept4(listener, (struct sockaddr *)&peer, &peer_len, SOCK_CLOEXEC); MUST(server >= 0);
            ESCAPE(&peer); ESCAPE(peer_len); close(server); close(client));
        unlink(path);
    }
    if (is("echo")) {
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        char tx[REQUEST] = { 7 }, rx[REQUEST], buf[BUFFER];
        size_t size = REQUEST;
        REPEAT(send_all(pair[0], OPAQUE(tx), OPAQUE(size)); MUST(echo(pair[1], buf));
            for (size_t done = 0; done < REQUEST;) { ssize_t n = recv(pair[0], rx + done, REQUEST - done, 0); MUST(n > 0); done += n; }
            ESCAPE(rx));
    }
    if (is("bulk")) {
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        char *tx = aligned_alloc(4096, BULK), *rx = aligned_alloc(4096, BULK);
        MUST(tx && rx);
        memset(tx, 0, BULK);
        memset(rx, 0, BULK);
        REPEAT(
            for (size_t done = 0; done < BULK;) { ssize_t n = send(pair[0], OPAQUE(tx + done), OPAQUE(BULK - done), MSG_NOSIGNAL); MUST(n >= 0); done += n; }
            for (size_t done = 0; done < BULK;) { ssize_t n = recv(pair[1], rx + done, BULK - done, 0); MUST(n >= 0); done += n; }
            ESCAPE(rx));
    }
}

static void round_trips(void) {
    static const struct { const char *key; int type; } kinds[] = {
        { "roundtrip.stream", SOCK_STREAM },
        { "roundtrip.datagram", SOCK_DGRAM },
        { "roundtrip.seqpacket", SOCK_SEQPACKET },
    };
    for (int i = 0; i < 3; i++)
        if (is(kinds[i].key)) {
            int pair[2];
            MUST(socketpair(AF_UNIX, kinds[i].type | SOCK_CLOEXEC, 0, pair) == 0);
            char there[BUFFER] = { 7 }, back[BUFFER] = { 0 };
            size_t one = 1;
            REPEAT(MUST(send(pair[0], OPAQUE(back), OPAQUE(one), MSG_NOSIGNAL) == 1); MUST(recv(pair[1], there, BUFFER, 0) == 1);
                MUST(send(pair[1], OPAQUE(there), OPAQUE(one), MSG_NOSIGNAL) == 1); MUST(recv(pair[0], back, BUFFER, 0) == 1));
        }
}

static void datagrams(void) {
    if (is("sendto")) {
        char from_room[108], to_room[108];
        const char *from = socket_path("from", &from_room), *to = socket_path("to", &to_room);
        size_t n = strlen(to), size = DATAGRAM;
        int a = bound(SOCK_DGRAM, from, n), b = bound(SOCK_DGRAM, to, n);
        char tx[DATAGRAM] = { 7 }, rx[DATAGRAM];
        REPEAT(MUST(send_to(a, OPAQUE(tx), OPAQUE(size), OPAQUE(to), OPAQUE(n)) == DATAGRAM);
            struct seen s; MUST(recv_from(b, rx, DATAGRAM, &s) == DATAGRAM && s.kind == PATHNAME));
        unlink(from);
        unlink(to);
    }
    if (is("oneway.datagram")) {
        int pair[2];
        MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
        char tx[DATAGRAM] = { 7 }, rx[DATAGRAM];
        REPEAT(MUST(send(pair[0], tx, DATAGRAM, MSG_NOSIGNAL) == DATAGRAM); MUST(recv(pair[1], rx, DATAGRAM, 0) == DATAGRAM));
    }
    static const struct { const char *key; int size; } batches[] = {
        { "batch.8", 8 }, { "batch.32", 32 }, { "batch.128", 128 },
    };
    for (int i = 0; i < 3; i++)
        if (is(batches[i].key)) { /* count counts messages, not batches. */
            int size = batches[i].size, pair[2];
            MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
            struct batch tx = batch(size), rx = batch(size);
            char (*data)[DATAGRAM] = calloc(size, DATAGRAM);
            MUST(data);
            uint64_t start = now();
            for (uint64_t done = 0; done < count;) {
                int sent = send_batch(pair[0], &tx, OPAQUE(data));
                MUST(sent > 0);
                for (int received = 0; received < sent;) { int n = recv_batch(pair[1], &rx); MUST(n > 0); received += n; }
                done += sent;
            }
            printf("%llu\n", (unsigned long long)(now() - start));
        }
}

/* The function is always inlined, so that n is known at compile time, as in a program that passes
 * one descriptor. */
static inline __attribute__((always_inline)) void pass(const char *key, const int n) {
    if (!is(key)) return;
    int fds[MOST_FDS], received[MOST_FDS], pair[2];
    for (int i = 0; i < n; i++) MUST((fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    REPEAT(send_fds(pair[0], OPAQUE(fds), n); MUST(recv_fds(pair[1], received, n) == n); ESCAPE(received); close_fds(received, n));
}

static void descriptors(void) {
    pass("fd.1", 1);
    pass("fd.4", 4);
    pass("fd.253", MOST_FDS);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    address();
    parsing();
    streams();
    round_trips();
    datagrams();
    descriptors();
    end();
}
