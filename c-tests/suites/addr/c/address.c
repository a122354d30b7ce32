#include "address.h"

#include "notation.h"

#include <stdio.h>
#include <string.h>

/* The byte that fills the buffer before the kernel writes. */
#define UNTOUCHED 0xAA

/* The digits of the last name that the kernel chose. */
static unsigned char autobound[5];

void address_prepare(union address *ret_addr)
{
	memset(ret_addr, UNTOUCHED, sizeof *ret_addr);
}

void address_forget_autobound(void)
{
	memset(autobound, 0, sizeof autobound);
}

static int print_autobound(const unsigned char *name, size_t size)
{
	int same;

	if (size != 1 + sizeof autobound || name[0] != 0)
		return 0;
	for (size_t i = 1; i < size; i++)
		if (memchr("0123456789abcdef", name[i], 16) == NULL)
			return 0;
	same = memcmp(autobound, name + 1, sizeof autobound) == 0;
	memcpy(autobound, name + 1, sizeof autobound);
	printf("\"\\0\" + %s5 hex digits", same ? "the same " : "");
	return 1;
}

static size_t count_touched(const union address *addr, size_t from)
{
	size_t count = 0;

	for (size_t i = from; i < BUFFER_SIZE; i++)
		count += addr->bytes[i] != UNTOUCHED;
	return count;
}

/* Returns the smaller of `len` and the size of the buffer. */
static size_t within(socklen_t len)
{
	return len < BUFFER_SIZE ? len : BUFFER_SIZE;
}

void address_print(const union address *addr, socklen_t cap, socklen_t len)
{
	const unsigned char *path = addr->bytes + PATH_OFFSET;
	size_t seen = within(len < cap ? len : cap);
	size_t beyond = count_touched(addr, within(cap));

	printf("%u, ", (unsigned)len);
	if (len == 0)
		fputs(count_touched(addr, 0) == 0 ? "untouched" : "touched", stdout);
	else if (len <= PATH_OFFSET)
		fputs("unnamed", stdout);
	else if (seen <= PATH_OFFSET)
		bytes_print(path, 0);
	else if (!print_autobound(path, seen - PATH_OFFSET))
		bytes_print(path, seen - PATH_OFFSET);
	if (seen >= PATH_OFFSET && addr->un.sun_family != AF_UNIX)
		printf(", family %d", addr->un.sun_family);
	if (beyond != 0)
		printf(", WROTE %zu BYTES BEYOND THE BUFFER", beyond);
}
