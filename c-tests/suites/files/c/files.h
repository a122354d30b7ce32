/* Declarations that the files of this program share. */
#ifndef FILES_H
#define FILES_H

#include "file.h"
#include "line.h"
#include "process.h"
#include "socket.h"

#define CASE(id, name, needs, file, title) void file##_##name(void);
#include "../cases.def"
#undef CASE

#endif
