/* Prints the line of a case in strace's notation, one step after the other:
 *
 *   bind(s, "s") = ok; connect(c, "s") = EPROTOTYPE; child: send(c, "x") = 1
 *
 * line.rs does the same for the Rust lanes. */
#ifndef LINE_H
#define LINE_H

#include <sys/types.h>

void begin_line(void);

/* Begins a step. A step after the first step begins with "; ". */
void step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the process or thing that the next steps are about, such as "child: ". */
void part(const char *name);

/* Prints the result of a call that returns a count, or -1 with errno: " = 3", " = EAGAIN". */
void result(ssize_t count);

/* Prints the result of a call that returns 0, or -1 with errno: " = ok", " = EACCES". */
void outcome(int returned);

#endif
