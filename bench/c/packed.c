/* Many messages packed into one message, as C programs usually do that. libraries/beyond.rs has the
 * same loops under the same keys. */
#include "bench.h"
#include <arpa/inet.h>

enum { DATAGRAM = 64, PREFIX = 4, MOST = 128 };

struct packed { char *bytes; size_t size, len; };

static inline int push(struct packed *p, const void *message, size_t n) {
    if (n > UINT32_MAX || n + PREFIX > p->size - p->len) { errno = ENOBUFS; return -1; }
    uint32_t prefix = htonl(n);
    memcpy(p->bytes + p->len, &prefix, PREFIX);
    memcpy(p->bytes + p->len + PREFIX, message, n);
    p->len += PREFIX + n;
    return 0;
}

/* Returns the length of the first message, -1 if it is not complete, or -2 if it is too long. */
static inline ssize_t first(const char *bytes, size_t n, size_t max, const char **ret_message) {
    uint32_t prefix;
    if (n < PREFIX) return -1;
    memcpy(&prefix, bytes, PREFIX);
    prefix = ntohl(prefix);
    if (prefix > max) return -2;
    if (prefix > n - PREFIX) return -1;
    *ret_message = bytes + PREFIX;
    return prefix;
}

static void packing(const char *key, int type, int size) {
    if (!is(key)) return;
    int pair[2];
    MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) == 0);
    struct packed tx = { malloc(size * (PREFIX + DATAGRAM)), size * (PREFIX + DATAGRAM), 0 };
    size_t most = MOST * (PREFIX + DATAGRAM), n = DATAGRAM;
    char message[DATAGRAM] = { 7 }, *rx = malloc(most);
    MUST(tx.bytes && rx);
    uint64_t start = now();
    for (uint64_t done = 0; done < count;) {
        tx.len = 0;
        for (int i = 0; i < size; i++) MUST(push(&tx, OPAQUE((char *)message), OPAQUE(n)) == 0);
        MUST(send(pair[0], tx.bytes, tx.len, MSG_NOSIGNAL) == (ssize_t)tx.len);
        size_t left = 0, taken = 0;
        for (int i = 0; i < size;) {
            ssize_t received = recv(pair[1], rx + left, most - left, 0);
            MUST(received > 0);
            left += received;
            taken = 0;
            const char *one;
            ssize_t len;
            for (; (len = first(rx + taken, left - taken, most - PREFIX, &one)) >= 0; i++) {
                MUST(len == DATAGRAM);
                ESCAPE(one);
                taken += PREFIX + len;
            }
            MUST(len == -1);
            left -= taken;
            if (left) memmove(rx, rx + taken, left);
        }
        done += size;
    }
    printf("%llu\n", (unsigned long long)(now() - start));
    free(rx);
    free(tx.bytes);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    packing("packed.seqpacket.8", SOCK_SEQPACKET, 8);
    packing("packed.seqpacket.32", SOCK_SEQPACKET, 32);
    packing("packed.seqpacket.128", SOCK_SEQPACKET, 128);
    packing("packed.stream.8", SOCK_STREAM, 8);
    packing("packed.stream.32", SOCK_STREAM, 32);
    packing("packed.stream.128", SOCK_STREAM, 128);
    end();
}
