/* A daemon that starts again after a crash, and cannot be started twice. */
#include <stdio.h>
#include <unistd.h>
#include <sunpath.h>

int main(void)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;
	uint64_t error;

	options.flags = SUNPATH_SET_MODE;
	options.mode = 0660;
	options.if_exists = SUNPATH_REPLACE_STALE;
	if (sunpath_bind(SOCK_SEQPACKET, "app.sock", &options, &server, &error) == -1) {
		if (sunpath_error_is_running(error))
			fprintf(stderr, "it is running already\n");
		return 1;
	}
	/* The loop of the server comes here: poll(2) on sunpath_server_fd(server), and
	 * sunpath_accept(). */
	return sunpath_server_close(server, NULL) == -1;
}
