/* Opens directories, probes, takes sockets that a service manager passed, and explains errors. */
#include "check.h"

static uint64_t error;

static void directories(void)
{
	struct stat status;
	char text[160];
	int fd;

	umask(0);
	fd = sunpath_private_dir("private", &error);
	if (fd == -1) {
		/* The call fails if the directory above belongs to another user, or if other users
		 * can write to it. */
		sunpath_explain(error, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		exit(1);
	}
	CHECK(is_cloexec(fd) && fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0700);
	CHECK(close(fd) == 0);
	fd = sunpath_public_dir("public", NULL);
	CHECK(fd != -1 && fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0755);
	CHECK(close(fd) == 0);
	FAILS(sunpath_private_dir("public", &error), EPERM);
	snprintf(text, sizeof(text),
		 "the directory named by the first 6 bytes of the path has the wrong mode 0755 and belongs to "
		 "user %lu",
		 (unsigned long)geteuid());
	CHECK(explained(error, text) && sunpath_error_errno(error) == EPERM);
	CHECK(symlink("private", "link") == 0);
	FAILS(sunpath_private_dir("link", &error), ELOOP);
	CHECK(explained(error, "the directory named by the first 4 bytes of the path is a symbolic link"));
	FAILS(sunpath_private_dir("none/below", &error), ENOENT);
	CHECK(explained(error, "openat: ENOENT (no such file or directory): the directory named by the first "
			       "4 bytes of the path"));
	FAILS(sunpath_private_dir("", &error), ENOENT);
	CHECK(explained(error, "openat: ENOENT (path is empty)"));
	FAILS(sunpath_private_dir(NULL, &error), EINVAL);
	FAILS(sunpath_public_dir(NULL, &error), EINVAL);
	FAILS(sunpath_open_dir(NULL, &error), EINVAL);
	FAILS(sunpath_open_dir("none", &error), ENOENT);
	FAILS(sunpath_probe(NULL, &error), EINVAL);
	FAILS(sunpath_probe("", &error), ENOENT);
}

/* Runs body in a child process, because a process can take passed descriptors only once. */
static void in_a_child(void (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		body();
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void variables(const char *fds, int own)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%ld", own ? (long)getpid() : 1L);
	CHECK(setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", fds, 1) == 0);
	CHECK(setenv("LISTEN_FDNAMES", "control:log", 1) == 0);
	CHECK(unsetenv("LISTEN_PIDFDID") == 0);
}

static void passed(void)
{
	int ends[2], listener, i;
	char name[16];

	for (i = 3; i < 20; i++)
		close(i);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && ends[0] == 3 && ends[1] == 4);
	CHECK(close(3) == 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(listener == 3 && sunpath_bind_to_at(listener, AT_FDCWD, "passed", NULL) == 0);
	CHECK(listen(listener, 1) == 0);
	variables("2", 1);
	CHECK(sunpath_take_passed(&error) == 2);
	CHECK(is_cloexec(3) && is_cloexec(4));
	CHECK(sunpath_passed_name(3, name, sizeof(name)) == 7 && strcmp(name, "control") == 0);
	CHECK(sunpath_passed_name(4, name, sizeof(name)) == 3 && strcmp(name, "log") == 0);
	CHECK(sunpath_passed_name(5, name, sizeof(name)) == 0 && name[0] == '\0');
	CHECK(sunpath_passed_name(3, name, 3) == 7 && strcmp(name, "co") == 0);
	FAILS(sunpath_passed_name(2, name, sizeof(name)), EBADF);
	CHECK(sunpath_check_socket(3, SOCK_STREAM, 1, NULL) == 0);
	CHECK(sunpath_check_socket(3, SOCK_STREAM, -1, NULL) == 0);
	FAILS(sunpath_check_socket(3, SOCK_STREAM, 0, &error), EINVAL);
	CHECK(explained(error, "getsockopt: EINVAL (the socket listens)"));
	CHECK(sunpath_check_socket(4, SOCK_STREAM, 0, NULL) == 0);
	FAILS(sunpath_check_socket(4, SOCK_STREAM, 1, &error), EINVAL);
	FAILS(sunpath_check_socket(4, SOCK_DGRAM, 0, &error), EPROTOTYPE);
	CHECK(explained(error, "getsockopt: EPROTOTYPE (the socket is of another type)"));
	FAILS(sunpath_check_socket(4, 99, 0, &error), EINVAL);
	FAILS(sunpath_take_passed(&error), EALREADY);
	CHECK(explained(error, "the descriptors of LISTEN_FDS were taken over before"));
}

static void not_passed(void)
{
	char text[80];

	CHECK(unsetenv("LISTEN_FDS") == 0);
	CHECK(sunpath_take_passed(&error) == 0);
	CHECK(explained(error, "LISTEN_FDS is not set"));
	CHECK(sunpath_take_passed(NULL) == 0);
	variables("2", 0);
	CHECK(sunpath_take_passed(&error) == 0);
	snprintf(text, sizeof(text), "LISTEN_PID is 1, but this process is %ld", (long)getpid());
	CHECK(explained(error, text));
	CHECK(sunpath_error_errno(error) == 0);
	variables("two", 1);
	FAILS(sunpath_take_passed(&error), EINVAL);
	CHECK(explained(error, "LISTEN_FDS is not a number in range"));
	close(3);
	variables("1", 1);
	FAILS(sunpath_take_passed(&error), EBADF);
	CHECK(explained(error, "descriptor 3 of LISTEN_FDS: fcntl: EBADF (bad file descriptor)"));
	CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3);
	FAILS(sunpath_take_passed(&error), EBUSY);
	CHECK(explained(error, "descriptor 3 of LISTEN_FDS: fcntl: EBUSY (the descriptor is close-on-exec, so "
			       "it was not inherited)"));
}

static void errors(void)
{
	char buf[16];
	uint64_t number;
	unsigned int i;

	CHECK(sunpath_explain(0, buf, sizeof(buf)) == 8 && strcmp(buf, "no error") == 0);
	CHECK(sunpath_error_errno(0) == 0 && sunpath_error_is_running(0) == 0);
	CHECK(sunpath_explain(~(uint64_t)0, NULL, 0) == 42);
	FAILS(sunpath_explain(0, NULL, 1), EINVAL);
	/* Any integer can be explained, even an integer that is not an error of the library. */
	number = 88172645463325252u;
	for (i = 0; i < 100000; i++) {
		number ^= number << 13;
		number ^= number >> 7;
		number ^= number << 17;
		CHECK(sunpath_explain(i % 2 ? number : number & 0xff00ffffu, buf, sizeof(buf)) > 0);
		CHECK(memchr(buf, '\0', sizeof(buf)) != NULL);
		sunpath_error_errno(number);
		sunpath_error_is_running(number);
	}
}

int main(void)
{
	directories();
	in_a_child(passed);
	in_a_child(not_passed);
	errors();
	return 0;
}
