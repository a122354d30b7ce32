#include "sun_path.h"

#include <errno.h>
#include <string.h>

static int refuse(int number)
{
	errno = number;
	return -1;
}

/* memset comes first, so that the bytes after the path do not hold data from the stack. memcpy
 * comes last, after the size was checked. strncpy would be shorter, but it truncates a long path
 * without an error. */

int sun_path_pathname(const char *path, size_t size, struct sockaddr_un *ret_addr,
		      socklen_t *ret_len)
{
	if (path == NULL || ret_addr == NULL || ret_len == NULL)
		return refuse(EINVAL);
	if (memchr(path, '\0', size) != NULL)
		return refuse(EINVAL);
	if (size == 0)
		return refuse(ENOENT);
	if (size > SUN_PATH_MAX)
		return refuse(ENAMETOOLONG);

	memset(ret_addr, 0, sizeof *ret_addr);
	ret_addr->sun_family = AF_UNIX;
	memcpy(ret_addr->sun_path, path, size);
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	return 0;
}

int sun_path_abstract(const char *name, size_t size, struct sockaddr_un *ret_addr,
		      socklen_t *ret_len)
{
	if (name == NULL || ret_addr == NULL || ret_len == NULL)
		return refuse(EINVAL);
	if (size > SUN_PATH_MAX)
		return refuse(ENAMETOOLONG);

	memset(ret_addr, 0, sizeof *ret_addr);
	ret_addr->sun_family = AF_UNIX;
	memcpy(ret_addr->sun_path + 1, name, size);
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size);
	return 0;
}

enum sun_path_kind sun_path_read(const struct sockaddr_un *addr, socklen_t len,
				 const char **ret_name, size_t *ret_size)
{
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t size = len < sizeof *addr ? len : sizeof *addr;

	*ret_name = addr->sun_path;
	*ret_size = 0;
	if (size <= offset)
		return SUN_PATH_UNNAMED;
	size -= offset;
	if (addr->sun_path[0] == '\0') {
		*ret_name = addr->sun_path + 1;
		*ret_size = size - 1;
		return SUN_PATH_ABSTRACT;
	}
	*ret_size = strnlen(addr->sun_path, size);
	return SUN_PATH_PATHNAME;
}
