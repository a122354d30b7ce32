/* Reads one call of a cases.txt. The head of each cases.txt explains its words. step.rs does the
 * same in Rust. */
#ifndef STEP_H
#define STEP_H

#include <stddef.h>

/* The most arguments of a step. No call of a table has as many. */
#define ARGS 5

/* A word, or bytes. */
struct arg {
	char word[32];
	const unsigned char *bytes; /* NULL if it is a word */
	size_t count;
};

struct step {
	char call[32];
	struct arg args[ARGS];
	size_t count;
};

/* Reads one call. Returns the text after it, or NULL if it is not a call. The bytes stay valid
 * until the next step is read. */
const char *step_read(const char *text, struct step *ret_step);

/* Each returns whether the argument exists and is of this kind: an integer, bytes, or a word that
 * is neither an integer nor a letter. */
int is_number(const struct step *step, size_t at);
int is_bytes(const struct step *step, size_t at);
int is_word(const struct step *step, size_t at);

/* Returns the value of an integer, or 0 if the argument is not an integer. */
long number_of(const struct step *step, size_t at);

#endif
