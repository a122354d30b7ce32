/* How many descriptors this process has, and how many it may have. descriptors.rs is the same for
 * the Rust lanes. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* How many are open. Asked number by number: /proc/self/fd would need one more, which a process
 * that has as many as it may have does not get. Leaves errno alone. */
int open_descriptors(void);

/* Whether the hard limit lets this process have 1024, more than any case opens: 1 or 0. */
int may_have_many(void);

/* Lets this process have 1024, or as many as the hard limit allows, before the first case and whenever it had another. */
void allow_usual(void);

/* Lets it have so many; or so many more than now, which is a step of the line. */
void allow(int count);
void allow_more(int count);

#endif
