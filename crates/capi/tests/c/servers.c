/* Binds servers with their options, looks at their files, and connects clients. */
#include "check.h"

static uint64_t error;
static const struct sunpath_bind_options *const plain = NULL;

static void connects(const char *path, int listener)
{
	int client = sunpath_connect(SOCK_STREAM, path, NULL, NULL), server;
	char byte = 0;

	CHECK(client != -1 && is_cloexec(client) && !is_nonblocking(client));
	server = sunpath_accept(listener, SUNPATH_NONBLOCK);
	CHECK(server != -1 && is_cloexec(server) && is_nonblocking(server));
	CHECK(write(client, "x", 1) == 1);
	CHECK(read(server, &byte, 1) == 1 && byte == 'x');
	CHECK(close(client) == 0 && close(server) == 0);
}

/* Whether accept waits depends on the listener, and whether the new socket waits depends on the flag. */
static void accepting(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server;
	char byte;
	int listener, client, fd;
	unsigned int flags;

	options.flags = SUNPATH_NONBLOCK;
	CHECK(sunpath_bind(SOCK_STREAM, "n", &options, &server, NULL) == 0);
	listener = sunpath_server_fd(server);
	for (flags = 0; flags <= SUNPATH_NONBLOCK; flags++) {
		client = sunpath_connect(SOCK_STREAM, "n", NULL, NULL);
		fd = sunpath_accept(listener, flags);
		CHECK(fd != -1 && is_nonblocking(fd) == (flags == SUNPATH_NONBLOCK));
		CHECK(close(fd) == 0 && close(client) == 0);
		client = sunpath_connect(SOCK_STREAM, "n", NULL, NULL);
		fd = sunpath_accept_user(listener, flags, geteuid());
		CHECK(fd != -1 && is_nonblocking(fd) == (flags == SUNPATH_NONBLOCK));
		CHECK(close(fd) == 0 && close(client) == 0);
		/* A client of another user reads the end of the connection. */
		client = sunpath_connect(SOCK_STREAM, "n", NULL, NULL);
		FAILS(sunpath_accept_user(listener, flags, geteuid() + 1), EAGAIN);
		CHECK(recv(client, &byte, 1, 0) == 0 && close(client) == 0);
		FAILS(sunpath_accept_user(listener, flags, geteuid()), EAGAIN);
	}
	/* Connections inherit from the listener that they carry the credentials of senders. */
	{
		pid_t pid = -5;

		CHECK(sunpath_set_pass_credentials(listener, 1) == 0);
		client = sunpath_connect(SOCK_STREAM, "n", NULL, NULL);
		fd = sunpath_accept(listener, 0);
		CHECK(send(client, "x", 1, 0) == 1);
		CHECK(sunpath_recv_credentials(fd, &byte, 1, &pid, NULL, NULL, NULL) == 1 && pid == getpid());
		CHECK(close(fd) == 0 && close(client) == 0);
	}
	CHECK(shutdown(listener, SHUT_RDWR) == 0 && fcntl(listener, F_SETFL, 0) == 0);
	FAILS(sunpath_accept(listener, 0), EINVAL);
	FAILS(sunpath_accept_user(listener, 0, geteuid()), EINVAL);
	CHECK(sunpath_server_close(server, NULL) == 0);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	FAILS(sunpath_accept_user(fd, 0, geteuid()), EOPNOTSUPP);
	CHECK(close(fd) == 0);
}

static void file_with_its_mode(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	struct sockaddr_un addr;
	struct stat status;
	socklen_t len;
	mode_t mask;

	for (mask = 0; mask <= 077; mask += 077) {
		umask(mask);
		options.flags = SUNPATH_SET_MODE;
		options.mode = 0660;
		CHECK(sunpath_bind(SOCK_STREAM, "a", &options, &server, NULL) == 0);
		CHECK(stat("a", &status) == 0);
		CHECK(S_ISSOCK(status.st_mode) && (status.st_mode & 07777) == 0660);
		CHECK(umask(mask) == mask);
		CHECK(is_cloexec(sunpath_server_fd(server)));
		CHECK(!is_nonblocking(sunpath_server_fd(server)));
		CHECK(sunpath_server_addr(server, &addr, &len, NULL) == 0);
		CHECK(strcmp(addr.sun_path, "a") == 0);
		connects("a", sunpath_server_fd(server));
		CHECK(sunpath_server_close(server, NULL) == 0);
		CHECK(stat("a", &status) == -1 && errno == ENOENT);
	}
	umask(022);
	/* A flag tells whether the mode is set, because 0 is also a valid mode. */
	options.mode = 0;
	CHECK(sunpath_bind(SOCK_STREAM, "a", &options, &server, NULL) == 0);
	CHECK(stat("a", &status) == 0 && (status.st_mode & 07777) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);
	options.mode = 660;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options, &server, &error), EINVAL);
	CHECK(explained(error, "bind: EINVAL (mode 01224 is over 0777)"));
}

static void what_is_in_the_way(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *first, *second = NULL;
	int fd;

	CHECK(sunpath_bind(SOCK_STREAM, "a", plain, &first, NULL) == 0);
	FAILS(sunpath_bind(SOCK_STREAM, "a", plain, &second, &error), EADDRINUSE);
	CHECK(explained(error, "bind: EADDRINUSE (there is a socket file at the path; ReplaceStale tests whether a "
			       "server holds it, and replaces it if none does)"));
	CHECK(second == NULL && sunpath_error_is_running(error) == 0);
	options.if_exists = SUNPATH_REPLACE_STALE;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options, &second, &error), EADDRINUSE);
	CHECK(explained(error, "bind: EADDRINUSE (a server is listening or about to listen)"));
	CHECK(sunpath_error_is_running(error) == 1 && sunpath_error_errno(error) == EADDRINUSE);

	/* A server that keeps its file leaves a dead one. */
	{
		struct sunpath_bind_options keep = SUNPATH_BIND_OPTIONS_INIT;

		keep.flags = SUNPATH_KEEP_FILE;
		CHECK(sunpath_bind(SOCK_STREAM, "kept", &keep, &second, &error) == 0);
		CHECK(sunpath_server_close(second, &error) == 0);
		CHECK(sunpath_probe("kept", NULL) == SUNPATH_DEAD && unlink("kept") == 0);
		second = NULL;
	}

	/* The file of a dead server is replaced, and a file that is not a socket is not. */
	fd = sunpath_server_release(first);
	CHECK(fd != -1 && close(fd) == 0 && access("a", F_OK) == 0);
	CHECK(sunpath_probe("a", NULL) == SUNPATH_DEAD);
	CHECK(sunpath_bind(SOCK_STREAM, "a", &options, &second, &error) == 0);
	CHECK(sunpath_probe("a", NULL) == SUNPATH_LIVE);
	CHECK(sunpath_server_close(second, NULL) == 0);
	CHECK(sunpath_probe("a", NULL) == SUNPATH_ABSENT);
	CHECK(access("a.lock", F_OK) == -1);
	fd = open("a", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd != -1 && close(fd) == 0);
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options, &second, &error), EADDRINUSE);
	CHECK(explained(error, "bind: EADDRINUSE (there is a file at the path that is not a socket)"));
	CHECK(sunpath_error_is_running(error) == 0);
	CHECK(sunpath_probe("a", NULL) == SUNPATH_NOT_SOCKET);
	CHECK(unlink("a") == 0);

	/* After a takeover, closing the old server does not remove the file of the new server. */
	CHECK(sunpath_bind(SOCK_STREAM, "a", plain, &first, NULL) == 0);
	options.if_exists = SUNPATH_TAKEOVER;
	CHECK(sunpath_bind(SOCK_STREAM, "a", &options, &second, NULL) == 0);
	FAILS(sunpath_server_close(first, &error), ESTALE);
	connects("a", sunpath_server_fd(second));
	CHECK(sunpath_server_close(second, NULL) == 0);
	options.if_exists = 3;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options, &second, &error), EINVAL);
}

static void grown_and_shrunk_options(void)
{
	struct {
		struct sunpath_bind_options known;
		unsigned char later[16];
	} options;
	struct {
		struct sunpath_connect_options known;
		unsigned char later[16];
	} connecting;
	sunpath_server *server = NULL;

	memset(&options, 0, sizeof(options));
	memset(&connecting, 0, sizeof(connecting));
	options.known.size = sizeof(options);
	CHECK(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, NULL) == 0);
	connecting.known.size = sizeof(connecting);
	{
		int fd = sunpath_connect(SOCK_STREAM, "a", &connecting.known, NULL);

		CHECK(fd != -1 && close(fd) == 0);
	}
	connecting.later[3] = 1;
	FAILS(sunpath_connect(SOCK_STREAM, "a", &connecting.known, &error), E2BIG);
	CHECK(explained(error, "E2BIG (parameter 3 sets options that this version does not know)"));
	CHECK(sunpath_server_close(server, NULL) == 0);

	server = NULL;
	options.later[15] = 1;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, &error), E2BIG);
	options.known.size = sizeof(options.known);
	CHECK(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, NULL) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);
	options.known.size = sizeof(options.known) - 1;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 3 has a size that no version had)"));
	options.known = bind_options();
	options.known.flags = 0x80000000u;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, &error), EINVAL);
	options.known.flags = 0;
	options.known.mode = 0600;
	FAILS(sunpath_bind(SOCK_STREAM, "a", &options.known, &server, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 3 has a field that is set, but not its flag)"));
	CHECK(access("a", F_OK) == -1);
}

static void null_pointers(void)
{
	sunpath_server *server = NULL;

	FAILS(sunpath_bind(SOCK_STREAM, NULL, NULL, &server, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 2 is NULL)"));
	FAILS(sunpath_bind(SOCK_STREAM, "a", NULL, NULL, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 4 is NULL)"));
	FAILS(sunpath_bind(99, "a", NULL, &server, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 1 is not SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM)"));
	FAILS(sunpath_bind_at(-1, SOCK_STREAM, "a", NULL, &server, &error), EBADF);
	FAILS(sunpath_bind_at(AT_FDCWD, SOCK_STREAM, "a", NULL, NULL, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 5 is NULL)"));
	FAILS(sunpath_bind_addr(SOCK_STREAM, NULL, 2, NULL, &server, &error), EINVAL);
	FAILS(sunpath_server_from_fd(-1, "a", NULL, &server, &error), EBADF);
	FAILS(sunpath_server_from_fd(0, NULL, NULL, &server, &error), EINVAL);
	FAILS(sunpath_server_fd(NULL), EINVAL);
	FAILS(sunpath_server_addr(NULL, NULL, NULL, NULL), EINVAL);
	FAILS(sunpath_server_adopt(NULL), EINVAL);
	FAILS(sunpath_server_release(NULL), EINVAL);
	FAILS(sunpath_server_close(NULL, &error), EINVAL);
	FAILS(sunpath_connect(SOCK_STREAM, NULL, NULL, NULL), EINVAL);
	FAILS(sunpath_connect_at(-1, SOCK_STREAM, "a", NULL, NULL), EBADF);
	FAILS(sunpath_connect_addr(SOCK_STREAM, NULL, 2, NULL, NULL), EINVAL);
	FAILS(sunpath_bind_to_at(-1, AT_FDCWD, "a", NULL), EBADF);
	FAILS(sunpath_connect_to_at(-1, AT_FDCWD, "a", NULL), EBADF);
	FAILS(sunpath_accept(-1, 0), EBADF);
	FAILS(sunpath_accept(0, 2), EINVAL);
	CHECK(server == NULL && access("a", F_OK) == -1);
}

/* Binds and connects to a path of 400 bytes, in directories that this function makes. */
static void long_paths(void)
{
	char path[400];
	sunpath_server *server;
	struct stat status;
	int fd, socket_fd, at;

	memset(path, 'd', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (at = 100; at < 399; at += 100) {
		path[at] = '\0';
		CHECK(mkdir(path, 0700) == 0);
		path[at] = '/';
	}
	CHECK(sunpath_bind(SOCK_STREAM, path, NULL, &server, NULL) == 0);
	CHECK(stat(path, &status) == 0 && S_ISSOCK(status.st_mode));
	connects(path, sunpath_server_fd(server));
	path[300] = '\0';
	fd = sunpath_open_dir(path, NULL);
	CHECK(fd != -1 && is_cloexec(fd));
	CHECK(sunpath_server_close(server, NULL) == 0);
	CHECK(sunpath_bind_at(fd, SOCK_SEQPACKET, "s", NULL, &server, NULL) == 0);
	socket_fd = sunpath_connect_at(fd, SOCK_SEQPACKET, "s", NULL, NULL);
	CHECK(socket_fd != -1 && close(socket_fd) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);

	/* Sockets that the C program made itself can be bound and connected, too. */
	socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(socket_fd != -1);
	CHECK(sunpath_bind_to_at(socket_fd, fd, "c", NULL) == 0 && listen(socket_fd, 1) == 0);
	{
		int client = socket(AF_UNIX, SOCK_STREAM, 0);

		CHECK(sunpath_connect_to_at(client, fd, "c", NULL) == 0);
		CHECK(close(client) == 0);
	}
	CHECK(close(socket_fd) == 0 && unlinkat(fd, "c", 0) == 0 && close(fd) == 0);
}

static void abstract_names_and_datagrams(void)
{
	struct sunpath_bind_options options = bind_options();
	struct sockaddr_un addr;
	socklen_t len;
	sunpath_server *server;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@sunpath-capi-%ld", (long)getpid());
	CHECK(sunpath_addr_from_text(name, &addr, &len, NULL) == 0);
	options.flags = SUNPATH_SET_MODE;
	options.mode = 0600;
	FAILS(sunpath_bind_addr(SOCK_STREAM, &addr, len, &options, &server, &error), EINVAL);
	options = bind_options();
	options.flags = SUNPATH_NONBLOCK | SUNPATH_SET_BACKLOG;
	options.backlog = 1;
	CHECK(sunpath_bind_addr(SOCK_STREAM, &addr, len, &options, &server, NULL) == 0);
	CHECK(is_nonblocking(sunpath_server_fd(server)));
	FAILS(sunpath_accept(sunpath_server_fd(server), 0), EAGAIN);
	fd = sunpath_connect_addr(SOCK_STREAM, &addr, len, NULL, NULL);
	CHECK(fd != -1 && close(fd) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);

	CHECK(sunpath_bind(SOCK_DGRAM, "d", NULL, &server, NULL) == 0);
	fd = sunpath_connect(SOCK_DGRAM, "d", NULL, NULL);
	CHECK(fd != -1 && send(fd, "abc", 3, 0) == 3);
	CHECK(recv(sunpath_server_fd(server), name, sizeof(name), 0) == 3);
	{
		struct sunpath_connect_options wait = connect_options();

		wait.flags = SUNPATH_SET_TIMEOUT;
		wait.timeout_ms = 1;
		FAILS(sunpath_connect(SOCK_DGRAM, "d", &wait, &error), EINVAL);
	}
	CHECK(close(fd) == 0 && sunpath_server_close(server, NULL) == 0);
}

static void conditions(void)
{
	struct sunpath_connect_options options = connect_options();
	sunpath_server *server;
	char text[64];
	int fd;

	options.flags = SUNPATH_WAIT_FOR_SERVER | SUNPATH_SET_TIMEOUT;
	options.timeout_ms = 500; /* under valgrind the first attempt alone can take 20 */
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, NULL), ENOENT);
	FAILS(sunpath_connect(SOCK_STREAM, "none/w", &options, NULL), ENOENT);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(sunpath_bind_to_at(fd, AT_FDCWD, "w", NULL) == 0);
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, NULL), ECONNREFUSED);
	CHECK(close(fd) == 0 && unlink("w") == 0);
	/* Other errors end the wait at once, and a timeout of 0 makes no try. */
	options.timeout_ms = 0;
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, &error), ETIMEDOUT);
	options.flags = SUNPATH_SET_TIMEOUT;
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, &error), ETIMEDOUT);
	options.flags = SUNPATH_WAIT_FOR_SERVER;
	FAILS(sunpath_connect(SOCK_STREAM, "/dev/null/w", &options, &error), ENOTDIR);
	FAILS(sunpath_connect(SOCK_STREAM, "", &options, &error), ENOENT);
	options.flags = SUNPATH_WAIT_FOR_SERVER | SUNPATH_SET_TIMEOUT;
	options.timeout_ms = -1;
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 3 has a negative timeout)"));
	CHECK(sunpath_bind(SOCK_STREAM, "w", NULL, &server, NULL) == 0);
	FAILS(sunpath_connect(SOCK_SEQPACKET, "w", NULL, NULL), EPROTOTYPE);
	options = connect_options();
	options.flags = SUNPATH_OWN_USER | SUNPATH_NONBLOCK;
	fd = sunpath_connect(SOCK_STREAM, "w", &options, &error);
	CHECK(fd != -1 && is_nonblocking(fd) && close(fd) == 0);
	fd = sunpath_accept_user(sunpath_server_fd(server), 0, geteuid());
	CHECK(fd != -1 && is_cloexec(fd) && close(fd) == 0);
	options.flags = SUNPATH_SET_PEER;
	options.peer = geteuid() + 1;
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, &error), EPERM);
	snprintf(text, sizeof(text), "connect: EPERM (the server runs as uid %lu)",
		 (unsigned long)geteuid());
	CHECK(explained(error, text));
	options.flags |= SUNPATH_OWN_USER;
	FAILS(sunpath_connect(SOCK_STREAM, "w", &options, &error), EINVAL);
	CHECK(sunpath_server_close(server, NULL) == 0);
}

/* Only the process that bound or adopted the file removes it. */
static void fork_and_exec(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server, *again = NULL;
	int status, fd;
	pid_t child;

	options.if_exists = SUNPATH_REPLACE_STALE;
	CHECK(sunpath_bind(SOCK_STREAM, "f", &options, &server, NULL) == 0);
	child = fork();
	if (child == 0) {
		errno = 0;
		_exit(sunpath_server_close(server, NULL) == -1 && errno == EPERM ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0 && access("f", F_OK) == 0);
	child = fork();
	if (child == 0)
		_exit(sunpath_server_adopt(server) == 0 && sunpath_server_close(server, NULL) == 0 ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0 && access("f", F_OK) == -1);
	FAILS(sunpath_server_close(server, NULL), ENOENT);

	/* After execve(2) a program has a socket without a sunpath_server, as here. */
	CHECK(sunpath_bind(SOCK_STREAM, "f", &options, &server, NULL) == 0);
	fd = sunpath_server_release(server);
	if (sunpath_server_from_fd(fd, "f", &options, &again, &error) == -1) {
		CHECK(errno == EOPNOTSUPP); /* This kernel does not report the file of a socket. */
		CHECK(close(fd) == 0 && unlink("f") == 0);
		return;
	}
	CHECK(sunpath_server_fd(again) == fd);
	CHECK(sunpath_server_close(again, NULL) == 0 && access("f", F_OK) == -1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	FAILS(sunpath_server_from_fd(fd, "f", &options, &again, &error), EINVAL);
	CHECK(explained(error, "getsockopt: EINVAL (the socket does not listen)"));
	CHECK(close(fd) == 0); /* The caller still owns the descriptor, because adopt failed. */
}

/* The lock file, and what a worker does with it. */
static void locks(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server, *second = NULL;
	struct stat file;
	char name[252];
	int status, hold[2], gone[2];
	pid_t child;

	options.if_exists = SUNPATH_REPLACE_STALE;
	CHECK(sunpath_bind(SOCK_STREAM, "l", &options, &server, NULL) == 0);
	CHECK(stat("l.lock", &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 0);
	CHECK((file.st_mode & 07777) == (S_ISVTX | 0600));
	child = fork();
	if (child == 0) {
		int fd = sunpath_server_release(server);

		_exit(fd != -1 && close(fd) == 0 ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(access("l", F_OK) == 0 && access("l.lock", F_OK) == 0);
	FAILS(sunpath_bind(SOCK_STREAM, "l", &options, &second, &error), EADDRINUSE);
	CHECK(explained(error, "bind: EADDRINUSE (a server is running or starting: it holds the lock file, which is "
			       "the path with .lock added)"));
	{
		int fd = sunpath_server_release(server);

		CHECK(fd != -1 && access("l", F_OK) == 0 && access("l.lock", F_OK) == -1);
		CHECK(close(fd) == 0 && unlink("l") == 0);
	}

	/* A worker outlives the server. */
	CHECK(pipe(hold) == 0 && pipe(gone) == 0);
	child = fork();
	if (child == 0) {
		if (sunpath_bind(SOCK_STREAM, "l", &options, &server, NULL) == -1)
			_exit(1);
		child = fork();
		if (child == 0) {
			char byte;

			close(hold[1]);
			_exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
		}
		_exit(child == -1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(close(gone[1]) == 0);
	FAILS(sunpath_bind(SOCK_STREAM, "l", &options, &second, &error), EADDRINUSE);
	CHECK(sunpath_error_is_running(error) == 1);
	CHECK(close(hold[1]) == 0 && close(hold[0]) == 0);
	CHECK(read(gone[0], name, 1) == 0 && close(gone[0]) == 0);
	CHECK(sunpath_bind(SOCK_STREAM, "l", &options, &second, &error) == 0);
	CHECK(sunpath_server_close(second, NULL) == 0);

	/* The lock file of a long name. */
	memset(name, 'n', 251);
	name[251] = '\0';
	CHECK(sunpath_bind(SOCK_STREAM, name, &options, &server, NULL) == 0);
	CHECK(access(".sunpath-930e7ee3bdb312e5.lock", F_OK) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);
	CHECK(access(".sunpath-930e7ee3bdb312e5.lock", F_OK) == -1);
}

static void changed_directory(void)
{
	sunpath_server *server;

	CHECK(sunpath_bind(SOCK_STREAM, "b", NULL, &server, NULL) == 0);
	CHECK(mkdir("below", 0700) == 0 && chdir("below") == 0);
	CHECK(sunpath_server_close(server, NULL) == 0);
	CHECK(chdir("..") == 0 && access("b", F_OK) == -1);
}

static void closed_descriptors(void)
{
	sunpath_server *server;
	int fd;

	CHECK(sunpath_bind(SOCK_STREAM, "b", NULL, &server, NULL) == 0);
	for (fd = 3; fd < 64; fd++)
		close(fd);
	FAILS(sunpath_server_close(server, NULL), EBADF);
	CHECK(unlink("b") == 0);
}

static void changed_user(void)
{
	sunpath_server *server;

	CHECK(sunpath_bind(SOCK_STREAM, "b", NULL, &server, NULL) == 0);
	CHECK(setuid(65534) == 0);
	FAILS(sunpath_server_close(server, NULL), EACCES);
	CHECK(access("b", F_OK) == 0);
}

static void in_a_child(void (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		body();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* What becomes of a server when its process changes. */
static void changed_processes(void)
{
	in_a_child(changed_directory);
	in_a_child(closed_descriptors);
	if (geteuid() == 0) {
		in_a_child(changed_user);
		CHECK(unlink("b") == 0);
	}
}

int main(void)
{
	int before = open_descriptors();

	signal(SIGPIPE, SIG_DFL);
	accepting();
	file_with_its_mode();
	what_is_in_the_way();
	grown_and_shrunk_options();
	null_pointers();
	long_paths();
	abstract_names_and_datagrams();
	conditions();
	fork_and_exec();
	locks();
	changed_processes();
	CHECK(open_descriptors() == before);
	return 0;
}
