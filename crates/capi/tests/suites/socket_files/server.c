/* A listener and its file, which libsunpath makes and removes. */
#include "server.h"
#include "socket_files.h"

#include "sunpath.h"

#include <stdio.h>
#include <unistd.h>

/* The servers by their descriptors, because a struct server has no space for a pointer. */
static sunpath_server *servers[1024];

/* 1. The question. */

enum liveness probe(const char *path)
{
	switch (sunpath_probe(path, NULL)) {
	case SUNPATH_ABSENT:
		return ABSENT;
	case SUNPATH_DEAD:
		return DEAD;
	case SUNPATH_LIVE:
		return LIVE;
	case SUNPATH_NOT_SOCKET:
		return NOT_SOCKET;
	default:
		return UNKNOWN;
	}
}

/* 2. Bind: as C does, as one of many, in the place of another server. */

static int serve(struct server *s, const char *file, int existing)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;

	options.flags = SUNPATH_NONBLOCK | SUNPATH_SET_BACKLOG;
	options.backlog = 8;
	options.if_exists = existing;
	*s = (struct server){ .fd = -1 };
	if (sunpath_bind(SOCK_STREAM, file, &options, &server, NULL) == -1)
		return -1;
	s->fd = sunpath_server_fd(server);
	if (s->fd >= (int)(sizeof servers / sizeof servers[0]))
		die("too many descriptors");
	servers[s->fd] = server;
	return 0;
}

int server_serve(struct server *s, const char *file)
{
	return serve(s, file, SUNPATH_REFUSE);
}

int server_replace(struct server *s, const char *file)
{
	return serve(s, file, SUNPATH_REPLACE_STALE);
}

int server_take_over(struct server *s, const char *file)
{
	return serve(s, file, SUNPATH_TAKEOVER);
}

/* 3. End. */

void server_release(struct server *s)
{
	sunpath_server_close(servers[s->fd], NULL);
	s->fd = -1;
}

void server_forget(struct server *s)
{
	close(sunpath_server_release(servers[s->fd]));
	s->fd = -1;
}

/* 4. Print the steps of the line. */

static struct server told(const char *call, char name, const char *file, int existing)
{
	struct server s;
	int served = serve(&s, file, existing);

	step("%s(%c, \"%s\")", call, name, file);
	outcome(served);
	return s;
}

struct server try_serve(char name, const char *file)
{
	return told("serve", name, file, SUNPATH_REFUSE);
}

struct server try_replace(char name, const char *file)
{
	return told("replace", name, file, SUNPATH_REPLACE_STALE);
}

void try_release(char name, struct server *s)
{
	server_release(s);
	step("release(%c)", name);
}
