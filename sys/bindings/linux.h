/* Linux's own headers, which bindgen reads: the kernel's headers for user space. They are apart
 * from wrapper.h because their values depend on the architecture alone, not on the C library, and
 * because <linux/un.h> and <sys/un.h> both define struct sockaddr_un. */
#include <asm/socket.h>
#include <asm/ioctls.h> /* the names that SIOCINQ and SIOCOUTQ are defined as */
#include <linux/sockios.h> /* before un.h: bindgen evaluates macros in order, SIOCUNIXFILE needs it */
#include <linux/un.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

/* Some architectures define these by _IOR, which the compiler can evaluate and bindgen cannot. */
enum sunpath_uapi {
	FACT_SIOCATMARK = SIOCATMARK,
	FACT_SIOCINQ = SIOCINQ,
	FACT_SIOCOUTQ = SIOCOUTQ
};
