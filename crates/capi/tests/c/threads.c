/* Several threads accept from one listener, and several others connect and pass a descriptor. */
#include "check.h"

#include <pthread.h>

#define CLIENTS 4
#define ROUNDS 50

static int listener;

static void *serve(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		int client = sunpath_accept(listener, 0), fd;
		uid_t uid = (uid_t)-1;

		CHECK(client != -1);
		CHECK(sunpath_peer_cred(client, NULL, &uid, NULL, NULL) == 0 && uid == geteuid());
		fd = sunpath_recv_fd(client, NULL);
		CHECK(fd != -1 && is_cloexec(fd));
		CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
		CHECK(close(fd) == 0 && close(client) == 0);
	}
	return NULL;
}

static void *ask(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		int fd = sunpath_connect(SOCK_STREAM, "t", NULL, NULL), ends[2];
		char byte = 0;

		CHECK(fd != -1);
		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
		CHECK(sunpath_send_fd(fd, ends[0], NULL) == 0);
		CHECK(read(ends[1], &byte, 1) == 1 && byte == 'x');
		CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(fd) == 0);
	}
	return NULL;
}

/* Binds and closes servers at another path, while the other threads work. */
static void *bind_elsewhere(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		struct sunpath_bind_options options = bind_options();
		sunpath_server *server;

		options.flags = SUNPATH_SET_MODE;
		options.mode = 0600;
		options.if_exists = SUNPATH_REPLACE_STALE;
		CHECK(sunpath_bind(SOCK_STREAM, "u", &options, &server, NULL) == 0);
		CHECK(sunpath_server_close(server, NULL) == 0);
	}
	return NULL;
}

int main(void)
{
	int before = open_descriptors(), i;
	pthread_t threads[2 * CLIENTS + 1];
	sunpath_server *server;

	CHECK(sunpath_bind(SOCK_STREAM, "t", NULL, &server, NULL) == 0);
	listener = sunpath_server_fd(server);
	for (i = 0; i < CLIENTS; i++) {
		CHECK(pthread_create(&threads[2 * i], NULL, serve, NULL) == 0);
		CHECK(pthread_create(&threads[2 * i + 1], NULL, ask, NULL) == 0);
	}
	CHECK(pthread_create(&threads[2 * CLIENTS], NULL, bind_elsewhere, NULL) == 0);
	for (i = 0; i <= 2 * CLIENTS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);
	CHECK(open_descriptors() == before);
	return 0;
}
