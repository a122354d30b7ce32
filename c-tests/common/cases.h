/* The cases of a suite, which its cases.def lists, and the main of its program. cases.rs is the same
 * for the Rust lanes. By hand, in a directory that is empty and the program's own:
 *
 *   identity             every case
 *   identity J01 J02.listener */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

/* MANY: more than 64 descriptors, open or in flight. */
enum needs { NOTHING, ROOT, MANY };

struct test_case {
	const char *id;
	enum needs needs;
	void (*run)(void);
};

/* An entry of the table, from a line of cases.def. */
#define CASE_ENTRY(id, name, needs, file) { #id "." #name, needs, file##_##name },

/* Runs the cases that the arguments name, each in a directory of its own, which every user may enter,
 * and prints a line for each: "not run: ..." where this system does not allow it. What main returns. */
int run_cases(int argc, char **argv, const struct test_case *cases, size_t count);

/* Runs the cases that standard input has, a line each: an id, and a text that run gets. Prints a line for
 * each. What main returns. */
int run_lines(void (*run)(const char *text));

/* Runs a case, or a part of one, and says how many descriptors it left open, which should be none. */
void run_counted(void (*run)(void));

#endif
