/* Sends a datagram to an address of the user's choice: a path, or "@name" for an abstract name. */
#include <stdio.h>
#include <sunpath.h>

int main(int argc, char **argv)
{
	struct sockaddr_un addr;
	socklen_t len;
	uint64_t error;
	char text[512];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || fd == -1)
		return 2;
	if (sunpath_addr_from_text(argv[1], &addr, &len, &error) == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	sunpath_addr_to_text(&addr, len, text, sizeof(text));
	printf("sending to %s\n", text);
	return sendto(fd, "hello", 5, 0, (struct sockaddr *)&addr, len) != 5;
}
