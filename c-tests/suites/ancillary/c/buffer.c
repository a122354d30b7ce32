/* Cases of the receiver's control buffer: what arrives if it is too small, and what an iteration
 * over it sees. */
#include "ancillary.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* 1. Use a buffer for one descriptor with its padding, into which two fit. */

static void into_one(size_t count)
{
	struct pair s = new_pair(SOCK_STREAM);

	send_rights(s.p, "x", count);
	RECEIVE_IN(s.q, 64, CMSG_SPACE(4));
	close_pair(s);
}

void buffer_padded(void)
{
	into_one(3);
}

void buffer_padding(void)
{
	into_one(2);
}

/* 2. Receive at the limit of descriptors: recvmsg succeeds, and reports that something is missing.
 * */

static void three_at_limit(int more)
{
	struct pair s = new_pair(SOCK_STREAM);

	send_rights(s.p, "x", 3);
	allow_more(more);
	receive(s.q, 64);
	allow_usual();
	close_pair(s);
}

void buffer_for_one(void)
{
	three_at_limit(1);
}

void buffer_for_none(void)
{
	three_at_limit(0);
}

/* 3. Use the buffer in unusual ways. */

/* Uses one buffer for two calls, as in a loop. The second call fails, and an iteration over the
 * buffer then sees the descriptors of the first call. */
void buffer_failed(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct control control = { .len = CMSG_SPACE(4) };
	char data[1];
	struct iovec iov = { data, sizeof data };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = control.len,
	};
	struct fds fds = { .count = 0 };

	send_rights(s.p, "x", 1);
	for (int i = 0; i < 2; i++) {
		ssize_t count = recvmsg(s.q, &message, MSG_CMSG_CLOEXEC);

		step("recvmsg(q, 1)");
		result(count);
		print_control(control.bytes, message.msg_controllen, i == 0 ? &fds : NULL);
	}
	close_fds(&fds);
	close_pair(s);
}

void buffer_aligned(void)
{
	struct pair s = new_pair(SOCK_STREAM);

	for (size_t offset = 0; offset <= 8; offset++) {
		char name[16];

		snprintf(name, sizeof name, "offset %zu", offset);
		part(name);
		send_rights(s.p, "x", 2);
		receive_closing(s.q, (struct receive){ 64, CMSG_SPACE(8), .offset = offset });
	}
	close_pair(s);
}

/* 4. Iterate over bytes that no kernel wrote: two messages of 8 bytes, the first with a wrong
 *    length. The buffer ends with the messages, so that a sanitizer detects a read past them. */

static size_t iterate(const unsigned char *bytes, size_t len, size_t ret_sizes[2])
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	struct message message;
	size_t count = 0;

	if (exact == NULL)
		die("malloc");
	memcpy(exact, bytes, len);
	for (size_t at = 0; next_message(exact, len, &at, &message); count++)
		ret_sizes[count] = message.size;
	free(exact);
	return count;
}

static void iterate_with(size_t cmsg_len, const char *words)
{
	struct control control = { .len = 0 };
	size_t sizes[2], count;

	put_wrong(&control, cmsg_len, SOL_SOCKET, SCM_RIGHTS);
	put_rights(&control, 2);
	count = iterate(control.bytes, control.len, sizes);
	step("cmsg_len %s: data of", words);
	for (size_t i = 0; i < count; i++)
		printf(" %zu", sizes[i]);
}

#define ITERATE_WITH(length) iterate_with(length, #length)

void buffer_length(void)
{
	ITERATE_WITH(0);
	ITERATE_WITH(1);
	ITERATE_WITH(CMSG_LEN(0) - 1);
	ITERATE_WITH(CMSG_LEN(0));
	ITERATE_WITH(CMSG_LEN(8));
	ITERATE_WITH(CMSG_LEN(8) + 1);
	ITERATE_WITH(SIZE_MAX / 2);
	ITERATE_WITH(SIZE_MAX);
}

void buffer_clamped(void)
{
	ITERATE_WITH(CMSG_SPACE(8) * 2 - 1);
	ITERATE_WITH(CMSG_SPACE(8) * 2);
	ITERATE_WITH(CMSG_SPACE(8) * 2 + 1);
}

/* For each prefix of the buffer, counts the messages in it, and prints the lengths at which the
 * count changes. */
void buffer_room(void)
{
	struct control control = { .len = 0 };
	size_t sizes[2], seen = 0;

	put_rights(&control, 2);
	put_rights(&control, 2);
	for (size_t len = 0; len <= control.len; len++) {
		size_t count = iterate(control.bytes, len, sizes);

		if (count == seen)
			continue;
		seen = count;
		step("%zu from %s", count, len == CMSG_LEN(0) ? "CMSG_LEN(0)" :
		     len == CMSG_SPACE(8) + CMSG_LEN(0) ? "CMSG_SPACE(8) + CMSG_LEN(0)" : "elsewhere");
	}
}

/* 5. Close the descriptors that the receiver does not use. */

void buffer_untaken(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int before = open_descriptors();

	send_rights(s.p, "x", 3);
	receive(s.q, 64);
	step("left open %d", open_descriptors() - before);
	close_pair(s);
}

void buffer_half_taken(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int before = open_descriptors(), taken;
	struct fds fds;

	send_rights(s.p, "x", 3);
	fds = receive_with(s.q, (struct receive){ .size = 64, .capacity = CONTROL_SIZE });
	taken = fds.fd[0];
	close(fds.fd[1]);
	close(fds.fd[2]);
	step("taken 1, left open %d", open_descriptors() - before);
	close(taken);
	close_pair(s);
}
