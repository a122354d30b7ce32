/* Prints which user and process is at the other end of a socket pair, which is this process itself. */
#include <stdio.h>
#include <sunpath.h>

int main(void)
{
	int ends[2];
	uid_t uid;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return 1;
	if (sunpath_peer_cred(ends[0], &pid, &uid, NULL, NULL) == -1)
		return 1;
	printf("user %ju, process %jd\n", (uintmax_t)uid, (intmax_t)pid);
	return 0;
}
