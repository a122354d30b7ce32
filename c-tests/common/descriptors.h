/* The descriptors of this process: how many are open, and how many may be. descriptors.rs is the
 * same for the Rust lanes. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* Returns how many are open. It asks about each number, because /proc/self/fd would need one more
 * descriptor, which a process at its limit does not get. Leaves errno unchanged. */
int open_descriptors(void);

/* Whether the hard limit lets this process have 1024, more than any case opens: 1 or 0. */
int may_have_many(void);

/* Raises the limit to 1024, or to what the hard limit allows, before the first case and after a
 * case that changed it. */
void allow_usual(void);

/* Sets the limit: to so many, or to so many more than are open, which is a step of the line. */
void allow(int count);
void allow_more(int count);

#endif
