/* An address with space after it that nobody may write to, and what the kernel wrote into it. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* More than any address, so that a case can write behind one and see what the kernel says. */
#define BUFFER_SIZE 256

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	unsigned char bytes[BUFFER_SIZE];
};

/* Fills the buffer, so that it can be seen what was written. */
void address_prepare(union address *ret_addr);

/* Prints what the kernel wrote into a prepared address: the length that it says, the bytes of
 * sun_path as far as they lie in the cap bytes that it was given, and whether it wrote more. */
void address_print(const union address *addr, socklen_t cap, socklen_t len);

/* A name that the kernel chose is random: it prints as what it is like, and as "the same" when it
 * was printed before. This begins anew. */
void address_forget_autobound(void);

#endif
