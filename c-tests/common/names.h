/* Finds the constants of <sys/socket.h> and <poll.h> by the names that the tables use, mostly
 * without the prefix. An unknown name ends the program. */
#ifndef NAMES_H
#define NAMES_H

struct option {
	const char *name;
	int level;
	int number;
};

/* Returns SOCK_STREAM for "stream", and the value of an integer such as "77". */
int type_of(const char *name);

/* Returns "SOCK_STREAM" for SOCK_STREAM, or NULL for an unknown type. */
const char *type_name(int type);

/* Returns MSG_PEEK | MSG_TRUNC for "PEEK|TRUNC". */
int flags_of(const char *names);

/* Prints each flag that recvmsg has set, ", TRUNC" for MSG_TRUNC. */
void flags_print(int flags);

/* Prints the names of the events, as "IN|OUT", or "none". */
void events_print(short events);

/* Returns SHUT_RD for "RD". */
int how_of(const char *name);

const struct option *option_of(const char *name);

#endif
