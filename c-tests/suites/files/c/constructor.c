/* Cases of sockets that are made in one call: a failure leaves no descriptor open, and no file. */
#include "files.h"

#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 1. Write the functions that C programs write for themselves: each returns the descriptor, or -1
 *    with errno. */

static int close_failed(int fd)
{
	int number = errno;

	close(fd);
	errno = number;
	return -1;
}

static int new_listener(const char *path)
{
	int fd = make_socket(SOCK_STREAM);

	if (fd < 0)
		return -1;
	if (make_bind(fd, path, strlen(path)) < 0 || listen(fd, 8) < 0)
		return close_failed(fd);
	return fd;
}

static int new_datagram(const char *path)
{
	int fd = make_socket(SOCK_DGRAM);

	if (fd < 0)
		return -1;
	if (make_bind(fd, path, strlen(path)) < 0)
		return close_failed(fd);
	return fd;
}

static int new_stream(const char *path)
{
	int fd = make_socket(SOCK_STREAM);

	if (fd < 0)
		return -1;
	if (make_connect(fd, path, strlen(path)) < 0)
		return close_failed(fd);
	return fd;
}

/* 2. Call each function, and print how many more descriptors the process has afterwards. */

static void make(const char *name, int (*construct)(const char *), const char *path)
{
	int before = open_descriptors();
	int fd = construct(path);
	int opened = open_descriptors() - before;

	step("%s(", name);
	path_print(path, strlen(path));
	putchar(')');
	outcome(fd);
	printf(", opened %d", opened);
	if (fd >= 0)
		close(fd);
}

static void make_all(const char *name, int (*construct)(const char *))
{
	char too_long[109];

	memset(too_long, 'n', 108);
	too_long[108] = '\0';
	make(name, construct, "");
	make(name, construct, too_long);
	make(name, construct, "missing/x");
	make(name, construct, "x");
	make(name, construct, "x");
	ask_names();
}

void constructor_listener(void)
{
	make_all("listener", new_listener);
}

void constructor_datagram(void)
{
	make_all("datagram", new_datagram);
}

/* The first calls fail. Only the last call finds a listener at the path. */
void constructor_stream(void)
{
	struct sock s;

	make_all("stream", new_stream);
	s = listening('s', "x");
	make("stream", new_stream, "x");
	CLOSE(s);
}

/* 3. Reach the limit of descriptors. */

void constructor_at_limit(void)
{
	allow_more(0);
	make("listener", new_listener, "x");
	make("datagram", new_datagram, "x");
	make("stream", new_stream, "x");
	allow_usual();
	ask_names();
}

static void report(const char *call, int made, int before)
{
	int opened = open_descriptors() - before;

	step("%s", call);
	outcome(made);
	printf(", opened %d", opened);
}

/* A pair needs two free descriptors. If one is free, no socket is made. */
void constructor_from_sockets(void)
{
	struct sock s = listening('s', "x"), c = new_socket('c', SOCK_STREAM), a;
	int pair[2], before;

	try_connect(c, "x");
	before = open_descriptors();
	allow_more(1);
	report("socketpair()", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), before);
	allow_more(0);
	report("accept(s)", accept4(s.fd, NULL, NULL, SOCK_CLOEXEC), before);
	report("dup(s)", fcntl(s.fd, F_DUPFD_CLOEXEC, 0), before);
	allow_usual();
	a = try_accept(s, 'a');
	CLOSE(s, c, a);
}

/* 4. Use paths of any length, by a descriptor of the directory that is open during the call. */

/* A directory name of 120 bytes, below which no path fits into sun_path. */
#define LONG TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY
#define TWENTY "dddddddddddddddddddd"

static int below(const char *path, int (*construct)(const char *))
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	int dir, fd, number;

	memcpy(directory, path, (size_t)(slash - path));
	directory[slash - path] = '\0';
	dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = construct(alias_of(dir, slash + 1).path);
	number = errno;
	close(dir);
	errno = number;
	return fd;
}

static int new_listener_below(const char *path)
{
	return below(path, new_listener);
}

static int new_stream_below(const char *path)
{
	return below(path, new_stream);
}

static void make_both(const char *path)
{
	make("listener", new_listener_below, path);
	make("stream", new_stream_below, path);
}

/* Two descriptors are needed, for the directory and for the socket. If one is free, no socket is
 * made. */
void constructor_long_path(void)
{
	try_mkdir(LONG);
	make_both("missing/" LONG "/x");
	make_both(LONG "/x");
	make("listener", new_listener_below, LONG "/x");
	for (int free = 0; free < 2; free++) {
		allow_more(free);
		make_both(LONG "/x");
	}
	allow_usual();
	ask_names();
}
