#include "file.h"
#include "line.h"
#include "notation.h"
#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 1. Print words. */

/* The length of the longest path that is printed. For a longer one only its length is printed. */
#define SHOWN 300

static const char fd_directory[] = "/proc/self/fd/";

int path_is_alias(const char *path)
{
	return strncmp(path, fd_directory, strlen(fd_directory)) == 0;
}

void path_print(const char *path, size_t size)
{
	size_t digits = strlen(fd_directory);
	unsigned char shown[SHOWN];

	if (size > SHOWN) {
		printf("<%zu bytes>", size);
		return;
	}
	memcpy(shown, path, size);
	if (size > digits && path_is_alias(path)) {
		size_t rest = digits + strspn(path + digits, "0123456789");

		shown[digits] = 'N';
		memcpy(shown + digits + 1, path + rest, size - rest);
		size -= rest - digits - 1;
	}
	bytes_print(shown, size);
}

struct alias alias_of(int fd, const char *name)
{
	struct alias alias;

	snprintf(alias.path, sizeof alias.path, "%s%d%s%s", fd_directory, fd,
		 name == NULL ? "" : "/", name == NULL ? "" : name);
	return alias;
}

static void file_step(const char *call, const char *path)
{
	step("%s(", call);
	path_print(path, strlen(path));
	putchar(')');
}

static void two_files_step(const char *call, const char *path, const char *other)
{
	step("%s(", call);
	path_print(path, strlen(path));
	printf(", ");
	path_print(other, strlen(other));
	putchar(')');
}

/* 2. Make calls, and print them. */

void try_create(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	file_step("creat", path);
	outcome(fd);
	close(fd);
}

void try_mkdir(const char *path)
{
	int made = mkdir(path, 0755);

	file_step("mkdir", path);
	outcome(made);
}

void try_mkfifo(const char *path)
{
	int made = mkfifo(path, 0644);

	file_step("mkfifo", path);
	outcome(made);
}

void try_mknod(const char *path)
{
	int made = mknod(path, S_IFSOCK | 0755, 0);

	step("mknod(");
	path_print(path, strlen(path));
	printf(", S_IFSOCK)");
	outcome(made);
}

void try_symlink(const char *target, const char *path)
{
	int made = symlink(target, path);

	two_files_step("symlink", target, path);
	outcome(made);
}

void try_link(const char *path, const char *new)
{
	int linked = link(path, new);

	two_files_step("link", path, new);
	outcome(linked);
}

void try_rename(const char *path, const char *new)
{
	int renamed = rename(path, new);

	two_files_step("rename", path, new);
	outcome(renamed);
}

int rename_noreplace(const char *path, const char *new)
{
	long renamed = syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, new, RENAME_NOREPLACE);

	return (int)renamed;
}

void try_rename_noreplace(const char *path, const char *new)
{
	int renamed = rename_noreplace(path, new);

	two_files_step("renameat2", path, new);
	outcome(renamed);
}

void try_truncate(const char *path)
{
	int cut = truncate(path, 0);

	file_step("truncate", path);
	outcome(cut);
}

void try_touch(const char *path)
{
	int touched = utimensat(AT_FDCWD, path, NULL, 0);

	file_step("utimensat", path);
	outcome(touched);
}

void try_unlink(const char *path)
{
	int removed = unlink(path);

	file_step("unlink", path);
	outcome(removed);
}

int try_open(const char *path, int flags, const char *words)
{
	int fd = open(path, flags | O_CLOEXEC);

	step("open(");
	path_print(path, strlen(path));
	printf(", %s)", words);
	outcome(fd);
	return fd;
}

static const char *kind_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFIFO:
		return "FIFO";
	case S_IFLNK:
		return "symbolic link";
	default:
		return "something else";
	}
}

void ask_kind(const char *path)
{
	struct stat status;
	int asked = lstat(path, &status);

	file_step("lstat", path);
	if (asked < 0)
		outcome(asked);
	else
		printf(" = %s", kind_name(status.st_mode));
}

static int is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void ask_names(void)
{
	struct dirent **entries;
	int count = scandir(".", &entries, is_name, alphasort);

	if (count < 0)
		die("scandir");
	step(count > 0 ? "names:" : "no names");
	for (int i = 0; i < count; i++) {
		putchar(' ');
		path_print(entries[i]->d_name, strlen(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}
