/* Prints why a path cannot be bound. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sunpath.h>

int main(void)
{
	sunpath_server *server;
	uint64_t error;
	char text[256];

	if (sunpath_bind(SOCK_STREAM, ".", NULL, &server, &error) == -1) {
		printf("errno alone: %s\n", strerror(errno));
		sunpath_explain(error, text, sizeof(text));
		printf("the cause: %s\n", text);
		return 0;
	}
	return 1;
}
