/* Reads and prints one call of cases.txt. The head of cases.txt explains the words. src/table.rs
 * does the same in Rust. */
#ifndef TABLE_H
#define TABLE_H

#include "address.h"

enum call {
	CALL_ACCEPT,
	CALL_BIND,
	CALL_CLOSE,
	CALL_CONNECT,
	CALL_GETPEERNAME,
	CALL_GETSOCKNAME,
	CALL_LISTEN,
	CALL_MKDIR,
	CALL_RECVFROM,
	CALL_SEND,
	CALL_SOCKETPAIR,
};

/* The origin of an address. */
enum source {
	SOURCE_NONE,
	SOURCE_BYTES,    /* "norm\0" */
	SOURCE_STRUCT,   /* {AF_INET, "norm\0"} */
	SOURCE_SOCKNAME, /* sockname(s) */
};

/* The origin of the length that is passed with an address. */
enum form {
	FORM_NONE,
	FORM_EXACT,
	FORM_SIZEOF,
	FORM_REPORTED,
	FORM_CLAMPED,
	FORM_NUMBER,
};

struct step {
	enum call call;
	char socket; /* 0 if the call has none */
	enum source source;
	sa_family_t family;
	char from; /* the socket of SOURCE_SOCKNAME */
	unsigned char bytes[BUFFER_SIZE - PATH_OFFSET];
	size_t count;
	enum form form;
	long number; /* of FORM_NUMBER */
};

/* Reads one call. Returns the text after it, or NULL if it is not a call. */
const char *step_read(const char *text, struct step *ret_step);

/* Prints the call with the length that was passed, including its closing bracket. */
void step_print(const struct step *step, socklen_t len);

#endif
