/* An address with space after it that nobody may write to, and functions that print what the kernel
 * wrote. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A size greater than the size of any address, so that a write past an address shows in the
 * buffer. */
#define BUFFER_SIZE 256

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	unsigned char bytes[BUFFER_SIZE];
};

/* Fills the buffer with a known byte, so that the bytes that the kernel writes can be seen. */
void address_prepare(union address *ret_addr);

/* Prints what the kernel wrote into a prepared address: the length that it reports, the bytes of
 * sun_path that are inside the cap bytes of the buffer, and whether it wrote more. */
void address_print(const union address *addr, socklen_t cap, socklen_t len);

/* A name that the kernel chose is random, so only its form is printed, or "the same" if the name
 * was printed before. This function forgets which name was printed. */
void address_forget_autobound(void);

#endif
