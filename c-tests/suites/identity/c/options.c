/* Cases of options about a peer: its groups, its process and its label, asked from this namespace
 * and from others. */
#include "identity.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 1. Ask for groups: the length tells how many groups there are, even if they do not fit. */

static void ask_groups(const char *name, int fd, socklen_t size)
{
	gid_t groups[8];
	socklen_t len = size;

	printf("getsockopt(%s, SO_PEERGROUPS, %u) = ", name, size);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
		printf("%s", errno_name(errno));
		if (errno == ERANGE)
			printf(", %u", len);
		return;
	}
	printf("ok, %u", len);
	for (size_t i = 0; i < len / sizeof groups[0]; i++)
		printf("%s %u", i == 0 ? ":" : "", groups[i]);
}

static void groups_of(size_t count, socklen_t size)
{
	static const gid_t groups[3] = { 30, 10, 20 };
	pid_t child = process_fork();

	if (child == 0) {
		int pair[2];

		process_take_groups(count, groups);
		new_pair(SOCK_STREAM, pair);
		/* This changes nothing, because the kernel has recorded the groups. */
		process_take_groups(0, NULL);
		ask_groups("p", pair[0], size);
		process_end(0);
	}
	process_join(child);
}

void options_groups_too_many(void)
{
	groups_of(3, 4);
}

void options_groups_exact(void)
{
	groups_of(3, 12);
}

void options_groups_roomy(void)
{
	groups_of(3, 16);
}

void options_groups_none(void)
{
	groups_of(0, 12);
}

void options_groups_of_nobody(void)
{
	int s = new_socket(SOCK_STREAM);

	ask_groups("s", s, 12);
	close(s);
}

/* 2. Ask for a pidfd: it always means the same process, while another process can get the same pid.
 *    */

static void ask_pidfd(const char *name, int fd)
{
	int pidfd = -1;
	socklen_t len = sizeof pidfd;

	printf("getsockopt(%s, SO_PEERPIDFD) = ", name);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0) {
		printf("%s", errno_name(errno));
		return;
	}
	printf("ok, %s; pidfd_send_signal(0) = ",
	       (fcntl(pidfd, F_GETFD) & FD_CLOEXEC) != 0 ? "FD_CLOEXEC" : "no FD_CLOEXEC");
	printf("%s", syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 ? errno_name(errno) : "ok");
	close(pidfd);
}

void options_pidfd_of_pair(void)
{
	int pair[2];

	new_pair(SOCK_DGRAM, pair);
	ask_pidfd("p", pair[0]);
	close_both(pair[0], pair[1]);
}

/* Asks with a buffer that is too small. The kernel truncates the integer, but still makes the
 * descriptor. */
void options_pidfd_short(void)
{
	unsigned char number[2];
	socklen_t len = sizeof number;
	int pair[2], next, result;

	new_pair(SOCK_STREAM, pair);
	next = dup(pair[0]);
	close(next); /* The next new descriptor will be this integer. */
	result = getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, number, &len);
	printf("getsockopt(p, SO_PEERPIDFD, 2) = %s", result < 0 ? errno_name(errno) : "ok");
	printf(", %u; %s", len, close(next) == 0 ? "a descriptor more" : "no descriptor more");
	close_both(pair[0], pair[1]);
}

void options_pidfd_of_nobody(void)
{
	int s = new_socket(SOCK_SEQPACKET);

	ask_pidfd("s", s);
	close(s);
}

void options_peer_dead(void)
{
	int s = listening(SOCK_STREAM, 8), a;
	pid_t child = process_fork();

	if (child == 0) {
		connected(SOCK_STREAM);
		process_end(0);
	}
	process_join(child);
	a = accepted(s);
	ask_cred("a", a);
	printf("; ");
	ask_pidfd("a", a);
	close_both(s, a);
}

/* 3. Ask for a label: only a security module that labels sockets provides one. */

void options_label(void)
{
	char text[256];
	socklen_t len = sizeof text;
	int pair[2], result;

	new_pair(SOCK_STREAM, pair);
	result = getsockopt(pair[0], SOL_SOCKET, SO_PEERSEC, text, &len);
	if (result < 0)
		printf("getsockopt(p, SO_PEERSEC) = %s", errno_name(errno));
	else
		printf("not run: this system labels sockets");
	close_both(pair[0], pair[1]);
}

/* 4. Ask across namespaces: the peer's id can be one that is not mapped in this namespace. */

void options_in_user_namespace(void)
{
	pid_t child = process_fork();

	if (child == 0) {
		int pair[2];

		if (unshare(CLONE_NEWUSER) < 0) {
			printf("not run: needs a namespace");
			process_end(0);
		}
		process_forget_own_ids();
		new_pair(SOCK_STREAM, pair);
		printf("geteuid() = ");
		user_print(geteuid());
		printf("; ");
		ask_cred("p", pair[0]);
		process_end(0);
	}
	process_join(child);
}

/* Runs in a child of the program: a server in the pid namespace of the program, and a client in its
 * own pid namespace. */
static _Noreturn void across_pid_namespaces(void)
{
	int s = listening(SOCK_STREAM, 8);
	pid_t child;

	if (unshare(CLONE_NEWPID) < 0) {
		printf("not run: needs a namespace");
		process_end(0);
	}
	child = process_fork();
	if (child == 0) {
		int c = connected(SOCK_STREAM);

		printf("inside: ");
		ask_cred("c", c);
		printf("; ");
		ask_pidfd("c", c);
		process_end(0);
	}
	process_join(child);
	printf("; outside: ");
	ask_cred("a", accepted(s));
	process_end(0);
}

void options_in_pid_namespace(void)
{
	pid_t child = process_fork();

	if (child == 0)
		across_pid_namespaces();
	process_join(child);
}
