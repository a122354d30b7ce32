/* A server that a service manager starts with its socket, or a user without one. */
#include <stdio.h>
#include <sunpath.h>

int main(void)
{
	uint64_t error;
	char text[256];
	int count = sunpath_take_passed(&error);

	if (count > 0 && sunpath_check_socket(SUNPATH_FIRST_PASSED, SOCK_STREAM, 1, &error) == 0) {
		printf("the socket was passed\n");
		return 0;
	}
	sunpath_explain(error, text, sizeof(text));
	printf("%s\n", text);
	return count == -1;
}
