/* Prints the layout from which draw.py draws: what this system's headers and kernel say, one fact a line. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* Binds a socket to an address, and prints which length the kernel reports for it. */
static void print_bound(const char *key, const char *bytes, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	if (sock == -1)
		fail("socket");
	memcpy(addr.sun_path, bytes, size);
	if (size > 0 && bind(sock, (struct sockaddr *)&addr, (socklen_t)(offset + size)) == -1)
		fail("bind");
	if (getsockname(sock, (struct sockaddr *)&addr, &len) == -1)
		fail("getsockname");
	printf("%s %d\n", key, (int)len);
	close(sock);
	if (size > 0 && bytes[0] != '\0') {
		char path[sizeof(addr.sun_path) + 1] = "";

		memcpy(path, bytes, size);
		if (unlink(path) == -1)
			fail("unlink");
	}
}

/* Prints where the parts of a control buffer with two messages are. */
static void print_control(void)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct msghdr msg = { .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	const size_t sizes[] = { sizeof(struct ucred), 2 * sizeof(int) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	memset(&control, 0, sizeof(control));
	for (int i = 0; i < 2; i++) {
		if (cmsg == NULL) {
			fputs("the buffer ends\n", stderr);
			exit(EXIT_FAILURE);
		}
		cmsg->cmsg_len = CMSG_LEN(sizes[i]);
		printf("message.%d.at %d\n", i, (int)((char *)cmsg - control.bytes));
		printf("message.%d.data %d\n", i, (int)((char *)CMSG_DATA(cmsg) - control.bytes));
		printf("message.%d.len %d\n", i, (int)cmsg->cmsg_len);
		printf("message.%d.space %d\n", i, (int)CMSG_SPACE(sizes[i]));
		cmsg = CMSG_NXTHDR(&msg, cmsg);
	}
	printf("control.size %d\n", (int)sizeof(control.bytes));
	printf("cmsg_len.size %d\n", (int)sizeof(((struct cmsghdr *)0)->cmsg_len));
	printf("cmsg_level.at %d\n", (int)offsetof(struct cmsghdr, cmsg_level));
	printf("cmsg_type.at %d\n", (int)offsetof(struct cmsghdr, cmsg_type));
	printf("ucred.size %d\n", (int)sizeof(struct ucred));
	printf("int.size %d\n", (int)sizeof(int));
}

int main(void)
{
	struct sockaddr_un addr;
	char full[sizeof(addr.sun_path)];
	char name[32] = "";
	int size = 1 + snprintf(name + 1, sizeof(name) - 1, "app%07d", (int)getpid());

	printf("sun_path.at %d\n", (int)offsetof(struct sockaddr_un, sun_path));
	printf("sun_path.size %d\n", (int)sizeof(addr.sun_path));
	print_bound("pathname", "app.sock", sizeof("app.sock"));
	print_bound("abstract", name, (size_t)size);
	print_bound("unnamed", "", 0);
	memset(full, 'x', sizeof(full));
	print_bound("full", full, sizeof(full));
	print_control();
	return EXIT_SUCCESS;
}
