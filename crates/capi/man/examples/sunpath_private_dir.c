/* A server in a directory that nobody else can enter. */
#include <stdio.h>
#include <unistd.h>
#include <sunpath.h>

int main(void)
{
	sunpath_server *server;
	uint64_t error;
	char text[256];
	int dir = sunpath_private_dir("private", &error);

	if (dir == -1 || sunpath_bind_at(dir, SOCK_STREAM, "app.sock", NULL, &server, &error) == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	close(dir);
	return sunpath_server_close(server, NULL) == -1;
}
