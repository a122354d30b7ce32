/* The calls that a case makes on files. Each call is a step of the line, with its result.
 *
 *   mkdir("x") = ok; link("x", "y") = EPERM; lstat("x") = directory; names: "x"
 *
 * file.rs does the same for the Rust lanes. */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

/* Prints a path in quotes. A path of more than 300 bytes is printed as "<4000 bytes>", and a
 * descriptor in a path as N, because it may change. */
void path_print(const char *path, size_t size);

/* The path "/proc/self/fd/N", which leads to the open file, with a slash and the name after it if
 * the name is not NULL. */
struct alias {
	char path[64];
};

struct alias alias_of(int fd, const char *name);
int path_is_alias(const char *path);

/* Renames a file, unless the new name exists, and prints nothing. The function calls renameat2(2)
 * by syscall(2), because not every C library has a function for it. */
int rename_noreplace(const char *path, const char *new);

void try_create(const char *path);
void try_mkdir(const char *path);
void try_mkfifo(const char *path);
void try_mknod(const char *path);
void try_symlink(const char *target, const char *path);
void try_link(const char *path, const char *new);
void try_rename(const char *path, const char *new);
void try_rename_noreplace(const char *path, const char *new);
void try_truncate(const char *path);
void try_touch(const char *path);
void try_unlink(const char *path);

/* Opens a file with O_CLOEXEC and these flags. Returns -1 on failure. */
#define TRY_OPEN(path, flags) try_open(path, flags, #flags)
int try_open(const char *path, int flags, const char *words);

/* ask_kind prints the type of a file, and ask_names prints the names in the working directory. */
void ask_kind(const char *path);
void ask_names(void);

#endif
