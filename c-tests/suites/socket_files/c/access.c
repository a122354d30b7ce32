/* Cases of the users who may connect to a socket file, bind in a directory, and unlink there. */
#include "socket_files.h"
#include "server.h"
#include "sun_path.h"

#include <stdio.h>
#include <unistd.h>

static void connect_there(void)
{
	ask_connect('c', SOCK_STREAM, "x");
}

/* 1. Change the mode of the file. */

void access_mode(void)
{
	static const mode_t modes[] = { 0777, 0222, 0555, 0444, 0 };
	struct sock s = listening('s', "x");

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		try_chmod("x", modes[i]);
		as_another(connect_there);
	}
	CLOSE(s);
}

static void own_a_listener(void)
{
	struct sock s = listening('s', "x");

	try_chmod("x", 0400);
	connect_there();
	try_chmod("x", 0200);
	connect_there();
	CLOSE(s);
}

void access_owner(void)
{
	if (chown(".", UNPRIVILEGED, UNPRIVILEGED) < 0)
		die("chown");
	as_another(own_a_listener);
}

/* 2. Change the mode of the directory. */

static void connect_below(void)
{
	ask_connect('c', SOCK_STREAM, "d/x");
}

void access_directory(void)
{
	struct sock s;

	try_mkdir("d");
	s = listening('s', "d/x");
	try_chmod("d/x", 0777);
	try_chmod("d", 0700);
	as_another(connect_below);
	try_chmod("d", 0711);
	as_another(connect_below);
	CLOSE(s);
}

/* 3. Replace a stale file to which this user may not write. */

void access_stale(void)
{
	leave_stale(SOCK_STREAM, "x");
	try_chmod("x", 0);
	connect_there();
	as_another(connect_there);
}

static void replace_there(void)
{
	try_replace('a', "x");
}

void access_unknown(void)
{
	leave_stale(SOCK_STREAM, "x");
	try_chmod("x", 0);
	try_chmod(".", 0777);
	as_another(replace_there);
	ask_names();
}

/* 4. Send datagrams. */

static struct sock connected;

static void connect_for_good(void)
{
	try_connect(connected, "x");
}

static void try_sendto(struct sock d)
{
	struct sockaddr_un addr;
	socklen_t len;
	ssize_t sent;

	if (sun_path_pathname("x", 1, &addr, &len) < 0)
		die("x");
	sent = sendto(d.fd, "x", 1, 0, (const struct sockaddr *)&addr, len);
	step("sendto(%c, \"x\", \"x\")", d.name);
	result(sent);
}

static void send_and_sendto(void)
{
	struct sock d = new_socket('d', SOCK_DGRAM);

	try_send(connected);
	try_sendto(d);
	CLOSE(d);
}

void access_datagram(void)
{
	struct sock s = bound('s', SOCK_DGRAM, "x");

	connected = new_socket('c', SOCK_DGRAM);
	try_chmod("x", 0777);
	as_another(connect_for_good);
	try_chmod("x", 0);
	as_another(send_and_sendto);
	CLOSE(s, connected);
}

/* 5. Bind and unlink in a directory. */

static void bind_below(void)
{
	struct sock s = bound('s', SOCK_STREAM, "d/x");

	CLOSE(s);
}

void access_write_only(void)
{
	try_mkdir("d");
	try_chmod("d", 0733);
	as_another(bind_below);
}

static void unlink_below(void)
{
	try_unlink("d/x");
}

static void unlink_in(mode_t mode)
{
	struct sock s;

	try_mkdir("d");
	try_chmod("d", mode);
	s = bound('s', SOCK_STREAM, "d/x");
	as_another(unlink_below);
	ask_kind("d/x");
	CLOSE(s);
}

void access_sticky(void)
{
	unlink_in(01777);
}

void access_shared(void)
{
	unlink_in(0777);
}
