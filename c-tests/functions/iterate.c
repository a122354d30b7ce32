#include "iterate.h"

#include <sys/socket.h>

/* CMSG_NXTHDR is not called after a message that ends outside the buffer, because the pointer that
 * it computes may wrap. */
size_t control_iterate(char *bytes, size_t len, struct seen *ret_seen, size_t most)
{
	struct msghdr msg = { .msg_control = bytes, .msg_controllen = len };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	size_t count = 0;

	while (cmsg != NULL && cmsg->cmsg_len >= CMSG_LEN(0) && count < most) {
		size_t left = len - (size_t)((char *)cmsg - bytes);
		int whole = cmsg->cmsg_len <= left;

		ret_seen[count++] = (struct seen){
			.level = cmsg->cmsg_level,
			.type = cmsg->cmsg_type,
			.offset = (size_t)((char *)CMSG_DATA(cmsg) - bytes),
			.size = (whole ? cmsg->cmsg_len : left) - CMSG_LEN(0),
			.whole = whole,
		};
		cmsg = whole ? CMSG_NXTHDR(&msg, cmsg) : NULL;
	}
	return count;
}
