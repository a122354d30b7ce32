/* Prints whether a server is alive. The server does not notice. */
#include <stdio.h>
#include <sunpath.h>

int main(int argc, char **argv)
{
	switch (sunpath_probe(argc > 1 ? argv[1] : "app.sock", NULL)) {
	case SUNPATH_LIVE:
		printf("a server runs\n");
		return 0;
	case SUNPATH_DEAD:
		printf("a killed server left its file\n");
		return 0;
	case SUNPATH_ABSENT:
		printf("there is no file\n");
		return 0;
	default:
		return 1;
	}
}
