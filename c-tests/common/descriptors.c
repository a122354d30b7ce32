#include "descriptors.h"
#include "line.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A limit that is more than the descriptors that any case opens, and small enough to ask about each
 * descriptor. */
#define LIMIT 1024

static struct rlimit get_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	return limit;
}

void allow(int count)
{
	struct rlimit limit = get_limit();

	limit.rlim_cur = (rlim_t)count;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

int may_have_many(void)
{
	return get_limit().rlim_max >= LIMIT;
}

int has_peer_pidfd(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), pidfd, lacks;
	socklen_t len = sizeof pidfd;

	if (s < 0)
		die("socket");
	/* The socket has no peer, so no descriptor is made. */
	lacks = getsockopt(s, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) < 0 && errno == ENOPROTOOPT;
	close(s);
	return !lacks;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

int open_descriptors(void)
{
	int count = 0, saved = errno;

	for (int fd = 0; fd < LIMIT; fd++)
		count += is_open(fd);
	errno = saved;
	return count;
}

void allow_more(int count)
{
	int fd = 0;

	step("RLIMIT_NOFILE for %d more", count);
	for (; is_open(fd) || count > 0; fd++)
		count -= !is_open(fd);
	allow(fd);
}

void allow_usual(void)
{
	allow(may_have_many() ? LIMIT : (int)get_limit().rlim_max);
}
