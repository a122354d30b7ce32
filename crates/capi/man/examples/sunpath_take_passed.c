/* A server that a service manager starts with a socket, or that a user starts without one. */
#include <stdio.h>
#include <stdlib.h>
#include <sunpath.h>

int main(void)
{
	sunpath_server *server = NULL;
	uint64_t error;
	char text[256];
	int count = sunpath_take_passed(&error), listener = -1;

	if (count > 0 && sunpath_check_socket(SUNPATH_FIRST_PASSED, SOCK_STREAM, 1, &error) == 0)
		listener = SUNPATH_FIRST_PASSED;
	else if (count == 0 && getenv("LISTEN_FDS") == NULL &&
		 sunpath_bind(SOCK_STREAM, "app.sock", NULL, &server, &error) == 0)
		listener = sunpath_server_fd(server);
	if (listener == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	printf("descriptor %d listens, %s\n", listener, server ? "which I bound" : "which was passed");
	/* The loop of the server comes here: sunpath_accept(listener, 0). */
	return server != NULL && sunpath_server_close(server, NULL) == -1;
}
