/* Runs the cases of cases.txt in C. It reads the table from standard input, makes the calls on this
 * kernel, and prints a line for each case. The current directory should be empty. By hand:
 *
 *   mkdir fresh && cd fresh && addr < .../cases.txt
 *
 * ../raw and ../safe do the same over sunpath-sys and over sunpath. */
#include "address.h"
#include "notation.h"
#include "table.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1. Make an address with space after it that must not be written to: see address.h. */

static socklen_t smaller(socklen_t a, socklen_t b)
{
	return a < b ? a : b;
}

/* 2. Make sockets: a stream socket for each letter when it is first used. The sockets are
 *    nonblocking, so that a case that goes wrong prints EAGAIN and does not wait. */

#define KIND (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static int sockets['z' - 'a' + 1];

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static int *slot(char name)
{
	return &sockets[name - 'a'];
}

static int socket_of(char name)
{
	int *fd = slot(name);

	if (*fd < 0) {
		*fd = socket(AF_UNIX, KIND, 0);
		if (*fd < 0)
			die("socket");
	}
	return *fd;
}

/* 3. Pass addresses: the address that the table has, and its length. */

static socklen_t address_of(const struct step *step, union address *ret_addr)
{
	socklen_t reported = sizeof ret_addr->un;

	memset(ret_addr, 0, sizeof *ret_addr);
	if (step->source == SOURCE_SOCKNAME) {
		if (getsockname(socket_of(step->from), &ret_addr->any, &reported) < 0)
			die("getsockname");
	} else {
		ret_addr->un.sun_family = step->family;
		memcpy(ret_addr->bytes + PATH_OFFSET, step->bytes, step->count);
	}

	switch (step->form) {
	case FORM_EXACT:
		return (socklen_t)(PATH_OFFSET + step->count);
	case FORM_REPORTED:
		return reported;
	case FORM_CLAMPED: /* The kernel may report a greater length than it accepts. */
		return smaller(reported, sizeof ret_addr->un);
	case FORM_NUMBER:
		return (socklen_t)step->number;
	default:
		return sizeof ret_addr->un;
	}
}

static void print_outcome(int result)
{
	printf(" = %s", result < 0 ? errno_name(errno) : "ok");
}

static void ask_with_address(const struct step *step)
{
	union address addr;
	int fd = socket_of(step->socket);
	socklen_t len = address_of(step, &addr);
	int result = step->call == CALL_BIND ? bind(fd, &addr.any, len)
					     : connect(fd, &addr.any, len);
	int saved = errno;

	step_print(step, len);
	errno = saved;
	print_outcome(result);
}

/* 4. Print the answers: what the kernel wrote, the length that it reports, and whether it wrote
 *    past the buffer. */

static void ask_for_address(const struct step *step)
{
	union address addr;
	int fd = socket_of(step->socket);
	socklen_t cap = step->form == FORM_NUMBER ? (socklen_t)step->number : sizeof addr.un;
	socklen_t len = cap;
	int result;
	char byte;

	address_prepare(&addr);
	step_print(step, cap);
	switch (step->call) {
	case CALL_GETSOCKNAME:
		result = getsockname(fd, &addr.any, &len);
		break;
	case CALL_GETPEERNAME:
		result = getpeername(fd, &addr.any, &len);
		break;
	case CALL_RECVFROM:
		result = (int)recvfrom(fd, &byte, sizeof byte, 0, &addr.any, &len);
		break;
	default:
		result = *slot('a') = accept4(fd, &addr.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		break;
	}
	if (result < 0) {
		print_outcome(result);
	} else {
		fputs(" = ", stdout);
		address_print(&addr, cap, len);
	}
}

/* 5. Make the calls that have no address. */

static void ask_plainly(const struct step *step)
{
	int pair[2] = { -1, -1 };

	step_print(step, 0);
	switch (step->call) {
	case CALL_LISTEN:
		print_outcome(listen(socket_of(step->socket), 8));
		break;
	case CALL_SEND:
		print_outcome((int)send(socket_of(step->socket), "x", 1, MSG_NOSIGNAL));
		break;
	case CALL_CLOSE:
		print_outcome(close(socket_of(step->socket)));
		*slot(step->socket) = -1;
		break;
	case CALL_SOCKETPAIR:
		print_outcome(socketpair(AF_UNIX, KIND, 0, pair));
		*slot('p') = pair[0];
		*slot('q') = pair[1];
		break;
	default:
		print_outcome(mkdir((const char *)step->bytes, 0777));
		break;
	}
}

/* 6. Remove the files: prints the exact names of the sockets in the directory, and removes them. */

static int is_socket(const struct dirent *entry)
{
	struct stat st;

	return lstat(entry->d_name, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void print_and_remove_files(void)
{
	struct dirent **entries;
	int count = scandir(".", &entries, is_socket, alphasort);

	if (count < 0)
		die("scandir");
	printf("; %s", count == 0 ? "no file" : "file");
	for (int i = 0; i < count; i++) {
		putchar(' ');
		bytes_print((const unsigned char *)entries[i]->d_name, strlen(entries[i]->d_name));
		if (unlink(entries[i]->d_name) < 0)
			die("unlink");
		free(entries[i]);
	}
	free(entries);
}

/* 7. Run a case: each case has its own sockets and files, and prints one line. */

static void run_case(const char *text)
{
	char id[64];
	const char *comma = "\t";
	struct step step;
	int taken = 0;

	if (sscanf(text, "%63s %n", id, &taken) != 1)
		return;
	for (char name = 'a'; name <= 'z'; name++)
		*slot(name) = -1;
	address_forget_autobound();

	printf("%s", id);
	for (text += taken; text != NULL; text = strncmp(text, "; ", 2) == 0 ? text + 2 : NULL) {
		text = step_read(text, &step);
		if (text == NULL || (*text != '\0' && *text != ';')) {
			fprintf(stderr, "%s: not a call of the table\n", id);
			exit(2);
		}
		fputs(comma, stdout);
		comma = "; ";
		if (step.call == CALL_BIND || step.call == CALL_CONNECT)
			ask_with_address(&step);
		else if (step.call == CALL_ACCEPT || step.call == CALL_GETPEERNAME ||
			 step.call == CALL_GETSOCKNAME || step.call == CALL_RECVFROM)
			ask_for_address(&step);
		else
			ask_plainly(&step);
	}
	print_and_remove_files();
	putchar('\n');

	for (char name = 'a'; name <= 'z'; name++)
		if (*slot(name) >= 0)
			close(*slot(name));
}

/* 8. Read the table: "for 0..112 ID ..." repeats a case with each value in place of "$n". */

static void run_with_number(const char *text, unsigned long number)
{
	char filled[1024];
	size_t at = 0;

	for (; *text != '\0' && at + 24 < sizeof filled; text++) {
		if (text[0] == '$' && text[1] == 'n') {
			at += (size_t)snprintf(filled + at, sizeof filled - at, "%lu", number);
			text++;
		} else {
			filled[at++] = *text;
		}
	}
	filled[at] = '\0';
	run_case(filled);
}

int main(void)
{
	char line[1000];

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	while (fgets(line, sizeof line, stdin) != NULL) {
		unsigned long first, last;
		int taken = 0;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (sscanf(line, "for %lu..%lu %n", &first, &last, &taken) != 2) {
			run_case(line);
			continue;
		}
		for (unsigned long n = first; n <= last; n++)
			run_with_number(line + taken, n);
	}
	return 0;
}
