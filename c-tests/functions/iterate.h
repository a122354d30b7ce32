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
	int whole; /* Whether all of the data is in the buffer. */
};

/* Iterates over the buffer, which must be aligned as a struct cmsghdr. Returns how many messages it
 * saw, at most `most`. */
size_t control_iterate(char *bytes, size_t len, struct seen *ret_seen, size_t most);

#endif
