/* Serves one client, and accepts only clients of its own user. */
#include <unistd.h>
#include <sunpath.h>

int main(void)
{
	sunpath_server *server;
	int client;

	if (sunpath_bind(SOCK_STREAM, "app.sock", NULL, &server, NULL) == -1)
		return 1;
	if (fork() == 0)
		_exit(sunpath_connect(SOCK_STREAM, "app.sock", NULL, NULL) == -1);
	client = sunpath_accept_user(sunpath_server_fd(server), 0, geteuid());
	if (client == -1)
		return 1;
	close(client);
	return sunpath_server_close(server, NULL) == -1;
}
