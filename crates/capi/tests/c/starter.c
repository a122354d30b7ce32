/*
 * A daemon for the tests that kill it and start it many times.
 *
 *     starter PATH     binds, and holds the socket until its standard input ends
 *
 * It prints "won" when it is bound, and "lost" if it cannot bind.
 */
#include "check.h"

int main(int argc, char **argv)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	uint64_t error;
	char byte, text[256];

	CHECK(argc == 2);
	/* This call marks the beginning for the test: only system calls after it belong to the
	 * daemon. */
	CHECK(getpgid(0) != -1);
	options.flags = SUNPATH_SET_MODE;
	options.mode = 0600;
	options.if_exists = SUNPATH_REPLACE_STALE;
	if (sunpath_bind(SOCK_STREAM, argv[1], &options, &server, &error) == -1) {
		CHECK(server == NULL && errno == sunpath_error_errno(error));
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		if (write(STDOUT_FILENO, "lost\n", 5) != 5)
			return 2;
		return sunpath_error_is_running(error) ? 3 : 1;
	}
	if (write(STDOUT_FILENO, "won\n", 4) != 4 || read(STDIN_FILENO, &byte, 1) != 0)
		return 2;
	return sunpath_server_close(server, NULL) == -1 ? 4 : 0;
}
