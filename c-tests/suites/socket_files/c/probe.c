/* Cases of `probe`, which asks whether a process holds a socket file. */
#include "socket_files.h"
#include "situations.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>

static void ask(void)
{
	static const char *const words[] = {
		[ABSENT] = "absent", [DEAD] = "dead", [LIVE] = "live", [NOT_SOCKET] = "not a socket",
	};
	enum liveness found = probe("x");

	step("probe(\"x\")");
	if (found == UNKNOWN)
		outcome(-1);
	else
		printf(" = %s", words[found]);
}

/* 1. Ask while a process holds the socket. */

void probe_bound(void)
{
	with_bound(ask);
}

void probe_listening(void)
{
	with_listening(ask);
}

void probe_full(void)
{
	with_full(ask);
}

void probe_shut_down(void)
{
	with_shut_down(ask);
}

void probe_seqpacket(void)
{
	with_seqpacket(ask);
}

void probe_datagram(void)
{
	with_datagram(ask);
}

void probe_taken(void)
{
	with_taken(ask);
}

/* 2. Ask while no process holds the socket. */

void probe_stale(void)
{
	with_stale(ask);
}

void probe_accepted(void)
{
	with_accepted(ask);
}

void probe_node(void)
{
	with_node(ask);
}

/* 3. Ask about files that are not sockets. */

void probe_file(void)
{
	with_file(ask);
}

void probe_absent(void)
{
	ask();
}

/* 4. Ask where the kernel cannot answer. */

static void of_mode_0(void)
{
	try_chmod("x", 0);
	as_another(ask);
}

void probe_unknown(void)
{
	with_listening(of_mode_0);
}
