/* Passes standard input through a socket pair, and receives up to four descriptors with the credentials
 * of their sender. */
#include <stdio.h>
#include <unistd.h>
#include <sunpath.h>

int main(void)
{
	int ends[2], fds[4];
	char name[16];
	size_t count;
	ssize_t size;
	uid_t uid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return 1;
	if (sunpath_set_pass_credentials(ends[1], 1) == -1) /* before the sender can send */
		return 1;
	if (sunpath_send_fds(ends[0], "stdin", 5, &(int){STDIN_FILENO}, 1, NULL) == -1)
		return 1;
	size = sunpath_recv_fds_with_credentials(ends[1], name, sizeof(name), fds, 4, &count, NULL, &uid, NULL, NULL);
	if (size <= 0 || size > (ssize_t)sizeof(name)) /* failed, ended, or truncated */
		return 1;
	printf("%.*s: %zu descriptor of user %ju\n", (int)size, name, count, (uintmax_t)uid);
	while (count > 0)
		close(fds[--count]);
	return 0;
}
