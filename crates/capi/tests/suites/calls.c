/* The system calls of the suites' C programs, made by libsunpath wherever it has a function for the
 * call. The linker (--wrap) puts these functions in the place of bind(2) and the others, in the program
 * alone and not in libsunpath. A call for which there is no function goes to the kernel. */
#include "sunpath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_INQ
#define SO_INQ 84
#endif

int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

/* 1. Addresses: a path with its NUL, as sunpath_addr_from_path() makes it. */

static const char *path_of(const struct sockaddr *addr, socklen_t len)
{
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;

	if (addr == NULL || len <= offset || len > sizeof *un || un->sun_family != AF_UNIX)
		return NULL;
	if (un->sun_path[0] == '\0' || memchr(un->sun_path, '\0', len - offset) == NULL)
		return NULL;
	return un->sun_path;
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const char *path = path_of(addr, len);

	return path == NULL ? __real_bind(fd, addr, len) : sunpath_bind_to_at(fd, AT_FDCWD, path, NULL);
}

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	const char *path = path_of(addr, len);

	return path == NULL ? __real_connect(fd, addr, len)
			    : sunpath_connect_to_at(fd, AT_FDCWD, path, NULL);
}

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	if (addr != NULL || (flags & SOCK_CLOEXEC) == 0)
		return __real_accept4(fd, addr, len, flags);
	return sunpath_accept(fd, (flags & SOCK_NONBLOCK) != 0 ? SUNPATH_NONBLOCK : 0);
}

/* 2. Options that tell who the peer is. */

static int ask_cred(int fd, struct ucred *ret_cred)
{
	return sunpath_peer_cred(fd, &ret_cred->pid, &ret_cred->uid, &ret_cred->gid, NULL);
}

static int ask_pidfd(int fd, int *ret_pidfd)
{
	int pidfd = sunpath_peer_pidfd(fd, NULL);

	if (pidfd == -1)
		return -1;
	*ret_pidfd = pidfd;
	return 0;
}

/* Sets the length to that of all groups, as the kernel does, also if they do not fit. */
static int ask_groups(int fd, gid_t *ret_groups, socklen_t *len)
{
	ssize_t count = sunpath_peer_groups(fd, NULL, 0, NULL);
	size_t space = *len / sizeof(gid_t);

	if (count == -1)
		return -1;
	*len = (socklen_t)((size_t)count * sizeof(gid_t));
	return sunpath_peer_groups(fd, ret_groups, space, NULL) == -1 ? -1 : 0;
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (level == SOL_SOCKET && option == SO_PEERCRED && *len == sizeof(struct ucred))
		return ask_cred(fd, value);
	if (level == SOL_SOCKET && option == SO_PEERPIDFD && *len == sizeof(int))
		return ask_pidfd(fd, value);
	if (level == SOL_SOCKET && option == SO_PEERGROUPS && *len >= sizeof(gid_t))
		return ask_groups(fd, value, len);
	return __real_getsockopt(fd, level, option, value, len);
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && option == SO_PASSCRED && len == sizeof(int))
		return sunpath_set_pass_credentials(fd, *(const int *)value);
	return __real_setsockopt(fd, level, option, value, len);
}

static int is_set(int fd, int option)
{
	int value = 0;
	socklen_t len = sizeof value;

	return __real_getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value != 0;
}

/* 3. Messages with descriptors or with this process's credentials. */

/* Returns the only control message if its header is right. */
static struct cmsghdr *only_control(const struct msghdr *message)
{
	struct cmsghdr *first = message->msg_controllen == 0 ? NULL : CMSG_FIRSTHDR(message);

	if (first == NULL || first->cmsg_level != SOL_SOCKET || first->cmsg_len < CMSG_LEN(0))
		return NULL;
	return CMSG_SPACE(first->cmsg_len - CMSG_LEN(0)) == message->msg_controllen ? first : NULL;
}

static int is_own(const struct cmsghdr *control)
{
	struct ucred cred;

	if (control->cmsg_len != CMSG_LEN(sizeof cred))
		return 0;
	memcpy(&cred, CMSG_DATA(control), sizeof cred);
	return cred.pid == getpid() && cred.uid == getuid() && cred.gid == getgid();
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct cmsghdr *control = only_control(message);
	const struct iovec *data = message->msg_iov;
	int fds[NAME_MAX], sent;

	if (control == NULL || message->msg_name != NULL || message->msg_iovlen != 1 || flags != MSG_NOSIGNAL)
		return __real_sendmsg(fd, message, flags);
	if (control->cmsg_type == SCM_RIGHTS && (control->cmsg_len - CMSG_LEN(0)) % sizeof(int) == 0) {
		size_t size = control->cmsg_len - CMSG_LEN(0);

		if (size > sizeof fds)
			return __real_sendmsg(fd, message, flags);
		memcpy(fds, CMSG_DATA(control), size);
		sent = sunpath_send_fds(fd, data->iov_base, data->iov_len, fds, size / sizeof(int), NULL);
	} else if (control->cmsg_type == SCM_CREDENTIALS && is_own(control)) {
		sent = sunpath_send_credentials(fd, data->iov_base, data->iov_len, NULL);
	} else {
		return __real_sendmsg(fd, message, flags);
	}
	return sent == -1 ? -1 : (ssize_t)data->iov_len;
}

/* Writes the message that the kernel would have written, with at most one control message. */
static ssize_t received(struct msghdr *message, ssize_t len, int type, const void *control, size_t size)
{
	size_t space = message->msg_iov->iov_len;
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	if (len == -1)
		return -1;
	message->msg_flags = (size_t)len > space ? MSG_TRUNC : 0;
	message->msg_controllen = size == 0 ? 0 : CMSG_SPACE(size);
	if (header != NULL && size > 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = type;
		header->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(header), control, size);
	}
	return (size_t)len > space ? (ssize_t)space : len;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	const struct iovec *data = message->msg_iov;
	struct ucred cred;
	int fds[NAME_MAX];
	size_t count = 0;
	ssize_t len;

	/* The functions have a control buffer of their own, for all that may arrive. */
	if (message->msg_name != NULL || message->msg_iovlen != 1 || flags != MSG_CMSG_CLOEXEC ||
	    message->msg_controllen < CMSG_SPACE(sizeof fds) || is_set(fd, SO_PASSPIDFD) || is_set(fd, SO_INQ))
		return __real_recvmsg(fd, message, flags);
	if (is_set(fd, SO_PASSCRED)) {
		len = sunpath_recv_credentials(fd, data->iov_base, data->iov_len, &cred.pid, &cred.uid, &cred.gid,
					       NULL);
		count = len != -1 && cred.uid != (uid_t)-1 ? sizeof cred : 0;
		return received(message, len, SCM_CREDENTIALS, &cred, count);
	}
	len = sunpath_recv_fds_up_to(fd, data->iov_base, data->iov_len, fds, sizeof fds / sizeof fds[0], &count,
				     NULL);
	return received(message, len, SCM_RIGHTS, fds, count * sizeof(int));
}
