/* The inode of a socket: what else can be done with it, and names that move. */
#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. As a file. */

void inode_open(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	TRY_OPEN("x", O_RDWR);
	TRY_OPEN("x", O_RDONLY);
	CLOSE(s);
}

void inode_path(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");
	int file = TRY_OPEN("x", O_PATH);

	close(file);
	CLOSE(s);
}

void inode_truncate(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	try_truncate("x");
	CLOSE(s);
}

/* 2. Under other names: the file is found by any, the address stays what was bound. */

void inode_renamed(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM);

	try_rename("x", "y");
	try_connect(c, "y");
	try_connect(d, "x");
	ask_peername(c);
	ask_sockname(s);
	CLOSE(s, c, d);
}

void inode_linked(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM);

	try_link("x", "y");
	try_unlink("x");
	try_connect(c, "y");
	ask_peername(c);
	CLOSE(s, c);
}

void inode_unlinked(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM);
	struct sock d = new_socket('d', SOCK_STREAM);
	int file = TRY_OPEN("x", O_PATH);

	try_unlink("x");
	try_connect(c, "x");
	try_connect(d, alias_of(file, NULL).path);
	close(file);
	CLOSE(s, c, d);
}

/* 3. Publishing: the socket has another name until it is ready. */

static void publish(void (*to_new)(const char *, const char *))
{
	struct sock t = listening('t', "tmp"), c = new_socket('c', SOCK_STREAM), a;

	to_new("tmp", "x");
	try_connect(c, "x");
	a = try_accept(t, 'a');
	ask_names();
	CLOSE(t, c, a);
}

void inode_link(void)
{
	struct sock s = listening('s', "x");

	publish(try_link);
	CLOSE(s);
}

void inode_link_absent(void)
{
	publish(try_link);
}

void inode_noreplace(void)
{
	struct sock s = listening('s', "x");

	publish(try_rename_noreplace);
	CLOSE(s);
}

void inode_noreplace_absent(void)
{
	publish(try_rename_noreplace);
}

/* 4. As a number, which another file may have only when the socket is closed. */

static ino_t number_of(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		die("lstat");
	return status.st_ino;
}

void inode_number(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x"), t;
	ino_t number = number_of("x");

	try_unlink("x");
	t = bound('t', SOCK_STREAM, "x");
	step("st_ino of \"x\" = %s", number_of("x") == number ? "the same" : "another");
	CLOSE(s, t);
}
