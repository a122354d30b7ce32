/* SCM_CREDENTIALS: whose ids come with a message. */
#include "ancillary.h"

#include <limits.h>
#include <unistd.h>

static struct pair passing(int type)
{
	struct pair s = new_pair(type);

	SET("q", s.q, SO_PASSCRED, 1);
	return s;
}

/* 1. Those that the kernel adds: of the process that writes, as it is then. */

void credentials_real(void)
{
	struct pair s = passing(SOCK_STREAM);
	pid_t child = process_fork();

	if (child == 0) {
		process_lower();
		part("child");
		step("seteuid(65534)");
		send_text(s.p, "x");
		process_end(0);
	}
	process_join(child);
	receive(s.q, 64);
	close_pair(s);
}

/* A child that has the same socket. */
static void child_sends(int p, const char *text)
{
	pid_t child = process_fork();

	if (child == 0) {
		part("child");
		send_text(p, text);
		process_end(0);
	}
	process_join(child);
}

void credentials_writer(void)
{
	struct pair s = passing(SOCK_STREAM);

	child_sends(s.p, "x");
	receive(s.q, 64);
	close_pair(s);
}

void credentials_before(void)
{
	struct pair s = new_pair(SOCK_STREAM);

	send_text(s.p, "x");
	SET("q", s.q, SO_PASSCRED, 1);
	receive(s.q, 64);
	close_pair(s);
}

void credentials_after(void)
{
	struct pair s = passing(SOCK_STREAM);

	send_text(s.p, "x");
	receive(s.q, 64);
	close_pair(s);
}

void credentials_sender(void)
{
	struct pair s = new_pair(SOCK_STREAM);

	SET("p", s.p, SO_PASSCRED, 1);
	send_text(s.p, "x");
	SET("q", s.q, SO_PASSCRED, 1);
	receive(s.q, 64);
	close_pair(s);
}

void credentials_inherited(void)
{
	int listener = listening(SOCK_STREAM), value = -1;
	socklen_t len = sizeof value;
	struct pair s;

	SET("listener", listener, SO_PASSCRED, 1);
	s.p = connected(SOCK_STREAM);
	send_text(s.p, "x");
	s.q = accepted(listener);
	if (getsockopt(s.q, SOL_SOCKET, SO_PASSCRED, &value, &len) < 0)
		die("getsockopt");
	step("getsockopt(q, SO_PASSCRED) = %d", value);
	receive(s.q, 64);
	close_pair(s);
	close(listener);
}

static void two_writers(struct pair s)
{
	send_text(s.p, "aaa");
	send_text(s.p, "bbb");
	child_sends(s.p, "ccc");
	receive(s.q, 64);
	receive(s.q, 64);
	close_pair(s);
}

void credentials_two_writers(void)
{
	two_writers(passing(SOCK_STREAM));
}

void credentials_joined(void)
{
	two_writers(new_pair(SOCK_STREAM));
}

/* 2. Those that are none. */

static void at_the_end(int type)
{
	struct pair s = passing(type);

	step("close(p)");
	close(s.p);
	receive(s.q, 64);
	close(s.q);
}

void credentials_end(void)
{
	at_the_end(SOCK_STREAM);
}

void credentials_end_of_packets(void)
{
	at_the_end(SOCK_SEQPACKET);
}

void credentials_cut(void)
{
	struct pair s = passing(SOCK_STREAM);

	send_text(s.p, "x");
	RECEIVE_IN(s.q, 64, CMSG_LEN(4));
	close_pair(s);
}

/* 3. Those that the sender names, and the kernel judges. */

static void sends(struct ucred cred, const char *words)
{
	struct pair s = passing(SOCK_STREAM);
	struct control control = { .len = 0 };

	put(&control, SCM_CREDENTIALS, &cred, sizeof cred);
	send_control(s.p, "x", &control, words);
	receive(s.q, 64);
	close_pair(s);
}

static void sends_own(void)
{
	struct ucred cred = { getpid(), getuid(), getgid() };

	sends(cred, "CREDENTIALS(own)");
}

static void sends_roots(void)
{
	struct ucred cred = { getpid(), 0, 0 };

	sends(cred, "CREDENTIALS(pid own, uid 0, gid 0)");
}

static void sends_parents(void)
{
	struct ucred cred = { getppid(), getuid(), getgid() };

	sends(cred, "CREDENTIALS(pid parent, uid own, gid own)");
}

void credentials_truth(void)
{
	sends_own();
}

void credentials_root_forges(void)
{
	struct ucred cred = { 1, 12345, 54321 };

	sends(cred, "CREDENTIALS(pid 1, uid 12345, gid 54321)");
}

void credentials_root_invents(void)
{
	struct ucred cred = { INT_MAX, 0, 0 };

	sends(cred, "CREDENTIALS(pid INT_MAX, uid 0, gid 0)");
}

void credentials_user_forges(void)
{
	as_nobody(sends_roots);
}

void credentials_user_forges_pid(void)
{
	as_nobody(sends_parents);
}

void credentials_user_truth(void)
{
	as_nobody(sends_own);
}
