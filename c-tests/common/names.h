/* The constants of <sys/socket.h> and <poll.h> by their names, without the prefix if the table has
 * none. An unknown name ends the program. */
#ifndef NAMES_H
#define NAMES_H

struct option {
	const char *name;
	int level;
	int number;
};

/* "stream" to SOCK_STREAM; a number is that number. */
int type_of(const char *name);

/* "SOCK_STREAM" for SOCK_STREAM, NULL if it is not known. */
const char *type_name(int type);

/* "PEEK|TRUNC" to MSG_PEEK | MSG_TRUNC. */
int flags_of(const char *names);

/* ", TRUNC" for each flag that recvmsg can set. */
void flags_print(int flags);

/* "IN|OUT", or "none". */
void events_print(short events);

/* "RD" to SHUT_RD. */
int how_of(const char *name);

const struct option *option_of(const char *name);

#endif
