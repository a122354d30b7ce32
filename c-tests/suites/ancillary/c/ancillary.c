/* Runs the cases of control data in C: descriptors, credentials, pidfds, the length of the queue.
 * It prints a line for each case. The current directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && ancillary < .../cases.txt            every case of ../cases.txt
 *   mkdir fresh && cd fresh && ancillary I01.one P05 < /dev/null    these cases of ../cases.def
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath, file by file. */
#include "ancillary.h"

#include "calls.h"
#include "cases.h"

#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

/* 1. Make sockets with a path. */

static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = PATH };

static int new_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

int bound(int type)
{
	int fd = new_socket(type);

	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		die("bind");
	return fd;
}

int listening(int type)
{
	int fd = bound(type);

	if (listen(fd, 8) < 0)
		die("listen");
	return fd;
}

int connected(int type)
{
	int fd = new_socket(type);

	if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		die("connect");
	return fd;
}

int accepted(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		die("accept4");
	return fd;
}

/* 2. Run the cases: each prints one line, or "not run: ..." if this system does not allow it. */

void as_nobody(void (*run)(void))
{
	pid_t child = process_fork();

	if (child == 0) {
		process_drop();
		run_counted(run);
		process_end(0);
	}
	process_join(child);
}

static const struct test_case cases[] = {
#define CASE(id, name, needs, file, title) CASE_ENTRY(id, name, needs, file)
#include "../cases.def"
#undef CASE
};

int main(int argc, char **argv)
{
	if (argc > 1)
		return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
	return run_lines(run_calls);
}
