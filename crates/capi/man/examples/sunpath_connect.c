/* Waits up to five seconds for a server of its own user. It does not connect to another user's
 * server. */
#include <stdio.h>
#include <sunpath.h>

int main(int argc, char **argv)
{
	struct sunpath_connect_options options = SUNPATH_CONNECT_OPTIONS_INIT;
	uint64_t error;
	char text[256];
	int fd;

	options.flags = SUNPATH_WAIT_FOR_SERVER | SUNPATH_SET_TIMEOUT | SUNPATH_OWN_USER;
	options.timeout_ms = 5000;
	fd = sunpath_connect(SOCK_STREAM, argc > 1 ? argv[1] : "app.sock", &options, &error);
	if (fd == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	return send(fd, "hello\n", 6, MSG_NOSIGNAL) != 6;
}
