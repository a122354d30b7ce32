/*
 * A daemon with an event loop over poll(2). One thread sends back to each client what it receives.
 *
 *     poll PATH
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sunpath.h>

#define CLIENTS 60
#define PAUSE_MS 100

/* A client. The bytes from `from` to `to` came from it, and were not sent back yet. */
struct client {
	char buf[4096];
	size_t from, to;
};

static struct client clients[CLIENTS];
/* The entries are the pipe of the signals, the listener, and the clients. */
static struct pollfd polled[2 + CLIENTS];
static int signals[2];

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	if (write(signals[1], "x", 1) == -1) {
		/* An error is ignored: the pipe is full, and one byte in it is enough to end the loop. */
	}
	errno = saved;
}

/* Makes the pipe of the signals. It does not block, because a handler must not wait until it is
 * read. */
static int make_signals(void)
{
	int end;

	if (pipe(signals) == -1)
		return -1;
	for (end = 0; end < 2; end++)
		if (fcntl(signals[end], F_SETFL, O_NONBLOCK) == -1 || fcntl(signals[end], F_SETFD, FD_CLOEXEC) == -1)
			return -1;
	return 0;
}

/* Accepts waiting clients, as long as there are places for them. Returns whether accept failed, for
 * example because no descriptor was free. The loop then has to pause. */
static int accept_clients(int listener)
{
	int place;

	for (place = 0; place < CLIENTS; place++) {
		int fd;

		if (polled[2 + place].fd != -1)
			continue;
		fd = sunpath_accept(listener, SUNPATH_NONBLOCK);
		if (fd == -1)
			return errno != EAGAIN;
		polled[2 + place].fd = fd;
		polled[2 + place].events = POLLIN;
		clients[place].from = clients[place].to = 0;
	}
	return 0;
}

/* Receives from a client, and sends to it. Returns 0 if the client has closed or failed, and 1
 * otherwise. */
static int serve(struct client *client, struct pollfd *socket)
{
	ssize_t n;

	if (client->from == client->to) {
		n = recv(socket->fd, client->buf, sizeof(client->buf), 0);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return 0;
		client->from = 0;
		client->to = (size_t)n;
	}
	n = send(socket->fd, client->buf + client->from, client->to - client->from, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return 0;
	if (n > 0)
		client->from += (size_t)n;
	socket->events = client->from == client->to ? POLLIN : POLLOUT;
	return 1;
}

static int loop(int listener)
{
	int place, paused = 0;

	for (;;) {
		int full = 1;
		nfds_t count = 2; /* poll(2) takes no more entries than RLIMIT_NOFILE. */

		for (place = 0; place < CLIENTS; place++) {
			if (polled[2 + place].fd == -1)
				full = 0;
			else
				count = (nfds_t)place + 3;
		}
		/* poll(2) ignores an entry whose descriptor is -1. */
		polled[1].fd = paused || full ? -1 : listener;
		if (poll(polled, count, paused ? PAUSE_MS : -1) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (polled[0].revents)
			return 0;
		for (place = 0; place < CLIENTS; place++) {
			struct pollfd *socket = &polled[2 + place];

			if (socket->fd != -1 && socket->revents && !serve(&clients[place], socket)) {
				close(socket->fd);
				socket->fd = -1;
			}
		}
		paused = !full && accept_clients(listener);
	}
}

int main(int argc, char **argv)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	struct sigaction action;
	sunpath_server *server;
	uint64_t error;
	char text[256];
	int place, result;

	if (argc != 2 || make_signals() == -1)
		return 2;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	options.flags = SUNPATH_SET_MODE | SUNPATH_NONBLOCK;
	options.mode = 0600;
	options.if_exists = SUNPATH_REPLACE_STALE;
	if (sunpath_bind(SOCK_STREAM, argv[1], &options, &server, &error) == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", argv[1], text);
		return sunpath_error_is_running(error) ? 3 : 1;
	}
	polled[0].fd = signals[0];
	polled[0].events = POLLIN;
	polled[1].events = POLLIN;
	for (place = 0; place < CLIENTS; place++)
		polled[2 + place].fd = -1;

	result = loop(sunpath_server_fd(server));
	if (sunpath_server_close(server, &error) == -1) {
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", argv[1], text);
		result = -1;
	}
	return result == -1;
}
