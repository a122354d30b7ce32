/* Prints what this compiler sees in this system's headers: a line for each row of layout.def
 * and around.def, and then the CMSG macros for every length from 0 to 2048. */
/* With this macro the fields of struct stat have 64 bits. */
#define _FILE_OFFSET_BITS 64

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <linux/fs.h> /* for RENAME_..., which not every C library has */
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>

/* The kernel's header also defines a struct of this name, which is renamed here. */
#define sockaddr_un kernel_sockaddr_un
#include <linux/un.h>
#undef sockaddr_un

/* 1. Names that the headers may lack because they are too old. */

#define MISSING LLONG_MIN

#ifndef SCM_INQ
#define SCM_INQ MISSING /* Linux 6.17 */
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD MISSING /* glibc 2.39 */
#endif
#ifndef SCM_SECURITY
#define SCM_SECURITY MISSING /* glibc 2.39 */
#endif
#ifndef SO_INQ
#define SO_INQ MISSING /* Linux 6.17 */
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD MISSING /* Linux 6.5 */
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS MISSING /* Linux 6.16 */
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD MISSING /* Linux 6.5 */
#endif

/* 2. Print a row of the table, as one line or two. */

#define SIZE_OF_FIELD(s, f) sizeof(((struct s *)0)->f)

#define STRUCT(s) \
	{ "sizeof(struct " #s ")", sizeof(struct s) }, \
	{ "alignof(struct " #s ")", _Alignof(struct s) },
#define FIELD(s, f) \
	{ "offsetof(struct " #s ", " #f ")", offsetof(struct s, f) }, \
	{ "sizeof(" #s "." #f ")", SIZE_OF_FIELD(s, f) },
#define TYPE(t) \
	{ "sizeof(" #t ")", sizeof(t) }, \
	{ "signed(" #t ")", (t)-1 < (t)1 },
#define CONST(c) { #c, (long long)c },
#define NEWER(c) { #c, (long long)c },
#define ERRNO(e) { "errno " #e, e },

static const struct {
	const char *name;
	long long value;
} rows[] = {
#include "../layout.def"
#include "../around.def"
};

/* 3. Print all rows. */

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].value == MISSING)
			printf("%s\tnot in this system's headers\n", rows[i].name);
		else
			printf("%s\t%lld\n", rows[i].name, rows[i].value);
	for (size_t n = 0; n <= 2048; n++) {
		printf("CMSG_ALIGN(%zu)\t%zu\n", n, (size_t)CMSG_ALIGN(n));
		printf("CMSG_LEN(%zu)\t%zu\n", n, (size_t)CMSG_LEN(n));
		printf("CMSG_SPACE(%zu)\t%zu\n", n, (size_t)CMSG_SPACE(n));
	}
	return 0;
}
