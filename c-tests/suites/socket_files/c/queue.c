/* Cases of a full queue: connect(2) waits or fails, and never returns a socket without a peer. */
#include "socket_files.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* 1. Make a listener whose queue has one place, and take that place. */

struct situation {
	struct sock s, c;
};

static struct situation full(void)
{
	struct situation situation = { bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM) };

	try_listen_for(situation.s, 0);
	try_connect(situation.c, "x");
	return situation;
}

static void set_blocking(struct sock s)
{
	if (fcntl(s.fd, F_SETFL, 0) < 0)
		die("fcntl");
}

/* 2. Connect without waiting, and wait until a timeout. */

void queue_nonblocking(void)
{
	struct situation situation = full();
	struct sock d = new_socket('d', SOCK_STREAM);

	try_connect(d, "x");
	ask_peername(d);
	CLOSE(situation.s, situation.c, d);
}

void queue_timeout(void)
{
	struct situation situation = full();
	struct sock d = new_socket('d', SOCK_STREAM);
	struct timeval time = { 0, 20000 };
	int set = setsockopt(d.fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);

	set_blocking(d);
	step("setsockopt(d, SO_SNDTIMEO, 20 ms)");
	outcome(set);
	try_connect(d, "x");
	ask_peername(d);
	CLOSE(situation.s, situation.c, d);
}

/* 3. Wait until there is space. */

/* Returns the state of a process. In proc_pid_stat(5) the state comes after the name of the
 * program, which may contain any bytes. */
static char state_of(pid_t pid)
{
	char path[32], text[256];
	const char *name_end;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file == NULL || fgets(text, sizeof text, file) == NULL)
		die(path);
	fclose(file);
	name_end = strrchr(text, ')');
	return name_end != NULL && name_end[1] == ' ' ? name_end[2] : 'X';
}

/* Waits until a child sleeps. A child sleeps only in the call under test. */
static void wait_asleep(pid_t child)
{
	while (state_of(child) != 'S')
		sched_yield();
}

/* Starts a child that connects, and waits until the child sleeps in connect(2). */
static pid_t waiting_child(struct situation situation)
{
	pid_t child = process_fork();
	struct sock d;

	if (child == 0) {
		CLOSE(situation.s, situation.c);
		d = new_socket('d', SOCK_STREAM);
		set_blocking(d);
		part("child");
		try_connect(d, "x");
		ask_peername(d);
		process_end(0);
	}
	wait_asleep(child);
	return child;
}

/* Prints a step before the child continues. */
static void step_before(const char *words)
{
	step("%s", words);
	fflush(stdout);
}

void queue_room(void)
{
	struct situation situation = full();
	pid_t child = waiting_child(situation);
	int a;

	step_before("accept(s) = ok");
	a = accept(situation.s.fd, NULL, NULL);
	if (a < 0)
		die("accept");
	process_join(child);
	close(a);
	CLOSE(situation.s, situation.c);
}

void queue_closed(void)
{
	struct situation situation = full();
	pid_t child = waiting_child(situation);

	step_before("close(s)");
	CLOSE(situation.s);
	process_join(child);
	CLOSE(situation.c);
}
