/* Runs the cases of cases.txt in C. It reads the table from standard input, makes the calls on this
 * kernel, and prints a line for each case. The current directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && sockets < .../cases.txt
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath. The calls that send and
 * receive are in data.c. */
#include "address.h"
#include "data.h"
#include "line.h"
#include "names.h"
#include "notation.h"
#include "process.h"
#include "step.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#define BIRTH (SOCK_CLOEXEC | SOCK_NONBLOCK)

/* 1. Make sockets, one for each letter. */

static int sockets['z' - 'a' + 1];

static int *slot(const struct step *step, size_t at)
{
	const char *word = step->args[at].word;

	if (word[0] < 'a' || word[0] > 'z' || word[1] != '\0') {
		fprintf(stderr, "%s: not a letter\n", word);
		exit(2);
	}
	return &sockets[word[0] - 'a'];
}

static void call_socket(const struct step *step)
{
	int type = type_of(step->args[1].word) | BIRTH;
	int fd = *slot(step, 0) = socket(AF_UNIX, type, (int)number_of(step, 2));

	outcome(fd);
}

static void call_pair(const struct step *step)
{
	int pair[2] = { -1, -1 };
	int returned = socketpair(AF_UNIX, type_of(step->args[0].word) | BIRTH, 0, pair);

	outcome(returned);
	*slot(step, 1) = pair[0];
	*slot(step, 2) = pair[1];
}

static void call_accept(const struct step *step)
{
	int flags = is_number(step, 2) ? (int)number_of(step, 2) : BIRTH;
	int fd = *slot(step, 1) = accept4(*slot(step, 0), NULL, NULL, flags);

	outcome(fd);
}

static void call_dup(const struct step *step)
{
	int fd = *slot(step, 1) = dup(*slot(step, 0));

	outcome(fd);
}

static void call_close(const struct step *step)
{
	outcome(close(*slot(step, 0)));
	*slot(step, 0) = -1;
}

/* 2. Make and print addresses. */

static void call_bind(const struct step *step)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = address_of(&step->args[1], &addr);

	outcome(bind(*slot(step, 0), (struct sockaddr *)&addr, len));
}

static void call_connect(const struct step *step)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = address_of(&step->args[1], &addr);

	outcome(connect(*slot(step, 0), (struct sockaddr *)&addr, len));
}

static void call_getpeername(const struct step *step)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof addr;

	if (getpeername(*slot(step, 0), (struct sockaddr *)&addr, &len) < 0) {
		outcome(-1);
		return;
	}
	fputs(" = ", stdout);
	print_name(&addr, len);
}

/* 3. Use connections: accept, poll, and shut down. */

static void call_listen(const struct step *step)
{
	outcome(listen(*slot(step, 0), (int)number_of(step, 1)));
}

static void call_fill_backlog(const struct step *step)
{
	int clients[64];
	struct sockaddr_un addr = { 0 };
	socklen_t len = address_of(&step->args[1], &addr);
	int type = type_of(step->args[0].word) | BIRTH;
	int count = -1, returned;

	do {
		if (++count == 64)
			die("fill_backlog: the backlog is too long");
		clients[count] = socket(AF_UNIX, type, 0);
		if (clients[count] < 0)
			die("socket");
		returned = connect(clients[count], (struct sockaddr *)&addr, len);
	} while (returned == 0);
	printf(" = %d, then %s", count, errno_name(errno));
	for (int i = 0; i <= count; i++)
		close(clients[i]);
}

static void call_poll(const struct step *step)
{
	struct pollfd polled = { .fd = *slot(step, 0) };

	polled.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP;
	if (poll(&polled, 1, 0) < 0)
		die("poll");
	fputs(" = ", stdout);
	events_print(polled.revents);
}

static void call_shutdown(const struct step *step)
{
	outcome(shutdown(*slot(step, 0), how_of(step->args[1].word)));
}

/* 4. Set options and flags. */

static void call_getsockopt(const struct step *step)
{
	const struct option *option = option_of(step->args[1].word);
	int value = 0;
	socklen_t len = sizeof value;
	const char *name = NULL;

	if (getsockopt(*slot(step, 0), option->level, option->number, &value, &len) < 0) {
		outcome(-1);
		return;
	}
	if (option->number == SO_TYPE)
		name = type_name(value);
	else if (option->number == SO_DOMAIN && value == AF_UNIX)
		name = "AF_UNIX";
	else if (option->number == SO_ERROR && value != 0)
		name = errno_name(value);
	if (name != NULL)
		printf(" = %s", name);
	else
		printf(" = %d", value);
}

static void call_setsockopt(const struct step *step)
{
	const struct option *option = option_of(step->args[1].word);
	int value = (int)number_of(step, 2);
	socklen_t len = is_number(step, 3) ? (socklen_t)number_of(step, 3) : sizeof value;

	outcome(setsockopt(*slot(step, 0), option->level, option->number, &value, len));
}

static void call_timeout(const struct step *step)
{
	int number = strcmp(step->args[1].word, "SO_SNDTIMEO") == 0 ? SO_SNDTIMEO : SO_RCVTIMEO;
	struct timeval timeout = { .tv_usec = number_of(step, 2) * 1000 };

	outcome(setsockopt(*slot(step, 0), SOL_SOCKET, number, &timeout, sizeof timeout));
}

static void call_nonblock(const struct step *step)
{
	int fd = *slot(step, 0);
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0) {
		flags &= ~O_NONBLOCK;
		flags = fcntl(fd, F_SETFL, number_of(step, 1) != 0 ? flags | O_NONBLOCK : flags);
	}
	outcome(flags);
}

static void call_nonblocking(const struct step *step)
{
	int flags = fcntl(*slot(step, 0), F_GETFL);

	result(flags < 0 ? -1 : (flags & O_NONBLOCK) != 0);
}

static void call_cloexec(const struct step *step)
{
	int flags = fcntl(*slot(step, 0), F_GETFD);

	result(flags < 0 ? -1 : (flags & FD_CLOEXEC) != 0);
}

static void call_fionread(const struct step *step)
{
	int value = 0;

	result(ioctl(*slot(step, 0), FIONREAD, &value) < 0 ? -1 : value);
}

static void call_siocatmark(const struct step *step)
{
	int value = 0;

	result(ioctl(*slot(step, 0), SIOCATMARK, &value) < 0 ? -1 : value);
}

static void call_siocoutq(const struct step *step)
{
	int value = 0;
	int returned = ioctl(*slot(step, 0), SIOCOUTQ, &value);

	if (returned == 0 && value > 0)
		fputs(" = some", stdout);
	else
		result(returned);
}

static void call_fds(const struct step *step)
{
	static struct rlimit before;
	struct rlimit limit;

	if (strcmp(step->args[0].word, "none") == 0) {
		int next = dup(STDIN_FILENO);

		if (next < 0 || getrlimit(RLIMIT_NOFILE, &before) < 0)
			die("fds");
		close(next);
		limit = before;
		limit.rlim_cur = (rlim_t)next;
	} else {
		limit = before;
	}
	outcome(setrlimit(RLIMIT_NOFILE, &limit));
}

/* 5. Run a case: each case has its own sockets and files, and prints one line. */

static void run_step(const struct step *step)
{
	static const struct {
		const char *name;
		void (*call)(const struct step *step);
	} calls[] = {
		{ "accept", call_accept },	   { "bind", call_bind },
		{ "cloexec", call_cloexec },	   { "close", call_close },
		{ "connect", call_connect },	   { "fill_backlog", call_fill_backlog },
		{ "dup", call_dup },		   { "fds", call_fds },
		{ "fionread", call_fionread },	   { "getpeername", call_getpeername },
		{ "getsockopt", call_getsockopt }, { "listen", call_listen },
		{ "nonblock", call_nonblock },	   { "nonblocking", call_nonblocking },
		{ "pair", call_pair },		   { "poll", call_poll },
		{ "setsockopt", call_setsockopt }, { "shutdown", call_shutdown },
		{ "siocatmark", call_siocatmark }, { "siocoutq", call_siocoutq },
		{ "socket", call_socket },	   { "timeout", call_timeout },
	};

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(calls[i].name, step->call) == 0) {
			calls[i].call(step);
			return;
		}
	}
	if (!data_call(*slot(step, 0), step)) {
		fprintf(stderr, "%s: not a call of the table\n", step->call);
		exit(2);
	}
}

static void remove_files(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;

	if (dir == NULL)
		die("opendir");
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && unlink(entry->d_name) < 0)
			die("unlink");
	closedir(dir);
}

static void run_case(const char *text)
{
	char id[64];
	const char *next, *comma = "\t";
	struct step step;
	int taken = 0;

	if (sscanf(text, "%63s %n", id, &taken) != 1)
		return;
	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
		sockets[i] = -1;

	printf("%s", id);
	for (text += taken; text != NULL; text = strncmp(next, "; ", 2) == 0 ? next + 2 : NULL) {
		next = step_read(text, &step);
		if (next == NULL || (*next != '\0' && *next != ';')) {
			fprintf(stderr, "%s: not a call of the table: %s\n", id, text);
			exit(2);
		}
		printf("%s%.*s", comma, (int)(next - text), text);
		comma = "; ";
		run_step(&step);
	}
	putchar('\n');

	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++)
		if (sockets[i] >= 0)
			close(sockets[i]);
	remove_files();
}

/* 6. Read the table. */

int main(void)
{
	char line[4000];

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	signal(SIGPIPE, SIG_IGN);
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0' && line[0] != '#')
			run_case(line);
	}
	return 0;
}
