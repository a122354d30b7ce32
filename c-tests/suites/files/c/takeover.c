/* Cases of taking a path over from any server, without an instant in which nobody listens. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Write a careful program: it listens under another name, checks that a socket file is at the
 *    path, and renames its own file over that socket file. A file that appears between the check and
 *    the rename is lost. */

static int rename_over(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? rename_noreplace("tmp", path) : -1;
	if (S_ISSOCK(status.st_mode))
		return rename("tmp", path);
	errno = EADDRINUSE;
	return -1;
}

static struct sock take_over(const char *path)
{
	struct sock t = new_socket('t', SOCK_STREAM);
	int taken, number;

	if (make_bind(t.fd, "tmp", strlen("tmp")) < 0 || listen(t.fd, 8) < 0)
		die("listen");
	taken = rename_over(path);
	if (taken < 0) {
		number = errno;
		unlink("tmp");
		errno = number;
	}
	step("take_over(t, \"%s\")", path);
	outcome(taken);
	return t;
}

/* 2. Find which server a client reaches after a takeover. */

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

/* 3. Try paths that are not taken over. */

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
