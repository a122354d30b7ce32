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
    return (int)strlen(path);
}
