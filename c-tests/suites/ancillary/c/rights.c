/* Cases of SCM_RIGHTS at the sender: what a message may carry. */
#include "ancillary.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* 1. Send no, one and many descriptors, on all types of sockets. */

static void on_every_type(size_t count)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{ "stream", SOCK_STREAM }, { "datagram", SOCK_DGRAM }, { "seqpacket", SOCK_SEQPACKET },
	};

	for (size_t i = 0; i < 3; i++) {
		struct pair s = new_pair(types[i].type);

		part(types[i].name);
		send_rights(s.p, "x", count);
		receive(s.q, 64);
		close_pair(s);
	}
}

void rights_one(void)
{
	on_every_type(1);
}

void rights_most(void)
{
	on_every_type(253);
}

void rights_too_many(void)
{
	on_every_type(254);
}

/* 2. Send bad descriptors: the kernel passes all or none. */

void rights_closed(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct control control = { .len = 0 };
	int fds[3] = { ANY_FD, dup(ANY_FD), ANY_FD };

	close(fds[1]);
	put(&control, SCM_RIGHTS, fds, sizeof fds);
	send_control(s.p, "x", &control, "RIGHTS(good, closed, good)");
	receive(s.q, 64);
	close_pair(s);
}

void rights_negative(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct control control = { .len = 0 };
	int fd = -1;

	put(&control, SCM_RIGHTS, &fd, sizeof fd);
	send_control(s.p, "x", &control, "RIGHTS(-1)");
	receive(s.q, 64);
	close_pair(s);
}

void rights_twice(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct fds fds;

	send_rights(s.p, "x", 2);
	fds = receive_with(s.q, (struct receive){ .size = 64, .capacity = CONTROL_SIZE });
	step("%s", fds.count == 2 && fds.fd[0] != fds.fd[1] ? "two numbers" : "one number");
	close_fds(&fds);
	close_pair(s);
}

/* 3. Send bad headers. */

static void wrong(size_t cmsg_len, int level, int type, size_t controllen, const char *words)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct control control = { .len = 0 };

	put_wrong(&control, cmsg_len, level, type);
	control.len = controllen;
	send_control(s.p, "x", &control, words);
	receive(s.q, 64);
	close_pair(s);
}

static void of_length(size_t cmsg_len, size_t controllen, const char *words)
{
	wrong(cmsg_len, SOL_SOCKET, SCM_RIGHTS, controllen, words);
}

void rights_header_short(void)
{
	of_length(CMSG_LEN(0) - 1, CMSG_SPACE(8), "cmsg_len CMSG_LEN(0) - 1");
}

void rights_past_end(void)
{
	of_length(CMSG_LEN(8), CMSG_LEN(8) - 1, "cmsg_len msg_controllen + 1");
}

void rights_one_and_a_half(void)
{
	of_length(CMSG_LEN(6), CMSG_SPACE(8), "cmsg_len CMSG_LEN(6)");
}

void rights_unknown_type(void)
{
	wrong(CMSG_LEN(8), SOL_SOCKET, 77, CMSG_SPACE(8), "type 77");
}

void rights_unknown_level(void)
{
	wrong(CMSG_LEN(8), 12345, SCM_RIGHTS, CMSG_SPACE(8), "level 12345");
}

/* 4. Pass descriptors of all types, over sockets of all types. */

void rights_path(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int fd = open(".", O_PATH | O_CLOEXEC), received;

	if (fd < 0)
		die("open");
	send_fd(s.p, "x", fd);
	received = receive_fd(s.q);
	step("fcntl(F_GETFL) & O_PATH = %s", (fcntl(received, F_GETFL) & O_PATH) != 0 ? "yes" : "no");
	close(received);
	close(fd);
	close_pair(s);
}

void rights_io_uring(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	unsigned params[30] = { 0 }; /* This array stands for a struct io_uring_params. */
	int fd = (int)syscall(SYS_io_uring_setup, 1, params);

	if (fd < 0) {
		printf("not run: needs io_uring");
	} else {
		send_fd(s.p, "x", fd);
		receive(s.q, 64);
		close(fd);
	}
	close_pair(s);
}

void rights_unconnected(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = PATH };
	struct control control = { .len = 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr message = {
		.msg_name = &addr,
		.msg_namelen = sizeof addr,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
	};
	int q = bound(SOCK_DGRAM), p = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t count;

	if (p < 0)
		die("socket");
	put_rights(&control, 1);
	message.msg_controllen = control.len;
	count = sendmsg(p, &message, MSG_NOSIGNAL);
	step("sendmsg(p, \"" PATH "\", \"x\", RIGHTS(1))");
	result(count);
	receive(q, 64);
	close(p);
	close(q);
}
