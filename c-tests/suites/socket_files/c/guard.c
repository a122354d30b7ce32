/* Cases of the removal of a socket file: only the server that bound the file removes it. */
#include "socket_files.h"
#include "server.h"

#include <stdio.h>
#include <unistd.h>

/* 1. End a server after another file took its path. */

void guard_replaced(void)
{
	struct server a = try_serve('a', "x"), b;

	try_unlink("x");
	b = try_serve('b', "x");
	try_release('a', &a);
	ask_connect('c', SOCK_STREAM, "x");
	close(try_accept((struct sock){ 'b', b.fd }, 'd').fd);
	server_release(&b);
}

void guard_file(void)
{
	struct server a = try_serve('a', "x");

	try_unlink("x");
	try_create("x");
	try_release('a', &a);
	ask_kind("x");
}

void guard_renamed(void)
{
	struct server a = try_serve('a', "x");

	try_rename("x", "y");
	try_release('a', &a);
	ask_names();
}

static void go(const char *directory)
{
	if (chdir(directory) < 0)
		die("chdir");
	step("chdir(\"%s\") = ok", directory);
}

void guard_chdir(void)
{
	struct server a = try_serve('a', "x");

	try_mkdir("d");
	go("d");
	try_create("x");
	try_release('a', &a);
	ask_names();
	go("..");
	ask_names();
}

/* 2. End a server. */

void guard_released(void)
{
	struct server a = try_serve('a', "x");

	try_release('a', &a);
	ask_names();
}

void guard_forgotten(void)
{
	struct server a = try_serve('a', "x");

	server_forget(&a);
	step("forget(a)");
	ask_kind("x");
	ask_connect('c', SOCK_STREAM, "x");
}

void guard_forked(void)
{
	struct server a = try_serve('a', "x");
	pid_t child = process_fork();

	if (child == 0) {
		part("child");
		try_release('a', &a);
		process_end(0);
	}
	process_join(child);
	ask_connect('c', SOCK_STREAM, "x");
	close(try_accept((struct sock){ 'a', a.fd }, 'd').fd);
	try_release('a', &a);
	ask_names();
}
