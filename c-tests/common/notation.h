/* The notation in which every lane writes bytes and errors. It is the notation of strace(1).
 *
 *   "norm\0"      printable bytes as they are, \0 for NUL, \xNN for the others, \" and \\
 *   "a{107}\0"    four or more of one byte: the byte, and how many
 *   EADDRINUSE    an errno by its name, because values and texts differ between systems
 *
 * src/notation.rs does the same in Rust. */
#ifndef NOTATION_H
#define NOTATION_H

#include <stddef.h>

/* Reads bytes from text that begins with a double quote. Returns how many characters of the text it
 * read, or 0 if the text is not in the notation or has more bytes than size. */
size_t bytes_read(const char *text, size_t size, unsigned char *ret_bytes, size_t *ret_count);

/* Prints bytes in double quotes. */
void bytes_print(const unsigned char *bytes, size_t count);

/* Returns "EINVAL" for EINVAL, and "E?" for an errno that is not in the list of notation.c. */
const char *errno_name(int number);

#endif
