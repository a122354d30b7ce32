/* A plain stream server and client in C, for tests of programs in other languages:
 *
 *   stream serve PATH     prints "ready" when it listens, then echoes every connection until killed
 *   stream connect PATH   sends stdin to the server, prints the server's answer
 *
 * Both are one process with poll(2), so that neither side ever waits for the other to read. */
#include "sun_path.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of connections that are served. With the listener that is less than 64 entries,
 * because poll(2) rejects more entries than RLIMIT_NOFILE. */
#define CONNECTIONS 32

/* Bytes that were received and are not passed on yet. */
struct pending {
	char bytes[4096];
	size_t begin, end;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* 1. Make the address: copy the path only if it fits with its NUL. */

static socklen_t address_of(const char *path, struct sockaddr_un *ret_addr)
{
	socklen_t len;

	if (sun_path_pathname(path, strlen(path), ret_addr, &len) < 0)
		die(path);
	return len;
}

static int new_socket(int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* 2. Pass bytes on: read what a descriptor has, and write what a socket takes now. Both functions
 *    return the count, 0 at end of file or if nothing was written, or -1 with errno. */

static ssize_t fill(struct pending *pending, int fd)
{
	ssize_t count;

	do
		count = read(fd, pending->bytes, sizeof pending->bytes);
	while (count < 0 && errno == EINTR);
	pending->begin = 0;
	pending->end = count > 0 ? (size_t)count : 0;
	return count;
}

static ssize_t drain(struct pending *pending, int fd)
{
	ssize_t count = send(fd, pending->bytes + pending->begin, pending->end - pending->begin,
			     MSG_NOSIGNAL | MSG_DONTWAIT);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	pending->begin += (size_t)count;
	return count;
}

static int is_empty(const struct pending *pending)
{
	return pending->begin == pending->end;
}

/* 3. Serve: each connection waits either to read or to write. */

static void echo_once(struct pollfd *slot, struct pending *pending)
{
	ssize_t count = is_empty(pending) ? fill(pending, slot->fd) : drain(pending, slot->fd);

	if (count < 0 || (count == 0 && is_empty(pending))) {
		close(slot->fd);
		slot->fd = -1;
		pending->begin = pending->end = 0;
	}
}

/* Returns the slot for a new connection, or NULL. */
static struct pollfd *free_slot(struct pollfd *slots)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (slots[i].fd < 0)
			return &slots[i];
	return NULL;
}

static void accept_into(struct pollfd *slot, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		die("accept");
	slot->fd = fd;
}

static _Noreturn void serve(const char *path)
{
	static struct pending pending[CONNECTIONS];
	struct pollfd slots[CONNECTIONS + 1]; /* The last slot belongs to the listener. */
	struct pollfd *listening = &slots[CONNECTIONS];
	struct sockaddr_un addr;
	socklen_t len = address_of(path, &addr);
	int listener = new_socket(SOCK_NONBLOCK); /* a client that poll saw may have closed before accept */

	if (bind(listener, (const struct sockaddr *)&addr, len) < 0)
		die("bind");
	if (listen(listener, SOMAXCONN) < 0)
		die("listen");
	puts("ready");
	fflush(stdout);

	for (int i = 0; i < CONNECTIONS; i++)
		slots[i].fd = -1;
	for (;;) {
		struct pollfd *slot = free_slot(slots);

		listening->fd = slot != NULL ? listener : -1;
		listening->events = POLLIN;
		for (int i = 0; i < CONNECTIONS; i++)
			slots[i].events = is_empty(&pending[i]) ? POLLIN : POLLOUT;
		if (poll(slots, CONNECTIONS + 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			die("poll");
		}
		for (int i = 0; i < CONNECTIONS; i++)
			if (slots[i].fd >= 0 && slots[i].revents != 0)
				echo_once(&slots[i], &pending[i]);
		if (slot != NULL && listening->revents != 0)
			accept_into(slot, listener);
	}
}

/* 4. Connect: use both directions at once, and close each direction by itself. */

static void write_all(int fd, const struct pending *pending)
{
	for (size_t at = 0; at < pending->end;) {
		ssize_t count = write(fd, pending->bytes + at, pending->end - at);

		if (count < 0 && errno != EINTR)
			die("stdout");
		at += count > 0 ? (size_t)count : 0;
	}
}

static void converse(int fd)
{
	static struct pending out, in;
	int sending = 1;

	for (;;) {
		struct pollfd slots[2] = {
			{ .fd = sending && is_empty(&out) ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = fd, .events = is_empty(&out) ? POLLIN : POLLIN | POLLOUT },
		};

		if (poll(slots, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			die("poll");
		}
		if (slots[0].fd >= 0 && slots[0].revents != 0) {
			ssize_t count = fill(&out, STDIN_FILENO);

			if (count < 0)
				die("stdin");
			if (count == 0) {
				sending = 0;
				if (shutdown(fd, SHUT_WR) < 0)
					die("shutdown");
			}
		}
		if (!is_empty(&out) && (slots[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
			if (drain(&out, fd) < 0)
				die("send");
		if ((slots[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
			ssize_t count = fill(&in, fd);

			if (count < 0)
				die("recv");
			if (count == 0)
				return;
			write_all(STDOUT_FILENO, &in);
		}
	}
}

static void talk(const char *path)
{
	struct sockaddr_un addr;
	socklen_t len = address_of(path, &addr);
	int fd = new_socket(0);

	if (connect(fd, (const struct sockaddr *)&addr, len) < 0)
		die("connect");
	converse(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 3 && strcmp(argv[1], "connect") == 0) {
		talk(argv[2]);
		return 0;
	}
	fputs("usage: stream serve PATH | stream connect PATH\n", stderr);
	return 2;
}
