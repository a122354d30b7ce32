/* Addresses, which libsunpath makes and reads. */
#include "sun_path.h"

#include "sunpath.h"

#include <errno.h>
#include <string.h>

int sun_path_pathname(const char *path, size_t size, struct sockaddr_un *ret_addr, socklen_t *ret_len)
{
	char text[8192];

	/* A path of C ends at its first NUL, so libsunpath does not get to see one. */
	if (path == NULL || memchr(path, '\0', size) != NULL) {
		errno = EINVAL;
		return -1;
	}
	if (size >= sizeof text)
		size = sizeof text - 1;
	memcpy(text, path, size);
	text[size] = '\0';
	return sunpath_addr_from_path(text, ret_addr, ret_len, NULL);
}

int sun_path_abstract(const char *name, size_t size, struct sockaddr_un *ret_addr, socklen_t *ret_len)
{
	return sunpath_addr_from_abstract(name, size, ret_addr, ret_len, NULL);
}

enum sun_path_kind sun_path_read(const struct sockaddr_un *addr, socklen_t len, const char **ret_name,
				 size_t *ret_size)
{
	switch (sunpath_addr_name(addr, len, ret_name, ret_size)) {
	case SUNPATH_PATHNAME:
		return SUN_PATH_PATHNAME;
	case SUNPATH_ABSTRACT:
		return SUN_PATH_ABSTRACT;
	default:
		return SUN_PATH_UNNAMED;
	}
}
