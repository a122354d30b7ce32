#include "data.h"

#include "address.h"
#include "line.h"
#include "names.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The most slices of a step, which is one more than a message may have. */
#define PIECES 1025

static unsigned char buffer[65536];
static struct iovec pieces[PIECES];

/* 1. Send every slice of the step, to the peer or to an address. */

static size_t gather(const struct step *step)
{
	size_t count = 0;

	for (size_t i = 1; is_bytes(step, i); i++, count++) {
		pieces[count].iov_base = (void *)step->args[i].bytes;
		pieces[count].iov_len = step->args[i].count;
	}
	return count;
}

static void call_send(int fd, const struct step *step)
{
	const struct arg *data = &step->args[1];
	int flags = MSG_NOSIGNAL;

	if (is_number(step, 2)) {
		struct msghdr msg = { .msg_iov = pieces };
		size_t count = (size_t)number_of(step, 2);

		if (count > PIECES)
			die("send: too many pieces");
		for (size_t i = 0; i < count; i++)
			pieces[i] = (struct iovec){ (void *)data->bytes, data->count };
		msg.msg_iovlen = count;
		result(sendmsg(fd, &msg, flags));
		return;
	}
	if (is_word(step, 2))
		flags |= flags_of(step->args[2].word);
	result(send(fd, data->bytes, data->count, flags));
}

static ssize_t send_to(int fd, const struct step *step)
{
	const struct arg *data = &step->args[1];
	struct sockaddr_un addr;
	socklen_t len = 0;

	if (is_bytes(step, 2))
		len = address_of(&step->args[2], &addr);
	return sendto(fd, data->bytes, data->count, MSG_NOSIGNAL,
		      len != 0 ? (struct sockaddr *)&addr : NULL, len);
}

static void call_sendto(int fd, const struct step *step)
{
	result(send_to(fd, step));
}

static void call_writev(int fd, const struct step *step)
{
	int count = (int)gather(step);

	result(writev(fd, pieces, count));
}

static void call_sendmmsg(int fd, const struct step *step)
{
	struct mmsghdr messages[ARGS] = { 0 };
	size_t count = gather(step);

	for (size_t i = 0; i < count; i++) {
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	result(sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL));
}

/* 2. Receive: print what the call returned, and the bytes in each slice. */

/* Divides the buffer into slices of the sizes that the step names. Returns how many slices there
 * are. */
static size_t scatter(const struct step *step)
{
	size_t count = 0, at = 0;

	for (size_t i = 1; is_number(step, i); i++, count++) {
		pieces[count].iov_base = buffer + at;
		pieces[count].iov_len = (size_t)number_of(step, i);
		at += pieces[count].iov_len;
		if (at > sizeof buffer)
			die("receive: too long a buffer");
	}
	return count;
}

static void print_received(ssize_t returned, size_t count)
{
	size_t left = (size_t)returned;

	result(returned);
	for (size_t i = 0; i < count && returned > 0 && left > 0; i++) {
		size_t here = left < pieces[i].iov_len ? left : pieces[i].iov_len;

		fputs(", ", stdout);
		bytes_print(pieces[i].iov_base, here);
		left -= here;
	}
}

static int receive_flags(const struct step *step)
{
	size_t last = step->count - 1;

	return is_word(step, last) ? flags_of(step->args[last].word) : 0;
}

static void call_recv(int fd, const struct step *step)
{
	size_t count = scatter(step);

	print_received(recv(fd, buffer, pieces[0].iov_len, receive_flags(step)), count);
}

static void call_recvfrom(int fd, const struct step *step)
{
	struct sockaddr_un addr;
	socklen_t len = sizeof addr;
	size_t count = scatter(step);
	ssize_t returned = recvfrom(fd, buffer, pieces[0].iov_len, receive_flags(step),
				  (struct sockaddr *)&addr, &len);

	print_received(returned, count);
	if (returned >= 0) {
		fputs(", from ", stdout);
		print_name(&addr, len);
	}
}

static void call_recvmsg(int fd, const struct step *step)
{
	size_t count = scatter(step);
	struct msghdr msg = { .msg_iov = pieces, .msg_iovlen = count };
	ssize_t returned = recvmsg(fd, &msg, receive_flags(step));

	print_received(returned, count);
	if (returned >= 0)
		flags_print(msg.msg_flags);
}

static void call_readv(int fd, const struct step *step)
{
	size_t count = scatter(step);

	print_received(readv(fd, pieces, (int)count), count);
}

static void call_recvmmsg(int fd, const struct step *step)
{
	struct mmsghdr messages[8] = { 0 };
	size_t most = (size_t)number_of(step, 1), size = (size_t)number_of(step, 2);
	int returned;

	if (most > 8 || most * size > sizeof buffer)
		die("recvmmsg: too many messages");
	for (size_t i = 0; i < most; i++) {
		pieces[i] = (struct iovec){ buffer + i * size, size };
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	returned = recvmmsg(fd, messages, (unsigned)most, MSG_WAITFORONE, NULL);
	result(returned);
	for (int i = 0; i < returned; i++) {
		fputs(", ", stdout);
		bytes_print(pieces[i].iov_base, messages[i].msg_len);
	}
}

/* 3. Print the capacity as a formula. */

static long max_dgram_qlen(void)
{
	FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "r");
	long number;

	if (file == NULL || fscanf(file, "%ld", &number) != 1)
		die("max_dgram_qlen");
	fclose(file);
	return number;
}

static void call_fill(int fd, const struct step *step)
{
	long limit = max_dgram_qlen();
	long count = 0;

	while (send_to(fd, step) >= 0)
		count++;
	if (count == limit + 1)
		printf(" = max_dgram_qlen + 1, then %s", errno_name(errno));
	else
		printf(" = %ld, then %s", count, errno_name(errno));
}

static void call_sendmost(int fd, const struct step *step)
{
	int size = 0;
	socklen_t len = sizeof size;
	size_t count;
	void *bytes;
	ssize_t returned;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0) {
		result(-1);
		return;
	}
	count = (size_t)(size + number_of(step, 1));
	bytes = calloc(count, 1);
	if (bytes == NULL)
		die("calloc");
	returned = send(fd, bytes, count, MSG_NOSIGNAL);
	if (returned >= 0 && (size_t)returned == count)
		fputs(" = all", stdout);
	else
		result(returned);
	free(bytes);
}

/* 4. Find a call by its name. */

int data_call(int fd, const struct step *step)
{
	static const struct {
		const char *name;
		void (*call)(int fd, const struct step *step);
	} calls[] = {
		{ "fill", call_fill },		 { "readv", call_readv },
		{ "recv", call_recv },		 { "recvfrom", call_recvfrom },
		{ "recvmmsg", call_recvmmsg },	 { "recvmsg", call_recvmsg },
		{ "send", call_send },		 { "sendmmsg", call_sendmmsg },
		{ "sendmost", call_sendmost },	 { "sendto", call_sendto },
		{ "writev", call_writev },
	};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(calls[i].name, step->call) == 0) {
			calls[i].call(fd, step);
			return 1;
		}
	}
	return 0;
}
