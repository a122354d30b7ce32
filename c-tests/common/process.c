#include "process.h"
#include "notation.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* 1. Make processes: flush the output before a fork, so that it is printed once. */

static uid_t own_uid;
static gid_t own_gid;
static pid_t last_child;

void process_begin(void)
{
	own_uid = geteuid();
	own_gid = getegid();
}

void process_forget_own_ids(void)
{
	own_uid = (uid_t)-1;
	own_gid = (gid_t)-1;
}

int process_wants(int argc, char **argv, const char *id)
{
	for (int i = 1; i < argc; i++) {
		size_t len = strlen(argv[i]);

		if (strncmp(id, argv[i], len) == 0 && (id[len] == '\0' || id[len] == '.'))
			return 1;
	}
	return argc <= 1;
}

_Noreturn void die(const char *what)
{
	perror(what);
	_exit(2);
}

pid_t process_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0)
		last_child = pid;
	return pid;
}

_Noreturn void process_end(int number)
{
	fflush(stdout);
	_exit(number);
}

int process_wait(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void process_join(pid_t child)
{
	int number = process_wait(child);

	if (number != 0) {
		fprintf(stderr, "a child ended with %d\n", number);
		_exit(2);
	}
}

void process_wait_and_print(pid_t child)
{
	int number = process_wait(child);

	if (number == -SIGPIPE)
		printf(" = killed by SIGPIPE");
	else
		printf(" = %s", number == 0 ? "ok" : errno_name(number));
}

/* 2. Become other users: change the groups first, because an unprivileged user may not change them.
 *    */

int process_take_groups(size_t count, const gid_t *groups)
{
	return setgroups(count, groups);
}

static int drop(void)
{
	if (process_take_groups(0, NULL) < 0)
		return -1;
	if (setresgid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED) < 0)
		return -1;
	return setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED);
}

void process_drop(void)
{
	if (drop() < 0)
		die("drop");
}

void process_lower(void)
{
	if (seteuid(UNPRIVILEGED) < 0)
		die("seteuid");
}

int process_may_drop(void)
{
	pid_t child = process_fork();

	if (child == 0)
		_exit(drop() < 0);
	return process_wait(child) == 0;
}

/* 3. Keep the order of processes by a byte in a pipe, and never by a sleep. */

void gate_make(int ret_gate[2])
{
	if (pipe(ret_gate) < 0)
		die("pipe");
}

void gate_open(const int gate[2])
{
	if (write(gate[1], "", 1) != 1)
		die("write");
}

void gate_wait(const int gate[2])
{
	char byte;

	if (read(gate[0], &byte, 1) != 1)
		die("read");
	close(gate[0]);
	close(gate[1]);
}

/* 4. Interrupt calls: a timer fires repeatedly, so that a signal interrupts the call even if the
 *    call is made late. The timer stops after a while, so that a program that repeats the call ends,
 *    too. */

#define RINGS 8

static volatile sig_atomic_t rings;

static void ring(int number)
{
	static const struct itimerval never;

	(void)number;
	rings++;
	if (rings == RINGS)
		setitimer(ITIMER_REAL, &never, NULL);
}

void process_interrupt(void)
{
	struct itimerval often = { { 0, 100000 }, { 0, 100000 } };
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = ring; /* SA_RESTART is not set. */
	if (sigaction(SIGALRM, &action, NULL) < 0)
		die("sigaction");
	if (setitimer(ITIMER_REAL, &often, NULL) < 0)
		die("setitimer");
}

int process_is_interrupted(void)
{
	return rings < RINGS;
}

/* 5. Print words in place of ids that change from run to run. */

static void id_print(unsigned id, unsigned own)
{
	if (id == (unsigned)-1)
		printf("nobody");
	else if (id == own)
		printf("self");
	else if (id == UNPRIVILEGED)
		printf("65534");
	else
		printf("other");
}

static const char *pid_name(pid_t pid)
{
	if (pid == 0)
		return "none";
	if (pid == getpid())
		return "self";
	if (pid == getppid())
		return "parent";
	return pid == last_child ? "child" : "other";
}

void ids_print(pid_t pid, uid_t uid, gid_t gid)
{
	printf("pid %s, uid ", pid_name(pid));
	id_print(uid, own_uid);
	printf(", gid ");
	id_print(gid, own_gid);
}

void user_print(uid_t uid)
{
	id_print(uid, own_uid);
}
