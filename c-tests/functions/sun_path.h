/* Converts a path to a struct sockaddr_un and back, in plain C, with every length checked. Copy
 * sun_path.h and sun_path.c into your program: they need nothing else. */
#ifndef SUN_PATH_H
#define SUN_PATH_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The longest path or abstract name: 107 bytes on Linux. The last byte is for the NUL. */
#define SUN_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Makes the address of a pathname socket from size bytes of path, which need no NUL after them.
 * Returns 0, or -1 with errno and nothing written:
 *
 *   EINVAL        a pointer is NULL, or there is a NUL in the path, which would end it early
 *   ENOENT        the path is empty: bind(2) would choose an abstract name for it
 *   ENAMETOOLONG  the path has more than SUN_PATH_MAX bytes */
int sun_path_pathname(const char *path, size_t size, struct sockaddr_un *ret_addr,
		      socklen_t *ret_len);

/* Makes an abstract address (Linux) from size bytes of name, without the leading NUL. Any byte is
 * allowed, and every byte counts: "a" and "a\0" are two names.
 * Returns 0, or -1 with errno and nothing written:
 *
 *   EINVAL        a pointer is NULL
 *   ENAMETOOLONG  the name has more than SUN_PATH_MAX bytes */
int sun_path_abstract(const char *name, size_t size, struct sockaddr_un *ret_addr,
		      socklen_t *ret_len);

enum sun_path_kind {
	SUN_PATH_UNNAMED,
	SUN_PATH_PATHNAME,
	SUN_PATH_ABSTRACT,
};

/* Reads an address that the kernel wrote, with len as the kernel set it. If len is 0, the kernel
 * has written nothing. len may also be 111, which is more than the struct. The name is returned as
 * a pointer into the address and a size, because a path of 108 bytes has no NUL after it. */
enum sun_path_kind sun_path_read(const struct sockaddr_un *addr, socklen_t len,
				 const char **ret_name, size_t *ret_size);

#endif
