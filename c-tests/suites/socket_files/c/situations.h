/* The situations that may exist at the path "x". Each function makes a situation, calls `look`, and
 * cleans up. */
#ifndef SITUATIONS_H
#define SITUATIONS_H

typedef void look(void);

/* Make situations in which a process holds the socket. */
void with_bound(look *look);
void with_listening(look *look);
void with_full(look *look);
void with_shut_down(look *look);
void with_seqpacket(look *look);
void with_datagram(look *look);
void with_taken(look *look);

/* Make situations in which no process holds the socket. */
void with_stale(look *look);
void with_accepted(look *look);
void with_node(look *look);
void with_file(look *look);

#endif
