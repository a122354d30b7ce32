/* Who is at the other end of a socket, asked in C: a line a case. Works in the current directory,
 * which should be empty and the program's own. By hand:
 *
 *   mkdir fresh && cd fresh && identity
 *
 * ../raw and ../safe are the same program over sunpath-sys and over sunpath, file by file. */
#include "identity.h"
#include "notation.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

/* 1. Sockets: a path, a listener there, who connects to it. */

int new_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

void new_pair(int type, int ret_pair[2])
{
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_pair) < 0)
		die("socketpair");
}

int bound(int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = PATH };
	int fd = new_socket(type);

	if (bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
		die("bind");
	return fd;
}

void start_listening(int fd, int backlog)
{
	if (listen(fd, backlog) < 0)
		die("listen");
}

int listening(int type, int backlog)
{
	int fd = bound(type);

	start_listening(fd, backlog);
	return fd;
}

int try_connect(int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = PATH };

	return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

int connected(int type)
{
	int fd = new_socket(type);

	if (try_connect(fd) < 0)
		die("connect");
	return fd;
}

int accepted(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept4");
	return fd;
}

void close_both(int a, int b)
{
	close(a);
	close(b);
}

/* 2. Asking: the call and its answer, with the name that the socket has in the case. */

void ask_cred(const char *name, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	printf("getsockopt(%s, SO_PEERCRED) = ", name);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		printf("%s", errno_name(errno));
	else
		ids_print(cred.pid, cred.uid, cred.gid);
}

void ask_byte(const char *name, int fd)
{
	char byte;
	ssize_t count = read(fd, &byte, 1);

	if (count < 0)
		printf("read(%s) = %s; ", name, errno_name(errno));
	else
		printf("read(%s) = %zd; ", name, count);
}

void tell_byte(int fd)
{
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		die("send");
}

/* 3. Cases: one line each, "not run: ..." where this system does not allow it. */

enum needs { NOTHING, ROOT };

static const struct {
	const char *id;
	enum needs needs;
	void (*run)(void);
} cases[] = {
	{ "J01.fresh", NOTHING, fresh },
	{ "J01.bound", NOTHING, bound_only },
	{ "J01.datagram", NOTHING, datagram_connected },
	{ "J01.internet", NOTHING, internet },
	{ "J02.listener", NOTHING, listener },
	{ "J02.before_accept", NOTHING, before_accept },
	{ "J02.after_close", NOTHING, after_close },
	{ "J02.two_processes", NOTHING, two_processes },
	{ "J02.pair_stream", NOTHING, pair_stream },
	{ "J02.pair_datagram", NOTHING, pair_datagram },
	{ "J02.pair_seqpacket", NOTHING, pair_seqpacket },
	{ "J03.effective", ROOT, client_effective },
	{ "J04.client_drops", ROOT, client_drops },
	{ "J04.accept_if", ROOT, accepts_one_user },
	{ "J05.listens_then_drops", ROOT, listens_then_drops },
	{ "J05.drops_then_listens", ROOT, drops_then_listens },
	{ "J05.listens_again", ROOT, listens_again },
	{ "J05.connect_if", NOTHING, connects_to_one_user },
	{ "J06.writer_inherits", NOTHING, writer_inherits },
	{ "J06.accepter_inherits", NOTHING, accepter_inherits },
	{ "J07.short", NOTHING, length_short },
	{ "J07.long", NOTHING, length_long },
	{ "J08.peer_dead", NOTHING, peer_dead },
	{ "J09.too_many", ROOT, groups_too_many },
	{ "J09.exact", ROOT, groups_exact },
	{ "J09.roomy", ROOT, groups_roomy },
	{ "J09.none", ROOT, groups_none },
	{ "J09.of_nobody", NOTHING, groups_of_nobody },
	{ "J18.pidfd", NOTHING, pidfd_of_pair },
	{ "J18.pidfd_short", NOTHING, pidfd_short },
	{ "J18.pidfd_of_nobody", NOTHING, pidfd_of_nobody },
	{ "J18.label", NOTHING, label },
	{ "J18.user_namespace", NOTHING, in_user_namespace },
	{ "J18.pid_namespace", NOTHING, in_pid_namespace },
	{ "G09.send", NOTHING, stream_send },
	{ "G09.send_nosignal", NOTHING, stream_send_nosignal },
	{ "G09.send_nothing", NOTHING, stream_send_nothing },
	{ "G09.write", NOTHING, stream_write },
	{ "G09.writev", NOTHING, stream_writev },
	{ "G09.shut", NOTHING, stream_shut },
	{ "G09.unconnected", NOTHING, stream_unconnected },
	{ "H15.seqpacket", NOTHING, seqpacket_send },
	{ "H15.seqpacket_shut", NOTHING, seqpacket_shut },
	{ "H15.datagram", NOTHING, datagram_send },
	{ "H15.datagram_shut", NOTHING, datagram_shut },
	{ "G13.timeout", NOTHING, connect_timeout },
	{ "G13.interrupted", NOTHING, connect_interrupted },
	{ "G13.deadline", NOTHING, connect_deadline },
};

int main(void)
{
	int may_drop;

	process_begin();
	may_drop = process_may_drop();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		printf("%s\t", cases[i].id);
		if (cases[i].needs == ROOT && !may_drop)
			printf("not run: needs root");
		else
			cases[i].run();
		putchar('\n');
		unlink(PATH);
	}
	return 0;
}
