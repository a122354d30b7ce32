#include "socket.h"
#include "file.h"
#include "line.h"
#include "names.h"
#include "process.h"
#include "sun_path.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 1. Make and close sockets. */

int make_socket(int type)
{
	return socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

struct sock new_socket(char name, int type)
{
	struct sock s = { name, make_socket(type) };

	if (s.fd < 0)
		die("socket");
	return s;
}

void new_pair(struct sock *ret_p, struct sock *ret_q)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		die("socketpair");
	*ret_p = (struct sock){ 'p', fds[0] };
	*ret_q = (struct sock){ 'q', fds[1] };
}

void close_sockets(const struct sock *sockets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sockets[i].fd >= 0)
			close(sockets[i].fd);
}

int make_bind(int fd, const char *path, size_t size)
{
	struct sockaddr_un addr;
	socklen_t len;

	if (sun_path_pathname(path, size, &addr, &len) < 0)
		return -1;
	return bind(fd, (struct sockaddr *)&addr, len);
}

int make_connect(int fd, const char *path, size_t size)
{
	struct sockaddr_un addr;
	socklen_t len;

	if (sun_path_pathname(path, size, &addr, &len) < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&addr, len);
}

/* 2. Make calls, and print them. */

void try_bind_bytes(struct sock s, const char *path, size_t size)
{
	int bound = make_bind(s.fd, path, size);

	step("bind(%c, ", s.name);
	path_print(path, size);
	putchar(')');
	outcome(bound);
}

void try_bind(struct sock s, const char *path)
{
	try_bind_bytes(s, path, strlen(path));
}

/* gcc warns about the truncation below, which is intended. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#endif

void try_bind_cut(struct sock s, const char *path)
{
	struct {
		struct sockaddr_un addr;
		char behind; /* A NUL after the path, because valgrind reads a path up to its NUL. */
	} cut = { .addr.sun_family = AF_UNIX };
	const size_t size = sizeof cut.addr.sun_path;
	int bound;

	strncpy(cut.addr.sun_path, path, size);
	bound = bind(s.fd, (struct sockaddr *)&cut.addr, sizeof cut.addr);
	step("strncpy(sun_path, ");
	path_print(path, strlen(path));
	printf(", %zu)", size);
	step("bind(%c, ", s.name);
	path_print(cut.addr.sun_path, size);
	printf(", %zu)", sizeof cut.addr);
	outcome(bound);
}

void try_connect(struct sock c, const char *path)
{
	int connected = make_connect(c.fd, path, strlen(path));

	step("connect(%c, ", c.name);
	path_print(path, strlen(path));
	putchar(')');
	outcome(connected);
}

void try_listen(struct sock s)
{
	int listens = listen(s.fd, 8);

	step("listen(%c)", s.name);
	outcome(listens);
}

struct sock try_accept(struct sock s, char name)
{
	int fd = accept4(s.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	step("accept(%c)", s.name);
	outcome(fd);
	return (struct sock){ name, fd };
}

void try_close(struct sock s)
{
	close(s.fd);
	step("close(%c)", s.name);
}

void try_send(struct sock c)
{
	ssize_t count = send(c.fd, "x", 1, MSG_NOSIGNAL);

	step("send(%c, \"x\")", c.name);
	result(count);
}

void try_recv(struct sock a)
{
	char bytes[8];
	ssize_t count = recv(a.fd, bytes, sizeof bytes, 0);

	step("recv(%c, 8)", a.name);
	result(count);
}

/* 3. Ask about sockets. */

/* Prints the address. Its length is left out if it counts the digits of a descriptor. */
static void address_print(const struct sockaddr_un *addr, socklen_t len)
{
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t size = len < sizeof *addr ? len : sizeof *addr;

	if (size <= offset) {
		printf(" = %u, unnamed", (unsigned)len);
		return;
	}
	printf(" = ");
	if (!path_is_alias(addr->sun_path))
		printf("%u, ", (unsigned)len);
	path_print(addr->sun_path, size - offset);
}

static void address_step(const char *call, char name, int asked, const struct sockaddr_un *addr,
			 socklen_t len)
{
	step("%s(%c)", call, name);
	if (asked < 0)
		outcome(asked);
	else
		address_print(addr, len);
}

void ask_sockname(struct sock s)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof addr;
	int asked = getsockname(s.fd, (struct sockaddr *)&addr, &len);

	address_step("getsockname", s.name, asked, &addr, len);
}

void ask_peername(struct sock c)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof addr;
	int asked = getpeername(c.fd, (struct sockaddr *)&addr, &len);

	address_step("getpeername", c.name, asked, &addr, len);
}

void ask_poll(struct sock s)
{
	struct pollfd polled = { .fd = s.fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP };

	if (poll(&polled, 1, 0) < 0)
		die("poll");
	step("poll(%c) = ", s.name);
	events_print(polled.revents);
}

/* 4. Set up the sockets of a case. */

struct sock bound(char name, int type, const char *path)
{
	struct sock s = new_socket(name, type);

	try_bind(s, path);
	return s;
}

struct sock listening(char name, const char *path)
{
	struct sock s = bound(name, SOCK_STREAM, path);

	try_listen(s);
	return s;
}

void leave_stale(int type, const char *path)
{
	try_close(bound('s', type, path));
}
