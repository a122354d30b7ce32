/* The cases of a suite, which its cases.def lists, and the main of its program. cases.rs does the
 * same for the Rust lanes. To run the program by hand, in an empty directory of its own:
 *
 *   identity             every case
 *   identity J01 J02.listener */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

/* The requirement of a case. MANY: more than 64 descriptors, open or in flight. PEERPIDFD: the
 * option SO_PEERPIDFD. PADDED: control messages are aligned to 8 bytes, so an int has padding after
 * it. */
enum needs { NOTHING, ROOT, MANY, PEERPIDFD, PADDED };

struct test_case {
	const char *id;
	enum needs needs;
	void (*run)(void);
};

/* An entry of the table, from a line of cases.def. */
#define CASE_ENTRY(id, name, needs, file) { #id "." #name, needs, file##_##name },

/* Runs the cases that the arguments name, each in a directory of its own, which every user may
 * enter. Prints a line for each case. The line is "not run: ..." if this system does not allow the
 * case. Returns the exit status of main. */
int run_cases(int argc, char **argv, const struct test_case *cases, size_t count);

/* Runs the cases on standard input, which has a line for each: an id, and a text that is passed to
 * run. Prints a line for each case. Returns what main returns. */
int run_lines(void (*run)(const char *text));

/* Runs a case or a part of a case. If it leaves descriptors open, prints how many. */
void run_counted(void (*run)(void));

#endif
