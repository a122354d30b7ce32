/*
 * Accepts every connection that waits at this nonblocking listener, and closes it. Returns how
 * many there were.
 */
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

int accept_all(int listener)
{
    int count = 0;

    for (;;) {
        int sock = accept(listener, NULL, NULL);

        if (sock == -1) {
            return count;
        }
        close(sock);
        count++;
    }
}
