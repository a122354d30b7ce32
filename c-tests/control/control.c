/* What the macros of cmsg(3) see: control buffers from stdin, each a size_t and so many bytes, and
 * for each a line with level, type, offset and length of the data of its messages. */
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#define LONGEST 256

static void walk(char *bytes, size_t len)
{
	struct msghdr msg = { .msg_control = bytes, .msg_controllen = len };

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL; cmsg = CMSG_NXTHDR(&msg, cmsg))
		printf("%d %d %td %zu;", cmsg->cmsg_level, cmsg->cmsg_type,
		       (char *)CMSG_DATA(cmsg) - bytes, (size_t)(cmsg->cmsg_len - CMSG_LEN(0)));
	putchar('\n');
}

int main(void)
{
	union {
		char bytes[LONGEST];
		struct cmsghdr header;
	} control;
	size_t len;

	while (fread(&len, sizeof len, 1, stdin) == 1) {
		if (len > sizeof control.bytes || fread(control.bytes, 1, len, stdin) != len) {
			fputs("control: a buffer is too long or cut off\n", stderr);
			return 1;
		}
		walk(control.bytes, len);
	}
	return 0;
}
