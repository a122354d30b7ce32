/* Passes one descriptor through a stream and one through a sequenced-packet socket, with the
 * necessary system calls and no others. Two calls of close(-1) mark the beginning and the end in a
 * trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The space for control messages that can arrive with the descriptor if another program has set
 * options on the socket: credentials, a security label, a pidfd, and the length of the queue. */
#define ALONG (CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(96) + 2 * CMSG_SPACE(sizeof(int)))

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "passing: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* 1. Send a byte 0, and the descriptor with it. */

static void send_fd(int sock, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof fd)];
		struct cmsghdr header;
	} control = { { 0 } };
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) != 1)
		die("sendmsg");
}

/* 2. Receive one byte, and exactly one descriptor, which is close-on-exec. */

static int recv_fd(int sock, int flags)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int)) + ALONG];
		struct cmsghdr header;
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC) != 1)
		die("recvmsg");
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg == NULL || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len != CMSG_LEN(sizeof fd))
		die("no descriptor");
	memcpy(&fd, CMSG_DATA(cmsg), sizeof fd);
	return fd;
}

int main(void)
{
	int stream[2], packets[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream) < 0)
		die("socketpair");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packets) < 0)
		die("socketpair");
	close(-1);
	send_fd(stream[0], stream[0]);
	fd = recv_fd(stream[1], 0);
	close(fd);
	send_fd(packets[0], stream[0]);
	fd = recv_fd(packets[1], MSG_TRUNC); /* Reports the true length of a message. */
	close(fd);
	close(-1);
	for (int i = 0; i < 2; i++) {
		close(stream[i]);
		close(packets[i]);
	}
	return 0;
}
