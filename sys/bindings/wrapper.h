/* The C library's own headers about sockets, which bindgen reads. The only declarations here are
 * values that the C compiler can evaluate from a macro and bindgen cannot. */
#if defined(__linux__)
#define _GNU_SOURCE 1 /* struct ucred, struct mmsghdr */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE 1
#elif defined(__NetBSD__)
#define _NETBSD_SOURCE 1
#endif

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/ioctl.h>
#if defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/ucred.h> /* struct xucred */
#endif

/* The compiler evaluates these macros here, because bindgen cannot: they take arguments, or are
 * defined by a macro that does (_IOR), by the size of a type, or by a macro that comes after
 * them. */
enum sunpath_facts {
	FACT_AF_LOCAL = AF_LOCAL,
	FACT_PF_UNIX = PF_UNIX,
	FACT_PF_UNSPEC = PF_UNSPEC,
#if defined(CMSG_ALIGN) /* visible to programs on Linux alone */
	FACT_CMSG_ALIGN_1 = CMSG_ALIGN(1),
#endif
	FACT_CMSG_LEN_0 = CMSG_LEN(0),
	FACT_CMSG_LEN_1 = CMSG_LEN(1),
	FACT_CMSG_SPACE_0 = CMSG_SPACE(0),
	FACT_CMSG_SPACE_1 = CMSG_SPACE(1),
	FACT_CMSG_SPACE_4 = CMSG_SPACE(4),
	FACT_CMSG_SPACE_12 = CMSG_SPACE(12),
	FACT_FIONREAD = FIONREAD,
	FACT_FIONBIO = FIONBIO,
	FACT_SO_RCVTIMEO = SO_RCVTIMEO,
	FACT_SO_SNDTIMEO = SO_SNDTIMEO,
	FACT_SO_TIMESTAMP = SO_TIMESTAMP,
#if defined(SO_TIMESTAMPNS)
	FACT_SO_TIMESTAMPNS = SO_TIMESTAMPNS,
	FACT_SCM_TIMESTAMPNS = SCM_TIMESTAMPNS,
#endif
	FACT_SCM_TIMESTAMP = SCM_TIMESTAMP
};
