/* Socket files in C: what bind and connect make of a path; a line a case. Works in the current
 * directory, which should be empty and the program's own. By hand:
 *
 *   mkdir fresh && cd fresh && files             every case of ../cases.def
 *   mkdir fresh && cd fresh && files C01.live C07
 *
 * ../raw and ../safe are the same program over sunpath-sys and over sunpath, file by file. */
#include "files.h"

#include "descriptors.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *id;
	void (*run)(void);
} cases[] = {
#define CASE(id, name, needs, file, title) { #id "." #name, file##_##name },
#include "../cases.def"
#undef CASE
};

/* Runs a case in a directory of its own, and says how many descriptors it left open, which should
 * be none. */
static void run_case(const char *id, void (*run)(void))
{
	int before = open_descriptors(), after;

	if (mkdir(id, 0755) < 0 || chdir(id) < 0)
		die(id);
	run();
	if (chdir("..") < 0)
		die("chdir");
	after = open_descriptors();
	if (after != before)
		printf("; leaked %d", after - before);
}

int main(int argc, char **argv)
{
	process_begin();
	allow_usual();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (!process_wants(argc, argv, cases[i].id))
			continue;
		printf("%s\t", cases[i].id);
		begin_line();
		run_case(cases[i].id, cases[i].run);
		putchar('\n');
	}
	return 0;
}
