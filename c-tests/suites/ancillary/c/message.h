/* Sends or receives one message with control data, and prints it in the words of the line:
 *
 *   sendmsg(p, "x", RIGHTS(2)) = 1; recvmsg(q, 64, CMSG_LEN(4)) = 1, "x", RIGHTS(1), CTRUNC, opened 1
 *
 * The line has the data, the control messages in their order, the flags that report truncation, and
 * how many more descriptors the process has. If the line names no control buffer, the buffer is
 * large enough. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "control.h"
#include "line.h"

#include <sys/types.h>

/* The size of the buffer for data, which is more than any case needs. */
#define DATA_SIZE 256

/* Two connected sockets, which are nonblocking and close-on-exec. */
struct pair {
	int p, q;
};

struct pair new_pair(int type);
void close_pair(struct pair s);

/* Sets an option of a socket, as a step: SET("q", s.q, SO_PASSCRED, 1). */
#define SET(name, fd, option, value) set_option(name, fd, option, #option, value)
void set_option(const char *name, int fd, int option, const char *words, int value);

/* Returns whether this kernel lacks an option, and prints a missing option in place of the case. */
#define LACKS(option) lacks_option(option, #option)
int lacks_option(int option, const char *words);

/* Send text with control data. try_send prints nothing. The other functions print a step, with
 * these words for the control data. */
ssize_t try_send(int p, const char *text, const struct control *control);
void send_control(int p, const char *text, const struct control *control, const char *words);
void send_rights(int p, const char *text, size_t count);
void send_fd(int p, const char *text, int fd);
void send_text(int p, const char *text);

/* The arguments of a receive: at most size bytes, and a control buffer of capacity bytes that
 * begins offset bytes after an aligned address. The words are the line's text for capacity and
 * flags, or NULL. */
struct receive {
	size_t size, capacity;
	const char *capacity_words;
	int flags;
	const char *flag_words;
	size_t offset;
};

/* Receives a message, as a step. The descriptors belong to the caller. */
struct fds receive_with(int q, struct receive how);

/* Each function receives, and closes the descriptors: at most size bytes; with any arguments; into
 * a small control buffer; with flags. */
void receive(int q, size_t size);
void receive_closing(int q, struct receive how);
#define RECEIVE_IN(q, size, capacity) \
	receive_closing(q, (struct receive){ size, capacity, .capacity_words = #capacity })
#define RECEIVE_FLAGS(q, size, flags) \
	receive_closing(q, (struct receive){ size, CONTROL_SIZE, NULL, flags, #flags, 0 })

/* Receives one descriptor, which belongs to the caller. Returns -1 if none arrived. */
int receive_fd(int q);

/* Calls recv(2), as a step. */
#define RECV(q, size) receive_plain(q, size, 0, NULL)
#define RECV_FLAGS(q, size, flags) receive_plain(q, size, flags, #flags)
void receive_plain(int q, size_t size, int flags, const char *words);

#endif
