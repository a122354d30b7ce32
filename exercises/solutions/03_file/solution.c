/*
 * Returns 1 if there is a socket file at this path that no process holds any more, and
 * otherwise 0. A live server must not notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int is_dead(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct stat st;
    int sock, dead;

    if (strlen(path) >= sizeof addr.sun_path || lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode)) {
        return 0;
    }
    memcpy(addr.sun_path, path, strlen(path));
    sock = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (sock == -1) {
        return 0;
    }
    dead = connect(sock, (struct sockaddr *)&addr, sizeof addr) == -1 && errno == ECONNREFUSED;
    close(sock);
    return dead;
}
