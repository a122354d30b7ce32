#include "server.h"
#include "socket_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* 1. Ask whether a process holds the socket: as long as one holds a stream or seqpacket socket, a
 *    datagram socket that connects gets the error for the wrong type, and the server notices
 *    nothing. */

enum liveness probe(const char *path)
{
	struct sock d = new_socket('d', SOCK_DGRAM);
	int connected = make_connect(d.fd, path, strlen(path)), number = errno;
	struct stat status;

	CLOSE(d);
	errno = number;
	/* EPERM: a datagram socket is bound there, and connected to a third. */
	if (connected == 0 || number == EPROTOTYPE || number == EPERM)
		return LIVE;
	if (number == ENOENT)
		return ABSENT;
	if (number == ECONNREFUSED && stat(path, &status) == 0)
		return S_ISSOCK(status.st_mode) ? DEAD : NOT_SOCKET;
	return UNKNOWN;
}

/* Fails with EADDRINUSE if a file that is not a socket is at the path, for example a symbolic link.
 * */
static int refuse_what_is_no_socket(const char *file)
{
	struct stat status;

	if (lstat(file, &status) < 0)
		return errno == ENOENT ? 0 : -1;
	if (S_ISSOCK(status.st_mode))
		return 0;
	errno = EADDRINUSE;
	return -1;
}

/* Removes a dead socket file, and fails if the path is in use. Among the processes that want to
 * replace the file, only the one with the lock calls this. */
static int make_room(const char *file)
{
	if (refuse_what_is_no_socket(file) < 0)
		return -1;
	switch (probe(file)) {
	case ABSENT:
		return 0;
	case DEAD:
		return unlink(file);
	case UNKNOWN:
		return -1;
	default:
		errno = EADDRINUSE;
		return -1;
	}
}

/* 2. Take the lock, which is on a file beside the socket file. The holder of the lock removes the
 *    lock file. A process that opened the lock file just before then locks a file without a name,
 *    and that lock proves nothing. The kernel releases the lock when its holder dies. */

struct lock_name {
	char name[80];
};

static struct lock_name lock_name(const char *file)
{
	struct lock_name lock;

	snprintf(lock.name, sizeof lock.name, "%s.lock", file);
	return lock;
}

static int is_named(int fd, const char *name)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && lstat(name, &named) == 0 && held.st_dev == named.st_dev &&
	       held.st_ino == named.st_ino;
}

static int take_lock(const char *file)
{
	struct lock_name lock = lock_name(file);

	for (;;) {
		int fd = open(lock.name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			close(fd);
			errno = EADDRINUSE;
			return -1;
		}
		if (is_named(fd, lock.name))
			return fd;
		close(fd);
	}
}

static void drop_lock(const struct server *s)
{
	if (s->process == getpid())
		unlinkat(s->dir, lock_name(s->file).name, 0);
	close(s->lock);
}

/* 3. Make a server at a file's name. */

static void begin(struct server *s, const char *file)
{
	*s = (struct server){ .fd = new_socket('s', SOCK_STREAM).fd, .lock = -1, .process = getpid() };
	snprintf(s->file, sizeof s->file, "%s", file);
	s->dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		die("open");
}

static int end(struct server *s, int failed)
{
	int number = errno;

	if (failed)
		server_forget(s);
	errno = number;
	return failed;
}

static int bind_and_listen(struct server *s)
{
	struct stat status;

	if (make_bind(s->fd, s->file, strlen(s->file)) < 0)
		return -1;
	if (lstat(s->file, &status) < 0 || listen(s->fd, 8) < 0)
		die("listen");
	s->dev = status.st_dev;
	s->ino = status.st_ino;
	return 0;
}

int server_serve(struct server *s, const char *file)
{
	begin(s, file);
	return end(s, bind_and_listen(s));
}

int server_replace(struct server *s, const char *file)
{
	begin(s, file);
	s->lock = take_lock(file);
	if (s->lock < 0 || make_room(file) < 0)
		return end(s, -1);
	return end(s, bind_and_listen(s));
}

int server_take_over(struct server *s, const char *file)
{
	char aside[80];

	snprintf(aside, sizeof aside, ".%s.new", file);
	begin(s, aside);
	if (refuse_what_is_no_socket(file) < 0 || bind_and_listen(s) < 0)
		return end(s, -1);
	if (rename(aside, file) < 0) {
		unlink(aside);
		return end(s, -1);
	}
	snprintf(s->file, sizeof s->file, "%s", file);
	return 0;
}

/* 4. Remove the file, which is known by its device and inode. As long as the socket is open, no
 *    other file has the same. */

static int is_own(const struct server *s)
{
	struct stat status;

	return s->process == getpid() &&
	       fstatat(s->dir, s->file, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_dev == s->dev && status.st_ino == s->ino;
}

void server_release(struct server *s)
{
	if (is_own(s))
		unlinkat(s->dir, s->file, 0);
	server_forget(s);
}

void server_forget(struct server *s)
{
	if (s->lock >= 0)
		drop_lock(s);
	close(s->fd);
	close(s->dir);
	s->fd = -1;
}

/* 5. Print the steps of the line. */

struct server try_serve(char name, const char *file)
{
	struct server s;
	int served = server_serve(&s, file);

	step("serve(%c, \"%s\")", name, file);
	outcome(served);
	return s;
}

struct server try_replace(char name, const char *file)
{
	struct server s;
	int replaced = server_replace(&s, file);

	step("replace(%c, \"%s\")", name, file);
	outcome(replaced);
	return s;
}

void try_release(char name, struct server *s)
{
	server_release(s);
	step("release(%c)", name);
}
