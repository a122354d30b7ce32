#include "message.h"
#include "descriptors.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* 1. Make and close sockets. */

struct pair new_pair(int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		die("socketpair");
	return (struct pair){ fds[0], fds[1] };
}

void close_pair(struct pair s)
{
	close(s.p);
	close(s.q);
}

void set_option(const char *name, int fd, int option, const char *words, int value)
{
	int failed = setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);

	step("setsockopt(%s, %s, %d)", name, words, value);
	outcome(failed);
}

int lacks_option(int option, const char *words)
{
	struct pair s = new_pair(SOCK_STREAM);
	int one = 1;
	int lacks = setsockopt(s.p, SOL_SOCKET, option, &one, sizeof one) < 0 && errno == ENOPROTOOPT;

	if (lacks)
		printf("not run: needs %s", words);
	close_pair(s);
	return lacks;
}

/* 2. Send messages. */

ssize_t try_send(int p, const char *text, const struct control *control)
{
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control->len > 0 ? (void *)control->bytes : NULL,
		.msg_controllen = control->len,
	};

	return sendmsg(p, &message, MSG_NOSIGNAL);
}

void send_control(int p, const char *text, const struct control *control, const char *words)
{
	ssize_t count = try_send(p, text, control);

	step("sendmsg(p, \"%s\", %s)", text, words);
	result(count);
}

void send_rights(int p, const char *text, size_t count)
{
	struct control control = { .len = 0 };
	char words[32];

	put_rights(&control, count);
	snprintf(words, sizeof words, "RIGHTS(%zu)", count);
	send_control(p, text, &control, words);
}

void send_fd(int p, const char *text, int fd)
{
	struct control control = { .len = 0 };

	put(&control, SCM_RIGHTS, &fd, sizeof fd);
	send_control(p, text, &control, "RIGHTS(1)");
}

void send_text(int p, const char *text)
{
	ssize_t count = send(p, text, strlen(text), MSG_NOSIGNAL);

	step("send(p, \"%s\")", text);
	result(count);
}

/* 3. Receive messages. */

struct fds receive_with(int q, struct receive how)
{
	_Alignas(struct cmsghdr) unsigned char bytes[CONTROL_SIZE + sizeof(struct cmsghdr)];
	unsigned char data[DATA_SIZE];
	struct fds fds = { .count = 0 };
	struct iovec iov = { data, how.size };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = how.capacity > 0 ? bytes + how.offset : NULL,
		.msg_controllen = how.capacity,
	};
	int flags = how.flag_words == NULL ? MSG_CMSG_CLOEXEC : how.flags;
	int before = open_descriptors(), more;
	ssize_t count = recvmsg(q, &message, flags);

	more = open_descriptors() - before;
	step("recvmsg(q, %zu", how.size);
	if (how.capacity_words != NULL)
		printf(", %s", how.capacity_words);
	if (how.flag_words != NULL)
		printf(", %s", how.flag_words);
	putchar(')');
	result(count);
	if (count < 0)
		return fds;
	if (count > 0 && how.size > 0) {
		printf(", ");
		bytes_print(data, (size_t)count < how.size ? (size_t)count : how.size);
	}
	print_control(message.msg_control, message.msg_controllen, &fds);
	if ((message.msg_flags & MSG_TRUNC) != 0)
		printf(", TRUNC");
	if ((message.msg_flags & MSG_CTRUNC) != 0)
		printf(", CTRUNC");
	if (more != 0)
		printf(", opened %d", more);
	return fds;
}

void receive_closing(int q, struct receive how)
{
	struct fds fds = receive_with(q, how);

	close_fds(&fds);
}

void receive(int q, size_t size)
{
	receive_closing(q, (struct receive){ .size = size, .capacity = CONTROL_SIZE });
}

int receive_fd(int q)
{
	struct fds fds = receive_with(q, (struct receive){ .size = 64, .capacity = CONTROL_SIZE });

	if (fds.count == 1)
		return fds.fd[0];
	close_fds(&fds);
	return -1;
}

void receive_plain(int q, size_t size, int flags, const char *words)
{
	unsigned char data[DATA_SIZE];
	int before = open_descriptors(), more;
	ssize_t count = recv(q, data, size, flags);

	more = open_descriptors() - before;
	step("recv(q, %zu%s%s)", size, words == NULL ? "" : ", ", words == NULL ? "" : words);
	result(count);
	if (count > 0) {
		printf(", ");
		bytes_print(data, (size_t)count);
	}
	if (more != 0)
		printf(", opened %d", more);
}
