/*
 * Returns 1 if the peer of this socket is a process of our user, and 0 if it is not, or if
 * there is no peer.
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

int is_our_user(int sock)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}
