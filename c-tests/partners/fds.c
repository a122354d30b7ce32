/* Gives and takes descriptors in C, for tests of programs in other languages. Standard input is the
 * socket, of any type:
 *
 *   fds give COUNT...   for each COUNT receives a message and sends that many files with the message
 *                       "g", each file holding its number; then receives a message and answers with
 *                       the offsets of the files
 *   fds take MESSAGES   receives that many messages, writes into each descriptor its number in its
 *                       message, and answers each message with their number */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 253 /* SCM_MAX_FD */

/* A control buffer with the alignment of a struct cmsghdr. */
union control {
	char bytes[CMSG_SPACE(MOST * sizeof(int))];
	struct cmsghdr header;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "fds: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* 1. Send descriptors: one message has one SCM_RIGHTS. */

static void send_fds(const int *fds, size_t count)
{
	union control control = { { 0 } };
	struct iovec iov = { .iov_base = "g", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof *fds),
	};
	struct cmsghdr *cmsg = &control.header;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof *fds);
	memcpy(CMSG_DATA(cmsg), fds, count * sizeof *fds);
	if (sendmsg(STDIN_FILENO, &msg, MSG_NOSIGNAL) != 1)
		die("sendmsg");
}

static void answer(const char *text)
{
	if (send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL) < 0)
		die("send");
}

/* 2. Receive all descriptors of one message. If there is no message, end the program. */

static size_t receive_fds(int *ret_fds)
{
	char bytes[64];
	union control control;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	size_t count = 0;

	if (recvmsg(STDIN_FILENO, &msg, MSG_CMSG_CLOEXEC) < 0)
		die("recvmsg");
	if (msg.msg_flags & MSG_CTRUNC) {
		errno = EMSGSIZE;
		die("recvmsg");
	}
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof *ret_fds;
		memcpy(ret_fds, CMSG_DATA(cmsg), count * sizeof *ret_fds);
	}
	return count;
}

/* 3. Run the two commands. */

static void give(size_t count)
{
	int fds[MOST], none[MOST];
	char text[MOST * 8] = "";
	size_t end = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i] = memfd_create("given", MFD_CLOEXEC);
		if (fds[i] < 0 || dprintf(fds[i], "%zu", i) < 0 || lseek(fds[i], 0, SEEK_SET) < 0)
			die("memfd_create");
	}
	receive_fds(none);
	send_fds(fds, count);
	receive_fds(none);
	for (size_t i = 0; i < count; i++)
		end += (size_t)snprintf(text + end, sizeof text - end, "%ld ",
					(long)lseek(fds[i], 0, SEEK_CUR));
	answer(text);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void take(size_t messages)
{
	for (size_t message = 0; message < messages; message++) {
		int fds[MOST];
		char text[16];
		size_t count = receive_fds(fds);

		for (size_t i = 0; i < count; i++) {
			if (dprintf(fds[i], "%zu", i) < 0)
				die("write");
			close(fds[i]);
		}
		snprintf(text, sizeof text, "%zu ", count);
		answer(text);
	}
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "give") == 0) {
		for (int i = 2; i < argc; i++) {
			size_t count = strtoul(argv[i], NULL, 10);

			if (count == 0 || count > MOST) {
				errno = EINVAL;
				die(argv[i]);
			}
			give(count);
		}
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "take") == 0) {
		take(strtoul(argv[2], NULL, 10));
		return 0;
	}
	fputs("usage: fds give COUNT... | fds take MESSAGES\n", stderr);
	return 2;
}
