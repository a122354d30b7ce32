/* Cases of binding where a dead server may have left its file: libsunpath has the same proof, and a
 * lock against others that do the same. */
#include "files.h"

#include "sunpath.h"

#include <unistd.h>

static sunpath_server *replace(const char *path)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;
	int bound;

	options.if_exists = SUNPATH_REPLACE_STALE;
	bound = sunpath_bind(SOCK_STREAM, path, &options, &server, NULL);
	step("replace(t, \"%s\")", path);
	outcome(bound);
	return bound == -1 ? NULL : server;
}

/* Binds over a situation, and shows whether the file is still there afterwards. */
static void replace_there(void)
{
	sunpath_server *t = replace("x");

	ask_kind("x");
	if (t != NULL)
		sunpath_server_close(t, NULL);
}

void replace_absent(void)
{
	replace_there();
}

void replace_stale(void)
{
	leave_stale(SOCK_STREAM, "x");
	replace_there();
}

void replace_stale_datagram(void)
{
	leave_stale(SOCK_DGRAM, "x");
	replace_there();
}

void replace_live(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM), a;

	replace_there();
	ask_poll(s);
	try_connect(c, "x");
	a = try_accept(s, 'a');
	CLOSE(s, c, a);
}

void replace_full(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM);

	if (listen(s.fd, 0) < 0)
		die("listen");
	step("listen(s, 0) = ok");
	try_connect(c, "x");
	try_connect(d, "x");
	replace_there();
	CLOSE(s, c, d);
}

void replace_before_listen(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), c = new_socket('c', SOCK_STREAM);

	replace_there();
	try_listen(s);
	try_connect(c, "x");
	CLOSE(s, c);
}

void replace_file(void)
{
	try_create("x");
	replace_there();
}

void replace_directory(void)
{
	try_mkdir("x");
	replace_there();
}

void replace_to_stale(void)
{
	leave_stale(SOCK_STREAM, "y");
	try_symlink("y", "x");
	replace_there();
	ask_kind("y");
}
