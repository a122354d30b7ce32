/* Cases of many processes: servers that start together, a client that connects while servers
 * change, and a server that is killed. */
#include "socket_files.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 200, STARTERS = 8, REPLACEMENTS = 100 };

/* 1. Start servers over one stale file. Each round begins with the file of the previous winner,
 *    which ended without removing the file. */

/* Waits until the gate is closed, makes a server, reports the result, and ends when all servers
 * have reported. */
static _Noreturn void start(const int begin[2], const int said[2], const int end[2])
{
	struct server s;
	unsigned char number;

	close(begin[1]);
	close(end[1]);
	if (read(begin[0], &number, 1) != 0)
		die("read");
	number = server_replace(&s, "x") < 0 ? (unsigned char)errno : 0;
	if (write(said[1], &number, 1) != 1 || read(end[0], &number, 1) != 0)
		die("read");
	process_end(0);
}

/* Returns how many servers have the path, or -1 if a server got an error other than EADDRINUSE. */
static int count_owners(int said)
{
	int owners = 0, refused = 0;

	for (int i = 0; i < STARTERS; i++) {
		unsigned char number;

		if (read(said, &number, 1) != 1)
			die("read");
		owners += number == 0;
		refused += number == EADDRINUSE;
	}
	return owners + refused == STARTERS ? owners : -1;
}

static int run_round(void)
{
	int begin[2], said[2], end[2], owners;
	pid_t children[STARTERS];
	struct sock c;

	gate_make(begin);
	gate_make(said);
	gate_make(end);
	for (int i = 0; i < STARTERS; i++) {
		children[i] = process_fork();
		if (children[i] == 0)
			start(begin, said, end);
	}
	close(begin[1]);
	owners = count_owners(said[0]);
	c = new_socket('c', SOCK_STREAM);
	if (make_connect(c.fd, "x", 1) < 0)
		owners = -1;
	CLOSE(c);
	close(end[1]);
	for (int i = 0; i < STARTERS; i++)
		process_join(children[i]);
	close(begin[0]);
	close(said[0]);
	close(said[1]);
	close(end[0]);
	return owners;
}

void race_race(void)
{
	int with_one_owner = 0;

	leave_stale(SOCK_STREAM, "x");
	for (int i = 0; i < ROUNDS; i++)
		with_one_owner += run_round() == 1;
	step("%d processes: replace(s, \"x\") = ok once, EADDRINUSE %d times; %d times", STARTERS,
	     STARTERS - 1, with_one_owner);
}

/* 2. Connect without a pause while servers change. A full queue is not a refusal, and the client
 *    tries again. The old servers keep running, because a client that has looked up the path may
 *    still reach them. */

/* Connects until the gate is closed, and ends with the first errno that means that no server was
 * there. */
static _Noreturn void connect_until(const int stop[2])
{
	int number = 0;
	char byte;

	close(stop[1]);
	if (fcntl(stop[0], F_SETFL, O_NONBLOCK) < 0)
		die("fcntl");
	while (read(stop[0], &byte, 1) < 0) {
		struct sock c = new_socket('c', SOCK_STREAM);

		if (make_connect(c.fd, "x", 1) < 0 && errno != EAGAIN && number == 0)
			number = errno;
		CLOSE(c);
	}
	process_end(number);
}

/* Waits until a client reaches the server. */
static void be_reached(const struct server *s)
{
	if (fcntl(s->fd, F_SETFL, 0) < 0)
		die("fcntl");
	if (close(accept(s->fd, NULL, NULL)) < 0)
		die("accept");
}

void race_clients(void)
{
	struct server servers[1 + REPLACEMENTS];
	int stop[2];
	pid_t child;

	servers[0] = try_serve('s', "x");
	gate_make(stop);
	child = process_fork();
	if (child == 0)
		connect_until(stop);
	for (int i = 1; i <= REPLACEMENTS; i++) {
		if (server_take_over(&servers[i], "x") < 0)
			die("take_over");
		be_reached(&servers[i]);
	}
	step("take_over(s, \"x\") = ok, accept(s) = ok, %d times", REPLACEMENTS);
	close(stop[0]);
	close(stop[1]);
	step("child: connect(c, \"x\"), again and again");
	process_wait_and_print(child);
	for (int i = 0; i < REPLACEMENTS; i++)
		server_release(&servers[i]);
	step("release(all but the last)");
	ask_kind("x");
	server_release(&servers[REPLACEMENTS]);
	step("release(the last)");
	ask_names();
}

/* 3. Kill the holder of the lock, so that the kernel releases the lock. */

/* Makes a server at the path, and holds its lock until this process is killed. */
static _Noreturn void hold(const int gate[2])
{
	struct server a;

	if (server_replace(&a, "x") < 0)
		die("replace");
	gate_open(gate);
	for (;;)
		pause();
}

void race_killed(void)
{
	int gate[2];
	pid_t child;
	struct server b;

	gate_make(gate);
	child = process_fork();
	if (child == 0)
		hold(gate);
	gate_wait(gate);
	step("child: replace(a, \"x\") = ok");
	try_replace('b', "x");
	if (kill(child, SIGKILL) < 0 || process_wait(child) != -SIGKILL)
		die("kill");
	step("kill(child, SIGKILL)");
	ask_names();
	b = try_replace('b', "x");
	ask_connect('c', SOCK_STREAM, "x");
	close(try_accept((struct sock){ 'b', b.fd }, 'd').fd);
	try_release('b', &b);
	ask_names();
}
