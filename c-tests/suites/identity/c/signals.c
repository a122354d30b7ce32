/* Cases of sending to a closed peer and of waiting for space, in a program that does not handle
 * signals. */
#include "identity.h"
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* 1. Make sockets to send on: a socket whose peer has closed, and a socket that was shut down for
 *    sending. */

static int orphan(int type)
{
	int pair[2];

	new_pair(type, pair);
	close(pair[1]);
	return pair[0];
}

/* 2. Raise SIGPIPE: each send is made in a child, which the default action kills. */

static void in_child(const char *call, int fd, ssize_t (*send_it)(int))
{
	pid_t child;

	printf("%s", call);
	child = process_fork();
	if (child == 0) {
		signal(SIGPIPE, SIG_DFL);
		process_end(send_it(fd) < 0 ? errno : 0);
	}
	process_wait_and_print(child);
	close(fd);
}

static ssize_t send_byte(int fd)
{
	return send(fd, "x", 1, 0);
}

static ssize_t send_byte_nosignal(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL);
}

static ssize_t send_nothing(int fd)
{
	return send(fd, "", 0, 0);
}

static ssize_t write_byte(int fd)
{
	return write(fd, "x", 1);
}

static ssize_t writev_byte(int fd)
{
	char byte = 'x';
	struct iovec piece = { .iov_base = &byte, .iov_len = 1 };

	return writev(fd, &piece, 1);
}

static void send_after_shutdown(int type)
{
	int pair[2];

	new_pair(type, pair);
	if (shutdown(pair[0], SHUT_WR) < 0)
		die("shutdown");
	in_child("send(p, \"x\", 0)", pair[0], send_byte);
	close(pair[1]);
}

void signals_stream_send(void)
{
	in_child("send(p, \"x\", 0)", orphan(SOCK_STREAM), send_byte);
}

void signals_stream_send_nosignal(void)
{
	in_child("send(p, \"x\", MSG_NOSIGNAL)", orphan(SOCK_STREAM), send_byte_nosignal);
}

void signals_stream_send_nothing(void)
{
	in_child("send(p, \"\", 0)", orphan(SOCK_STREAM), send_nothing);
}

void signals_stream_write(void)
{
	in_child("write(p, \"x\")", orphan(SOCK_STREAM), write_byte);
}

void signals_stream_writev(void)
{
	in_child("writev(p, \"x\")", orphan(SOCK_STREAM), writev_byte);
}

void signals_stream_shut(void)
{
	send_after_shutdown(SOCK_STREAM);
}

void signals_stream_unconnected(void)
{
	in_child("send(s, \"x\", 0)", new_socket(SOCK_STREAM), send_byte);
}

void signals_seqpacket_send(void)
{
	in_child("send(p, \"x\", 0)", orphan(SOCK_SEQPACKET), send_byte);
}

void signals_seqpacket_shut(void)
{
	send_after_shutdown(SOCK_SEQPACKET);
}

void signals_datagram_send(void)
{
	in_child("send(p, \"x\", 0)", orphan(SOCK_DGRAM), send_byte);
}

void signals_datagram_shut(void)
{
	send_after_shutdown(SOCK_DGRAM);
}

/* 3. Wait at a full queue: connect(2) waits for at most the send timeout. The case runs in a child
 *    process, because it needs a timer of its own. */

static void patience_set(int fd, long milliseconds)
{
	struct timeval time = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0)
		die("setsockopt");
}

static int connect_patiently(int fd)
{
	patience_set(fd, 400);
	return try_connect(fd);
}

static int connect_impatiently(int fd)
{
	patience_set(fd, 50);
	return try_connect(fd);
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Connects within this many milliseconds, however often it is interrupted. */
static int connect_within(int fd, long milliseconds)
{
	long long end = now() + milliseconds, left;

	while ((left = end - now()) > 0) {
		patience_set(fd, (long)left);
		if (try_connect(fd) == 0)
			return 0;
		if (errno == EAGAIN)
			break;
		if (errno != EINTR)
			return -1;
	}
	errno = ETIMEDOUT;
	return -1;
}

static int connect_in_time(int fd)
{
	int result = connect_within(fd, 150);

	if (!process_is_interrupted())
		die("connect_within: interrupted more often than there was time for");
	return result;
}

static void wait_for_space(int interrupt, int (*connect_it)(int))
{
	int s = listening(SOCK_STREAM, 0);
	int first = connected(SOCK_STREAM), second = new_socket(SOCK_STREAM);
	pid_t child;

	printf("connect(c)");
	child = process_fork();
	if (child == 0) {
		if (interrupt)
			process_interrupt();
		process_end(connect_it(second) < 0 ? errno : 0);
	}
	process_wait_and_print(child);
	close(s);
	close(first);
	close(second);
}

void signals_connect_timeout(void)
{
	wait_for_space(0, connect_impatiently);
}

void signals_connect_interrupted(void)
{
	wait_for_space(1, connect_patiently);
}

void signals_connect_deadline(void)
{
	wait_for_space(1, connect_in_time);
}
