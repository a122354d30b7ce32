/* Runs the cases of cases.txt. Each case has two connected sockets p and q, and the calls of its
 * line. Each helper makes a call and prints it. */
#include "ancillary.h"
#include "calls.h"
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void unknown(const char *text)
{
	fprintf(stderr, "not a case of the table: %s\n", text);
	exit(2);
}

/* 1. Read the arguments of a call. */

static int *socket_of(struct pair *s, const struct step *asked)
{
	return strcmp(asked->args[0].word, "p") == 0 ? &s->p : &s->q;
}

/* Returns the bytes of the second argument as a string. They have no NUL. */
static const char *text_of(const struct step *asked)
{
	static char text[64];

	snprintf(text, sizeof text, "%.*s", (int)asked->args[1].count, asked->args[1].bytes);
	return text;
}

/* Returns the value of a sum such as "CMSG_SPACE(12) + CMSG_LEN(4)". */
static size_t size_of(const char *words)
{
	size_t sum = 0, number;
	int taken;

	for (;; words += 3) {
		taken = 0;
		if (sscanf(words, "CMSG_LEN(%zu)%n", &number, &taken) == 1)
			sum += CMSG_LEN(number);
		else if (sscanf(words, "CMSG_SPACE(%zu)%n", &number, &taken) == 1)
			sum += CMSG_SPACE(number);
		else if (sscanf(words, "%zu%n", &number, &taken) == 1)
			sum += number;
		if (taken == 0)
			unknown(words);
		words += taken;
		if (strncmp(words, " + ", 3) != 0)
			return sum;
	}
}

static int option_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} options[] = {
		{ "SO_INQ", SO_INQ },
		{ "SO_PASSCRED", SO_PASSCRED },
		{ "SO_PASSPIDFD", SO_PASSPIDFD },
		{ "SO_PASSRIGHTS", SO_PASSRIGHTS },
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (strcmp(options[i].name, name) == 0)
			return options[i].number;
	unknown(name);
}

/* 2. Make calls, and print them. */

static void call_sendmsg(int p, const struct step *asked)
{
	struct control control = { .len = 0 };
	char words[64] = "";
	size_t count;

	for (size_t i = 2; i < asked->count; i++) {
		if (sscanf(asked->args[i].word, "RIGHTS(%zu)", &count) != 1)
			unknown(asked->args[i].word);
		put_rights(&control, count);
		snprintf(words + strlen(words), sizeof words - strlen(words), "%sRIGHTS(%zu)",
			 i == 2 ? "" : ", ", count);
	}
	send_control(p, text_of(asked), &control, words);
}

static void call_recvmsg(int q, const struct step *asked)
{
	struct receive how = { .size = (size_t)number_of(asked, 1), .capacity = CONTROL_SIZE };

	if (asked->count > 2) {
		how.capacity_words = asked->args[2].word;
		how.capacity = size_of(how.capacity_words);
	}
	receive_closing(q, how);
}

static void call(struct pair *s, const struct step *asked)
{
	int *fd = socket_of(s, asked);

	if (strcmp(asked->call, "sendmsg") == 0) {
		call_sendmsg(*fd, asked);
	} else if (strcmp(asked->call, "send") == 0) {
		send_text(*fd, text_of(asked));
	} else if (strcmp(asked->call, "recvmsg") == 0) {
		call_recvmsg(*fd, asked);
	} else if (strcmp(asked->call, "recv") == 0) {
		RECV(*fd, (size_t)number_of(asked, 1));
	} else if (strcmp(asked->call, "setsockopt") == 0) {
		const char *name = asked->args[1].word;

		set_option(asked->args[0].word, *fd, option_of(name), name, (int)number_of(asked, 2));
	} else if (strcmp(asked->call, "close") == 0) {
		step("close(%s)", asked->args[0].word);
		close(*fd);
		*fd = -1;
	} else {
		unknown(asked->call);
	}
}

static void call_in_child(struct pair *s, const struct step *asked)
{
	pid_t child = process_fork();

	if (child == 0) {
		part("child");
		call(s, asked);
		process_end(0);
	}
	process_join(child);
}

/* 3. Make the calls of a line. */

static const char *next_call(const char *text, struct step *ret_step)
{
	text = step_read(text, ret_step);
	if (text == NULL || (*text != '\0' && strncmp(text, "; ", 2) != 0))
		unknown(text == NULL ? "" : text);
	return *text == '\0' ? NULL : text + 2;
}

static int is_child(const char **text)
{
	int is = strncmp(*text, "child: ", 7) == 0;

	*text += is ? 7 : 0;
	return is;
}

/* Returns whether this kernel lacks an option that the line sets. */
static int lacks(const char *text)
{
	struct step asked;

	while (text != NULL) {
		is_child(&text);
		text = next_call(text, &asked);
		if (strcmp(asked.call, "setsockopt") == 0 &&
		    lacks_option(option_of(asked.args[1].word), asked.args[1].word))
			return 1;
	}
	return 0;
}

void run_calls(const char *text)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{ "stream: ", SOCK_STREAM }, { "dgram: ", SOCK_DGRAM }, { "seqpacket: ", SOCK_SEQPACKET },
	};
	struct step asked;
	struct pair s;
	size_t i = 0;

	while (i < 3 && strncmp(types[i].name, text, strlen(types[i].name)) != 0)
		i++;
	if (i == 3)
		unknown(text);
	text += strlen(types[i].name);
	if (lacks(text))
		return;
	s = new_pair(types[i].type);
	while (text != NULL) {
		int in_child = is_child(&text);

		text = next_call(text, &asked);
		if (in_child)
			call_in_child(&s, &asked);
		else
			call(&s, &asked);
	}
	if (s.p >= 0)
		close(s.p);
	if (s.q >= 0)
		close(s.q);
}
