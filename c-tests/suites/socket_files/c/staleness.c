/* Cases of the proof that no process holds a socket file: what connect(2) reports to a datagram
 * socket, and what the server notices. */
#include "socket_files.h"
#include "situations.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void datagram_asks(void)
{
	ask_connect('d', SOCK_DGRAM, "x");
}

/* 1. Ask about a stream or seqpacket socket. */

void staleness_bound(void)
{
	with_bound(datagram_asks);
}

void staleness_listening(void)
{
	with_listening(datagram_asks);
}

void staleness_full(void)
{
	with_full(datagram_asks);
}

void staleness_shut_down(void)
{
	with_shut_down(datagram_asks);
}

void staleness_seqpacket(void)
{
	with_seqpacket(datagram_asks);
}

void staleness_another_network(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	pid_t child;

	if (make_bind(s.fd, "x", 1) < 0 || listen(s.fd, 8) < 0)
		die("bind");
	child = process_fork();
	if (child == 0) {
		if (leave_network())
			datagram_asks();
		process_end(0);
	}
	process_join(child);
	CLOSE(s);
}

/* 2. Ask while no process holds the socket. */

void staleness_stale(void)
{
	with_stale(datagram_asks);
}

void staleness_accepted(void)
{
	with_accepted(datagram_asks);
}

void staleness_node(void)
{
	with_node(datagram_asks);
}

void staleness_file(void)
{
	with_file(datagram_asks);
}

void staleness_absent(void)
{
	datagram_asks();
}

/* 3. Ask about a datagram socket. */

void staleness_datagram(void)
{
	with_datagram(datagram_asks);
}

void staleness_taken(void)
{
	with_taken(datagram_asks);
}

/* 4. Show which calls the server notices. */

void staleness_thousand(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");
	int told = 0;

	try_listen_for(s, 0);
	for (int i = 0; i < 1000; i++) {
		struct sock d = new_socket('d', SOCK_DGRAM);

		told += make_connect(d.fd, "x", 1) < 0 && errno == EPROTOTYPE;
		CLOSE(d);
	}
	step("connect(d, \"x\") = EPROTOTYPE, %d times", told);
	ask_poll(s);
	ask_connect('c', SOCK_STREAM, "x");
	CLOSE(s);
}

void staleness_stream(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), c = new_socket('c', SOCK_STREAM);

	try_listen_for(s, 0);
	try_connect(c, "x");
	try_close(c);
	ask_poll(s);
	ask_connect('e', SOCK_STREAM, "x");
	CLOSE(s);
}
