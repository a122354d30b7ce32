/* Runs the cases of files and paths in C: what bind and connect do with a path. It prints a line
 * for each case. The current directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && files             every case of ../cases.def
 *   mkdir fresh && cd fresh && files C01.live C07
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath, file by file. */
#include "files.h"

#include "cases.h"

static const struct test_case cases[] = {
#define CASE(id, name, needs, file, title) CASE_ENTRY(id, name, needs, file)
#include "../cases.def"
#undef CASE
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
