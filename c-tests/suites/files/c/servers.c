/* Cases of servers that follow each other at the same path. */
#include "files.h"

#include <unistd.h>

/* 1. Take the path of another server, which keeps its clients and is not informed. */

void servers_rebound(void)
{
	struct sock s = listening('s', "x"), t, c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM), a, b;

	try_connect(c, "x");
	a = try_accept(s, 'a');
	try_unlink("x");
	t = listening('t', "x");
	try_connect(d, "x");
	ask_poll(s);
	b = try_accept(t, 'b');
	try_send(c);
	try_recv(a);
	CLOSE(s, t, c, d, a, b);
}

/* 2. Replace a server so that there is a listener at every instant. */

void servers_renamed_over(void)
{
	struct sock s = listening('s', "x"), t, c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM), a, b;

	try_connect(c, "x");
	t = listening('t', "tmp");
	try_rename("tmp", "x");
	try_connect(d, "x");
	ask_peername(d);
	b = try_accept(t, 'b');
	a = try_accept(s, 'a');
	ask_names();
	CLOSE(s, t, c, d, a, b);
}

/* 3. Close a socket: it lives until its last descriptor in any process is closed. */

void servers_forked(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM);
	int gate[2];
	pid_t child;

	gate_make(gate);
	child = process_fork();
	if (child == 0) {
		gate_wait(gate);
		process_end(0);
	}
	try_close(s);
	try_connect(c, "x");
	gate_open(gate);
	process_join(child);
	step("child: exit");
	try_connect(d, "x");
	close(gate[0]);
	close(gate[1]);
	CLOSE(c, d);
}
