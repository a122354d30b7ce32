/* Declarations that the files of this program share. */
#ifndef ANCILLARY_H
#define ANCILLARY_H

#include "descriptors.h"
#include "message.h"
#include "process.h"

/* The path of a listener or a bound datagram socket of a case, in the current directory. */
#define PATH "s"

int bound(int type);
int listening(int type);
int connected(int type);
int accepted(int listener);

/* Runs a part of a case in a child process of another user. */
void as_nobody(void (*run)(void));

#define CASE(id, name, needs, file, title) void file##_##name(void);
#include "../cases.def"
#undef CASE

#endif
