/* Cases of paths that do not fit into sun_path: the kernel gets a short path that leads to the same
 * file. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Make long paths: a directory whose path below the working directory has a given length, and a
 *    file in it. */

#define DEEP 254 /* With "/s.sock" the path has 261 bytes. */

struct path {
	char bytes[2 * PATH_MAX];
};

/* Opens a directory below the open directory `dir`, and closes `dir`. If `make` is set, makes the
 * directory first. */
static int next_directory(int dir, const char *name, int make)
{
	int next;

	if (make && mkdirat(dir, name, 0755) < 0)
		die("mkdirat");
	next = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (next < 0)
		die("openat");
	close(dir);
	return next;
}

/* Opens the directory at the end of a path. Each call takes one component, because no call takes
 * all of a long path. */
static int descend(struct path path, int make)
{
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		die("open");
	for (char *name = strtok(path.bytes, "/"); name != NULL; name = strtok(NULL, "/"))
		dir = next_directory(dir, name, make);
	return dir;
}

static struct path made_directory(size_t size)
{
	struct path dir;

	for (size_t i = 0; i < size; i++)
		dir.bytes[i] = i % 128 == 127 ? '/' : 'd';
	dir.bytes[size] = '\0';
	close(descend(dir, 1));
	return dir;
}

static struct path below(struct path path, const char *name)
{
	size_t size = strlen(path.bytes);

	path.bytes[size] = '/';
	memcpy(path.bytes + size + 1, name, strlen(name) + 1);
	return path;
}

static struct path name_of(size_t size)
{
	struct path name;

	memset(name.bytes, 'n', size);
	name.bytes[size] = '\0';
	return name;
}

/* 2. Bind and connect below an open directory. */

static int bind_below(struct sock s, struct path dir)
{
	struct path path = below(dir, "s.sock");
	int fd;

	try_bind(s, path.bytes);
	fd = TRY_OPEN(dir.bytes, O_PATH | O_DIRECTORY);
	try_bind(s, alias_of(fd, "s.sock").path);
	ask_kind(path.bytes);
	try_listen(s);
	return fd;
}

void paths_bind(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	int dir = bind_below(s, made_directory(DEEP));

	ask_sockname(s);
	close(dir);
	CLOSE(s);
}

void paths_directory(void)
{
	struct sock s = new_socket('s', SOCK_STREAM), c = new_socket('c', SOCK_STREAM);
	struct path dir = made_directory(DEEP);
	int fd = bind_below(s, dir);

	try_connect(c, below(dir, "s.sock").bytes);
	try_connect(c, alias_of(fd, "s.sock").path);
	ask_peername(c);
	close(fd);
	CLOSE(s, c);
}

/* 3. Connect through the open socket file. */

static void reach(struct path path, int flags, const char *words)
{
	struct sock c = new_socket('c', SOCK_STREAM);
	int file = try_open(path.bytes, flags, words);

	try_connect(c, alias_of(file, NULL).path);
	ask_peername(c);
	close(file);
	CLOSE(c);
}

static void reach_inode(int flags, const char *words)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	struct path dir = made_directory(DEEP);

	close(bind_below(s, dir));
	reach(below(dir, "s.sock"), flags, words);
	CLOSE(s);
}

void paths_inode(void)
{
	reach_inode(O_PATH, "O_PATH");
}

void paths_nofollow(void)
{
	reach_inode(O_PATH | O_NOFOLLOW, "O_PATH | O_NOFOLLOW");
}

void paths_itself(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);

	try_bind(s, alias_of(s.fd, NULL).path);
	ask_sockname(s);
	CLOSE(s);
}

/* 4. Give a thread its own working directory. */

struct task {
	struct sock s;
	int dir;
};

static void *bind_in_directory(void *argument)
{
	const struct task *task = argument;
	int done = unshare(CLONE_FS);

	part("thread");
	step("unshare(CLONE_FS)");
	outcome(done);
	done = fchdir(task->dir);
	step("fchdir(N)");
	outcome(done);
	try_bind(task->s, "s.sock");
	return NULL;
}

void paths_thread(void)
{
	struct path dir = made_directory(DEEP);
	struct task task = { new_socket('s', SOCK_STREAM), 0 };
	pthread_t thread;

	task.dir = TRY_OPEN(dir.bytes, O_PATH | O_DIRECTORY);
	errno = pthread_create(&thread, NULL, bind_in_directory, &task);
	if (errno != 0)
		die("pthread_create");
	pthread_join(thread, NULL);
	part("main");
	ask_sockname(task.s);
	ask_kind(below(dir, "s.sock").bytes);
	ask_kind("s.sock");
	close(task.dir);
	CLOSE(task.s);
}

/* 5. Fall into the trap: a path that is too long is truncated without an error. */

void paths_cut(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);

	try_bind_cut(s, name_of(200).bytes);
	ask_names();
	CLOSE(s);
}

void paths_cut_alike(void)
{
	struct sock s = new_socket('s', SOCK_STREAM), t = new_socket('t', SOCK_STREAM);
	struct path one = name_of(200), two = one;

	one.bytes[199] = '1';
	two.bytes[199] = '2';
	try_bind_cut(s, one.bytes);
	try_bind_cut(t, two.bytes);
	ask_names();
	CLOSE(s, t);
}

/* 6. Use a path of 4000 bytes, and find the true path of its directory. */

static void ask_true_path(int dir)
{
	char path[PATH_MAX], cwd[PATH_MAX];
	ssize_t size = readlink(alias_of(dir, NULL).path, path, sizeof path);
	size_t prefix;

	if (size < 0 || getcwd(cwd, sizeof cwd) == NULL)
		die("readlink");
	prefix = strlen(cwd);
	step("readlink(\"/proc/self/fd/N\") = ");
	if ((size_t)size < prefix || memcmp(path, cwd, prefix) != 0) {
		printf("elsewhere");
		return;
	}
	printf("getcwd() + ");
	path_print(path + prefix, (size_t)size - prefix);
}

void paths_long(void)
{
	struct sock s = new_socket('s', SOCK_STREAM), c = new_socket('c', SOCK_STREAM);
	struct path dir = made_directory(3993);
	int fd = bind_below(s, dir);

	try_connect(c, alias_of(fd, "s.sock").path);
	ask_peername(c);
	ask_true_path(fd);
	close(fd);
	CLOSE(s, c);
}

void paths_over_path_max(void)
{
	struct sock s = new_socket('s', SOCK_STREAM), c = new_socket('c', SOCK_STREAM);
	struct path dir = made_directory(4993), path = below(dir, "s.sock");
	struct alias alias;
	int fd;

	try_bind(s, path.bytes);
	TRY_OPEN(dir.bytes, O_PATH | O_DIRECTORY);
	fd = descend(dir, 0);
	step("openat, in pieces = ok");
	alias = alias_of(fd, "s.sock");
	try_bind(s, alias.path);
	ask_kind(alias.path);
	try_listen(s);
	try_connect(c, alias.path);
	close(fd);
	CLOSE(s, c);
}

/* 7. Use long names: the socket is bound under a short name, its file is renamed, and clients
 *    connect through the open file. */

static void bind_and_rename(struct path name)
{
	struct sock s = new_socket('s', SOCK_STREAM);

	try_bind(s, name.bytes);
	try_bind(s, "tmp");
	try_listen(s);
	try_rename_noreplace("tmp", name.bytes);
	reach(name, O_PATH, "O_PATH");
	ask_names();
	CLOSE(s);
}

void paths_name(void)
{
	bind_and_rename(name_of(200));
}

void paths_deep_name(void)
{
	struct path dir = made_directory(DEEP), name = below(dir, name_of(200).bytes);
	struct sock s = new_socket('s', SOCK_STREAM);
	struct alias tmp;
	int fd;

	try_bind(s, name.bytes);
	fd = TRY_OPEN(dir.bytes, O_PATH | O_DIRECTORY);
	tmp = alias_of(fd, "tmp");
	try_bind(s, tmp.path);
	try_listen(s);
	try_rename_noreplace(tmp.path, name.bytes);
	ask_kind(name.bytes);
	reach(name, O_PATH, "O_PATH");
	close(fd);
	CLOSE(s);
}

void paths_taken(void)
{
	struct sock s = new_socket('s', SOCK_STREAM);
	struct path name = name_of(200);

	try_create(name.bytes);
	try_bind(s, "tmp");
	try_rename_noreplace("tmp", name.bytes);
	try_unlink("tmp");
	ask_kind(name.bytes);
	ask_names();
	CLOSE(s);
}

/* 8. Bind to the first bytes of a longer text, which have no NUL after them. */

void paths_unterminated(void)
{
	static const char text[] = { 'a', 'b', 'c', 'd', 'e', 'f' };
	struct sock s = new_socket('s', SOCK_STREAM);

	try_bind_bytes(s, text, 4);
	ask_sockname(s);
	ask_names();
	CLOSE(s);
}

void paths_unterminated_long(void)
{
	char text[300];
	struct path name = { "" };

	memset(text, 'n', sizeof text);
	memcpy(name.bytes, text, 200);
	bind_and_rename(name);
}
