/* Puts control messages into a buffer to send, and takes them out of a received buffer. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stddef.h>
#include <sys/socket.h>

/* SCM_PIDFD and the names below exist since glibc 2.39, or Linux 6.5, 6.16 and 6.17, and the
 * headers may be older. The values are those of the kernel's asm-generic headers. */
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SO_INQ
#define SO_INQ 84
#define SCM_INQ SO_INQ
#endif

/* The size of the control buffer, which is more than any case needs. */
#define CONTROL_SIZE 4096
#define MAX_FDS 256

/* The descriptor that is sent if the case names none: standard input, which the test runner opens.
 */
#define ANY_FD 0

/* Control data to send, with messages one after the other. */
struct control {
	size_t len;
	_Alignas(struct cmsghdr) unsigned char bytes[CONTROL_SIZE];
};

/* put adds a message of level SOL_SOCKET. put_rights adds SCM_RIGHTS with ANY_FD, count times.
 * put_wrong adds 8 bytes of SCM_RIGHTS, whose header has the given length, level and type. */
void put(struct control *control, int type, const void *data, size_t size);
void put_rights(struct control *control, size_t count);
void put_wrong(struct control *control, size_t cmsg_len, int level, int type);

/* Descriptors that were received. */
struct fds {
	size_t count;
	int fd[MAX_FDS];
};

void close_fds(const struct fds *fds);

/* One control message, with its data as far as it is inside the buffer. */
struct message {
	int level, type;
	const unsigned char *data;
	size_t size;
};

/* Reads the message at *at and moves *at past it. Returns 1, or 0 at the end. */
int next_message(const unsigned char *bytes, size_t len, size_t *at, struct message *ret_message);

/* Prints the control messages of a buffer in words, ", RIGHTS(2)" each. Returns their descriptors,
 * unless ret_fds is NULL. */
void print_control(const unsigned char *bytes, size_t len, struct fds *ret_fds);

#endif
