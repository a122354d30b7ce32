/* Declarations that the files of this program share. */
#ifndef SOCKET_FILES_H
#define SOCKET_FILES_H

#include "file.h"
#include "line.h"
#include "process.h"
#include "socket.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Listens, and prints the step: listen(s, 0) = ok */
void try_listen_for(struct sock s, int backlog);

/* Connects a new socket, closes it, and prints the step: connect(c, "x") = ok */
void ask_connect(char name, int type, const char *path);

/* Print the steps: chmod("x", 0600) = ok; mode("x") = 0600 */
void try_chmod(const char *path, mode_t mode);
void ask_mode(const char *path);

/* Runs a part of a case in a child process of another user. */
void as_another(void (*run)(void));

/* Enters a new network namespace. A child calls this function. If this system does not allow that,
 * it prints the reason in place of the case and returns 0. */
int leave_network(void);

#define CASE(id, name, needs, file, title) void file##_##name(void);
#include "../cases.def"
#undef CASE

#endif
