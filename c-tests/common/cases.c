#include "cases.h"

#include "descriptors.h"
#include "line.h"
#include "process.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
		} else if (cases[i].needs == PEERPIDFD && !has_peer_pidfd()) {
			printf("not run: needs SO_PEERPIDFD");
		} else if (cases[i].needs == PADDED && CMSG_SPACE(4) != CMSG_LEN(8)) {
			printf("not run: needs control messages aligned to 8 bytes");
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

static void run_line(char *line)
{
	char id[64];
	int taken;

	if (line[0] == '#' || sscanf(line, "%63s %n", id, &taken) != 1)
		return;
	printf("%s\t", id);
	begin_line();
	text_to_run = line + taken;
	run_counted(run_the_text);
	putchar('\n');
}

int run_lines(void (*run)(const char *text))
{
	/* Reads all of the input before the first case. A child shares the offset of the input with
	 * this process, and could move it back when it exits, because the C library gives back what
	 * it has buffered but not read. */
	static char table[16384];
	size_t count = fread(table, 1, sizeof table - 1, stdin);

	if (count == sizeof table - 1)
		die("the table is too long");
	process_begin();
	allow_usual();
	run_text = run;
	for (char *rest, *line = strtok_r(table, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		run_line(line);
	return 0;
}
