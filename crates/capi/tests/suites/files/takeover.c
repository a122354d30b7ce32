/* Cases of taking a path over from any server: libsunpath listens under a temporary name, and swaps
 * its file with the socket file at the path. */
#include "files.h"

#include "sunpath.h"

#include <unistd.h>

/* Takes the path over, as a step. The file is not removed at the end, as in C. */
static struct sock take_over(const char *path)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;
	int taken;

	options.flags = SUNPATH_NONBLOCK;
	options.if_exists = SUNPATH_TAKEOVER;
	taken = sunpath_bind(SOCK_STREAM, path, &options, &server, NULL);
	step("take_over(t, \"%s\")", path);
	outcome(taken);
	return (struct sock){ 't', taken == -1 ? -1 : sunpath_server_release(server) };
}

/* 1. Find which server a client reaches then. */

static void reached(void)
{
	struct sock t = take_over("x"), c = new_socket('c', SOCK_STREAM), a;

	try_connect(c, "x");
	a = try_accept(t, 'a');
	ask_names();
	CLOSE(t, c, a);
}

void takeover_absent(void)
{
	reached();
}

void takeover_live(void)
{
	struct sock s = listening('s', "x"), d = new_socket('d', SOCK_STREAM), b;

	try_connect(d, "x");
	reached();
	ask_poll(s);
	b = try_accept(s, 'b');
	CLOSE(s, d, b);
}

void takeover_stale(void)
{
	leave_stale(SOCK_STREAM, "x");
	reached();
}

/* 2. Some paths are not taken over. */

static void not_taken(void)
{
	struct sock t = take_over("x");

	ask_kind("x");
	ask_names();
	CLOSE(t);
}

void takeover_file(void)
{
	try_create("x");
	not_taken();
}

void takeover_directory(void)
{
	try_mkdir("x");
	not_taken();
}

void takeover_to_live(void)
{
	struct sock s = listening('s', "y"), c = new_socket('c', SOCK_STREAM), a;

	try_symlink("y", "x");
	not_taken();
	try_connect(c, "x");
	a = try_accept(s, 'a');
	CLOSE(s, c, a);
}
