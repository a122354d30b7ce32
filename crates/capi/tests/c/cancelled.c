/* Cancels a thread that waits in sunpath_accept. Prints "cleaned up" if the thread's handler ran. */
#include "check.h"

#include <pthread.h>

static int listener;

static void clean_up(void *unused)
{
	(void)unused;
	puts("cleaned up");
}

static void *serve(void *unused)
{
	(void)unused;
	pthread_cleanup_push(clean_up, NULL);
	CHECK(sunpath_accept(listener, 0) == -1);
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	sunpath_server *server;
	pthread_t thread;
	void *result;

	CHECK(sunpath_bind(SOCK_STREAM, "c", NULL, &server, NULL) == 0);
	listener = sunpath_server_fd(server);
	CHECK(pthread_create(&thread, NULL, serve, NULL) == 0);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
	CHECK(sunpath_server_close(server, NULL) == 0);
	return 0;
}
