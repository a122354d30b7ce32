/* The line of a case in strace's notation, a step behind the other:
 *
 *   bind(s, "s") = ok; connect(c, "s") = EPROTOTYPE; child: send(c, "x") = 1
 *
 * line.rs is the same for the Rust lanes. */
#ifndef LINE_H
#define LINE_H

#include <sys/types.h>

void begin_line(void);

/* A step, behind "; " where it is not the first. */
void step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Who or what the next steps are about: "child: ". */
void part(const char *name);

/* What a call returned that gives a count, or -1 with errno: " = 3", " = EAGAIN". */
void result(ssize_t count);

/* And one that gives 0, or -1 with errno: " = ok", " = EACCES". */
void outcome(int returned);

#endif
