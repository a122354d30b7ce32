/* Lists what the macros of cmsg(3) see in a control buffer. */
#ifndef ITERATE_H
#define ITERATE_H

#include <stddef.h>

/* A control message, and the part of its data that is in the buffer. */
struct seen {
	int level;
	int type;
	size_t offset;
	size_t size;
	int whole; /* whether all of it is */
};

/* Iterates over the buffer, which is aligned as a struct cmsghdr has to be. Returns how many
 * messages it saw, which is not more than most. */
size_t control_iterate(char *bytes, size_t len, struct seen *ret_seen, size_t most);

#endif
