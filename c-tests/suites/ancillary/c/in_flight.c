/* Cases of descriptors in flight: what they share, what closes them, and how many there may be. */
#include "ancillary.h"
#include "notation.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* 1. Make pipes, because one end of a pipe shows whether the other end is open. */

static void new_pipe(int ret_fds[2], int flags)
{
	if (pipe2(ret_fds, O_CLOEXEC | flags) < 0)
		die("pipe2");
}

static void ask_pipe(int fd)
{
	char byte;
	ssize_t count = read(fd, &byte, 1);

	step("read(pipe)");
	result(count);
}

/* 2. Examine a received descriptor: its flag and its file. */

static void close_on_exec(int flags, const char *words)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct fds fds;

	send_fd(s.p, "x", s.p);
	fds = receive_with(s.q, (struct receive){ 64, CONTROL_SIZE, NULL, flags, words, 0 });
	if (fds.count == 1)
		step("%s", (fcntl(fds.fd[0], F_GETFD) & FD_CLOEXEC) != 0 ? "FD_CLOEXEC" : "no FD_CLOEXEC");
	close_fds(&fds);
	close_pair(s);
}

void in_flight_plain(void)
{
	close_on_exec(0, "0");
}

void in_flight_cloexec(void)
{
	close_on_exec(MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC");
}

void in_flight_offset(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int fd = open("f", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), received;

	if (fd < 0 || unlink("f") < 0)
		die("open");
	send_fd(s.p, "x", fd);
	received = receive_fd(s.q);
	step("lseek(received, 5, SEEK_SET) = %lld", (long long)lseek(received, 5, SEEK_SET));
	step("lseek(sent, 0, SEEK_CUR) = %lld", (long long)lseek(fd, 0, SEEK_CUR));
	close(received);
	close(fd);
	close_pair(s);
}

void in_flight_closed(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int fds[2], received;

	new_pipe(fds, O_NONBLOCK);
	send_fd(s.p, "x", fds[1]);
	close(fds[1]);
	received = receive_fd(s.q);
	step("write(received) = %zd", write(received, "y", 1));
	ask_pipe(fds[0]);
	close(received);
	close(fds[0]);
	close_pair(s);
}

/* 3. Leave descriptors in a queue: a pipe ends only when its last write end is closed. */

void in_flight_receiver_closes(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int fds[2];

	new_pipe(fds, O_NONBLOCK);
	send_fd(s.p, "x", fds[1]);
	close(fds[1]);
	ask_pipe(fds[0]);
	step("close(q)");
	close(s.q);
	ask_pipe(fds[0]);
	close(fds[0]);
	close(s.p);
}

void in_flight_sender_closes(void)
{
	struct pair s = new_pair(SOCK_STREAM);
	int fds[2];

	new_pipe(fds, O_NONBLOCK);
	send_fd(s.p, "x", fds[1]);
	close(fds[1]);
	step("close(p)");
	close(s.p);
	receive(s.q, 64);
	ask_pipe(fds[0]);
	close(fds[0]);
	close(s.q);
}

void in_flight_never_accepted(void)
{
	int listener = listening(SOCK_STREAM), p = connected(SOCK_STREAM);
	int fds[2];

	new_pipe(fds, O_NONBLOCK);
	send_fd(p, "x", fds[1]);
	close(fds[1]);
	ask_pipe(fds[0]);
	step("close(listener)");
	close(listener);
	ask_pipe(fds[0]);
	close(fds[0]);
	close(p);
}

/* The kernel frees sockets that are in flight in their own queues, but only some time later. The
 * read of the pipe waits until the kernel has done that. */
void in_flight_itself(void)
{
	int fds[2];

	new_pipe(fds, 0);
	for (int i = 0; i < 100; i++) {
		struct pair s = new_pair(SOCK_STREAM);
		struct control control = { .len = 0 };
		int sent[2] = { s.q, fds[1] };

		put(&control, SCM_RIGHTS, sent, sizeof sent);
		if (try_send(s.p, "x", &control) != 1)
			die("sendmsg");
		close_pair(s);
	}
	close(fds[1]);
	step("a hundred queues that hold their own socket and a pipe");
	ask_pipe(fds[0]);
	close(fds[0]);
}

/* 4. Count descriptors in flight: each counts for the user who sent it. */

/* Sends messages under a limit of 32 descriptors until the kernel refuses a message. The last
 * message may exceed the limit, because the kernel compares the count before it adds the
 * descriptors of a message. */
static void until_refused(size_t rights)
{
	struct pair s = new_pair(SOCK_STREAM);
	struct control control = { .len = 0 };
	int count = 0;

	put_rights(&control, rights);
	allow(32);
	while (try_send(s.p, "x", &control) == 1)
		count++;
	step("sendmsg(p, \"x\", RIGHTS(%zu)) = 1, %d times, then %s", rights, count,
	     errno_name(errno));
	allow_usual();
	receive(s.q, 64);
	allow(32);
	send_rights(s.p, "x", 1);
	allow_usual();
	close_pair(s);
}

static void one_a_message(void)
{
	until_refused(1);
}

static void many_a_message(void)
{
	until_refused(40);
}

void in_flight_too_many(void)
{
	as_nobody(one_a_message);
}

void in_flight_too_many_at_once(void)
{
	as_nobody(many_a_message);
}

/* 5. Send to receivers that take no descriptors. */

void in_flight_by_listener(void)
{
	struct pair s;
	int listener;

	if (LACKS(SO_PASSRIGHTS))
		return;
	listener = listening(SOCK_STREAM);
	SET("listener", listener, SO_PASSRIGHTS, 0);
	s.p = connected(SOCK_STREAM);
	send_rights(s.p, "x", 1);
	s.q = accepted(listener);
	receive(s.q, 64);
	close_pair(s);
	close(listener);
}
