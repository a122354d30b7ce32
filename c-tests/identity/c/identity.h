/* What the files of this program share. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <sys/socket.h>
#include <sys/types.h>

#ifndef SO_PEERPIDFD /* since Linux 6.5; headers may be older */
#define SO_PEERPIDFD 77
#endif

/* Where every listener of a case is, in the current directory. */
#define PATH "s"

/* Each ends the program where it fails. The type is SOCK_STREAM or another. */
int new_socket(int type);
void new_pair(int type, int ret_pair[2]);
int bound(int type);
void start_listening(int fd, int backlog);
int listening(int type, int backlog);
int connected(int type);
int accepted(int listener);
void tell_byte(int fd);
void close_both(int a, int b);

/* Connects this socket to the listener of the case: 0, or -1 with errno. */
int try_connect(int fd);

/* Each asks, and prints the call and its answer, with the name that the socket has in the case. */
void ask_cred(const char *name, int fd);
void ask_byte(const char *name, int fd);

/* The cases of cred.c. */
void fresh(void);
void bound_only(void);
void datagram_connected(void);
void internet(void);
void listener(void);
void before_accept(void);
void after_close(void);
void two_processes(void);
void pair_stream(void);
void pair_datagram(void);
void pair_seqpacket(void);
void client_effective(void);
void client_drops(void);
void listens_then_drops(void);
void drops_then_listens(void);
void listens_again(void);
void writer_inherits(void);
void accepter_inherits(void);
void length_short(void);
void length_long(void);
void accepts_one_user(void);
void connects_to_one_user(void);

/* The cases of options.c. */
void groups_too_many(void);
void groups_exact(void);
void groups_roomy(void);
void groups_none(void);
void groups_of_nobody(void);
void pidfd_of_pair(void);
void pidfd_short(void);
void pidfd_of_nobody(void);
void peer_dead(void);
void label(void);
void in_user_namespace(void);
void in_pid_namespace(void);

/* The cases of signals.c. */
void stream_send(void);
void stream_send_nosignal(void);
void stream_send_nothing(void);
void stream_write(void);
void stream_writev(void);
void stream_shut(void);
void stream_unconnected(void);
void seqpacket_send(void);
void seqpacket_shut(void);
void datagram_send(void);
void datagram_shut(void);
void connect_timeout(void);
void connect_interrupted(void);
void connect_deadline(void);

#endif
