/*
 * Returns the length to pass with the address of this path, or -1 if the path is empty or does
 * not fit.
 */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int address_length(const char *path)
{
    size_t size = strlen(path) + 1;

    if (size == 1 || size > sizeof(((struct sockaddr_un *)0)->sun_path)) {
        return -1;
    }
    return (int)(offsetof(struct sockaddr_un, sun_path) + size);
}
