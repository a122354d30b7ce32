/* Cases of the inode of a socket file: calls on it other than bind and connect, and changes of its
 * names. */
#include "files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Use the socket file as a file. */

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

/* 2. Use other names: each leads to the file, and getsockname(2) still returns the name that was
 *    bound. */

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

/* 3. Publish a socket: it has a temporary name until it is ready. */

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

/* 4. Make other files: none gets the inode number before the socket is closed. */

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

/* 5. Watch the working directory: report all its events. */

static int watch_directory(void)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (watch < 0)
		die("inotify_init1");
	if (inotify_add_watch(watch, ".", IN_ALL_EVENTS) < 0)
		die("inotify_add_watch");
	return watch;
}

static const char *event_name(uint32_t mask)
{
	switch (mask) {
	case IN_CREATE:
		return "IN_CREATE";
	case IN_ATTRIB:
		return "IN_ATTRIB";
	default:
		return "another event";
	}
}

static void ask_events(int watch)
{
	char bytes[1024];
	ssize_t size = read(watch, bytes, sizeof bytes);

	step("read(watch)");
	if (size < 0) {
		result(size);
		return;
	}
	printf(" =");
	for (ssize_t at = 0; at < size;) {
		struct inotify_event event;
		const char *name = bytes + at + sizeof event;

		memcpy(&event, bytes + at, sizeof event);
		printf(" %s ", event_name(event.mask));
		path_print(name, strlen(name));
		at += (ssize_t)(sizeof event + event.len);
	}
}

void inode_watched(void)
{
	int watch = watch_directory();
	struct sock s = bound('s', SOCK_STREAM, "x");

	ask_events(watch);
	try_listen(s);
	ask_events(watch);
	try_touch("x");
	ask_events(watch);
	close(watch);
	CLOSE(s);
}

/* 6. Use the socket as a file: it has no position, no size and no pages. */

void inode_descriptor(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");
	char byte;
	off_t place;
	ssize_t count;
	int cut;
	void *pages;

	place = lseek(s.fd, 0, SEEK_CUR);
	step("lseek(s)");
	result(place);
	count = pread(s.fd, &byte, 1, 0);
	step("pread(s)");
	result(count);
	cut = ftruncate(s.fd, 0);
	step("ftruncate(s)");
	outcome(cut);
	pages = mmap(NULL, 1, PROT_READ, MAP_SHARED, s.fd, 0);
	step("mmap(s)");
	outcome(pages == MAP_FAILED ? -1 : 0);
	TRY_OPEN(alias_of(s.fd, NULL).path, O_RDWR);
	CLOSE(s);
}
