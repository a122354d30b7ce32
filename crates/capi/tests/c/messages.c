/* Sends descriptors and credentials with bytes, and asks who the peer is. */
#include "check.h"

#include <sys/resource.h>
#include <sys/time.h>

static uint64_t error;

static void pair(int type, int ends[2])
{
	CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
}

static void close_both(const int ends[2])
{
	CHECK(close(ends[0]) == 0);
	CHECK(close(ends[1]) == 0);
}

static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
#define TYPES (sizeof(types) / sizeof(types[0]))

static void one_descriptor(void)
{
	size_t i;

	for (i = 0; i < TYPES; i++) {
		int ends[2], given[2], fd;
		char byte = 0;

		pair(types[i], ends);
		pair(SOCK_STREAM, given);
		CHECK(sunpath_send_fd(ends[0], given[0], NULL) == 0);
		CHECK(close(given[0]) == 0);
		fd = sunpath_recv_fd(ends[1], NULL);
		CHECK(fd != -1 && is_cloexec(fd));
		CHECK(write(given[1], "x", 1) == 1 && read(fd, &byte, 1) == 1 && byte == 'x');
		CHECK(close(fd) == 0 && close(given[1]) == 0);

		CHECK(send(ends[0], "x", 1, 0) == 1);
		FAILS(sunpath_recv_fd(ends[1], &error), ENOMSG);
		CHECK(explained(error, "recvmsg: ENOMSG (expected 1 descriptors, received 0 (closed))"));
		if (types[i] != SOCK_STREAM) {
			CHECK(sunpath_send_fds(ends[0], "xy", 2, ends, 1, NULL) == 0);
			FAILS(sunpath_recv_fd(ends[1], &error), EMSGSIZE);
			CHECK(explained(error,
					"recvmsg: EMSGSIZE (the message has more than one byte)"));
		} else {
			CHECK(shutdown(ends[0], SHUT_WR) == 0);
			FAILS(sunpath_recv_fd(ends[1], &error), EPIPE);
			CHECK(explained(error, "recvmsg: EPIPE (the stream ended, and no descriptor came)"));
		}
		close_both(ends);
	}
}

static void several_descriptors(void)
{
	size_t i, count;
	int before, fds[253], more[300], k;
	char buf[8];

	for (k = 0; k < 300; k++)
		more[k] = 0;
	for (i = 0; i < TYPES; i++) {
		int ends[2];

		pair(types[i], ends);
		before = open_descriptors();

		CHECK(sunpath_send_fds(ends[0], "two", 3, more, 2, NULL) == 0);
		CHECK(sunpath_recv_fds(ends[1], buf, sizeof(buf), fds, 2, NULL) == 3);
		CHECK(memcmp(buf, "two", 3) == 0 && is_cloexec(fds[0]) && is_cloexec(fds[1]));
		CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);

		/* If too many or too few descriptors arrive, all are closed, and no output is
		 * written. */
		fds[0] = -7;
		CHECK(sunpath_send_fds(ends[0], "two", 3, more, 2, NULL) == 0);
		FAILS(sunpath_recv_fds(ends[1], buf, sizeof(buf), fds, 3, &error), ENOMSG);
		CHECK(explained(error, "recvmsg: ENOMSG (expected 3 descriptors, received 2 (closed))"));
		/* No message has 300 descriptors, but the caller may ask for as many. */
		CHECK(sunpath_send_fds(ends[0], "two", 3, more, 2, NULL) == 0);
		FAILS(sunpath_recv_fds(ends[1], buf, sizeof(buf), more, 300, &error), ENOMSG);
		CHECK(explained(error, "recvmsg: ENOMSG (expected 300 descriptors, received 2 (closed))"));
		CHECK(sunpath_send_fds(ends[0], "two", 3, more, 2, NULL) == 0);
		FAILS(sunpath_recv_fds(ends[1], buf, sizeof(buf), fds, 1, &error), EMSGSIZE);
		CHECK(explained(error, "recvmsg: EMSGSIZE (expected at most 1 descriptors, received 2 (closed))"));
		CHECK(sunpath_send_fds(ends[0], "two", 3, more, 2, NULL) == 0);
		count = 99;
		FAILS(sunpath_recv_fds_up_to(ends[1], buf, sizeof(buf), fds, 1, &count, &error), EMSGSIZE);
		CHECK(explained(error, "recvmsg: EMSGSIZE (expected at most 1 descriptors, received 2 (closed))"));
		CHECK(fds[0] == -7 && count == 99);
		CHECK(open_descriptors() == before);

		for (k = 0; k <= 4; k++) {
			CHECK(sunpath_send_fds(ends[0], "b", 1, more, (size_t)k, NULL) == 0);
			CHECK(sunpath_recv_fds_up_to(ends[1], buf, sizeof(buf), fds, 4, &count, NULL) == 1);
			CHECK(count == (size_t)k);
			while (count > 0)
				CHECK(close(fds[--count]) == 0);
		}
		FAILS(sunpath_send_fds(ends[0], "b", 1, more, 254, &error), EINVAL);
		CHECK(explained(error, "sendmsg: EINVAL (254 descriptors are too many for one message, which "
				       "takes at most 253)"));
		if (types[i] == SOCK_STREAM) {
			FAILS(sunpath_send_fds(ends[0], NULL, 0, more, 1, &error), EINVAL);
			CHECK(explained(error, "sendmsg: EINVAL (a stream drops control messages that come "
					       "with no byte)"));
		} else {
			CHECK(sunpath_send_fds(ends[0], NULL, 0, more, 1, NULL) == 0);
			CHECK(sunpath_recv_fds(ends[1], NULL, 0, fds, 1, NULL) == 0);
			CHECK(close(fds[0]) == 0);
			/* The result is the true length of a message, even if only a part of the
			 * message fits. */
			CHECK(sunpath_send_fds(ends[0], "123456789", 9, NULL, 0, NULL) == 0);
			CHECK(sunpath_recv_fds(ends[1], buf, 4, NULL, 0, NULL) == 9);
		}
		more[1] = -1;
		FAILS(sunpath_send_fds(ends[0], "b", 1, more, 2, NULL), EBADF);
		more[1] = 0;
		CHECK(open_descriptors() == before);
		close_both(ends);
	}
}

/* The process has space for one descriptor more, or for none. */
static void few_free_descriptors(void)
{
	int ends[2], fds[3] = {-7, -7, -7}, free_one;
	struct rlimit before, limit;
	char byte;

	/* valgrind preloads a library, and keeps the limit from the kernel. */
	if (getenv("LD_PRELOAD") != NULL)
		return;
	pair(SOCK_STREAM, ends);
	CHECK(sunpath_send_fds(ends[0], "b", 1, ends, 2, NULL) == 0);
	CHECK(sunpath_send_fds(ends[0], "b", 1, ends, 2, NULL) == 0);
	CHECK(sunpath_send_fd(ends[0], ends[0], NULL) == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	free_one = dup(ends[0]);
	limit = before;
	limit.rlim_cur = (rlim_t)free_one + 1;
	CHECK(close(free_one) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	FAILS(sunpath_recv_fds(ends[1], &byte, 1, fds, 3, &error), EMSGSIZE);
	CHECK(explained(error, "recvmsg: EMSGSIZE (expected at most 3 descriptors, received 1 (closed); control messages were "
			       "truncated, as when too few descriptors are free)"));
	/* All that came is closed, so that it is free for the next one. */
	FAILS(sunpath_recv_fds(ends[1], &byte, 1, fds, 1, &error), EMSGSIZE);
	limit.rlim_cur = (rlim_t)free_one;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	FAILS(sunpath_recv_fd(ends[1], &error), EMSGSIZE);
	CHECK(explained(error, "recvmsg: EMSGSIZE (expected at most 1 descriptors, received 0 (closed); control messages were "
			       "truncated, as when too few descriptors are free)"));
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CHECK(fds[0] == -7 && fds[1] == -7 && fds[2] == -7);
	close_both(ends);
}

static void most_descriptors(void)
{
	int ends[2], fds[253], i, on = 1;
	char byte;

	pair(SOCK_STREAM, ends);
	/* The kernel adds a timestamp and credentials, for which there has to be space too. */
	CHECK(setsockopt(ends[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)) == 0);
	CHECK(sunpath_set_pass_credentials(ends[1], 1) == 0);
	for (i = 0; i < 253; i++)
		fds[i] = ends[0];
	CHECK(sunpath_send_fds(ends[0], "b", 1, fds, 253, NULL) == 0);
	CHECK(sunpath_recv_fds(ends[1], &byte, 1, fds, 253, NULL) == 1);
	for (i = 0; i < 253; i++)
		CHECK(is_cloexec(fds[i]) && close(fds[i]) == 0);
	close_both(ends);
}

static void credentials(void)
{
	size_t i;

	for (i = 0; i < TYPES; i++) {
		int ends[2];
		pid_t pid = -5;
		uid_t uid = 5;
		gid_t gid = 5;
		char buf[8];

		pair(types[i], ends);
		CHECK(sunpath_send_fds(ends[0], "b", 1, ends, 1, NULL) == 0);
		CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, &uid, &gid, NULL) == 1);
		CHECK(pid == 0 && uid == (uid_t)-1 && gid == (gid_t)-1);
		CHECK(sunpath_set_pass_credentials(ends[1], 1) == 0);
		CHECK(sunpath_send_credentials(ends[0], "abc", 3, NULL) == 0);
		CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, &uid, &gid, NULL) == 3);
		CHECK(pid == getpid() && uid == getuid() && gid == getgid());
		CHECK(send(ends[0], "abc", 3, 0) == 3);
		CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), NULL, &uid, NULL, NULL) == 3);
		CHECK(uid == getuid());
		if (types[i] != SOCK_DGRAM) {
			/* At the end the kernel adds ids of 0 on a stream, which are not those of root. */
			CHECK(close(ends[0]) == 0);
			CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, &uid, &gid, NULL) == 0);
			CHECK(pid == 0 && uid == (uid_t)-1 && gid == (gid_t)-1);
			CHECK(close(ends[1]) == 0);
			continue;
		}
		close_both(ends);
	}
}

/* Descriptors and the credentials of their sender come with one receive. */
static void descriptors_with_credentials(void)
{
	size_t i, count;

	for (i = 0; i < TYPES; i++) {
		int ends[2], fds[2] = {-7, -7}, before;
		pid_t pid = -5;
		uid_t uid = 5;
		gid_t gid = 5;
		char buf[8];

		pair(types[i], ends);
		before = open_descriptors();
		CHECK(sunpath_send_fds(ends[0], "b", 1, ends, 1, NULL) == 0);
		CHECK(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), fds, 2, &count, &pid, &uid, &gid,
							NULL) == 1);
		CHECK(count == 1 && is_cloexec(fds[0]) && close(fds[0]) == 0);
		CHECK(pid == 0 && uid == (uid_t)-1 && gid == (gid_t)-1);

		CHECK(sunpath_set_pass_credentials(ends[1], 1) == 0);
		CHECK(sunpath_send_fds(ends[0], "two", 3, ends, 2, NULL) == 0);
		CHECK(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), fds, 2, &count, &pid, &uid, &gid,
							NULL) == 3);
		CHECK(count == 2 && memcmp(buf, "two", 3) == 0 && is_cloexec(fds[0]) && is_cloexec(fds[1]));
		CHECK(pid == getpid() && uid == getuid() && gid == getgid());
		CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);

		/* Credentials without descriptors, and a caller that wants only the uid. */
		uid = 5;
		CHECK(send(ends[0], "b", 1, 0) == 1);
		CHECK(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), NULL, 0, &count, NULL, &uid, NULL,
							NULL) == 1);
		CHECK(count == 0 && uid == getuid());

		/* A failure leaves every output as it was, and closes what came. */
		count = 99;
		pid = -5;
		fds[0] = -7;
		CHECK(sunpath_send_fds(ends[0], "two", 3, ends, 2, NULL) == 0);
		FAILS(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), fds, 1, &count, &pid, NULL, NULL,
							&error),
		      EMSGSIZE);
		CHECK(explained(error, "recvmsg: EMSGSIZE (expected at most 1 descriptors, received 2 (closed))"));
		CHECK(count == 99 && pid == -5 && fds[0] == -7);
		FAILS(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), fds, 1, NULL, &pid, &uid, &gid,
							&error),
		      EINVAL);
		CHECK(explained(error, "EINVAL (parameter 6 is NULL)"));
		CHECK(open_descriptors() == before);
		if (types[i] != SOCK_DGRAM) {
			CHECK(shutdown(ends[0], SHUT_WR) == 0);
			CHECK(sunpath_recv_fds_with_credentials(ends[1], buf, sizeof(buf), fds, 2, &count, &pid, &uid,
								&gid, NULL) == 0);
			CHECK(count == 0 && pid == 0 && uid == (uid_t)-1 && gid == (gid_t)-1);
		}
		close_both(ends);
	}
}

/* The result of each receiving function at the end of a connection. */
static void ends_of_connections(void)
{
	size_t i, count = 99;

	for (i = 0; i < 2; i++) {
		int ends[2], fd = -7, number = types[i] == SOCK_STREAM ? EPIPE : ENOMSG;
		char buf[8];

		pair(types[i], ends);
		CHECK(close(ends[0]) == 0);
		FAILS(sunpath_recv_fd(ends[1], NULL), number);
		FAILS(sunpath_recv_fds(ends[1], buf, sizeof(buf), &fd, 1, NULL), number);
		CHECK(sunpath_recv_fds(ends[1], buf, sizeof(buf), NULL, 0, NULL) == 0);
		CHECK(sunpath_recv_fds_up_to(ends[1], buf, sizeof(buf), &fd, 1, &count, NULL) == 0);
		CHECK(count == 0 && fd == -7);
		CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), NULL, NULL, NULL, NULL) == 0);
		CHECK(close(ends[1]) == 0);
	}
}

/* Tests which bytes a failed send has sent on a stream, and which bytes a failed receive has taken. */
static void parts(void)
{
	static char big[1 << 20], buf[sizeof(big)];
	int ends[2], fds[4];
	size_t count, i;
	ssize_t size;

	pair(SOCK_STREAM | SOCK_NONBLOCK, ends);
	FAILS(sunpath_send_fds(ends[0], big, sizeof(big), ends, 1, NULL), EAGAIN);
	size = sunpath_recv_fds_up_to(ends[1], buf, sizeof(buf), fds, 4, &count, NULL);
	CHECK(size > 0 && size < (ssize_t)sizeof(big) && count == 1 && close(fds[0]) == 0);
	while (size != -1)
		size = recv(ends[1], buf, sizeof(buf), 0);
	CHECK(errno == EAGAIN);
	/* One byte is sent as a whole or not at all. */
	while (send(ends[0], "", 1, MSG_NOSIGNAL) == 1) {
	}
	FAILS(sunpath_send_fd(ends[0], ends[0], NULL), EAGAIN);
	while (recv(ends[1], buf, sizeof(buf), 0) > 0) {
	}
	FAILS(sunpath_recv_fd(ends[1], NULL), EAGAIN);

	for (i = 0; i < 2; i++) {
		CHECK(sunpath_send_fds(ends[0], "ab", 2, ends, 2, NULL) == 0);
		if (i == 0)
			FAILS(sunpath_recv_fd(ends[1], NULL), EMSGSIZE);
		else
			FAILS(sunpath_recv_fds(ends[1], buf, 1, fds, 3, NULL), ENOMSG);
		CHECK(recv(ends[1], buf, sizeof(buf), 0) == 1 && buf[0] == 'b');
	}
	close_both(ends);
	pair(SOCK_SEQPACKET | SOCK_NONBLOCK, ends);
	FAILS(sunpath_send_fds(ends[0], big, sizeof(big), ends, 1, NULL), EMSGSIZE);
	CHECK(sunpath_send_fds(ends[0], "ab", 2, ends, 2, NULL) == 0);
	FAILS(sunpath_recv_fds(ends[1], buf, 1, fds, 1, NULL), EMSGSIZE);
	FAILS(sunpath_recv_fds(ends[1], buf, 1, fds, 1, NULL), EAGAIN);
	close_both(ends);
}

/* The credentials of a message are those of the process that sent it, if the receiver asked for them
 * before that. */
static void senders(void)
{
	int ends[2], status;
	pid_t pid = -5, child;
	uid_t uid = 5;
	char buf[8];

	pair(SOCK_STREAM, ends);
	CHECK(send(ends[0], "early", 5, 0) == 5);
	CHECK(sunpath_set_pass_credentials(ends[1], 1) == 0);
	CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, &uid, NULL, NULL) == 5);
	CHECK(pid == 0 && uid == 65534);
	CHECK(send(ends[0], "a", 1, 0) == 1);
	child = fork();
	if (child == 0)
		_exit(send(ends[0], "b", 1, 0) == 1 ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, NULL, NULL, NULL) == 1);
	CHECK(pid == getpid() && buf[0] == 'a');
	CHECK(sunpath_recv_credentials(ends[1], buf, sizeof(buf), &pid, NULL, NULL, NULL) == 1);
	CHECK(pid == child && buf[0] == 'b');
	/* The credentials of the connection are those of the process that made it. */
	CHECK(sunpath_peer_cred(ends[1], &pid, NULL, NULL, NULL) == 0 && pid == getpid());
	close_both(ends);
}

static int alarms[2];

static void on_alarm(int number)
{
	int saved = errno;

	(void)number;
	if (write(alarms[1], "x", 1) == -1)
		_exit(3);
	errno = saved;
}

/* No function fails with EINTR. The child answers when this process has got three signals. */
static void interrupted(void)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action;
	int ends[2], fd, status;
	pid_t child;
	char buf[3];

	pair(SOCK_STREAM, ends);
	CHECK(pipe(alarms) == 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm; /* without SA_RESTART */
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	child = fork();
	if (child == 0) {
		if (read(alarms[0], buf, 1) != 1 || read(alarms[0], buf, 1) != 1 || read(alarms[0], buf, 1) != 1)
			_exit(1);
		_exit(sunpath_send_fd(ends[0], ends[0], NULL) == 0 ? 0 : 2);
	}
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	fd = sunpath_recv_fd(ends[1], NULL);
	CHECK(fd != -1);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(close(fd) == 0);
	close_both(alarms);
	close_both(ends);
}

static void peers(void)
{
	int ends[2], fd;
	pid_t pid = -5;
	uid_t uid = 5;
	gid_t gid = 5, groups[512];
	ssize_t count;

	pair(SOCK_STREAM, ends);
	CHECK(sunpath_peer_cred(ends[0], &pid, &uid, &gid, NULL) == 0);
	CHECK(pid == getpid() && uid == geteuid() && gid == getegid());
	CHECK(sunpath_peer_cred(ends[0], NULL, NULL, NULL, NULL) == 0);
	count = sunpath_peer_groups(ends[0], NULL, 0, NULL);
	CHECK(count == getgroups(0, NULL));
	CHECK(sunpath_peer_groups(ends[0], groups, 512, NULL) == count);
	if (count > 1)
		FAILS(sunpath_peer_groups(ends[0], groups, 1, NULL), ERANGE);
	FAILS(sunpath_peer_groups(ends[0], NULL, 1, NULL), EINVAL);
	fd = sunpath_peer_pidfd(ends[0], &error);
	if (fd == -1)
		CHECK(errno == ENOPROTOOPT || errno == ENODATA);
	else
		CHECK(is_cloexec(fd) && close(fd) == 0);
	close_both(ends);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uid = 5;
	FAILS(sunpath_peer_cred(fd, NULL, &uid, NULL, &error), ENOTCONN);
	CHECK(uid == 5);
	CHECK(close(fd) == 0);
}

static void faults(void)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC), fd = -7, ends[2];
	size_t count = 3;
	char buf[8];

	pair(SOCK_STREAM, ends);
	FAILS(sunpath_recv_fds(ends[0], NULL, 1, NULL, 0, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 2 is NULL)"));
	FAILS(sunpath_recv_fds(ends[0], buf, (size_t)-1, NULL, 0, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 3 is larger than any object)"));
	FAILS(sunpath_recv_fds(ends[0], buf, 1, NULL, 1, &error), EINVAL);
	FAILS(sunpath_recv_fds_up_to(ends[0], buf, 1, &fd, 1, NULL, &error), EINVAL);
	FAILS(sunpath_send_fds(ends[0], NULL, 1, NULL, 0, &error), EINVAL);
	FAILS(sunpath_send_fds(ends[0], buf, 1, NULL, 1, &error), EINVAL);
	FAILS(sunpath_recv_credentials(ends[0], NULL, 1, NULL, NULL, NULL, &error), EINVAL);
	close_both(ends);
	FAILS(sunpath_send_fd(file, 0, NULL), ENOTSOCK);
	FAILS(sunpath_recv_fd(file, NULL), ENOTSOCK);
	FAILS(sunpath_send_fd(-1, 0, NULL), EBADF);
	FAILS(sunpath_send_fd(0, -1, NULL), EBADF);
	FAILS(sunpath_recv_fd(-1, NULL), EBADF);
	FAILS(sunpath_recv_fds_up_to(file, buf, 1, &fd, 1, &count, NULL), ENOTSOCK);
	CHECK(fd == -7 && count == 3);
	FAILS(sunpath_set_pass_credentials(file, 1), ENOTSOCK);
	FAILS(sunpath_peer_cred(-1, NULL, NULL, NULL, NULL), EBADF);
	FAILS(sunpath_peer_pidfd(-1, NULL), EBADF);
	FAILS(sunpath_peer_groups(-1, NULL, 0, NULL), EBADF);
	CHECK(close(file) == 0);

	/* Nothing raises SIGPIPE, which would end this process. */
	pair(SOCK_STREAM, ends);
	CHECK(close(ends[1]) == 0);
	FAILS(sunpath_send_fd(ends[0], 0, NULL), EPIPE);
	FAILS(sunpath_send_fds(ends[0], "b", 1, NULL, 0, NULL), EPIPE);
	FAILS(sunpath_send_credentials(ends[0], "b", 1, NULL), EPIPE);
	CHECK(close(ends[0]) == 0);
}

int main(void)
{
	int before = open_descriptors();

	signal(SIGPIPE, SIG_DFL);
	one_descriptor();
	several_descriptors();
	few_free_descriptors();
	most_descriptors();
	credentials();
	descriptors_with_credentials();
	ends_of_connections();
	parts();
	senders();
	interrupted();
	peers();
	faults();
	CHECK(open_descriptors() == before);
	return 0;
}
