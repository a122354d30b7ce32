#include "cases.h"

#include "descriptors.h"
#include "line.h"
#include "process.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void run_counted(void (*run)(void))
{
	int before = open_descriptors(), after;

	run();
	after = open_descriptors();
	if (after != before)
		printf("; leaked %d", after - before);
}

int run_cases(int argc, char **argv, const struct test_case *cases, size_t count)
{
	process_begin();
	allow_usual();
	for (size_t i = 0; i < count; i++) {
		if (!process_wants(argc, argv, cases[i].id))
			continue;
		printf("%s\t", cases[i].id);
		begin_line();
		if (cases[i].needs == ROOT && !process_may_drop()) {
			printf("not run: needs root");
		} else if (cases[i].needs == MANY && !may_have_many()) {
			printf("not run: needs RLIMIT_NOFILE 1024");
		} else {
			if (mkdir(cases[i].id, 0755) < 0 || chdir(cases[i].id) < 0)
				die(cases[i].id);
			run_counted(cases[i].run);
			if (chdir("..") < 0)
				die("chdir");
		}
		putchar('\n');
	}
	return 0;
}
