/* Errors of the header that the other programs do not see. The test `man` looks for each of them in the header. */
#include "check.h"

#include <netinet/in.h>

static uint64_t error;

/* Returns a socket of another family, bound and listening. */
static int internet(void)
{
	struct sockaddr_in addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd != -1 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0);
	return fd;
}

static int unix_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	CHECK(fd != -1);
	return fd;
}

/* A descriptor is a file, or a socket of another family. */
static void other_descriptors(void)
{
	int file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600), inet = internet();
	sunpath_server *server = NULL;
	char byte;

	CHECK(file != -1);
	FAILS(sunpath_bind_at(file, SOCK_STREAM, "a", NULL, &server, &error), ENOTDIR);
	FAILS(sunpath_connect_at(file, SOCK_STREAM, "a", NULL, &error), ENOTDIR);
	FAILS(sunpath_bind_to_at(file, AT_FDCWD, "a", &error), ENOTSOCK);
	/* The kernel looks at the length first. */
	FAILS(sunpath_bind_to_at(inet, AT_FDCWD, "a", &error), EINVAL);
	FAILS(sunpath_bind_to_at(inet, AT_FDCWD, "a-longer-name", &error), EAFNOSUPPORT);
	FAILS(sunpath_connect_to_at(file, AT_FDCWD, "a", &error), ENOTSOCK);
	{
		int fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		FAILS(sunpath_connect_to_at(fresh, AT_FDCWD, "a", &error), EINVAL);
		FAILS(sunpath_connect_to_at(fresh, AT_FDCWD, "a-longer-name", &error), EAFNOSUPPORT);
		CHECK(close(fresh) == 0);
	}
	FAILS(sunpath_accept(file, 0), ENOTSOCK);
	FAILS(sunpath_server_from_fd(file, "a", NULL, &server, &error), ENOTSOCK);
	FAILS(sunpath_server_from_fd(inet, "a", NULL, &server, &error), EAFNOSUPPORT);
	FAILS(sunpath_check_socket(file, SOCK_STREAM, -1, &error), ENOTSOCK);
	FAILS(sunpath_check_socket(inet, SOCK_STREAM, -1, &error), EAFNOSUPPORT);
	FAILS(sunpath_check_socket(-1, SOCK_STREAM, -1, &error), EBADF);
	FAILS(sunpath_peer_cred(file, NULL, NULL, NULL, &error), ENOTSOCK);
	FAILS(sunpath_peer_pidfd(file, &error), ENOTSOCK);
	FAILS(sunpath_peer_groups(file, NULL, 0, &error), ENOTSOCK);
	FAILS(sunpath_send_credentials(file, "b", 1, &error), ENOTSOCK);
	FAILS(sunpath_recv_credentials(file, &byte, 1, NULL, NULL, NULL, &error), ENOTSOCK);
	FAILS(sunpath_set_pass_credentials(-1, 1), EBADF);
	/* A client of the other family is accepted by the kernel, and closed by the library. */
	{
		struct sockaddr_in addr;
		socklen_t len = sizeof(addr);
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), before;

		CHECK(client >= 0 && getsockname(inet, (struct sockaddr *)&addr, &len) == 0);
		CHECK(connect(client, (struct sockaddr *)&addr, len) == 0);
		before = open_descriptors();
		FAILS(sunpath_accept(inet, 0), EAFNOSUPPORT);
		CHECK(open_descriptors() == before && read(client, &byte, 1) == 0 && close(client) == 0);
	}
	CHECK(server == NULL && access("a", F_OK) == -1 && close(file) == 0 && close(inet) == 0);
}

static void sockets_in_the_wrong_state(void)
{
	int stream = unix_socket(SOCK_STREAM), client = unix_socket(SOCK_STREAM);
	int ends[3];

	FAILS(sunpath_bind_to_at(stream, AT_FDCWD, "file", &error), EADDRINUSE);
	CHECK(sunpath_bind_to_at(stream, AT_FDCWD, "s", &error) == 0 && listen(stream, 1) == 0);
	FAILS(sunpath_bind_to_at(stream, AT_FDCWD, "t", &error), EINVAL);
	FAILS(sunpath_connect_to_at(stream, AT_FDCWD, "s", &error), EINVAL);
	CHECK(sunpath_connect_to_at(client, AT_FDCWD, "s", &error) == 0);
	FAILS(sunpath_connect_to_at(client, AT_FDCWD, "s", &error), EISCONN);
	CHECK(close(client) == 0);
	client = unix_socket(SOCK_SEQPACKET);
	FAILS(sunpath_connect_to_at(client, AT_FDCWD, "s", &error), EPROTOTYPE);
	FAILS(sunpath_send_fd(client, 0, &error), ENOTCONN);
	FAILS(sunpath_recv_fd(client, &error), ENOTCONN);
	CHECK(close(client) == 0 && close(stream) == 0);
	client = unix_socket(SOCK_STREAM);
	FAILS(sunpath_connect_to_at(client, AT_FDCWD, "s", &error), ECONNREFUSED);
	FAILS(sunpath_recv_fd(client, &error), EINVAL);
	CHECK(close(client) == 0 && unlink("s") == 0);

	/* 0 sends to 1, until 1 is connected to 2. */
	ends[0] = unix_socket(SOCK_DGRAM);
	ends[1] = unix_socket(SOCK_DGRAM);
	ends[2] = unix_socket(SOCK_DGRAM);
	CHECK(sunpath_bind_to_at(ends[1], AT_FDCWD, "one", &error) == 0);
	CHECK(sunpath_bind_to_at(ends[2], AT_FDCWD, "two", &error) == 0);
	CHECK(sunpath_connect_to_at(ends[0], AT_FDCWD, "one", &error) == 0);
	CHECK(sunpath_connect_to_at(ends[1], AT_FDCWD, "two", &error) == 0);
	FAILS(sunpath_send_fd(ends[0], 0, &error), EPERM);
	FAILS(sunpath_send_fds(ends[0], "b", 1, NULL, 0, &error), EPERM);
	FAILS(sunpath_send_credentials(ends[0], "b", 1, &error), EPERM);
	FAILS(sunpath_connect_to_at(ends[0], AT_FDCWD, "one", &error), EPERM);
	CHECK(close(ends[2]) == 0);
	FAILS(sunpath_send_fd(ends[1], 0, &error), ECONNREFUSED);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && unlink("one") == 0 && unlink("two") == 0);
}

static void servers_and_names(void)
{
	sunpath_server *server = NULL, *second = NULL;
	struct sockaddr_un addr, other;
	socklen_t len, other_len;
	char name[32];
	struct {
		struct sunpath_bind_options known;
		unsigned char later[8];
	} options;

	snprintf(name, sizeof(name), "sunpath-errnos-%d", (int)getpid());
	CHECK(sunpath_addr_from_abstract(name, strlen(name), &addr, &len, &error) == 0);
	FAILS(sunpath_connect_addr(SOCK_STREAM, &addr, len, NULL, &error), ECONNREFUSED);
	CHECK(sunpath_bind_addr(SOCK_STREAM, &addr, len, NULL, &server, &error) == 0);
	FAILS(sunpath_bind_addr(SOCK_STREAM, &addr, len, NULL, &second, &error), EADDRINUSE);
	CHECK(sunpath_server_close(server, NULL) == 0);
	CHECK(sunpath_addr_unnamed(&other, &other_len) == 0);
	FAILS(sunpath_bind_addr(SOCK_STREAM, &other, other_len, NULL, &second, &error), EINVAL);
	FAILS(sunpath_connect_addr(SOCK_STREAM, &other, other_len, NULL, &error), EINVAL);
	addr.sun_family = AF_INET;
	FAILS(sunpath_bind_addr(SOCK_STREAM, &addr, len, NULL, &second, &error), EAFNOSUPPORT);
	FAILS(sunpath_connect_addr(SOCK_STREAM, &addr, len, NULL, &error), EAFNOSUPPORT);

	FAILS(sunpath_bind(SOCK_STREAM, "", NULL, &second, &error), ENOENT);
	FAILS(sunpath_bind(SOCK_STREAM, "none/s", NULL, &second, &error), ENOENT);
	FAILS(sunpath_bind(SOCK_STREAM, "file/s", NULL, &second, &error), ENOTDIR);
	CHECK(symlink("loop", "loop") == 0);
	FAILS(sunpath_bind(SOCK_STREAM, "loop/s", NULL, &second, &error), ELOOP);
	FAILS(sunpath_probe("loop", &error), ELOOP);
	CHECK(unlink("loop") == 0);
	{
		char longest[300];

		memset(longest, 'n', sizeof(longest));
		longest[256] = '\0';
		FAILS(sunpath_bind(SOCK_STREAM, longest, NULL, &second, &error), ENAMETOOLONG);
		FAILS(sunpath_connect(SOCK_STREAM, longest, NULL, &error), ENAMETOOLONG);
		longest[200] = '\0';
		FAILS(sunpath_bind(SOCK_DGRAM, longest, NULL, &second, &error), ENAMETOOLONG);
	}

	CHECK(sunpath_bind(SOCK_STREAM, "s", NULL, &server, &error) == 0);
	memset(&options, 0, sizeof(options));
	options.known.size = sizeof(options);
	options.later[7] = 1;
	FAILS(sunpath_server_from_fd(sunpath_server_fd(server), "s", &options.known, &second, &error), E2BIG);
	FAILS(sunpath_server_from_fd(sunpath_server_fd(server), "none", NULL, &second, &error), ENOENT);
	FAILS(sunpath_server_from_fd(sunpath_server_fd(server), "file", NULL, &second, &error), EADDRINUSE);
	{
		sunpath_server *elsewhere = NULL;

		CHECK(sunpath_bind(SOCK_STREAM, "t", NULL, &elsewhere, &error) == 0);
		FAILS(sunpath_server_from_fd(sunpath_server_fd(server), "t", NULL, &second, &error), ESTALE);
		CHECK(sunpath_server_close(elsewhere, NULL) == 0);
	}
	CHECK(close(sunpath_server_fd(server)) == 0 && second == NULL);
	/* The path fits, so the server has its address without asking the socket. */
	CHECK(sunpath_server_addr(server, &other, &other_len, NULL) == 0);
	CHECK(sunpath_server_close(server, NULL) == 0 && access("s", F_OK) == -1);
}

int main(void)
{
	other_descriptors();
	sockets_in_the_wrong_state();
	servers_and_names();
	return 0;
}
