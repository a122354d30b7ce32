/* Makes addresses from the arguments of a step, and prints them in the words of the line. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "step.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Makes the address of these bytes alone, without the NUL that the kernel adds to a pathname. It is
 * AF_UNSPEC without a path if the argument has no bytes. */
socklen_t address_of(const struct arg *arg, struct sockaddr_un *ret_addr);

/* Prints the name in an address that the kernel wrote, and "autobound" for a name that the kernel
 * chose. */
void print_name(const struct sockaddr_un *addr, socklen_t len);

#endif
