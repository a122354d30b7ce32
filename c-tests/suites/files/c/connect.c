/* Cases of connect: it succeeds only at a live socket of the same type. */
#include "files.h"

/* 1. Connect where no process holds the socket. */

static void connect_in_vain(const char *path)
{
	struct sock c = new_socket('c', SOCK_STREAM);

	try_connect(c, path);
	CLOSE(c);
}

void connect_stale(void)
{
	leave_stale(SOCK_STREAM, "x");
	connect_in_vain("x");
}

void connect_file(void)
{
	try_create("x");
	connect_in_vain("x");
}

void connect_directory(void)
{
	try_mkdir("x");
	connect_in_vain("x");
}

void connect_fifo(void)
{
	try_mkfifo("x");
	connect_in_vain("x");
}

void connect_node(void)
{
	try_mknod("x");
	connect_in_vain("x");
}

/* 2. Connect where no socket is at the path. */

void connect_absent(void)
{
	connect_in_vain("absent");
}

void connect_missing(void)
{
	connect_in_vain("missing/x");
}

void connect_through_file(void)
{
	try_create("file");
	connect_in_vain("file/x");
}

void connect_link_loop(void)
{
	try_symlink("loop", "loop");
	connect_in_vain("loop");
}

void connect_dangling(void)
{
	try_symlink("target", "x");
	connect_in_vain("x");
}

/* 3. Connect where a process holds the socket. */

void connect_before_listen(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), c = new_socket('c', SOCK_STREAM);

	try_connect(c, "x");
	try_listen(s);
	try_connect(c, "x");
	CLOSE(s, c);
}

/* Connects sockets of the two other types. */
static void connect_others(const char *name, int type, const char *other_name, int other_type)
{
	struct sock c = new_socket('c', type), d = new_socket('d', other_type);

	part(name);
	try_connect(c, "x");
	part(other_name);
	try_connect(d, "x");
	CLOSE(c, d);
}

void connect_stream(void)
{
	struct sock s = listening('s', "x");

	connect_others("datagram", SOCK_DGRAM, "seqpacket", SOCK_SEQPACKET);
	CLOSE(s);
}

void connect_datagram(void)
{
	struct sock s = bound('s', SOCK_DGRAM, "x");

	connect_others("stream", SOCK_STREAM, "seqpacket", SOCK_SEQPACKET);
	CLOSE(s);
}

void connect_seqpacket(void)
{
	struct sock s = bound('s', SOCK_SEQPACKET, "x");

	try_listen(s);
	connect_others("stream", SOCK_STREAM, "datagram", SOCK_DGRAM);
	CLOSE(s);
}

void connect_stale_stream(void)
{
	struct sock c = new_socket('c', SOCK_DGRAM);

	leave_stale(SOCK_STREAM, "x");
	part("datagram");
	try_connect(c, "x");
	CLOSE(c);
}
