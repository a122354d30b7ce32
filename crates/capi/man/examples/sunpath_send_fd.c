/* Passes an open file to another process, and receives up to four. */
#include <stdio.h>
#include <unistd.h>
#include <sunpath.h>

int main(void)
{
	int ends[2], fds[4];
	char name[16];
	size_t count;
	ssize_t size;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return 1;
	if (sunpath_send_fds(ends[0], "stdin", 5, &(int){STDIN_FILENO}, 1, NULL) == -1)
		return 1;
	size = sunpath_recv_fds_up_to(ends[1], name, sizeof(name), fds, 4, &count, NULL);
	if (size == -1)
		return 1;
	printf("%.*s: %zu descriptor\n", (int)size, name, count);
	while (count > 0)
		close(fds[--count]);
	return 0;
}
