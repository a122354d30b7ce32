#include "step.h"

#include "notation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of all arguments of a step. */
static unsigned char buffer[65536];

/* Copies count bytes of text. Returns NULL if there are none or too many, or the text ends too
 * early.
 */
static const char *read_word(const char *text, size_t count, size_t size, char *ret_word)
{
	if (count == 0 || count >= size || text[count] == '\0')
		return NULL;
	memcpy(ret_word, text, count);
	ret_word[count] = '\0';
	return text + count;
}

/* Returns the length of an argument, which may contain brackets. */
static size_t word_length(const char *text)
{
	size_t length = 0;
	int depth = 0;

	for (; text[length] != '\0' && (depth > 0 || strchr(",)", text[length]) == NULL); length++)
		depth += (text[length] == '(') - (text[length] == ')');
	return length;
}

static const char *read_argument(const char *text, size_t *taken, struct arg *ret_arg)
{
	size_t length;

	if (*text != '"')
		return read_word(text, word_length(text), sizeof ret_arg->word, ret_arg->word);
	length = bytes_read(text, sizeof buffer - *taken, buffer + *taken, &ret_arg->count);
	if (length == 0)
		return NULL;
	ret_arg->bytes = buffer + *taken;
	*taken += ret_arg->count;
	return text + length;
}

const char *step_read(const char *text, struct step *ret_step)
{
	size_t taken = 0;

	memset(ret_step, 0, sizeof *ret_step);
	text = read_word(text, strcspn(text, "("), sizeof ret_step->call, ret_step->call);
	for (; text != NULL && *text != ')'; ret_step->count++) {
		text += ret_step->count == 0 ? 1 : 2; /* "(" or ", " */
		if (ret_step->count == ARGS)
			return NULL;
		text = read_argument(text, &taken, &ret_step->args[ret_step->count]);
		if (text != NULL && *text != ')' && strncmp(text, ", ", 2) != 0)
			return NULL;
	}
	return text == NULL ? NULL : text + 1;
}

int is_number(const struct step *step, size_t at)
{
	const char *word = step->args[at].word;

	return at < step->count && isdigit((unsigned char)word[word[0] == '-']);
}

int is_bytes(const struct step *step, size_t at)
{
	return at < step->count && step->args[at].bytes != NULL;
}

int is_word(const struct step *step, size_t at)
{
	return at < step->count && strlen(step->args[at].word) > 1 && !is_number(step, at);
}

long number_of(const struct step *step, size_t at)
{
	return at < step->count ? strtol(step->args[at].word, NULL, 10) : 0;
}
