/* Cases of bytes on a stream whose sender or reader has ended, and of bytes of many writers. */
#include "identity.h"
#include "line.h"
#include "process.h"

#include <string.h>
#include <unistd.h>

/* Reads this many bytes, or fewer at the end of file. */
static size_t read_all(int fd, unsigned char *buffer, size_t size)
{
	ssize_t count = recv(fd, buffer, size, MSG_WAITALL);

	if (count < 0)
		die("recv");
	return (size_t)count;
}

/* 1. Set SO_LINGER in a child, which a timer ends if close(2) waits. */

#define AN_HOUR 3600
#define PATIENCE 20

static void close_with_linger(void)
{
	const struct linger hour = { .l_onoff = 1, .l_linger = AN_HOUR };
	int pair[2], set;
	char byte;

	new_pair(SOCK_STREAM, pair);
	set = setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &hour, sizeof hour);
	step("setsockopt(p, SO_LINGER, an hour)");
	outcome(set);
	tell_byte(pair[0]);
	step("send(p, \"x\")");
	alarm(PATIENCE);
	close(pair[0]);
	alarm(0);
	step("close(p)");
	for (int i = 0; i < 2; i++) {
		ssize_t count = read(pair[1], &byte, 1);

		step("read(q)");
		result(count);
	}
	close(pair[1]);
}

void stream_linger(void)
{
	pid_t child = process_fork();

	if (child == 0) {
		close_with_linger();
		process_end(0);
	}
	process_join(child);
}

/* 2. Let a reader die after it has read half of the bytes. */

#define WHOLE (1 << 20)
#define HALF (WHOLE / 2)

static unsigned char bytes[WHOLE];

/* Returns how many bytes were sent, in words, because the size of the queue depends on the system.
 * */
static const char *share(ssize_t count)
{
	if (count < HALF)
		return "less than half";
	return count < WHOLE ? "half or more" : "all";
}

void stream_reader_dies(void)
{
	int pair[2];
	ssize_t count;
	pid_t child;

	new_pair(SOCK_STREAM, pair);
	child = process_fork();
	if (child == 0) {
		close(pair[0]);
		_exit(read_all(pair[1], bytes, HALF) != HALF);
	}
	close(pair[1]);
	count = send(pair[0], bytes, WHOLE, MSG_NOSIGNAL);
	step("send(p, 1 MiB) = %s", share(count));
	process_join(child);
	count = send(pair[0], "x", 1, MSG_NOSIGNAL);
	step("send(p, \"x\")");
	result(count);
	close(pair[0]);
}

/* 3. Write from many processes: each sends blocks of its own letter. Every block that is read has
 *    only one letter. */

#define WRITERS 4
#define BLOCK 4096
#define BLOCKS 200 /* each writer sends this many */

static _Noreturn void write_blocks(int fd, char letter)
{
	memset(bytes, letter, BLOCK);
	for (int i = 0; i < BLOCKS; i++)
		if (send(fd, bytes, BLOCK, MSG_NOSIGNAL) != BLOCK)
			die("send");
	_exit(0);
}

static int is_mixed(void)
{
	return memcmp(bytes, bytes + 1, BLOCK - 1) != 0;
}

void stream_writers(void)
{
	int pair[2], blocks = 0, mixed = 0;
	int of_writer[WRITERS] = { 0 };
	pid_t children[WRITERS];

	new_pair(SOCK_STREAM, pair);
	for (int i = 0; i < WRITERS; i++) {
		children[i] = process_fork();
		if (children[i] == 0)
			write_blocks(pair[0], 'a' + (char)i);
	}
	close(pair[0]);
	while (read_all(pair[1], bytes, BLOCK) == BLOCK) {
		blocks++;
		mixed += is_mixed();
		of_writer[bytes[0] - 'a']++;
	}
	step("read(q, %d) = %d blocks, %d mixed", BLOCK, blocks, mixed);
	for (int i = 0; i < WRITERS; i++) {
		process_join(children[i]);
		step("writer %c: %d", 'a' + i, of_writer[i]);
	}
	close(pair[1]);
}
