#include "names.h"

#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct constant {
	const char *name;
	int number;
};

static const struct constant types[] = {
	{ "stream", SOCK_STREAM }, { "dgram", SOCK_DGRAM }, { "seqpacket", SOCK_SEQPACKET },
	{ "rdm", SOCK_RDM },	   { "raw", SOCK_RAW },
};

static const struct constant flags[] = {
	{ "OOB", MSG_OOB }, { "PEEK", MSG_PEEK }, { "TRUNC", MSG_TRUNC }, { "EOR", MSG_EOR },
};

static const struct constant events[] = {
	{ "IN", POLLIN },   { "PRI", POLLPRI }, { "OUT", POLLOUT },
	{ "ERR", POLLERR }, { "HUP", POLLHUP }, { "RDHUP", POLLRDHUP },
};

static const struct constant hows[] = {
	{ "RD", SHUT_RD },
	{ "WR", SHUT_WR },
	{ "RDWR", SHUT_RDWR },
};

static const struct option options[] = {
	{ "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN },
	{ "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN },
	{ "SO_ERROR", SOL_SOCKET, SO_ERROR },
	{ "SO_PASSCRED", SOL_SOCKET, SO_PASSCRED },
	{ "SO_PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF },
	{ "SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF },
	{ "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF },
	{ "SO_TYPE", SOL_SOCKET, SO_TYPE },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static _Noreturn void unknown(const char *name)
{
	fprintf(stderr, "%s: not a name of the table\n", name);
	exit(2);
}

/* Returns the constant whose name has these bytes. */
static int find(const struct constant *constants, size_t count, const char *name, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(constants[i].name) == size && memcmp(constants[i].name, name, size) == 0)
			return constants[i].number;
	unknown(name);
}

int type_of(const char *name)
{
	if (isdigit((unsigned char)*name))
		return atoi(name);
	return find(types, COUNT(types), name, strlen(name));
}

const char *type_name(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "SOCK_STREAM";
	case SOCK_DGRAM:
		return "SOCK_DGRAM";
	case SOCK_SEQPACKET:
		return "SOCK_SEQPACKET";
	default:
		return NULL;
	}
}

int flags_of(const char *names)
{
	int all = 0;

	for (;;) {
		size_t size = strcspn(names, "|");

		all |= find(flags, COUNT(flags), names, size);
		if (names[size] == '\0')
			return all;
		names += size + 1;
	}
}

void flags_print(int number)
{
	for (size_t i = 0; i < COUNT(flags); i++)
		if ((number & flags[i].number) != 0)
			printf(", %s", flags[i].name);
}

void events_print(short number)
{
	const char *bar = "";

	for (size_t i = 0; i < COUNT(events); i++) {
		if ((number & events[i].number) == 0)
			continue;
		printf("%s%s", bar, events[i].name);
		bar = "|";
	}
	if (*bar == '\0')
		fputs("none", stdout);
}

int how_of(const char *name)
{
	return find(hows, COUNT(hows), name, strlen(name));
}

const struct option *option_of(const char *name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	unknown(name);
}
