/* Cases of SCM_PIDFD (which is a descriptor, too), of SCM_INQ, of the order of control messages,
 * and of a control message of another address family. */
#include "ancillary.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct pair passing(int type)
{
	struct pair s = new_pair(type);

	SET("q", s.q, SO_PASSPIDFD, 1);
	return s;
}

/* 1. Receive a pidfd with a message. */

/* The option was set on the listener. A receiver that did not ask for a pidfd therefore finds a
 * pidfd in every message. */
void pidfd_inherited(void)
{
	struct pair s;
	struct fds fds;
	int listener;

	if (LACKS(SO_PASSPIDFD))
		return;
	listener = listening(SOCK_STREAM);
	SET("listener", listener, SO_PASSPIDFD, 1);
	s.p = connected(SOCK_STREAM);
	s.q = accepted(listener);
	send_text(s.p, "x");
	fds = receive_with(s.q, (struct receive){ 64, CONTROL_SIZE, NULL, 0, "0", 0 });
	if (fds.count == 1)
		step("%s", (fcntl(fds.fd[0], F_GETFD) & FD_CLOEXEC) != 0 ? "FD_CLOEXEC" : "no FD_CLOEXEC");
	close_fds(&fds);
	close_pair(s);
	close(listener);
}

void pidfd_peek(void)
{
	struct pair s;

	if (LACKS(SO_PASSPIDFD))
		return;
	s = passing(SOCK_STREAM);
	send_text(s.p, "x");
	RECEIVE_FLAGS(s.q, 64, MSG_PEEK);
	RECEIVE_FLAGS(s.q, 64, MSG_PEEK);
	receive(s.q, 64);
	close_pair(s);
}

void pidfd_dead(void)
{
	struct pair s;
	pid_t child;
	int pidfd;

	if (LACKS(SO_PASSPIDFD))
		return;
	s = passing(SOCK_STREAM);
	child = process_fork();
	if (child == 0) {
		part("child");
		send_text(s.p, "x");
		process_end(0);
	}
	process_join(child);
	pidfd = receive_fd(s.q);
	step("pidfd_send_signal(0)");
	result(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
	close(pidfd);
	close_pair(s);
}

/* 2. Receive without a pidfd. */

void pidfd_limit(void)
{
	struct pair s;

	if (LACKS(SO_PASSPIDFD))
		return;
	s = passing(SOCK_STREAM);
	send_text(s.p, "x");
	allow_more(0);
	receive(s.q, 64);
	allow_usual();
	close_pair(s);
}

static void at_the_end(const char *name, int type)
{
	struct pair s;

	part(name);
	s = passing(type);
	SET("q", s.q, SO_PASSCRED, 1);
	step("close(p)");
	close(s.p);
	receive(s.q, 64);
	close(s.q);
}

void pidfd_end(void)
{
	if (LACKS(SO_PASSPIDFD))
		return;
	at_the_end("stream", SOCK_STREAM);
	at_the_end("seqpacket", SOCK_SEQPACKET);
}

/* 3. Receive the length of the queue. */

void pidfd_no_stream(void)
{
	struct pair d, s;

	if (LACKS(SO_INQ))
		return;
	d = new_pair(SOCK_DGRAM);
	s = new_pair(SOCK_SEQPACKET);
	part("datagram");
	SET("q", d.q, SO_INQ, 1);
	part("seqpacket");
	SET("q", s.q, SO_INQ, 1);
	close_pair(d);
	close_pair(s);
}

/* 4. Receive a control message of another address family. */

void pidfd_timestamp(void)
{
	struct pair s = new_pair(SOCK_DGRAM);

	SET("q", s.q, SO_TIMESTAMP, 1);
	send_rights(s.p, "x", 1);
	receive(s.q, 64);
	close_pair(s);
}
