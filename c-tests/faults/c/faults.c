/* Uses a socket in C in one of the usual ways, for example "faults stream". Prints "ok" or the
 * errno, and whether a descriptor leaked. raw/mod.rs and safe/mod.rs do the same. */
#include "notation.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD /* Linux has it since 6.5, and the headers may be older. */
#define SO_PEERPIDFD 77
#endif

/* 1. Clean up: the path is removed and the descriptors are closed when the way ends, even after an
 *    error. */

#define PATH "s"

/* The name of a directory, longer than sun_path. main makes the directory before the way begins. */
static char deep[151];
static char deep_path[sizeof deep + sizeof "/" PATH];

static const char *file; /* The file to remove at the end. */
static int kept[8];
static size_t kept_count;

static int keep(int fd)
{
	if (fd >= 0)
		kept[kept_count++] = fd;
	return fd;
}

static int remove_file(void)
{
	const char *path = file;

	file = NULL;
	return path == NULL ? 0 : unlink(path);
}

static void clean_up(void)
{
	int saved = errno;

	while (kept_count > 0)
		close(kept[--kept_count]);
	remove_file();
	errno = saved;
}

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "faults: %s\n", what);
		abort();
	}
}

/* 2. Repeat a call that a signal interrupts. */

#define AGAIN(result, call) \
	do \
		(result) = (call); \
	while ((result) < 0 && errno == EINTR)

static int new_socket(int type)
{
	return keep(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}

static int new_pair(int type, int ret_pair[2])
{
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_pair) < 0)
		return -1;
	keep(ret_pair[0]);
	keep(ret_pair[1]);
	return 0;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	must(strlen(path) < sizeof addr.sun_path, "the path fits");
	memcpy(addr.sun_path, path, strlen(path) + 1);
	return addr;
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un addr = address_of(path);

	return bind(fd, (struct sockaddr *)&addr, sizeof addr);
}

static int connect_to(int fd, const struct sockaddr_un *addr, socklen_t len)
{
	int result;

	AGAIN(result, connect(fd, (const struct sockaddr *)addr, len));
	return result;
}

static int connect_path(int fd, const char *path)
{
	struct sockaddr_un addr = address_of(path);

	return connect_to(fd, &addr, sizeof addr);
}

static int accept_next(int listener)
{
	int fd;

	AGAIN(fd, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	return keep(fd);
}

static ssize_t send_hello(int fd)
{
	ssize_t count;

	must(fd >= 0, "there is a socket to send on");
	AGAIN(count, send(fd, "hello", 5, MSG_NOSIGNAL));
	must(count < 0 || count == 5, "all was sent");
	return count;
}

static ssize_t receive(int fd, ssize_t expected)
{
	char buf[8];
	ssize_t count;

	must(fd >= 0, "there is a socket to receive from");
	AGAIN(count, recv(fd, buf, sizeof buf, 0));
	must(count < 0 || count == expected, "all was received");
	return count;
}

/* 3. Use sockets in the usual ways: each function returns 0, or -1 with errno. */

/* Makes a listener, connects to it, exchanges bytes, and closes the connection. */
static int stream(void)
{
	int listener = new_socket(SOCK_STREAM), client, server;

	if (listener < 0 || bind_to(listener, PATH) < 0)
		return -1;
	file = PATH;
	if (listen(listener, 8) < 0)
		return -1;
	client = new_socket(SOCK_STREAM);
	if (client < 0 || connect_path(client, PATH) < 0)
		return -1;
	server = accept_next(listener);
	if (server < 0 || send_hello(client) < 0 || receive(server, 5) < 0)
		return -1;
	if (shutdown(client, SHUT_WR) < 0 || receive(server, 0) < 0)
		return -1;
	return remove_file();
}

static int datagram(void)
{
	struct sockaddr_un addr = address_of(PATH);
	int server = new_socket(SOCK_DGRAM), client;
	ssize_t count;

	if (server < 0 || bind_to(server, PATH) < 0)
		return -1;
	file = PATH;
	client = new_socket(SOCK_DGRAM);
	if (client < 0)
		return -1;
	AGAIN(count, sendto(client, "hello", 5, 0, (struct sockaddr *)&addr, sizeof addr));
	if (count < 0 || receive(server, 5) < 0)
		return -1;
	return remove_file();
}

static int seqpacket(void)
{
	int listener = new_socket(SOCK_SEQPACKET), client, server;

	if (listener < 0 || bind_to(listener, PATH) < 0)
		return -1;
	file = PATH;
	if (listen(listener, 8) < 0)
		return -1;
	client = new_socket(SOCK_SEQPACKET);
	if (client < 0 || connect_path(client, PATH) < 0)
		return -1;
	server = accept_next(listener);
	if (server < 0 || send_hello(client) < 0 || receive(server, 5) < 0)
		return -1;
	return remove_file();
}

/* A buffer for one control message, with space for the largest data that the ways send. It is
 * aligned as a header is. */
union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr header;
};

static ssize_t send_control(int fd, int type, const void *data, size_t size)
{
	union control control = { { 0 } };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t count;

	must(fd >= 0 && cmsg != NULL, "there is a socket to send on, and space for a header");
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), data, size);
	AGAIN(count, sendmsg(fd, &msg, MSG_NOSIGNAL));
	return count;
}

static ssize_t receive_control(int fd, int type, void *ret_data, size_t size)
{
	union control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *cmsg;
	ssize_t count;

	must(fd >= 0, "there is a socket to receive from");
	AGAIN(count, recvmsg(fd, &msg, MSG_CMSG_CLOEXEC));
	if (count < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	must(cmsg != NULL && cmsg->cmsg_type == type && cmsg->cmsg_len == CMSG_LEN(size),
	     "what was sent arrived");
	memcpy(ret_data, CMSG_DATA(cmsg), size);
	return count;
}

/* Passes a descriptor through a socket, and uses it. */
static int descriptor(void)
{
	int through[2], pair[2], received;

	if (new_pair(SOCK_STREAM, through) < 0 || new_pair(SOCK_STREAM, pair) < 0)
		return -1;
	if (send_control(through[0], SCM_RIGHTS, &pair[1], sizeof pair[1]) < 0)
		return -1;
	if (receive_control(through[1], SCM_RIGHTS, &received, sizeof received) < 0)
		return -1;
	keep(received);
	return send_hello(received) < 0 || receive(pair[0], 5) < 0 ? -1 : 0;
}

/* Sends two messages with one call, and receives two. */
static int batch(void)
{
	char data[2][8] = { "one", "two" };
	struct iovec iov[2] = { { data[0], 3 }, { data[1], 3 } };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};
	int pair[2], count;

	if (new_pair(SOCK_DGRAM, pair) < 0)
		return -1;
	AGAIN(count, sendmmsg(pair[0], messages, 2, MSG_NOSIGNAL));
	if (count < 0)
		return -1;
	must(count == 2, "both were sent");
	AGAIN(count, recvmmsg(pair[1], messages, 2, MSG_WAITFORONE, NULL));
	must(count < 0 || count == 2, "both arrived");
	return count < 0 ? -1 : 0;
}

/* Asks for the peer's credentials, by option and by message. */
static int identity(void)
{
	struct ucred own = { getpid(), geteuid(), getegid() }, sender, peer;
	socklen_t len = sizeof peer;
	int pair[2], yes = 1;

	if (new_pair(SOCK_STREAM, pair) < 0)
		return -1;
	if (setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
		return -1;
	if (send_control(pair[0], SCM_CREDENTIALS, &own, sizeof own) < 0)
		return -1;
	if (receive_control(pair[1], SCM_CREDENTIALS, &sender, sizeof sender) < 0)
		return -1;
	must(sender.pid == own.pid, "the sender is this process");
	if (getsockopt(pair[1], SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -1;
	must(peer.pid == own.pid, "the peer is this process");
	return 0;
}

/* Asks for the peer's pidfd. */
static int peer_pidfd(void)
{
	int pair[2], pidfd;
	socklen_t len = sizeof pidfd;

	if (new_pair(SOCK_STREAM, pair) < 0)
		return -1;
	if (getsockopt(pair[1], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0)
		return -1;
	keep(pidfd);
	return 0;
}

/* Lets the kernel choose a name, and connects to that name. */
static int autobind(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path);
	int listener = new_socket(SOCK_STREAM), client;

	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, len) < 0)
		return -1;
	len = sizeof addr;
	if (listen(listener, 8) < 0 || getsockname(listener, (struct sockaddr *)&addr, &len) < 0)
		return -1;
	client = new_socket(SOCK_STREAM);
	if (client < 0 || connect_to(client, &addr, len) < 0)
		return -1;
	return accept_next(listener) < 0 ? -1 : 0;
}

/* Binds and connects to a path that does not fit, through a descriptor of its directory. */
static int at(void)
{
	char alias[sizeof "/proc/self/fd/2147483647/" PATH];
	int listener = new_socket(SOCK_STREAM), client, dir;

	if (listener < 0)
		return -1;
	AGAIN(dir, open(deep, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (keep(dir) < 0)
		return -1;
	snprintf(alias, sizeof alias, "/proc/self/fd/%d/" PATH, dir);
	if (bind_to(listener, alias) < 0)
		return -1;
	file = deep_path;
	if (listen(listener, 8) < 0)
		return -1;
	client = new_socket(SOCK_STREAM);
	if (client < 0 || connect_path(client, alias) < 0 || accept_next(listener) < 0)
		return -1;
	return remove_file();
}

/* 4. Run one way: two calls of dup(-1) mark its beginning and its end in a trace. */

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "stream", stream }, { "datagram", datagram }, { "seqpacket", seqpacket },
	{ "descriptor", descriptor }, { "batch", batch }, { "identity", identity },
	{ "pidfd", peer_pidfd }, { "autobind", autobind }, { "at", at },
};

/* Returns how many descriptors are open. The function asks by fcntl(2), because no way calls
 * fcntl(2), so no fault is injected into it. */
static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

int main(int argc, char **argv)
{
	int before, leaked, result, error;
	size_t i = 0;

	while (argc == 2 && i < sizeof ways / sizeof ways[0] && strcmp(ways[i].name, argv[1]) != 0)
		i++;
	must(argc == 2 && i < sizeof ways / sizeof ways[0], "the argument is a way");
	memset(deep, 'd', sizeof deep - 1);
	snprintf(deep_path, sizeof deep_path, "%s/" PATH, deep);
	must(mkdir(deep, 0700) == 0, "the current directory is fresh");
	before = open_descriptors();

	syscall(SYS_dup, -1);
	result = ways[i].run();
	clean_up();
	error = errno;
	syscall(SYS_dup, -1);

	leaked = open_descriptors() - before;
	rmdir(deep);
	printf("%s, leaked %d\n", result < 0 ? errno_name(error) : "ok", leaked);
	return result < 0;
}
