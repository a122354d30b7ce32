/* Converts all inputs in C, without a system call. Prints the addresses that sun_path.c makes from
 * paths and names of every length, with a NUL at every position, and the names that it reads from
 * addresses of every length. raw/mod.rs and safe/mod.rs print the same lines. */
#include "notation.h"
#include "sun_path.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PATH_LENGTHS 300
#define ABSTRACT_LENGTHS 112
#define NO_NUL SIZE_MAX

/* 1. Make the input: at most one NUL, and bytes that differ from their neighbours, so that a
 *    shifted copy is visible. */

static void fill(char *bytes, size_t size, size_t nul)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = i == nul ? '\0' : (char)(1 + (i * 7 + 13) % 255);
}

/* Prints the kind and the length of the input, and the place of its NUL. */
static void print_input(const char *kind, size_t size, size_t nul)
{
	if (nul == NO_NUL)
		printf("%s %zu -", kind, size);
	else
		printf("%s %zu %zu", kind, size, nul);
}

/* 2. Print the result: the length and a hash of the whole struct, or the error. */

static uint64_t fnv1a(const unsigned char *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

static void print_made(const struct sockaddr_un *addr, socklen_t len)
{
	uint64_t hash = fnv1a((const unsigned char *)addr, sizeof *addr);

	printf(" ok %u %016llx\n", (unsigned)len, (unsigned long long)hash);
}

static void print_refused(const char *bytes, size_t size)
{
	if (errno == ENOENT)
		printf(" EMPTY\n");
	else if (errno == EINVAL)
		printf(" NUL at %zu\n", (size_t)((const char *)memchr(bytes, '\0', size) - bytes));
	else
		printf(" TOO LONG %zu %zu\n", size, SUN_PATH_MAX);
}

static void make_pathname(const char *path, size_t size, size_t nul)
{
	struct sockaddr_un addr;
	socklen_t len;
	int result = sun_path_pathname(path, size, &addr, &len);

	print_input("pathname", size, nul);
	if (result == 0)
		print_made(&addr, len);
	else
		print_refused(path, size);
}

static void make_abstract(const char *name, size_t size, size_t nul)
{
	struct sockaddr_un addr;
	socklen_t len;
	int result = sun_path_abstract(name, size, &addr, &len);

	print_input("abstract", size, nul);
	if (result == 0)
		print_made(&addr, len);
	else
		print_refused(name, size);
}

/* 3. Read addresses: each of these contents with every length. */

static const char *const contents[] = {
	"\"f{108}\"",             /* unterminated */
	"\"t{107}\\0\"",          /* terminated where the struct ends */
	"\"short\\0{103}\"",      /* terminated early */
	"\"m{50}\\0n{57}\"",      /* a NUL in the middle */
	"\"\\0x{107}\"",          /* a NUL first */
	"\"\\0x{50}\\0y{56}\"",   /* a NUL first and one in the middle */
	"\"\\0{108}\"",           /* only NULs */
};

static void read_address(size_t which, const struct sockaddr_un *addr, socklen_t len)
{
	static const char *const kinds[] = {
		[SUN_PATH_UNNAMED] = "unnamed",
		[SUN_PATH_PATHNAME] = "pathname",
		[SUN_PATH_ABSTRACT] = "abstract",
	};
	const char *name;
	size_t size;
	enum sun_path_kind kind = sun_path_read(addr, len, &name, &size);

	printf("read %zu %u %s ", which, (unsigned)len, kinds[kind]);
	bytes_print((const unsigned char *)name, size);
	putchar('\n');
}

/* 4. Convert all lengths and all places of a NUL. */

int main(void)
{
	static const socklen_t far[] = { 65535, 0x7fffffff, 0xffffffff };
	char bytes[PATH_LENGTHS + 1] = { 0 };

	for (size_t size = 0; size <= PATH_LENGTHS; size++) {
		for (size_t nul = 0; nul < size; nul++) {
			fill(bytes, size, nul);
			make_pathname(bytes, size, nul);
		}
		fill(bytes, size, NO_NUL);
		make_pathname(bytes, size, NO_NUL);
	}

	for (size_t size = 0; size <= ABSTRACT_LENGTHS; size++) {
		for (size_t nul = 0; nul < size; nul++) {
			fill(bytes, size, nul);
			make_abstract(bytes, size, nul);
		}
		fill(bytes, size, NO_NUL);
		make_abstract(bytes, size, NO_NUL);
	}

	for (size_t which = 0; which < sizeof contents / sizeof contents[0]; which++) {
		struct sockaddr_un addr = { .sun_family = AF_UNIX };
		unsigned char *path = (unsigned char *)addr.sun_path;
		size_t count;

		if (bytes_read(contents[which], sizeof addr.sun_path, path, &count) == 0)
			return 1;
		for (socklen_t len = 0; len <= PATH_LENGTHS; len++)
			read_address(which, &addr, len);
		for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
			read_address(which, &addr, far[i]);
	}
	return 0;
}
