/* Makes addresses, and reads them. */
#include "check.h"

#include <stddef.h>

static struct sockaddr_un addr;
static socklen_t len;
static uint64_t error;

static void path_limits(void)
{
	char path[sizeof(addr.sun_path) + 2];
	size_t most = sizeof(addr.sun_path) - 1, size;

	for (size = 1; size <= most + 1; size++) {
		memset(path, 'p', size);
		path[size] = '\0';
		memset(&addr, 0x55, sizeof(addr));
		len = 77;
		if (size > most) {
			FAILS(sunpath_addr_from_path(path, &addr, &len, &error), ENAMETOOLONG);
			CHECK(len == 77 && addr.sun_path[0] == 0x55);
			CHECK(explained(error, "sockaddr_un: ENAMETOOLONG (108 bytes are too long for "
					       "sun_path, which takes at most 107)"));
			continue;
		}
		CHECK(sunpath_addr_from_path(path, &addr, &len, NULL) == 0);
		CHECK(addr.sun_family == AF_UNIX);
		CHECK(strcmp(addr.sun_path, path) == 0);
		CHECK(len == offsetof(struct sockaddr_un, sun_path) + size + 1);
	}
	FAILS(sunpath_addr_from_path("", &addr, &len, &error), ENOENT);
	CHECK(explained(error, "sockaddr_un: ENOENT (path is empty)"));
}

static void null_pointers(void)
{
	error = 7;
	FAILS(sunpath_addr_from_path(NULL, &addr, &len, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 1 is NULL)"));
	FAILS(sunpath_addr_from_path("a", NULL, &len, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 2 is NULL)"));
	FAILS(sunpath_addr_from_path("a", &addr, NULL, &error), EINVAL);
	CHECK(explained(error, "EINVAL (parameter 3 is NULL)"));
	FAILS(sunpath_addr_from_path(NULL, NULL, NULL, NULL), EINVAL);
	FAILS(sunpath_addr_from_abstract(NULL, 1, &addr, &len, NULL), EINVAL);
	FAILS(sunpath_addr_from_text(NULL, &addr, &len, NULL), EINVAL);
	FAILS(sunpath_addr_unnamed(NULL, &len), EINVAL);
	FAILS(sunpath_addr_name(NULL, 2, NULL, NULL), EINVAL);
	FAILS(sunpath_addr_to_text(NULL, 2, NULL, 0), EINVAL);
	CHECK(sunpath_addr_unnamed(&addr, &len) == 0);
	FAILS(sunpath_addr_to_text(&addr, len, NULL, 1), EINVAL);
}

static void names(void)
{
	const char *name = NULL;
	size_t size = 99;
	char text[32];

	CHECK(sunpath_addr_from_path("/run/a", &addr, &len, NULL) == 0);
	CHECK(sunpath_addr_name(&addr, len, &name, &size) == SUNPATH_PATHNAME);
	CHECK(name == addr.sun_path && size == 6);

	CHECK(sunpath_addr_from_abstract("a\0b", 3, &addr, &len, NULL) == 0);
	CHECK(len == offsetof(struct sockaddr_un, sun_path) + 4);
	CHECK(sunpath_addr_name(&addr, len, &name, &size) == SUNPATH_ABSTRACT);
	CHECK(name == addr.sun_path + 1 && size == 3 && memcmp(name, "a\0b", 3) == 0);
	CHECK(sunpath_addr_to_text(&addr, len, text, sizeof(text)) == 7);
	CHECK(strcmp(text, "@a\\x00b") == 0);
	FAILS(sunpath_addr_from_abstract(addr.sun_path, 108, &addr, &len, NULL), ENAMETOOLONG);
	CHECK(sunpath_addr_from_abstract(NULL, 0, &addr, &len, NULL) == 0);

	CHECK(sunpath_addr_unnamed(&addr, &len) == 0);
	CHECK(sunpath_addr_name(&addr, len, &name, &size) == SUNPATH_UNNAMED && size == 0);
	CHECK(sunpath_addr_name(&addr, 0, &name, &size) == SUNPATH_UNNAMED);

	/* For a path that fills sun_path, Linux reports a length of one byte more than the struct. */
	memset(addr.sun_path, 'f', sizeof(addr.sun_path));
	CHECK(sunpath_addr_name(&addr, sizeof(addr) + 1, &name, &size) == SUNPATH_PATHNAME);
	CHECK(size == sizeof(addr.sun_path));
	size = 99;
	FAILS(sunpath_addr_name(&addr, sizeof(addr) + 2, &name, &size), EINVAL);
	CHECK(size == 99);
	addr.sun_family = AF_INET;
	FAILS(sunpath_addr_name(&addr, sizeof(addr), &name, &size), EAFNOSUPPORT);
}

/* The library reads nothing after the given length. The address ends where the allocated memory ends,
 * so valgrind and the sanitizers would report a read after it. */
static void short_memory(void)
{
	char *memory = (char *)malloc(4);
	const char *name;
	size_t size;

	CHECK(sunpath_addr_from_path("a", &addr, &len, NULL) == 0);
	CHECK(memory != NULL);
	memcpy(memory, &addr, 4);
	CHECK(sunpath_addr_name((const struct sockaddr_un *)(const void *)memory, 4, &name, &size) ==
	      SUNPATH_PATHNAME);
	CHECK(size == 1);
	free(memory);
}

static void text(void)
{
	char buf[8];
	int whole;
	size_t size;

	CHECK(sunpath_addr_from_text("/run/app.sock", &addr, &len, NULL) == 0);
	for (size = 0; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		whole = sunpath_addr_to_text(&addr, len, size ? buf : NULL, size);
		CHECK(whole == 13);
		if (size > 0)
			CHECK(memcmp(buf, "/run/app", size - 1) == 0 && buf[size - 1] == '\0');
		if (size < sizeof(buf))
			CHECK(buf[size] == '#');
	}
	CHECK(sunpath_addr_from_text("@app", &addr, &len, NULL) == 0);
	CHECK(addr.sun_path[0] == '\0' && len == offsetof(struct sockaddr_un, sun_path) + 4);
	FAILS(sunpath_addr_from_text("a\\b", &addr, &len, &error), EINVAL);
	CHECK(explained(error, "sockaddr_un: EINVAL (the backslash at byte 1 begins no escape; write two "
			       "of them for one)"));
}

int main(void)
{
	CHECK(sunpath_version() == SUNPATH_VERSION);
	path_limits();
	null_pointers();
	names();
	short_memory();
	text();
	return 0;
}
