/* Cases of the mode of a socket file. The cases that ask for a mode ask libsunpath for it. */
#define mode_exact by_hand_exact
#define mode_threads by_hand_threads
#include "../../../../../c-tests/suites/socket_files/c/mode.c"
#undef mode_exact
#undef mode_threads

#include "sunpath.h"

static sunpath_server *bind_with(const char *path, mode_t mode)
{
	struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
	sunpath_server *server;

	options.flags = SUNPATH_SET_MODE;
	options.mode = mode;
	return sunpath_bind(SOCK_STREAM, path, &options, &server, NULL) == -1 ? NULL : server;
}

void mode_exact(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		sunpath_server *server;

		try_umask(masks[i]);
		server = bind_with("x", 0660);
		step("bind_with_mode(s, \"x\", 0660)");
		outcome(server == NULL ? -1 : 0);
		ask_mode("x");
		sunpath_server_close(server, NULL);
	}
	umask(usual);
}

static void *bind_by_library(void *argument)
{
	struct binder *binder = argument;

	for (int i = 0; i < TIMES; i++) {
		sunpath_server *server = bind_with(binder->path, binder->mode);
		struct stat status;

		if (server == NULL || lstat(binder->path, &status) < 0)
			die(binder->path);
		binder->exact += (status.st_mode & 07777) == binder->mode;
		if (sunpath_server_close(server, NULL) == -1)
			die("sunpath_server_close");
	}
	running--;
	return NULL;
}

void mode_threads(void)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	struct binder binders[] = { { "x", 0600, 0 }, { "y", 0666, 0 } };
	pthread_t threads[2];

	running = 2;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, bind_by_library, &binders[i]) != 0)
			die("pthread_create");
	for (size_t i = 0; running > 0; i++)
		umask(masks[i % 4]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	umask(usual);
	for (int i = 0; i < 2; i++)
		step("mode(\"%s\") = %04o, %d times of %d", binders[i].path, (unsigned)binders[i].mode,
		     binders[i].exact, TIMES);
}
