/* Cases of sockets that are made in one call, which is one of libsunpath's. */
#define constructor_listener by_hand_listener
#define constructor_datagram by_hand_datagram
#define constructor_stream by_hand_stream
#define constructor_at_limit by_hand_at_limit
#define constructor_long_path by_hand_long_path
#include "../../../../../c-tests/suites/files/c/constructor.c"
#undef constructor_listener
#undef constructor_datagram
#undef constructor_stream
#undef constructor_at_limit
#undef constructor_long_path

#include "sunpath.h"

/* The file stays, because C has no server that would remove it. */
static int bind_by_library(int type, const char *path, unsigned flags)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;

	options.flags = SUNPATH_NONBLOCK | flags;
	if (sunpath_bind(type, path, &options, &server, NULL) == -1)
		return -1;
	return sunpath_server_release(server);
}

static int library_listener(const char *path)
{
	return bind_by_library(SOCK_STREAM, path, SUNPATH_REACHABLE);
}

static int library_datagram(const char *path)
{
	return bind_by_library(SOCK_DGRAM, path, 0);
}

static int library_long_listener(const char *path)
{
	return bind_by_library(SOCK_STREAM, path, 0);
}

static int library_stream(const char *path)
{
	return sunpath_connect(SOCK_STREAM, path, NULL, NULL);
}

void constructor_listener(void)
{
	make_all("listener", library_listener);
}

void constructor_datagram(void)
{
	make_all("datagram", library_datagram);
}

/* Only the last call finds a listener at the path. */
void constructor_stream(void)
{
	struct sock s;

	make_all("stream", library_stream);
	s = listening('s', "x");
	make("stream", library_stream, "x");
	CLOSE(s);
}

void constructor_at_limit(void)
{
	allow_more(0);
	make("listener", library_listener, "x");
	make("datagram", library_datagram, "x");
	make("stream", library_stream, "x");
	allow_usual();
	ask_names();
}

static void make_both_by_library(const char *path)
{
	make("listener", library_long_listener, path);
	make("stream", library_stream, path);
}

/* Two descriptors are needed, for the directory and for the socket. If one is free, no socket is
 * made. */
void constructor_long_path(void)
{
	try_mkdir(LONG);
	make_both_by_library("missing/" LONG "/x");
	make_both_by_library(LONG "/x");
	make("listener", library_long_listener, LONG "/x");
	for (int free = 0; free < 2; free++) {
		allow_more(free);
		make_both_by_library(LONG "/x");
	}
	allow_usual();
	ask_names();
}
