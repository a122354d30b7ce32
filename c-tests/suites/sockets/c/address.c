#include "address.h"

#include "notation.h"
#include "process.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

socklen_t address_of(const struct arg *arg, struct sockaddr_un *ret_addr)
{
	memset(ret_addr, 0, sizeof *ret_addr);
	if (arg->bytes == NULL) {
		ret_addr->sun_family = AF_UNSPEC;
		return sizeof ret_addr->sun_family;
	}
	if (arg->count > sizeof ret_addr->sun_path)
		die("address");
	ret_addr->sun_family = AF_UNIX;
	memcpy(ret_addr->sun_path, arg->bytes, arg->count);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + arg->count);
}

void print_name(const struct sockaddr_un *addr, socklen_t len)
{
	if (len <= offsetof(struct sockaddr_un, sun_path))
		fputs("unnamed", stdout);
	else if (addr->sun_path[0] == '\0')
		fputs("autobound", stdout);
	else
		bytes_print((const unsigned char *)addr->sun_path, strlen(addr->sun_path));
}
