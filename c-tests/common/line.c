#include "line.h"
#include "notation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static int steps;

void begin_line(void)
{
	steps = 0;
}

void step(const char *format, ...)
{
	va_list arguments;

	if (steps++ > 0)
		fputs("; ", stdout);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
}

void part(const char *name)
{
	step("%s: ", name);
	begin_line();
}

void result(ssize_t count)
{
	if (count < 0)
		printf(" = %s", errno_name(errno));
	else
		printf(" = %zd", count);
}

void outcome(int returned)
{
	printf(" = %s", returned < 0 ? errno_name(errno) : "ok");
}
