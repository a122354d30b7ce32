/* Cases of SO_PEERCRED: the ids that it reports, the time at which the kernel records them, and
 * their use in programs. */
#include "identity.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Ask sockets without a peer: the kernel answers with ids that no user has. */

void cred_fresh(void)
{
	int s = new_socket(SOCK_STREAM);

	ask_cred("s", s);
	close(s);
}

void cred_bound_only(void)
{
	int s = bound(SOCK_STREAM);

	ask_cred("s", s);
	close(s);
}

void cred_datagram_connected(void)
{
	int s = bound(SOCK_DGRAM), c = connected(SOCK_DGRAM);

	ask_cred("c", c);
	close_both(s, c);
}

void cred_internet(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		die("socket");
	ask_cred("s", s);
	close(s);
}

/* 2. Connect, and ask both sides: before accept(2), and after the other side has closed. */

void cred_listener(void)
{
	int s = listening(SOCK_STREAM, 8);

	ask_cred("s", s);
	close(s);
}

void cred_before_accept(void)
{
	int s = listening(SOCK_STREAM, 8), c = connected(SOCK_STREAM);

	ask_cred("c", c);
	close_both(s, c);
}

void cred_after_close(void)
{
	int s = listening(SOCK_STREAM, 8), c = connected(SOCK_STREAM);
	int a = accepted(s);

	ask_cred("a", a);
	printf("; close(c); ");
	close(c);
	ask_cred("a", a);
	close_both(s, a);
}

void cred_two_processes(void)
{
	int s = listening(SOCK_SEQPACKET, 8);
	pid_t child = process_fork();
	int a;

	if (child == 0) {
		int c = connected(SOCK_SEQPACKET);

		printf("child: ");
		ask_cred("c", c);
		process_end(0);
	}
	process_join(child);
	a = accepted(s);
	printf("; ");
	ask_cred("a", a);
	close_both(s, a);
}

static void pair_of(int type)
{
	int pair[2];

	new_pair(type, pair);
	ask_cred("p", pair[0]);
	close_both(pair[0], pair[1]);
}

void cred_pair_stream(void)
{
	pair_of(SOCK_STREAM);
}

void cred_pair_datagram(void)
{
	pair_of(SOCK_DGRAM);
}

void cred_pair_seqpacket(void)
{
	pair_of(SOCK_SEQPACKET);
}

/* 3. Compare the times: the client's ids are recorded at connect(2), and the server's at listen(2).
 *    */

/* Lets every user connect to the listener of the case. */
static void admit_everybody(void)
{
	if (chmod(".", 0711) < 0 || chmod(PATH, 0666) < 0)
		die("chmod");
}

void cred_client_effective(void)
{
	int s = listening(SOCK_STREAM, 8), a;
	pid_t child;

	admit_everybody();
	child = process_fork();
	if (child == 0) {
		process_lower();
		connected(SOCK_STREAM);
		process_end(0);
	}
	process_join(child);
	a = accepted(s);
	ask_cred("a", a);
	close_both(s, a);
}

void cred_client_drops(void)
{
	int s = listening(SOCK_STREAM, 8), a;
	pid_t child = process_fork();

	if (child == 0) {
		int c = connected(SOCK_STREAM);

		process_drop();
		tell_byte(c);
		process_end(0);
	}
	process_join(child);
	a = accepted(s);
	ask_byte("a", a);
	ask_cred("a", a);
	close_both(s, a);
}

enum order { LISTEN_DROP, DROP_LISTEN, LISTEN_DROP_LISTEN };

static void server_drops(enum order order)
{
	int gate[2], c;
	pid_t child;

	gate_make(gate);
	child = process_fork();
	if (child == 0) {
		int s = bound(SOCK_STREAM);
		char byte;

		if (order != DROP_LISTEN)
			start_listening(s, 8);
		process_drop();
		if (order != LISTEN_DROP)
			start_listening(s, 8);
		gate_open(gate);
		/* The child lives until its credentials have been read. */
		process_end(read(accepted(s), &byte, 1) != 0);
	}
	gate_wait(gate);
	c = connected(SOCK_STREAM);
	ask_cred("c", c);
	close(c);
	process_join(child);
}

void cred_listens_then_drops(void)
{
	server_drops(LISTEN_DROP);
}

void cred_drops_then_listens(void)
{
	server_drops(DROP_LISTEN);
}

void cred_listens_again(void)
{
	server_drops(LISTEN_DROP_LISTEN);
}

/* 4. Inherit a connection: the peer is the process that made the connection, and not a process that
 *    inherited it. */

void cred_writer_inherits(void)
{
	int s = listening(SOCK_STREAM, 8), c = connected(SOCK_STREAM), a = accepted(s);
	pid_t child = process_fork();

	if (child == 0) {
		printf("child: ");
		ask_cred("c", c);
		tell_byte(c);
		process_end(0);
	}
	process_join(child);
	printf("; ");
	ask_byte("a", a);
	ask_cred("a", a);
	close_both(a, c);
	close(s);
}

void cred_accepter_inherits(void)
{
	int s = listening(SOCK_STREAM, 8), c = connected(SOCK_STREAM);
	pid_t child = process_fork();

	if (child == 0) {
		tell_byte(accepted(s));
		process_end(0);
	}
	process_join(child);
	ask_byte("c", c);
	ask_cred("c", c);
	close_both(s, c);
}

/* 5. Pass lengths: the kernel truncates its answer to the size that it gets. */

static void length_of(socklen_t size)
{
	union {
		struct ucred cred;
		char bytes[64];
	} answer;
	socklen_t len = size;
	int pair[2];

	new_pair(SOCK_STREAM, pair);
	printf("getsockopt(p, SO_PEERCRED, %u) = ", size);
	if (getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &answer, &len) < 0)
		printf("%s", errno_name(errno));
	else
		printf("ok, %u", len);
	close_both(pair[0], pair[1]);
}

void cred_length_short(void)
{
	length_of(4);
}

void cred_length_long(void)
{
	length_of(64);
}

/* 6. Make decisions by the ids, as programs do. */

/* Accepts the next client of this user, and closes the connections of others. */
static int accept_if(int listener, uid_t uid)
{
	for (;;) {
		struct ucred cred;
		socklen_t len = sizeof cred;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return -1;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == uid)
			return fd;
		close(fd);
	}
}

void cred_accepts_one_user(void)
{
	int gate[2], s = listening(SOCK_STREAM, 8), c, a;
	pid_t child;

	admit_everybody();
	gate_make(gate);
	child = process_fork();
	if (child == 0) {
		process_drop();
		c = connected(SOCK_STREAM);
		gate_open(gate);
		printf("child: ");
		ask_byte("c", c);
		process_end(0);
	}
	gate_wait(gate);
	c = connected(SOCK_STREAM);
	a = accept_if(s, geteuid());
	process_join(child);
	printf("accept_if(self): ");
	ask_cred("a", a);
	close_both(a, c);
	close(s);
}

/* Connects if this user runs the server, and otherwise returns EPERM. */
static int connect_if(uid_t uid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	int fd = connected(SOCK_STREAM);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == uid)
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

void cred_connects_to_one_user(void)
{
	int s = listening(SOCK_STREAM, 8), c, a;

	printf("connect_if(another) = %s; ", connect_if(geteuid() + 1) < 0 ? errno_name(errno) : "ok");
	a = accepted(s);
	ask_byte("a", a);
	c = connect_if(geteuid());
	printf("connect_if(self) = %s", c < 0 ? errno_name(errno) : "ok");
	close_both(a, c);
	close(s);
}
