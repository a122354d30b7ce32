#include <stdio.h>
#include <unistd.h>
#include <sunpath.h>

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "hello.sock";
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;
	uint64_t error;
	char text[256];

	options.flags = SUNPATH_SET_MODE;
	options.mode = 0600;                       /* from the beginning, under every umask */
	options.if_exists = SUNPATH_REPLACE_STALE; /* after a crash, and never a running server's file */
	if (sunpath_bind(SOCK_STREAM, path, &options, &server, &error) == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", path, text);
		return 1;
	}
	int client = sunpath_accept_user(sunpath_server_fd(server), 0, geteuid());
	if (client != -1 && send(client, "hello\n", 6, MSG_NOSIGNAL) == 6)
		close(client);
	return sunpath_server_close(server, NULL) == -1;
}
