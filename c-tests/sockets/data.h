/* The calls of cases.txt that send and receive, and what both halves of the C lane print. */
#ifndef DATA_H
#define DATA_H

#include "step.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Makes the call on the step's first socket and prints " = " and the answer. Returns 0 where it is
 * none of these calls. */
int data_call(int fd, const struct step *step);

/* The address of these bytes, bare, or AF_UNSPEC alone where the argument is no bytes. */
socklen_t address_of(const struct arg *arg, struct sockaddr_un *ret_addr);

/* The name in an address that the kernel wrote; "autobound" for one that it chose. */
void print_name(const struct sockaddr_un *addr, socklen_t len);

/* "ok" or the errno. */
void print_ok(int result);

/* The number or the errno. */
void print_count(long result);

_Noreturn void die(const char *what);

#endif
