/* A listener and its file. This does in C what the library does in ../safe: the server asks whether
 * a process holds the path, is the only one of many that binds it, takes a path over, and removes
 * only its own file. */
#ifndef SERVER_H
#define SERVER_H

#include <sys/types.h>

enum liveness { UNKNOWN, ABSENT, DEAD, LIVE, NOT_SOCKET };

/* Returns whether a process holds the socket file at a path. If that cannot be found out, returns
 * UNKNOWN with errno. */
enum liveness probe(const char *path);

/* A listener, the file that it is bound to, and the directory that the file is in. */
struct server {
	int fd; /* or -1 */
	int dir;
	int lock; /* or -1 */
	char file[64];
	dev_t dev;
	ino_t ino;
	pid_t process;
};

/* Each function binds to a file in the working directory and listens. Returns 0, or -1 with errno;
 * then nothing stays open, and no file is left. */

/* Binds as plain C does, and fails if any file is at the path. */
int server_serve(struct server *s, const char *file);

/* Binds as one of many servers: a lock decides which one succeeds, and a dead socket is replaced. */
int server_replace(struct server *s, const char *file);

/* Binds in place of another server, without an instant in which nobody listens. */
int server_take_over(struct server *s, const char *file);

/* server_release closes the listener, and in the process that bound the file removes it, unless
 * another file has taken its name. server_forget closes the listener, and leaves the file. */
void server_release(struct server *s);
void server_forget(struct server *s);

/* The functions try_... do the same, and print a step of the line, with a letter for the server:
 * replace(a, "x") = EADDRINUSE. */
struct server try_serve(char name, const char *file);
struct server try_replace(char name, const char *file);
void try_release(char name, struct server *s);

#endif
