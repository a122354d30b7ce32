#include "notation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the text of one byte, without a "{n}" after it. Returns the length of its text, or 0 if the
 * text is not a byte. */
static size_t byte_read(const char *text, unsigned char *ret_byte)
{
	if (text[0] == '\0' || text[0] == '"' || text[0] == '{')
		return 0;
	if (text[0] != '\\') {
		*ret_byte = (unsigned char)text[0];
		return 1;
	}
	switch (text[1]) {
	case '0':
		*ret_byte = 0;
		return 2;
	case '"':
	case '\\':
		*ret_byte = (unsigned char)text[1];
		return 2;
	case 'x': {
		char digits[3] = "";
		char *end;

		memcpy(digits, text + 2, text[2] == '\0' ? 1 : 2);
		*ret_byte = (unsigned char)strtoul(digits, &end, 16);
		return end == digits + 2 ? 4 : 0;
	}
	default:
		return 0;
	}
}

size_t bytes_read(const char *text, size_t size, unsigned char *ret_bytes, size_t *ret_count)
{
	size_t at = 0, count = 0;

	if (text[at++] != '"')
		return 0;
	while (text[at] != '"') {
		unsigned char byte = 0;
		unsigned long times = 1;
		size_t taken = byte_read(text + at, &byte);

		if (taken == 0)
			return 0;
		at += taken;
		if (text[at] == '{') {
			char *end;

			times = strtoul(text + at + 1, &end, 10);
			if (*end != '}')
				return 0;
			at = (size_t)(end - text) + 1;
		}
		if (times > size - count)
			return 0;
		memset(ret_bytes + count, byte, times);
		count += times;
	}
	*ret_count = count;
	return at + 1;
}

void bytes_print(const unsigned char *bytes, size_t count)
{
	size_t at = 0;

	putchar('"');
	while (at < count) {
		unsigned char byte = bytes[at];
		size_t times = 1;

		while (at + times < count && bytes[at + times] == byte)
			times++;
		if (times < 4)
			times = 1;
		if (byte == 0)
			fputs("\\0", stdout);
		else if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < ' ' || byte > '~' || byte == '{')
			printf("\\x%02x", byte);
		else
			putchar(byte);
		if (times > 1)
			printf("{%zu}", times);
		at += times;
	}
	putchar('"');
}

const char *errno_name(int number)
{
#define NAME(e) { e, #e }
	static const struct {
		int number;
		const char *name;
	} names[] = {
		NAME(EACCES), NAME(EADDRINUSE), NAME(EAFNOSUPPORT), NAME(EAGAIN), NAME(EBADF),
		NAME(ECONNREFUSED), NAME(ECONNRESET), NAME(EEXIST), NAME(EFAULT), NAME(EINTR),
		NAME(EINVAL), NAME(EIO), NAME(EISCONN), NAME(EISDIR), NAME(ELOOP), NAME(EMFILE),
		NAME(EMSGSIZE), NAME(ENAMETOOLONG), NAME(ENFILE), NAME(ENOBUFS), NAME(ENODATA),
		NAME(ENODEV), NAME(ENOENT), NAME(ENOMEM), NAME(ENOPROTOOPT), NAME(ENOTCONN),
		NAME(ENOTDIR), NAME(ENOTSOCK), NAME(ENOTTY), NAME(ENXIO), NAME(EOPNOTSUPP), NAME(EPERM),
		NAME(EPIPE), NAME(EPROTONOSUPPORT), NAME(EPROTOTYPE), NAME(ERANGE),
		NAME(EROFS), NAME(ESOCKTNOSUPPORT), NAME(ESPIPE), NAME(ESRCH), NAME(ETIMEDOUT),
		NAME(ETOOMANYREFS),
	};
#undef NAME

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == number)
			return names[i].name;
	return "E?";
}
