/* Cases of streams: the bytes with which a descriptor arrives, and the calls that take it. */
#include "ancillary.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* 1. Receive the bytes by different calls. */

static void two_sent(struct pair s)
{
	send_rights(s.p, "aa", 1);
	send_text(s.p, "bb");
}

void stream_waitall(void)
{
	struct pair s = new_pair(SOCK_STREAM);

	two_sent(s);
	RECEIVE_FLAGS(s.q, 4, MSG_WAITALL);
	RECEIVE_FLAGS(s.q, 4, MSG_WAITALL);
	close_pair(s);
}

void stream_read(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int before = open_descriptors();
	char byte;
	ssize_t count;

	send_rights(s.p, "x", 3);
	count = read(s.q, &byte, 1);
	step("read(q, 1)");
	result(count);
	step("opened %d", open_descriptors() - before);
	receive(s.q, 64);
	close_pair(s);
}

void stream_peek(void)
{
	struct pair s = new_pair(SOCK_STREAM);

	send_rights(s.p, "x", 1);
	RECEIVE_FLAGS(s.q, 64, MSG_PEEK);
	RECEIVE_FLAGS(s.q, 64, MSG_PEEK);
	RECV_FLAGS(s.q, 64, MSG_PEEK);
	receive(s.q, 64);
	close_pair(s);
}

/* 2. Send more bytes than the queue takes: the sender sends the rest without descriptors. */

void stream_short_write(void)
{
	static char data[1 << 20];
	struct iovec iov = { data, sizeof data };
	struct control control = { .len = 0 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
	};
	struct pair s = new_pair(SOCK_STREAM);
	ssize_t count;

	memset(data, 'a', sizeof data);
	put_rights(&control, 2);
	message.msg_controllen = control.len;
	count = sendmsg(s.p, &message, MSG_NOSIGNAL);
	step("sendmsg(p, <1 MiB>, RIGHTS(2))");
	if (count > 0 && (size_t)count < sizeof data)
		printf(" = less");
	else
		result(count);
	receive(s.q, 1);
	receive(s.q, 1);
	close_pair(s);
}
