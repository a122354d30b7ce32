#include "cases.h"

#include "descriptors.h"
#include "line.h"
#include "process.h"

#include <stdio.h>
#include <string.h>
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

static void (*run_text)(const char *text);
static const char *text_to_run;

static void run_the_text(void)
{
	run_text(text_to_run);
}

int run_lines(void (*run)(const char *text))
{
	char line[1000], id[64];
	int taken;

	process_begin();
	allow_usual();
	run_text = run;
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || sscanf(line, "%63s %n", id, &taken) != 1)
			continue;
		printf("%s\t", id);
		begin_line();
		text_to_run = line + taken;
		run_counted(run_the_text);
		putchar('\n');
	}
	return 0;
}
