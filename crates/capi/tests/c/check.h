/* The checks of the test programs. A check that fails prints its line and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include "sunpath.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void check_failed(const char *file, int line, const char *text)
{
	fprintf(stderr, "%s:%d: %s (errno %d, %s)\n", file, line, text, errno, strerror(errno));
	exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* Checks that the call returns -1 with this errno. */
#define FAILS(call, number) (errno = 0, CHECK((call) == -1), CHECK(errno == (number)))

/* Returns whether sunpath_explain writes this text for an error. */
static inline int explained(uint64_t error, const char *text)
{
	char buf[256];
	int len = sunpath_explain(error, buf, sizeof(buf));

	if (len == (int)strlen(text) && strcmp(buf, text) == 0)
		return 1;
	fprintf(stderr, "explained: %s\n", buf);
	return 0;
}

static inline int is_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	CHECK(flags != -1);
	return (flags & FD_CLOEXEC) != 0;
}

static inline int is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	CHECK(flags != -1);
	return (flags & O_NONBLOCK) != 0;
}

/* Returns how many descriptors are open. */
static inline int open_descriptors(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}

static inline struct sunpath_bind_options bind_options(void)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;

	return options;
}

static inline struct sunpath_connect_options connect_options(void)
{
	struct sunpath_connect_options options = SUNPATH_CONNECT_OPTIONS_INIT;

	return options;
}

#endif
