/* Runs the cases of socket files in C: which process holds a file, which process may remove it, how
 * servers follow each other, and which clients may connect. It prints a line for each case. The
 * current directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && socket_files           every case of ../cases.def
 *   mkdir fresh && cd fresh && socket_files D01.listening E02
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath, file by file. */
#include "socket_files.h"

#include "cases.h"
#include "descriptors.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* 1. Make the steps that several files use. */

void try_listen_for(struct sock s, int backlog)
{
	int listens = listen(s.fd, backlog);

	step("listen(%c, %d)", s.name, backlog);
	outcome(listens);
}

void ask_connect(char name, int type, const char *path)
{
	struct sock c = new_socket(name, type);

	try_connect(c, path);
	CLOSE(c);
}

void try_chmod(const char *path, mode_t mode)
{
	int changed = chmod(path, mode);

	step("chmod(\"%s\", %04o)", path, (unsigned)mode);
	outcome(changed);
}

void ask_mode(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		die(path);
	step("mode(\"%s\") = %04o", path, (unsigned)status.st_mode & 07777);
}

/* 2. Become other users, and enter other network namespaces. */

void as_another(void (*run)(void))
{
	pid_t child = process_fork();

	if (child == 0) {
		process_drop();
		part("another user");
		run();
		process_end(0);
	}
	process_join(child);
}

int leave_network(void)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 1;
	printf("not run: needs a namespace");
	return 0;
}

/* 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it. */

static const struct test_case cases[] = {
#define CASE(id, name, needs, file, title) CASE_ENTRY(id, name, needs, file)
#include "../cases.def"
#undef CASE
};

int main(int argc, char **argv)
{
	return run_cases(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
