/* Cases with many messages in one call, with many slices in one message, and with truncated data. */
#include "ancillary.h"
#include "notation.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

/* 1. Call sendmmsg and recvmmsg with the messages "a", "bb" and "ccc". If the case wants
 *    descriptors, they have 0, 1 and 2 of them. */

#define BATCH 3

static void fill(struct mmsghdr *messages, struct iovec *iovs, struct control *controls)
{
	memset(messages, 0, BATCH * sizeof messages[0]);
	for (size_t i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &iovs[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		if (controls[i].len == 0)
			continue;
		messages[i].msg_hdr.msg_control = controls[i].bytes;
		messages[i].msg_hdr.msg_controllen = controls[i].len;
	}
}

static void three(int with_rights)
{
	static struct control sent[BATCH], received[BATCH];
	char data[BATCH][8] = { "a", "bb", "ccc" };
	struct iovec iovs[BATCH];
	struct mmsghdr messages[BATCH];
	struct pair s = new_pair(SOCK_DGRAM);
	struct fds fds = { .count = 0 };
	int count, before, more;

	for (size_t i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ data[i], i + 1 };
		sent[i].len = 0;
		received[i].len = CONTROL_SIZE;
		if (with_rights && i > 0)
			put_rights(&sent[i], i);
	}
	fill(messages, iovs, sent);
	count = sendmmsg(s.p, messages, BATCH, MSG_NOSIGNAL);
	step("sendmmsg(p, \"a\", \"bb\", \"ccc\")");
	result(count);

	for (size_t i = 0; i < BATCH; i++)
		iovs[i].iov_len = sizeof data[i];
	fill(messages, iovs, received);
	memset(data, 0, sizeof data);
	before = open_descriptors();
	count = recvmmsg(s.q, messages, BATCH, MSG_CMSG_CLOEXEC, NULL);
	more = open_descriptors() - before;
	step("recvmmsg(q)");
	result(count);
	printf(", opened %d", more);
	for (int i = 0; i < count; i++) {
		step("%u, ", messages[i].msg_len);
		bytes_print((unsigned char *)data[i], messages[i].msg_len);
		print_control(received[i].bytes, messages[i].msg_hdr.msg_controllen, &fds);
	}
	close_fds(&fds);
	close_pair(s);
}

void batch_three(void)
{
	three(0);
}

void batch_rights(void)
{
	three(1);
}

/* 2. Send and receive many slices. */

static void in_pieces(size_t count)
{
	static struct iovec iovs[1025];
	struct msghdr message = { .msg_iov = iovs, .msg_iovlen = count };
	struct pair s = new_pair(SOCK_DGRAM);
	ssize_t sent;

	for (size_t i = 0; i < count; i++)
		iovs[i] = (struct iovec){ "x", 1 };
	sent = sendmsg(s.p, &message, MSG_NOSIGNAL);
	step("sendmsg(p, %zu pieces)", count);
	result(sent);
	close_pair(s);
}

void batch_pieces(void)
{
	in_pieces(1024);
}

void batch_too_many_pieces(void)
{
	in_pieces(1025);
}

/* 3. Receive truncated data. */

void batch_true_length(void)
{
	struct pair s = new_pair(SOCK_DGRAM);

	send_text(s.p, "abcdef");
	RECEIVE_FLAGS(s.q, 2, MSG_TRUNC);
	close_pair(s);
}

