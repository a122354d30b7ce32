/* Declarations that the files of this program share. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "descriptors.h"

#include <sys/socket.h>
#include <sys/types.h>

/* The path of every listener of a case, in the current directory. */
#define PATH "s"

/* Each function ends the program on failure. The type is SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
 * */
int new_socket(int type);
void new_pair(int type, int ret_pair[2]);
int bound(int type);
void start_listening(int fd, int backlog);
int listening(int type, int backlog);
int connected(int type);
int accepted(int listener);
void tell_byte(int fd);
void close_both(int a, int b);

/* Connects this socket to the listener of the case. Returns 0, or -1 with errno. */
int try_connect(int fd);

/* Each function makes a call, and prints it and its answer, with the name that the socket has in
 * the case. */
void ask_cred(const char *name, int fd);
void ask_byte(const char *name, int fd);

#define CASE(id, name, needs, file, title) void file##_##name(void);
#include "../cases.def"
#undef CASE

#endif
