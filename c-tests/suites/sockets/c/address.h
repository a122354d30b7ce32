/* Makes addresses from the arguments of a step, and prints them in the words of the line. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "step.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Makes the address of exactly these bytes. The address has no NUL after a pathname, because the
 * kernel adds the NUL. If the argument is not bytes, the address is AF_UNSPEC alone. */
socklen_t address_of(const struct arg *arg, struct sockaddr_un *ret_addr);

/* Prints the name in an address that the kernel wrote, and "autobound" for a name that the kernel
 * chose. */
void print_name(const struct sockaddr_un *addr, socklen_t len);

#endif
