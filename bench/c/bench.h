/* The parts that every workload in C needs: the command line, the clock, and a few shared
 * operations. PROGRAM list the keys PROGRAM run KEY N one workload N times; prints the nanoseconds
 * that it took CAREFUL is defined for the second program in C: it clears nothing that it writes
 * anyway, trusts the length that the kernel reports, and closes descriptors in runs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Makes the optimizer assume that the value is read, without adding an instruction. */
#define ESCAPE(value) __asm__ volatile("" : : "r"(value) : "memory")
/* Evaluates to the same value, and hides from the optimizer what it is, without adding an
 * instruction. */
#define OPAQUE(value) \
    ({ __typeof__((value) + 0) opaque_ = (value); __asm__ volatile("" : "+r"(opaque_) : : "memory"); opaque_; })
#define MUST(condition) \
    do { if (!(condition)) { fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno)); exit(2); } } while (0)

static const char *wanted; /* NULL means that the keys are listed. */
static uint64_t count;
static int found;

static inline int is(const char *key) {
    if (!wanted) puts(key);
    else if (!strcmp(wanted, key)) found = 1;
    return wanted && !strcmp(wanted, key);
}

static inline uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

#define REPEAT(...) \
    do { \
        uint64_t start_ = now(); \
        for (uint64_t i_ = 0; i_ < count; i_++) { __VA_ARGS__; } \
        printf("%llu\n", (unsigned long long)(now() - start_)); \
    } while (0)

static inline void begin(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "run")) wanted = argv[2], count = strtoull(argv[3], NULL, 10);
    else MUST(argc == 2 && !strcmp(argv[1], "list"));
}

static inline void end(void) {
    MUST(found || !wanted);
}

/* ---- Addresses and sockets, as C programs usually make them. With CAREFUL they are made with fewer instructions. */

static inline int address_of_path(const char *path, size_t n, struct sockaddr_un *ret_addr, socklen_t *ret_len) {
    if (n >= sizeof ret_addr->sun_path || memchr(path, 0, n)) { errno = EINVAL; return -1; }
#ifdef CAREFUL
    ret_addr->sun_path[n] = 0;
#else
    memset(ret_addr, 0, sizeof *ret_addr);
#endif
    ret_addr->sun_family = AF_UNIX;
    memcpy(ret_addr->sun_path, path, n);
    *ret_len = offsetof(struct sockaddr_un, sun_path) + n + 1;
    return 0;
}

static inline int bound(int type, const char *path, size_t n) {
    struct sockaddr_un addr;
    socklen_t len;
    MUST(address_of_path(path, n, &addr, &len) == 0);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0);
    return fd;
}

static inline int connect_to(const char *path, size_t n) {
    struct sockaddr_un addr;
    socklen_t len;
    if (address_of_path(path, n, &addr, &len) < 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&addr, len) < 0) { close(fd); return -1; }
    return fd;
}

/* Writes a path for a socket of this process, in the current directory. It always has 20 bytes. */
static inline const char *socket_path(const char *tag, char (*path)[108]) {
    snprintf(*path, sizeof *path, "%07d-%-12s", getpid(), tag);
    for (char *c = *path; *c; c++)
        if (*c == ' ') *c = '_';
    return *path;
}
