/* Cases of the mode of a socket file: the mode that the umask leaves, the mode that fchmod(2) sets,
 * and a mode that is exactly the requested one. */
#include "socket_files.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const mode_t usual = 022;

static void try_umask(mode_t mask)
{
	umask(mask);
	step("umask(%04o)", (unsigned)mask);
}

static void try_fchmod(struct sock s, mode_t mode)
{
	int changed = fchmod(s.fd, mode);

	step("fchmod(%c, %04o)", s.name, (unsigned)mode);
	outcome(changed);
}

/* 1. Set the mode by the umask and by fchmod(2). */

void mode_umask(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0177, 0777 };

	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct sock s;

		try_umask(masks[i]);
		s = bound('s', SOCK_STREAM, "x");
		ask_mode("x");
		CLOSE(s);
		unlink("x");
	}
	umask(usual);
}

void mode_before(void)
{
	static const mode_t modes[] = { 0600, 0666 };

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		struct sock s = new_socket('s', SOCK_STREAM);

		try_fchmod(s, modes[i]);
		try_bind(s, "x");
		ask_mode("x");
		CLOSE(s);
		unlink("x");
	}
}

void mode_after(void)
{
	struct sock s = bound('s', SOCK_STREAM, "x");

	try_fchmod(s, 0600);
	ask_mode("x");
	CLOSE(s);
}

/* 2. Give a thread its own umask. */

static void *bind_alone(void *ret_unshared)
{
	int unshared = unshare(CLONE_FS) == 0;
	struct sock a = new_socket('a', SOCK_STREAM);

	*(int *)ret_unshared = unshared;
	if (unshared) {
		umask(0777);
		if (make_bind(a.fd, "x", 1) < 0)
			die("bind");
	}
	CLOSE(a);
	return NULL;
}

void mode_thread(void)
{
	pthread_t thread;
	int unshared;
	struct sock b;

	if (pthread_create(&thread, NULL, bind_alone, &unshared) != 0)
		die("pthread_create");
	pthread_join(thread, NULL);
	if (!unshared) {
		printf("not run: needs unshare(2)");
		return;
	}
	step("thread: unshare(CLONE_FS), umask(0777), bind(a, \"x\")");
	ask_mode("x");
	b = bound('b', SOCK_STREAM, "y");
	ask_mode("y");
	CLOSE(b);
}

/* 3. Set exactly the requested mode. It is never wider, because the socket gets the mode before
 *    bind. It is not narrower, because chmod(2) by a descriptor of the file restores the bits that
 *    the umask removed. */

static int make_bind_with(int fd, const char *path, mode_t mode)
{
	char alias[64];
	int file, changed;

	if (fchmod(fd, mode) < 0 || make_bind(fd, path, strlen(path)) < 0)
		return -1;
	file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return -1;
	snprintf(alias, sizeof alias, "/proc/self/fd/%d", file);
	changed = chmod(alias, mode);
	close(file);
	return changed;
}

void mode_exact(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct sock s = new_socket('s', SOCK_STREAM);
		int bound;

		try_umask(masks[i]);
		bound = make_bind_with(s.fd, "x", 0660);
		step("bind_with_mode(s, \"x\", 0660)");
		outcome(bound);
		ask_mode("x");
		CLOSE(s);
		unlink("x");
	}
	umask(usual);
}

struct binder {
	const char *path;
	mode_t mode;
	int exact;
};

enum { TIMES = 100 };

static atomic_int running;

static void *bind_again_and_again(void *argument)
{
	struct binder *binder = argument;

	for (int i = 0; i < TIMES; i++) {
		struct sock s = new_socket('s', SOCK_STREAM);
		struct stat status;

		if (make_bind_with(s.fd, binder->path, binder->mode) < 0 ||
		    lstat(binder->path, &status) < 0)
			die(binder->path);
		binder->exact += (status.st_mode & 07777) == binder->mode;
		unlink(binder->path);
		CLOSE(s);
	}
	running--;
	return NULL;
}

void mode_threads(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct binder binders[] = { { "x", 0600, 0 }, { "y", 0666, 0 } };
	pthread_t threads[2];

	running = 2;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, bind_again_and_again, &binders[i]) != 0)
			die("pthread_create");
	for (size_t i = 0; running > 0; i++)
		umask(masks[i % 4]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	umask(usual);
	for (int i = 0; i < 2; i++)
		step("mode(\"%s\") = %04o, %d times of %d", binders[i].path, (unsigned)binders[i].mode,
		     binders[i].exact, TIMES);
}
