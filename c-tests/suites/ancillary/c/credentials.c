/* Cases of SCM_CREDENTIALS: the ids that arrive with a message. */
#include "ancillary.h"

#include <limits.h>
#include <unistd.h>

static struct pair passing(int type)
{
	struct pair s = new_pair(type);

	SET("q", s.q, SO_PASSCRED, 1);
	return s;
}

/* 1. Receive the credentials that the kernel adds: those that the writing process has when it
 *    writes. */

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

/* 2. Send credentials, which the kernel checks. */

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
