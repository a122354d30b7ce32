#include "table.h"

#include "notation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const call_names[] = {
	[CALL_ACCEPT] = "accept",
	[CALL_BIND] = "bind",
	[CALL_CLOSE] = "close",
	[CALL_CONNECT] = "connect",
	[CALL_GETPEERNAME] = "getpeername",
	[CALL_GETSOCKNAME] = "getsockname",
	[CALL_LISTEN] = "listen",
	[CALL_MKDIR] = "mkdir",
	[CALL_RECVFROM] = "recvfrom",
	[CALL_SEND] = "send",
	[CALL_SOCKETPAIR] = "socketpair",
};

static const struct {
	const char *name;
	enum form form;
} forms[] = {
	{ "exact", FORM_EXACT },
	{ "sizeof", FORM_SIZEOF },
	{ "reported", FORM_REPORTED },
	{ "clamped", FORM_CLAMPED },
};

static const struct {
	const char *name;
	sa_family_t family;
} families[] = {
	{ "AF_UNIX", AF_UNIX },
	{ "AF_INET", AF_INET },
	{ "AF_UNSPEC", AF_UNSPEC },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Returns the rest of the text after the word, or NULL if the text does not begin with the word. */
static const char *after(const char *text, const char *word)
{
	size_t size = strlen(word);

	return text != NULL && strncmp(text, word, size) == 0 ? text + size : NULL;
}

static const char *read_bytes(const char *text, struct step *ret_step)
{
	size_t taken = bytes_read(text, sizeof ret_step->bytes, ret_step->bytes, &ret_step->count);

	return taken != 0 ? text + taken : NULL;
}

static const char *read_struct(const char *text, struct step *ret_step)
{
	ret_step->source = SOURCE_STRUCT;
	for (size_t i = 0; i < COUNT(families); i++) {
		const char *bytes = after(after(text, families[i].name), ", ");

		if (bytes != NULL) {
			ret_step->family = families[i].family;
			return after(read_bytes(bytes, ret_step), "}");
		}
	}
	return NULL;
}

static const char *read_length(const char *text, struct step *ret_step)
{
	char *end;

	for (size_t i = 0; i < COUNT(forms); i++) {
		const char *rest = after(text, forms[i].name);

		if (rest != NULL) {
			ret_step->form = forms[i].form;
			return rest;
		}
	}
	ret_step->form = FORM_NUMBER;
	ret_step->number = strtol(text, &end, 10);
	return end != text ? end : NULL;
}

/* Reads one argument, whose first characters tell its kind. */
static const char *read_argument(const char *text, struct step *ret_step)
{
	if (*text == '"') {
		ret_step->source = SOURCE_BYTES;
		return read_bytes(text, ret_step);
	}
	if (*text == '{')
		return read_struct(text + 1, ret_step);
	if (after(text, "sockname(") != NULL && text[9] != '\0') {
		ret_step->source = SOURCE_SOCKNAME;
		ret_step->from = text[9];
		return after(text + 10, ")");
	}
	if (islower((unsigned char)text[0]) && (text[1] == ',' || text[1] == ')')) {
		ret_step->socket = text[0];
		return text + 1;
	}
	return read_length(text, ret_step);
}

const char *step_read(const char *text, struct step *ret_step)
{
	memset(ret_step, 0, sizeof *ret_step);
	ret_step->family = AF_UNIX;
	for (size_t i = 0; i < COUNT(call_names); i++) {
		const char *rest = after(after(text, call_names[i]), "(");

		if (rest == NULL)
			continue;
		ret_step->call = (enum call)i;
		while (rest != NULL && *rest != ')') {
			rest = read_argument(rest, ret_step);
			if (rest != NULL && after(rest, ", ") != NULL)
				rest += 2;
			else if (rest != NULL && *rest != ')')
				rest = NULL;
		}
		return rest != NULL ? rest + 1 : NULL;
	}
	return NULL;
}

void step_print(const struct step *step, socklen_t len)
{
	const char *comma = "";

	printf("%s(", call_names[step->call]);
	if (step->socket != 0) {
		putchar(step->socket);
		comma = ", ";
	}
	switch (step->source) {
	case SOURCE_NONE:
		break;
	case SOURCE_BYTES:
		fputs(comma, stdout);
		bytes_print(step->bytes, step->count);
		break;
	case SOURCE_STRUCT:
		for (size_t i = 0; i < COUNT(families); i++)
			if (families[i].family == step->family)
				printf("%s{%s, ", comma, families[i].name);
		bytes_print(step->bytes, step->count);
		putchar('}');
		break;
	case SOURCE_SOCKNAME:
		printf("%ssockname(%c)", comma, step->from);
		break;
	}
	if (step->form != FORM_NONE)
		printf(", %d", (int)len); /* The table writes the greatest socklen_t as -1. */
	putchar(')');
}
