#include "situations.h"
#include "socket_files.h"

/* 1. Make situations in which a process holds the socket. */

void with_bound(look *look)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	look();
	CLOSE(s);
}

void with_listening(look *look)
{
	struct sock s = listening('s', "x");

	look();
	CLOSE(s);
}

void with_full(look *look)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), c = new_socket('c', SOCK_STREAM);

	try_listen_for(s, 0);
	try_connect(c, "x");
	ask_connect('e', SOCK_STREAM, "x");
	look();
	CLOSE(s, c);
}

void with_shut_down(look *look)
{
	struct sock s = listening('s', "x");
	int shut = shutdown(s.fd, SHUT_RDWR);

	step("shutdown(s, SHUT_RDWR)");
	outcome(shut);
	ask_connect('c', SOCK_STREAM, "x");
	look();
	CLOSE(s);
}

void with_seqpacket(look *look)
{
	struct sock s = bound('s', SOCK_SEQPACKET, "x");

	try_listen(s);
	look();
	CLOSE(s);
}

void with_datagram(look *look)
{
	struct sock s = bound('s', SOCK_DGRAM, "x");

	look();
	CLOSE(s);
}

void with_taken(look *look)
{
	struct sock s = bound('s', SOCK_DGRAM, "x"), t = bound('t', SOCK_DGRAM, "y");

	try_connect(s, "y");
	look();
	CLOSE(s, t);
}

/* 2. Make situations in which no process holds the socket. */

void with_stale(look *look)
{
	leave_stale(SOCK_STREAM, "x");
	look();
}

void with_accepted(look *look)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM), a;

	try_connect(c, "x");
	a = try_accept(s, 'a');
	try_close(s);
	look();
	CLOSE(c, a);
}

void with_node(look *look)
{
	try_mknod("x");
	look();
}

void with_file(look *look)
{
	try_create("x");
	look();
}
