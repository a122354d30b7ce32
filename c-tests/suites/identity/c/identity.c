/* Runs the cases of the peer of a socket in C. It prints a line for each case. The current
 * directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && identity            every case of ../cases.def
 *   mkdir fresh && cd fresh && identity J01.fresh G09
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath, file by file. */
#include "identity.h"

#include "cases.h"
#include "line.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

/* 1. Make sockets: a listener at a path, and a client. */

int new_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

void new_pair(int type, int ret_pair[2])
{
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_pair) < 0)
		die("socketpair");
}

int bound(int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = PATH };
	int fd = new_socket(type);

	if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
		die("bind");
	return fd;
}

void start_listening(int fd, int backlog)
{
	if (listen(fd, backlog) < 0)
		die("listen");
}

int listening(int type, int backlog)
{
	int fd = bound(type);

	start_listening(fd, backlog);
	return fd;
}

int try_connect(int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = PATH };

	return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

int connected(int type)
{
	int fd = new_socket(type);

	if (try_connect(fd) < 0)
		die("connect");
	return fd;
}

int accepted(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept4");
	return fd;
}

void close_both(int a, int b)
{
	close(a);
	close(b);
}

/* 2. Ask about a socket: print the call and its answer, with the name that the socket has in the
 *    case. */

void ask_cred(const char *name, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	printf("getsockopt(%s, SO_PEERCRED) = ", name);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		printf("%s", errno_name(errno));
	else
		ids_print(cred.pid, cred.uid, cred.gid);
}

void ask_byte(const char *name, int fd)
{
	char byte;
	ssize_t count = read(fd, &byte, 1);

	if (count < 0)
		printf("read(%s) = %s; ", name, errno_name(errno));
	else
		printf("read(%s) = %zd; ", name, count);
}

void tell_byte(int fd)
{
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		die("send");
}

/* 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it. */

static const struct test_case cases[] = {
#define CASE(id, name, needs, file, title) CASE_ENTRY(id, name, needs, file)
#include "../cases.def"
#undef CASE
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
