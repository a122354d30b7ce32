/* Cases of binding where a dead server may have left its file. */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Write a careful program, but without a lock against other programs that do the same. The
 *    program removes the file of a socket that no process holds. To find out whether a process holds
 *    the socket, the program connects a datagram socket to the file. A server of another type does
 *    not notice that, and the answer is right even before the server listens and while its queue is
 *    full. */

static int is_dead(const char *path)
{
	int probe = new_socket('p', SOCK_DGRAM).fd;
	int connected = make_connect(probe, path, strlen(path));
	int dead = connected < 0 && errno == ECONNREFUSED;

	close(probe);
	return dead;
}

/* Returns whether this kernel can tell a dead socket from a live socket. Some kernels refuse a
 * datagram socket at a live stream socket, too. On one of those kernels a live socket of our own
 * looks dead. */
static int can_tell(void)
{
	int own = new_socket('o', SOCK_STREAM).fd, dead;

	if (make_bind(own, "own", strlen("own")) < 0)
		die("bind");
	dead = is_dead("own");
	close(own);
	if (unlink("own") < 0)
		die("unlink");
	return !dead;
}

static int remove_dead(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(status.st_mode) || !is_dead(path) || !can_tell()) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(path);
}

static void replace(struct sock t, const char *path)
{
	int bound = remove_dead(path);

	if (bound == 0)
		bound = make_bind(t.fd, path, strlen(path));
	step("replace(%c, \"%s\")", t.name, path);
	outcome(bound);
}

/* 2. Bind in each situation, and show whether the file is still there afterwards. */

static void replace_there(void)
{
	struct sock t = new_socket('t', SOCK_STREAM);

	replace(t, "x");
	ask_kind("x");
	CLOSE(t);
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
