/* Cases of addresses: how they are made, and what a reported length means. */
#include "files.h"

#include "notation.h"
#include "sun_path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 1. Print the sizes of the struct. */

void address_sizes(void)
{
	step("sizeof(struct sockaddr_un) = %zu", sizeof(struct sockaddr_un));
	step("alignof(struct sockaddr_un) = %zu", _Alignof(struct sockaddr_un));
	step("offsetof(struct sockaddr_un, sun_path) = %zu", offsetof(struct sockaddr_un, sun_path));
	step("sizeof(sun_path) = %zu", sizeof(((struct sockaddr_un *)0)->sun_path));
	step("sizeof(sa_family_t) = %zu", sizeof(sa_family_t));
	step("sizeof(socklen_t) = %zu", sizeof(socklen_t));
}

/* 2. Make addresses: print the length of the address, or the reason why none is made. No system
 *    call is made. */

static void make(const char *path, size_t size)
{
	struct sockaddr_un addr;
	socklen_t len;
	int made = sun_path_pathname(path, size, &addr, &len);

	step("address(");
	path_print(path, size);
	putchar(')');
	result(made < 0 ? made : (ssize_t)len);
}

void address_lengths(void)
{
	static const size_t sizes[] = { 106, 107, 108, 109, 4096 };
	char path[4096];

	memset(path, 'n', sizeof path);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		make(path, sizes[i]);
}

void address_empty(void)
{
	make("", 0);
}

/* 3. Pass wrong arguments. */

void address_null(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	int bound = bind(s.fd, NULL, 10);

	step("bind(s, NULL, 10)");
	outcome(bound);
	ask_sockname(s);
	CLOSE(s);
}

static void bind_fd(const char *name, int fd)
{
	int bound = make_bind(fd, "x", 1);

	step("bind(%s, \"x\")", name);
	outcome(bound);
	ask_kind("x");
}

void address_closed(void)
{
	bind_fd("-1", -1);
}

void address_file(void)
{
	int file;

	try_create("file");
	file = TRY_OPEN("file", O_RDWR);
	bind_fd("file", file);
	close(file);
}

/* 4. Receive from a sender without a name: the length is 0, and no address is written. */

void address_datagram(void)
{
	struct sock s = bound('s', SOCK_DGRAM, "x"), c = new_socket('c', SOCK_DGRAM);
	struct sockaddr_un addr, before;
	socklen_t len = sizeof addr;
	char byte;
	ssize_t count;

	try_connect(c, "x");
	try_send(c);
	memset(&addr, '!', sizeof addr);
	before = addr;
	count = recvfrom(s.fd, &byte, 1, 0, (struct sockaddr *)&addr, &len);
	step("recvfrom(s)");
	result(count);
	printf(", from %u, ", (unsigned)len);
	printf("%s", memcmp(&addr, &before, sizeof addr) == 0 ? "untouched" : "written");
	CLOSE(s, c);
}

/* 5. Read one struct with each length that the kernel may report. The bytes after the struct are
 *    "!". */

static void read_with_every_length(const struct sockaddr_un *addr)
{
	static const socklen_t lengths[] = { 0, 1, 2, 3, 109, 110, 111, 112 };
	static const char *const kinds[] = {
		[SUN_PATH_UNNAMED] = "unnamed",
		[SUN_PATH_PATHNAME] = "pathname",
		[SUN_PATH_ABSTRACT] = "abstract",
	};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		const char *name;
		size_t size;
		enum sun_path_kind kind = sun_path_read(addr, lengths[i], &name, &size);

		step("read(%u) = %s", (unsigned)lengths[i], kinds[kind]);
		if (kind != SUN_PATH_UNNAMED) {
			putchar(' ');
			bytes_print((const unsigned char *)name, size);
		}
	}
}

static void fill(struct sockaddr_un ret_addr[2], int byte)
{
	memset(ret_addr, '!', 2 * sizeof *ret_addr);
	ret_addr[0].sun_family = AF_UNIX;
	memset(ret_addr[0].sun_path, byte, sizeof ret_addr[0].sun_path);
}

void address_pathname(void)
{
	struct sockaddr_un addr[2];

	fill(addr, 'f');
	read_with_every_length(addr);
}

void address_abstract_name(void)
{
	struct sockaddr_un addr[2];

	fill(addr, 'a');
	addr[0].sun_path[0] = '\0';
	read_with_every_length(addr);
}
