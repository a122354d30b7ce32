/* Cases of abstract names: which processes may connect, and how the kernel chooses a name for a
 * socket. */
#include "socket_files.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* 1. Bind to an abstract name. */

static const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0life" };
static const socklen_t name_len = offsetof(struct sockaddr_un, sun_path) + 5;

static void bind_name(struct sock s)
{
	int bound = bind(s.fd, (const struct sockaddr *)&name, name_len);

	step("bind(%c, \"\\0life\")", s.name);
	outcome(bound);
}

static void connect_name(void)
{
	struct sock c = new_socket('c', SOCK_STREAM);
	int connected = connect(c.fd, (const struct sockaddr *)&name, name_len);

	step("connect(c, \"\\0life\")");
	outcome(connected);
	CLOSE(c);
}

/* 2. Let the kernel choose a name. */

static int is_given(const struct sockaddr_un *addr, socklen_t len)
{
	size_t size = len - offsetof(struct sockaddr_un, sun_path);

	return size == 6 && addr->sun_path[0] == '\0' &&
	       strspn(addr->sun_path + 1, "0123456789abcdef") == 5;
}

static void ask_given(struct sock s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof addr;

	if (getsockname(s.fd, (struct sockaddr *)&addr, &len) < 0)
		die("getsockname");
	step("getsockname(%c) = %u, ", s.name, (unsigned)len);
	if (len == sizeof addr.sun_family)
		printf("unnamed");
	else
		printf(is_given(&addr, len) ? "\"\\0\" + 5 hex digits" : "another name");
}

void names_passcred(void)
{
	struct sock d = bound('d', SOCK_DGRAM, "x"), s = new_socket('s', SOCK_DGRAM);
	int one = 1, set = setsockopt(s.fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one);

	step("setsockopt(s, SO_PASSCRED, 1)");
	outcome(set);
	ask_given(s);
	try_connect(s, "x");
	ask_given(s);
	CLOSE(s, d);
}

/* 3. Connect as another user. */

void names_another_user(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	int changed = fchmod(s.fd, 0);

	step("fchmod(s, 0000)");
	outcome(changed);
	bind_name(s);
	try_listen(s);
	as_another(connect_name);
	CLOSE(s);
}

/* 4. Connect from another network namespace. */

static void from_another_network(void (*run)(void))
{
	pid_t child = process_fork();

	if (child == 0) {
		if (leave_network())
			run();
		process_end(0);
	}
	process_join(child);
}

void names_abstract_name(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);

	if (bind(s.fd, (const struct sockaddr *)&name, name_len) < 0 || listen(s.fd, 8) < 0)
		die("bind");
	from_another_network(connect_name);
	CLOSE(s);
}

static void connect_path(void)
{
	ask_connect('c', SOCK_STREAM, "x");
}

void names_pathname(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);

	if (make_bind(s.fd, "x", 1) < 0 || listen(s.fd, 8) < 0)
		die("bind");
	from_another_network(connect_path);
	CLOSE(s);
}
