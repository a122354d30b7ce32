/*
 * Calls the functions that may be called in a signal handler, in one that has a stack of 64 KiB. The program is linked
 * with --wrap, so that it counts the calls of functions that a handler must not call. Prints how much of the stack was
 * used.
 */
#include "check.h"

#include <sys/mman.h>

#define STACK 65536
#define PAINT 0x5a

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__real_getenv(const char *name);
char *__wrap_getenv(const char *name);

static volatile int unsafe_calls;

void *__wrap_malloc(size_t size)
{
	unsafe_calls++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	unsafe_calls++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	unsafe_calls++;
	return __real_realloc(old, size);
}

char *__wrap_getenv(const char *name)
{
	unsafe_calls++;
	return __real_getenv(name);
}

static char *start;     /* an address in the frame of the handler */
static char path[6000]; /* longer than PATH_MAX */
static char nobody[32];
static sunpath_server *server;
static int calls, listener, ends[2];

#define CALL(call) (calls++, CHECK((call) != -1))

static void on_signal(int number)
{
	struct sockaddr_un addr;
	socklen_t len;
	const char *name;
	size_t size, count;
	uint64_t error = 0;
	char text[512], byte;
	int client, fd, fds[2];
	gid_t groups[256];
	int saved = errno;

	(void)number;
	start = (char *)&len;
	CALL((int)sunpath_version());
	CALL(sunpath_addr_from_path("a", &addr, &len, &error));
	CALL(sunpath_addr_from_text("@a", &addr, &len, &error));
	CALL(sunpath_addr_name(&addr, len, &name, &size));
	CALL(sunpath_addr_to_text(&addr, len, text, sizeof(text)));
	CALL(sunpath_addr_unnamed(&addr, &len));
	CALL(sunpath_addr_from_abstract(nobody, strlen(nobody), &addr, &len, &error));
	FAILS(sunpath_connect_addr(SOCK_STREAM, &addr, len, NULL, &error), ECONNREFUSED);
	CALL(sunpath_server_fd(server));
	CALL(sunpath_server_addr(server, &addr, &len, &error));
	CALL(sunpath_server_adopt(server));

	CALL(client = sunpath_connect(SOCK_STREAM, path, NULL, &error));
	CALL(fd = sunpath_accept(listener, 0));
	CALL(close(client) + close(fd));
	CALL(client = sunpath_connect_at(AT_FDCWD, SOCK_STREAM, path, NULL, &error));
	CALL(fd = sunpath_accept_user(listener, 0, geteuid()));
	CALL(close(client) + close(fd));
	CALL(client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	CALL(sunpath_connect_to_at(client, AT_FDCWD, path, &error));
	CALL(close(client));
	CALL(sunpath_probe(path, &error));
	path[strlen(path) - 1] = 'b';
	FAILS(sunpath_connect(SOCK_STREAM, path, NULL, &error), ENOENT);
	CALL(sunpath_explain(error, text, sizeof(text)));
	CALL(sunpath_error_errno(error) + sunpath_error_is_running(error));
	CALL(fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	CALL(sunpath_bind_to_at(fd, AT_FDCWD, path, &error));
	CALL(close(fd));
	CALL(sunpath_probe(path, &error));

	CALL(sunpath_set_pass_credentials(ends[1], 1));
	CALL(sunpath_send_fd(ends[0], 0, &error));
	CALL(fd = sunpath_recv_fd(ends[1], &error));
	CALL(close(fd));
	CALL(sunpath_send_fds(ends[0], "x", 1, ends, 2, &error));
	CALL(sunpath_recv_fds(ends[1], &byte, 1, fds, 2, &error));
	CALL(close(fds[0]) + close(fds[1]));
	CALL(sunpath_send_fds(ends[0], "x", 1, ends, 1, &error));
	CALL(sunpath_recv_fds_up_to(ends[1], &byte, 1, fds, 2, &count, &error));
	CALL(close(fds[0]));
	CALL(sunpath_send_credentials(ends[0], "x", 1, &error));
	CALL(sunpath_recv_credentials(ends[1], &byte, 1, NULL, NULL, NULL, &error));
	CALL(sunpath_send_credentials(ends[0], "x", 1, &error));
	CALL(sunpath_recv_fds_with_credentials(ends[1], &byte, 1, fds, 2, &count, NULL, NULL, NULL, &error));
	CALL(sunpath_peer_cred(ends[0], NULL, NULL, NULL, &error));
	/* These two need a newer kernel. */
	fd = sunpath_peer_pidfd(ends[0], &error);
	CALL(fd == -1 ? errno == ENOPROTOOPT : close(fd));
	CHECK(sunpath_peer_groups(ends[0], groups, 256, &error) != -1 || errno == ENOPROTOOPT);
	CALL(sunpath_check_socket(ends[0], SOCK_STREAM, 0, &error));
	CALL(fd = sunpath_private_dir("private", &error));
	CALL(close(fd));
	CALL(fd = sunpath_public_dir("public", &error));
	CALL(close(fd));
	CALL(fd = sunpath_open_dir("private", &error));
	CALL(close(fd));
	errno = saved;
}

int main(void)
{
	struct sigaction action;
	stack_t stack;
	char *memory, *lowest;
	char name[201];
	uint64_t error;
	int i;

	/* The path leads through directories whose names have 200 bytes. */
	memset(name, 'd', 200);
	name[200] = '\0';
	for (i = 0; i < 25; i++) {
		int fd;

		strcat(path, name);
		fd = sunpath_private_dir(path, &error);
		CHECK(fd != -1 && close(fd) == 0);
		strcat(path, "/");
	}
	strcat(path, "a");
	snprintf(nobody, sizeof(nobody), "sunpath-nobody-%d", (int)getpid());
	CHECK(sunpath_bind(SOCK_STREAM, path, NULL, &server, &error) == 0);
	CHECK(unsafe_calls > 0 && sunpath_take_passed(&error) == 0);
	listener = sunpath_server_fd(server);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);

	/* The page below the stack cannot be accessed. */
	memory = (char *)mmap(NULL, STACK + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED && mprotect(memory + 4096, STACK, PROT_READ | PROT_WRITE) == 0);
	memset(memory + 4096, PAINT, STACK);
	memset(&stack, 0, sizeof(stack));
	stack.ss_sp = memory + 4096;
	stack.ss_size = STACK;
	CHECK(sigaltstack(&stack, NULL) == 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_ONSTACK;
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);

	unsafe_calls = 0;
	CHECK(raise(SIGUSR1) == 0);
	CHECK(calls > 40 && unsafe_calls == 0);
	for (lowest = memory + 4096; *lowest == PAINT; lowest++)
		;
	printf("below the handler: %zu bytes, in all: %zu\n", (size_t)(start - lowest),
	       (size_t)(memory + 4096 + STACK - lowest));
	/* The header says 20 KiB. */
	CHECK(start - lowest < 20 * 1024);
	CHECK(sunpath_server_close(server, &error) == 0);
	return 0;
}
