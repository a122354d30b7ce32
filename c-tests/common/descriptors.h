/* The descriptors of this process: how many are open, how many may be open, and an option that
 * makes one. descriptors.rs is the same for the Rust lanes. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <sys/socket.h>

#ifndef SO_PEERPIDFD /* Linux has it since 6.5, and the headers may be older. */
#define SO_PEERPIDFD 77
#endif

/* Returns how many descriptors are open. The function asks about each descriptor, because
 * /proc/self/fd would need one more descriptor, which a process at its limit does not get. Leaves
 * errno unchanged. */
int open_descriptors(void);

/* Returns whether the hard limit lets this process have 1024 descriptors, which is more than any
 * case opens: 1 or 0. */
int may_have_many(void);

/* Returns whether the kernel has the option SO_PEERPIDFD: 1 or 0. */
int has_peer_pidfd(void);

/* Sets the limit to 1024, or to the hard limit if that is lower. The program calls this function
 * before the first case, and after a part of a case that has changed the limit. */
void allow_usual(void);

/* Set the limit. allow sets it to count descriptors. allow_more sets it to count more than are
 * open, and prints that as a step of the line. */
void allow(int count);
void allow_more(int count);

#endif
