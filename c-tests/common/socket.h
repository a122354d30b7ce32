/* The calls that a case makes on sockets. Each call is a step of the line, with its result.
 *
 *   bind(s, "x") = ok; connect(c, "y") = ENOENT; getpeername(c) = 4, "x\0"
 *
 * For a path that does not fit into sun_path no call is made, and the result is ENAMETOOLONG.
 * socket_raw.rs and socket_safe.rs do the same for the Rust lanes. */
#ifndef SOCKET_H
#define SOCKET_H

#include <stddef.h>
#include <sys/socket.h>

/* A socket, and the letter by which the line names it. */
struct sock {
	char name;
	int fd;
};

/* Makes a socket that is nonblocking and close-on-exec. */
struct sock new_socket(char name, int type);
void new_pair(struct sock *ret_p, struct sock *ret_q);

/* Closes each socket, and prints no step. */
#define CLOSE(...) \
	close_sockets((const struct sock[]){ __VA_ARGS__ }, \
		      sizeof((const struct sock[]){ __VA_ARGS__ }) / sizeof(struct sock))
void close_sockets(const struct sock *sockets, size_t count);

/* Make the calls and print no step. Each returns 0 or a descriptor, or -1 with errno. */
int make_socket(int type);
int make_bind(int fd, const char *path, size_t size);
int make_connect(int fd, const char *path, size_t size);

void try_bind(struct sock s, const char *path);
void try_connect(struct sock c, const char *path);
void try_listen(struct sock s);
struct sock try_accept(struct sock s, char name);
void try_close(struct sock s);
void try_send(struct sock c);
void try_recv(struct sock a);

/* Binds to a path of this many bytes. The bytes after it do not matter. */
void try_bind_bytes(struct sock s, const char *path, size_t size);

/* Binds to an address that is made by strncpy(3). strncpy is a trap: it truncates a path that is
 * too long, and leaves no NUL after the path. */
void try_bind_cut(struct sock s, const char *path);

void ask_sockname(struct sock s);
void ask_peername(struct sock c);
void ask_poll(struct sock s);

/* bound makes a bound socket, listening makes a stream socket that also listens, and leave_stale
 * leaves the file of a closed socket. */
struct sock bound(char name, int type, const char *path);
struct sock listening(char name, const char *path);
void leave_stale(int type, const char *path);

#endif
