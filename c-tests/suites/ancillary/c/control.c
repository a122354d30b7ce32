#include "control.h"
#include "notation.h"
#include "process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 1. Lay out control data to be sent. */

static void put_message(struct control *control, const struct cmsghdr *header, const void *data,
			size_t size)
{
	unsigned char *at = control->bytes + control->len;

	if (CMSG_SPACE(size) > CONTROL_SIZE - control->len)
		die("space for control data");
	memset(at, 0, CMSG_SPACE(size));
	memcpy(at, header, sizeof *header);
	if (size > 0)
		memcpy(at + CMSG_LEN(0), data, size);
	control->len += CMSG_SPACE(size);
}

void put(struct control *control, int type, const void *data, size_t size)
{
	struct cmsghdr header = {
		.cmsg_len = CMSG_LEN(size),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = type,
	};

	put_message(control, &header, data, size);
}

void put_wrong(struct control *control, size_t cmsg_len, int level, int type)
{
	struct cmsghdr header = {
		.cmsg_len = cmsg_len,
		.cmsg_level = level,
		.cmsg_type = type,
	};
	int fds[2] = { ANY_FD, ANY_FD };

	put_message(control, &header, fds, sizeof fds);
}

void put_rights(struct control *control, size_t count)
{
	int fds[MAX_FDS];

	for (size_t i = 0; i < count; i++)
		fds[i] = ANY_FD;
	put(control, SCM_RIGHTS, fds, count * sizeof fds[0]);
}

/* 2. Read received control data by offsets and memcpy. The buffer may have any alignment, and
 *    CMSG_NXTHDR of an older glibc skips a last message without its padding, and the descriptors in
 *    that message. */

int next_message(const unsigned char *bytes, size_t len, size_t *at, struct message *ret_message)
{
	struct cmsghdr header;
	size_t left = len - *at, end;

	if (left < CMSG_LEN(0))
		return 0;
	memcpy(&header, bytes + *at, sizeof header);
	end = header.cmsg_len < left ? header.cmsg_len : left;
	ret_message->level = header.cmsg_level;
	ret_message->type = header.cmsg_type;
	ret_message->data = bytes + *at + CMSG_LEN(0);
	ret_message->size = end < CMSG_LEN(0) ? 0 : end - CMSG_LEN(0);
	/* If the length is less than a header, the loop would never end. If it exceeds the buffer,
	 * this message is the last. */
	if (header.cmsg_len < CMSG_LEN(0) || CMSG_ALIGN(end) > left)
		*at = len;
	else
		*at += CMSG_ALIGN(end);
	return 1;
}

static void print_credentials(const struct message *message)
{
	struct ucred cred;

	if (message->size < sizeof cred) {
		printf(", CREDENTIALS(%zu of %zu bytes)", message->size, sizeof cred);
		return;
	}
	memcpy(&cred, message->data, sizeof cred);
	printf(", CREDENTIALS(");
	if (cred.pid <= 1) /* This pid belongs to no process, or the case made it up. */
		printf("pid %d, uid %u, gid %u", cred.pid, cred.uid, cred.gid);
	else
		ids_print(cred.pid, cred.uid, cred.gid);
	putchar(')');
}

static void keep_fd(struct fds *fds, const unsigned char *data)
{
	int fd;

	memcpy(&fd, data, sizeof fd);
	if (fd >= 0 && fds != NULL && fds->count < MAX_FDS)
		fds->fd[fds->count++] = fd;
}

static void print_pidfd(const struct message *message, struct fds *fds)
{
	int fd = -1;

	if (message->size >= sizeof fd)
		memcpy(&fd, message->data, sizeof fd);
	if (fd < 0) {
		printf(", PIDFD(%s)", errno_name(-fd));
		return;
	}
	printf(", PIDFD");
	keep_fd(fds, message->data);
}

static void print_message(const struct message *message, struct fds *fds)
{
	int number;

	switch (message->type) {
	case SCM_CREDENTIALS:
		print_credentials(message);
		break;
	case SCM_RIGHTS:
		printf(", RIGHTS(%zu)", message->size / sizeof number);
		for (size_t at = 0; message->size - at >= sizeof number; at += sizeof number)
			keep_fd(fds, message->data + at);
		break;
	case SCM_PIDFD:
		print_pidfd(message, fds);
		break;
	case SCM_INQ:
		memcpy(&number, message->data, sizeof number);
		printf(", INQ(%d)", number);
		break;
	default:
		printf(", another");
	}
}

void print_control(const unsigned char *bytes, size_t len, struct fds *ret_fds)
{
	struct message message;

	for (size_t at = 0; next_message(bytes, len, &at, &message);)
		print_message(&message, ret_fds);
}

/* 3. Close and count descriptors. */

void close_fds(const struct fds *fds)
{
	for (size_t i = 0; i < fds->count; i++)
		close(fds->fd[i]);
}
