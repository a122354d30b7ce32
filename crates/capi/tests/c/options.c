/* The options of sunpath_bind() that need other users, a long path or a full queue. */
#include "check.h"

static uint64_t error;

static void owner_and_group(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	struct stat status;

	options.flags = SUNPATH_SET_OWNER | SUNPATH_SET_GROUP | SUNPATH_SET_MODE;
	options.owner = geteuid();
	options.group = getegid();
	options.mode = 0620;
	CHECK(sunpath_bind(SOCK_STREAM, "s", &options, &server, &error) == 0);
	CHECK(stat("s", &status) == 0 && status.st_uid == geteuid() && status.st_gid == getegid());
	CHECK((status.st_mode & 07777) == 0620 && sunpath_server_close(server, &error) == 0);

	/* Another owner and group need privileges, and exist for root unless its user namespace is small. */
	server = NULL;
	options.owner = geteuid() + 1000;
	options.group = getegid() + 2000;
	if (geteuid() != 0) {
		FAILS(sunpath_bind(SOCK_STREAM, "s", &options, &server, &error), EPERM);
	} else if (sunpath_bind(SOCK_STREAM, "s", &options, &server, &error) == 0) {
		CHECK(stat("s", &status) == 0 && status.st_uid == 1000 && status.st_gid == getegid() + 2000);
		CHECK((status.st_mode & 07777) == 0620 && sunpath_server_close(server, &error) == 0);
	} else {
		CHECK(errno == EINVAL && server == NULL);
	}
	CHECK(access("s", F_OK) == -1);

	/* Each flag counts alone: without SUNPATH_SET_OWNER, root leaves the owner as it is. */
	options = bind_options();
	options.flags = SUNPATH_SET_GROUP;
	options.group = getegid();
	CHECK(sunpath_bind(SOCK_STREAM, "s", &options, &server, &error) == 0);
	CHECK(stat("s", &status) == 0 && status.st_uid == geteuid() && sunpath_server_close(server, &error) == 0);
}

/* The first message carries the credentials of its sender, although it came before any other call. */
static void pass_credentials(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	struct sockaddr_un addr;
	pid_t pid = -5;
	uid_t uid = 5;
	socklen_t len;
	char byte;
	unsigned int flags;
	int fd;

	for (flags = 0; flags <= SUNPATH_PASS_CREDENTIALS; flags += SUNPATH_PASS_CREDENTIALS) {
		options.flags = flags;
		CHECK(sunpath_bind(SOCK_DGRAM, "s", &options, &server, &error) == 0);
		CHECK(sunpath_server_addr(server, &addr, &len, &error) == 0);
		fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		CHECK(fd != -1 && sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len) == 1 && close(fd) == 0);
		/* Without the flag this call comes too late. */
		CHECK(sunpath_set_pass_credentials(sunpath_server_fd(server), 1) == 0);
		CHECK(sunpath_recv_credentials(sunpath_server_fd(server), &byte, 1, &pid, &uid, NULL, &error) == 1);
		CHECK(flags ? pid == getpid() && uid == getuid() : pid == 0 && uid == 65534);
		CHECK(sunpath_server_close(server, &error) == 0);
	}
}

/* A process that is killed leaves its file. It is replaced without a lock file, too. */
static void no_lock_file(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL, *second = NULL;

	options.if_exists = SUNPATH_REPLACE_STALE;
	options.flags = SUNPATH_NO_LOCK_FILE;
	CHECK(sunpath_bind(SOCK_STREAM, "s", NULL, &server, &error) == 0);
	CHECK(close(sunpath_server_release(server)) == 0);
	CHECK(sunpath_probe("s", &error) == SUNPATH_DEAD);
	CHECK(sunpath_bind(SOCK_STREAM, "s", &options, &server, &error) == 0);
	CHECK(access("s.lock", F_OK) == -1);
	FAILS(sunpath_bind(SOCK_STREAM, "s", &options, &second, &error), EADDRINUSE);
	CHECK(sunpath_error_is_running(error) == 1 && second == NULL);
	CHECK(sunpath_server_close(server, &error) == 0 && access("s", F_OK) == -1);

	options.flags = 0;
	CHECK(sunpath_bind(SOCK_STREAM, "s", &options, &server, &error) == 0);
	CHECK(access("s.lock", F_OK) == 0);
	CHECK(sunpath_server_close(server, &error) == 0 && access("s.lock", F_OK) == -1);
}

/* A path of one byte more than sun_path holds is refused only with SUNPATH_REACHABLE. */
static void reachable(void)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	memset(path, 'n', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	CHECK(sunpath_bind(SOCK_STREAM, path, &options, &server, &error) == 0);
	CHECK(sunpath_server_close(server, &error) == 0);
	server = NULL;
	options.flags = SUNPATH_REACHABLE;
	FAILS(sunpath_bind(SOCK_STREAM, path, &options, &server, &error), ENAMETOOLONG);
	CHECK(server == NULL && access(path, F_OK) == -1);
	path[sizeof(path) - 2] = '\0';
	CHECK(sunpath_bind(SOCK_STREAM, path, &options, &server, &error) == 0);
	CHECK(sunpath_server_close(server, &error) == 0);
}

/* Returns how many clients can connect until the queue is full. */
static int places(unsigned int flags, int backlog)
{
	struct sunpath_bind_options options = bind_options();
	sunpath_server *server = NULL;
	int clients[32], count = 0;

	options.flags = flags;
	options.backlog = backlog;
	CHECK(sunpath_bind(SOCK_STREAM, "q", &options, &server, &error) == 0);
	while (count < 32) {
		int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		CHECK(client != -1);
		if (sunpath_connect_to_at(client, AT_FDCWD, "q", &error) == -1) {
			CHECK(errno == EAGAIN && close(client) == 0);
			break;
		}
		clients[count++] = client;
	}
	CHECK(sunpath_server_close(server, &error) == 0);
	for (int i = 0; i < count; i++)
		CHECK(close(clients[i]) == 0);
	return count;
}

int main(void)
{
	owner_and_group();
	pass_credentials();
	no_lock_file();
	reachable();
	/* Linux has one place more than the backlog. */
	CHECK(places(SUNPATH_SET_BACKLOG, 0) == 1 && places(SUNPATH_SET_BACKLOG, 4) == 5 && places(0, 0) == 32);
	return 0;
}
