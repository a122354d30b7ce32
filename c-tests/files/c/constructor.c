/* Sockets that are made in one call: what fails leaves nothing open, and no file. */
#include "files.h"

#include "descriptors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 1. What C programs write for themselves. The descriptor, or -1 with errno. */

static int close_failed(int fd)
{
	int number = errno;

	close(fd);
	errno = number;
	return -1;
}

static int new_listener(const char *path)
{
	int fd = new_socket('s', SOCK_STREAM).fd;

	if (make_bind(fd, path, strlen(path)) < 0 || listen(fd, 8) < 0)
		return close_failed(fd);
	return fd;
}

static int new_datagram(const char *path)
{
	int fd = new_socket('s', SOCK_DGRAM).fd;

	if (make_bind(fd, path, strlen(path)) < 0)
		return close_failed(fd);
	return fd;
}

static int new_stream(const char *path)
{
	int fd = new_socket('c', SOCK_STREAM).fd;

	if (make_connect(fd, path, strlen(path)) < 0)
		return close_failed(fd);
	return fd;
}

/* 2. Each, and how many descriptors the process has more than before. */

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

/* The last time with a listener there. */
void constructor_stream(void)
{
	struct sock s;

	make_all("stream", new_stream);
	s = listening('s', "x");
	make("stream", new_stream, "x");
	CLOSE(s);
}
