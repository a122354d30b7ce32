/* Cases of bind: it fails if any file is at the path, and a socket has one name. */
#include "files.h"

/* 1. Bind over a file, which stays as it is. */

static void bind_over(const char *path)
{
	struct sock t = bound('t', SOCK_STREAM, path);

	ask_kind(path);
	CLOSE(t);
}

void bind_live(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM);

	bind_over("x");
	try_connect(c, "x");
	CLOSE(s, c);
}

void bind_stale(void)
{
	leave_stale(SOCK_STREAM, "x");
	bind_over("x");
}

void bind_file(void)
{
	try_create("x");
	bind_over("x");
}

void bind_directory(void)
{
	try_mkdir("x");
	bind_over("x");
}

void bind_fifo(void)
{
	try_mkfifo("x");
	bind_over("x");
}

void bind_dangling(void)
{
	try_symlink("target", "x");
	bind_over("x");
	ask_kind("target");
}

void bind_dot(void)
{
	bind_over(".");
}

void bind_reuseaddr(void)
{
	struct sock t = new_socket('t', SOCK_STREAM);
	int one = 1, set;

	leave_stale(SOCK_STREAM, "x");
	set = setsockopt(t.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	step("setsockopt(t, SO_REUSEADDR, 1)");
	outcome(set);
	try_bind(t, "x");
	CLOSE(t);
}

/* 2. Bind where no file can be made. */

static void bind_nowhere(const char *path)
{
	struct sock s = bound('s', SOCK_STREAM, path);

	ask_sockname(s);
	ask_names();
	CLOSE(s);
}

void bind_missing(void)
{
	bind_nowhere("missing/x");
}

void bind_slash(void)
{
	bind_nowhere("new/");
}

void bind_through_file(void)
{
	try_create("file");
	bind_nowhere("file/x");
}

void bind_link_loop(void)
{
	try_symlink("loop", "loop");
	bind_nowhere("loop/x");
}

/* 3. Bind a socket that has a name or a peer already. */

void bind_two_names(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	try_bind(s, "y");
	ask_sockname(s);
	ask_names();
	CLOSE(s);
}

void bind_twice(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	try_bind(s, "x");
	CLOSE(s);
}

void bind_client(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM), a;

	try_connect(c, "x");
	a = try_accept(s, 'a');
	ask_peername(a);
	try_bind(c, "late");
	ask_peername(a);
	CLOSE(s, c, a);
}

void bind_pair(void)
{
	struct sock p, q;

	new_pair(&p, &q);
	try_bind(p, "late");
	ask_peername(q);
	CLOSE(p, q);
}

void bind_accepted(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM), a;

	try_connect(c, "x");
	a = try_accept(s, 'a');
	ask_sockname(a);
	try_bind(a, "late");
	ask_names();
	CLOSE(s, c, a);
}
