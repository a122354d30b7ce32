/*
 * sunpath.h: Unix domain sockets.
 *
 * Paths of any length, addresses that are never truncated, socket files with the right mode from the
 * beginning and without stale files, clients whose user is known, and descriptors that do not leak.
 *
 * RETURN VALUES. A function returns 0, a count or a descriptor. On failure it returns -1, sets errno
 * last, and leaves every output as it was, except for *ret_error. A pointer that must not be NULL and is
 * NULL is EINVAL. No function prints, changes a signal disposition, the umask or the working directory,
 * or raises SIGPIPE.
 *
 * ERRORS. One errno often has several causes. A function that can fail for several reasons takes a
 * uint64_t *ret_error, which may be NULL. On failure it receives a number with the call, the errno and
 * the cause, of which sunpath_explain() makes a sentence:
 *
 *     uint64_t error;
 *     char text[256];
 *     if (sunpath_bind(SOCK_STREAM, path, NULL, &server, &error) == -1) {
 *         sunpath_explain(error, text, sizeof(text));
 *         fprintf(stderr, "%s: %s\n", path, text);
 *     }
 *
 * prints: /run/app.sock: bind: EADDRINUSE (there is a file at the path that is not a socket)
 *
 * The number has a meaning for the same version of the library alone. 0 is no error. There is no global
 * and no thread-local state besides errno.
 *
 * DESCRIPTORS are plain ints and belong to the caller, who closes them with close(2). All are
 * close-on-exec. Those that a function takes are borrowed for the call, unless it says otherwise.
 *
 * STRINGS end with a NUL. A path is bytes, and is not limited by the size of sun_path unless the function
 * says so. Sizes are bytes. A function that writes text follows snprintf(3): it writes at most size bytes
 * with a NUL at the end, and returns the length that the whole text has without its NUL.
 *
 * THREADS. Each section says where its functions may be called. "Anywhere" means: in several threads at
 * once, in a signal handler that saves errno, and between fork and exec. A handler needs a stack of 64
 * KiB, because long paths use up to 20 KiB. "Any thread" means: in several threads at once, but not in a
 * signal handler, nor between fork and exec in a process with several threads, because malloc(3) or
 * getenv(3) is called. One sunpath_server is for one thread at a time.
 *
 * ABI. The library is libsunpath.so.0. Within it a later version may add functions, flags, and fields at
 * the end of the structs of options, and may report a cause where none was reported. It changes no
 * prototype, no number and no meaning of what is here. A struct of options carries its size: a program
 * that was compiled with an older header is served with the defaults for what it does not know, and one
 * that was compiled with a newer header gets E2BIG if it sets what the library does not know.
 */
#ifndef SUNPATH_H
#define SUNPATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header: major, minor and patch, each in 8 bits. */
#define SUNPATH_VERSION 0x000100

/*
 * Returns the version of the library, in the form of SUNPATH_VERSION. It may be called anywhere.
 */
unsigned int sunpath_version(void);

/* ---- Addresses ------------------------------------------------------------------------------------
 *
 * For programs that call bind(2), connect(2) or sendto(2) themselves. These functions may be called
 * anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Makes the address of a path, which must fit into sun_path: 107 bytes on Linux, 103 on the BSDs and
 * macOS. Nothing is truncated. *ret_len is the exact length: the offset of sun_path, the path, its NUL.
 *
 * ENOENT: the path is empty, which Linux would take for an abstract name that every user can reach.
 * ENAMETOOLONG: it does not fit; sunpath_bind() and sunpath_connect() take paths of any length.
 * EINVAL: a pointer is NULL.
 * See unix(7).
 */
int sunpath_addr_from_path(const char *path, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                           uint64_t *ret_error);

/*
 * Makes the address of an abstract name of `size` bytes, at most 107: a NUL and the name, without a NUL
 * after it. Every byte counts, NULs too. Every process of the network namespace can connect to it.
 *
 * ENAMETOOLONG: the name is too long.
 * EOPNOTSUPP: the system is not Linux.
 * EINVAL: a pointer is NULL.
 * See unix(7), "Abstract sockets".
 */
int sunpath_addr_from_abstract(const void *name, size_t size, struct sockaddr_un *ret_addr,
                               socklen_t *ret_len, uint64_t *ret_error);

/*
 * Reads an address from text, as sunpath_addr_to_text() writes it and service managers do: "@name" is an
 * abstract name, "(unnamed)" the unnamed address, and everything else a path. A backslash begins an
 * escape: "\\" is a backslash, "\xNN" a byte, "\u{N}" a character. A path that begins with @ is written
 * with "\x40".
 *
 * EINVAL: a backslash begins no escape; or a pointer is NULL.
 * ENOENT, ENAMETOOLONG, EOPNOTSUPP: as for the functions above.
 */
int sunpath_addr_from_text(const char *text, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                           uint64_t *ret_error);

/*
 * Makes the unnamed address: a family without a name.
 *
 * EINVAL: a pointer is NULL.
 */
int sunpath_addr_unnamed(struct sockaddr_un *ret_addr, socklen_t *ret_len);

/* What sunpath_addr_name() returns. */
#define SUNPATH_UNNAMED 0
#define SUNPATH_PATHNAME 1
#define SUNPATH_ABSTRACT 2

/*
 * Returns the kind of an address that the kernel or this library wrote, and sets *ret_name to its name
 * inside *addr, with *ret_size bytes. The name need not end with a NUL: a path can fill sun_path. Every
 * `len` that a kernel returns is right, 0 and one more than the struct included; nothing after the struct
 * is read.
 *
 * EAFNOSUPPORT: it is an address of another family.
 * EINVAL: `len` is larger than any kernel returns; or a pointer is NULL.
 * See getsockname(2).
 */
int sunpath_addr_name(const struct sockaddr_un *addr, socklen_t len, const char **ret_name,
                      size_t *ret_size);

/*
 * Writes an address as text for a message, in at most `size` bytes, and returns the length of the whole
 * text. Bytes that could move a terminal's cursor are escaped. 512 bytes are enough for every address.
 * `buf` may be NULL if `size` is 0.
 *
 * EAFNOSUPPORT, EINVAL: as for sunpath_addr_name().
 */
int sunpath_addr_to_text(const struct sockaddr_un *addr, socklen_t len, char *buf, size_t size);

/* ---- Errors ---------------------------------------------------------------------------------------
 *
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Writes what the number of an error means, in at most `size` bytes, and returns the length of the whole
 * text. 256 bytes are enough. `buf` may be NULL if `size` is 0. A number that is not an error of this
 * version gives a text that says so.
 *
 * EINVAL: `buf` is NULL and `size` is not 0.
 */
int sunpath_explain(uint64_t error, char *buf, size_t size);

/*
 * Returns the errno of an error, which errno had when the function failed; 0 for a number that is not one.
 */
int sunpath_error_errno(uint64_t error);

/*
 * Returns 1 if sunpath_bind() or one of its like failed because a server runs or is starting at the path,
 * and otherwise 0. Other things that are in the way have EADDRINUSE too: a directory, a file that is not a
 * socket, a lock file of another user.
 */
int sunpath_error_is_running(uint64_t error);

/* ---- Servers --------------------------------------------------------------------------------------
 *
 * A server is a bound socket and the file that belongs to it. Any thread may call these functions, as
 * "THREADS" in sunpath(3) defines it. sunpath_server_fd(), sunpath_server_addr() and
 * sunpath_server_adopt() may be called anywhere.
 */
struct sunpath_server;
typedef struct sunpath_server sunpath_server;

/* Flags of struct sunpath_bind_options. */
#define SUNPATH_NONBLOCK 0x1u        /* the socket is nonblocking (also for connect and accept) */
#define SUNPATH_SET_MODE 0x100u      /* the field mode counts */
#define SUNPATH_SET_OWNER 0x200u     /* the field owner counts */
#define SUNPATH_SET_GROUP 0x400u     /* the field group counts */
#define SUNPATH_SET_BACKLOG 0x800u   /* the field backlog counts */
#define SUNPATH_NO_LOCK_FILE 0x1000u /* SUNPATH_REPLACE_STALE makes no lock file */
#define SUNPATH_REACHABLE 0x2000u    /* a path that does not fit into sun_path is refused */

/* Values of the field existing: what to do if a file is at the path. */
#define SUNPATH_REFUSE 0        /* fail with EADDRINUSE, as bind(2) does */
#define SUNPATH_REPLACE_STALE 1 /* replace a socket file that is proved dead, and no other file */
#define SUNPATH_TAKEOVER 2      /* replace a socket file, dead or live, without an instant in between */

/*
 * Options for sunpath_bind(). Set all to zero, set size, then the fields and their flags. A field that is
 * not zero without its flag is EINVAL.
 *
 *     struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
 *     options.flags = SUNPATH_SET_MODE;
 *     options.mode = 0600;
 *     options.existing = SUNPATH_REPLACE_STALE;
 */
struct sunpath_bind_options {
    size_t size;        /* sizeof(struct sunpath_bind_options) */
    unsigned int flags; /* SUNPATH_SET_MODE and its like */
    mode_t mode;        /* of the file, at most 0777, whatever the umask is */
    uid_t owner;        /* of the file */
    gid_t group;        /* of the file */
    int existing;       /* SUNPATH_REFUSE, SUNPATH_REPLACE_STALE, SUNPATH_TAKEOVER */
    int backlog;        /* of listen(2); without it the most that the system takes */
};

#define SUNPATH_BIND_OPTIONS_INIT { sizeof(struct sunpath_bind_options), 0, 0, 0, 0, 0, 0 }

/*
 * Makes a socket of `type` (SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM), binds it to a path of any length,
 * and listens unless it is a datagram socket, whose path must fit into sun_path. `options` may be NULL:
 * then bind(2) alone acts on the file. The server is written to *ret_server, and belongs to the caller
 * until sunpath_server_close() or sunpath_server_release().
 *
 * With a mode, an owner or a group, no process can connect at any instant that these would not permit to.
 * With SUNPATH_REPLACE_STALE exactly one of several processes that start at once succeeds: they compete
 * for a lock file beside the socket, named <name>.lock, which the kernel releases when its holder dies.
 *
 * On failure nothing stays open, and no file stays that was not there before, except for an empty lock
 * file.
 *
 * EADDRINUSE: a server is there, sunpath_error_is_running() tells; or another file.
 * EACCES: no permission to write to the directory, or to search one above it.
 * ENOENT: the path is empty, or its directory does not exist. ENOTDIR, ELOOP: it leads nowhere.
 * ENAMETOOLONG: a name has over 255 bytes; or the path of a datagram socket does not fit.
 * EINVAL: the type or an option is not right, a mode is over 0777, or a pointer is NULL.
 * E2BIG: the options are those of a later version, and one is set that this one does not know.
 * EPERM: the owner or group needs privileges. EOPNOTSUPP: the file system does not keep modes or owners.
 * EPROTONOSUPPORT: the system has no SOCK_SEQPACKET (macOS).
 * EROFS, ENOSPC, EDQUOT: the file system takes no new file.
 * EMFILE, ENFILE, ENOMEM, ENOBUFS: no descriptor is free in the process, in the system; no memory.
 * See bind(2), listen(2), unix(7).
 */
int sunpath_bind(int type, const char *path, const struct sunpath_bind_options *options,
                 sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Does the same with a path that begins at the open directory `dirfd`, or at the working directory if that
 * is AT_FDCWD.
 *
 * EBADF: `dirfd` is not a descriptor. ENOTDIR: it is not a directory.
 * All others: as for sunpath_bind().
 */
int sunpath_bind_at(int dirfd, int type, const char *path, const struct sunpath_bind_options *options,
                    sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Does the same with an address: an abstract name, for example. A mode, an owner or a group is EINVAL for
 * a name, because every process of the network namespace can connect to it, and nothing has to be removed.
 *
 * EINVAL: the address is unnamed, has a length that is not right, or is a name with a mode.
 * EAFNOSUPPORT: it is an address of another family.
 * All others: as for sunpath_bind().
 */
int sunpath_bind_addr(int type, const struct sockaddr_un *addr, socklen_t len,
                      const struct sunpath_bind_options *options, sunpath_server **ret_server,
                      uint64_t *ret_error);

/*
 * Makes a server of a socket that is bound already: in a program that inherited the socket through
 * execve(2), after sunpath_server_release() in the old one. The kernel is asked whether the file at the
 * path is the socket's. With SUNPATH_REPLACE_STALE the lock is taken again. On success the server owns
 * `fd`; on failure the caller still does.
 *
 * ESTALE: another socket's file is at the path. ENOENT: none.
 * EADDRINUSE: the file is not a socket, or another process holds the lock.
 * EINVAL: the socket does not listen, or a pointer is NULL.
 * EBADF, ENOTSOCK, EAFNOSUPPORT: `fd` is not a Unix domain socket.
 * EOPNOTSUPP: the kernel does not tell.
 * See execve(2).
 */
int sunpath_adopt(int fd, const char *path, const struct sunpath_bind_options *options,
                  sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Returns the descriptor, for poll(2) and sunpath_accept(). It belongs to the server: do not close it.
 *
 * EINVAL: `server` is NULL.
 */
int sunpath_server_fd(const sunpath_server *server);

/*
 * Writes the address at which clients connect. If the path does not fit into sun_path, it is the address
 * that getsockname(2) reports, which leads to the socket in this process alone.
 *
 * EINVAL: a pointer is NULL.
 */
int sunpath_server_addr(const sunpath_server *server, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                        uint64_t *ret_error);

/*
 * Makes this process the one whose sunpath_server_close() removes the file: for a child that was forked and
 * goes on as the daemon. The parent must then not close its copy of the server, and end by _exit(2).
 *
 * EINVAL: `server` is NULL.
 */
int sunpath_server_adopt(sunpath_server *server);

/*
 * Frees the server, and returns its descriptor, which belongs to the caller from now on. The file stays,
 * and the lock is released.
 *
 * EINVAL: `server` is NULL.
 */
int sunpath_server_release(sunpath_server *server);

/*
 * Removes the file, closes the socket and frees the server, in any case, also if it reports an error. The
 * file is removed only if it is still the one that was bound, and only in the process that bound it. A
 * process that ends without this call leaves the file, as in C.
 *
 * ENOENT: the file was removed before. ESTALE: another file is at the path; it stays.
 * EPERM: another process bound it, or the directory is sticky and neither it nor the file is ours.
 * EACCES, EROFS, EBUSY, EIO, ENOMEM: the file cannot be removed.
 * EINVAL: `server` is NULL.
 * See unlink(2).
 */
int sunpath_server_close(sunpath_server *server, uint64_t *ret_error);

/* ---- Clients that connect -------------------------------------------------------------------------
 *
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Accepts a connection and returns its descriptor. A call that a signal interrupts is made again.
 * `flags` is 0 or SUNPATH_NONBLOCK.
 *
 * EAGAIN: no connection waits, and the listener is nonblocking.
 * EMFILE, ENFILE: no descriptor is free in the process, in the system. The connection stays in the queue,
 * so that a loop must wait before it calls again.
 * EINVAL: the socket does not listen, or a flag is not known.
 * EBADF, ENOTSOCK, EOPNOTSUPP: `listener` is not such a socket.
 * ECONNABORTED, ENOBUFS, ENOMEM: the client has closed already (not on Linux); no memory.
 * See accept(2).
 */
int sunpath_accept(int listener, unsigned int flags);

/*
 * Does the same, and closes every connection whose peer is not of the user `uid` (the effective user at
 * its connect(2)), until one is.
 *
 * Errors: as for sunpath_accept().
 * See unix(7), "SO_PEERCRED".
 */
int sunpath_accept_user(int listener, unsigned int flags, uid_t uid);

/* ---- Connecting -----------------------------------------------------------------------------------
 *
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/* Flags of struct sunpath_connect_options, besides SUNPATH_NONBLOCK. */
#define SUNPATH_SET_TIMEOUT 0x10000u     /* the field timeout_ms counts */
#define SUNPATH_SET_PEER 0x20000u        /* the field peer counts: the server must have this user */
#define SUNPATH_OWN_USER 0x40000u        /* the server must have the effective user of this process */
#define SUNPATH_WAIT_FOR_SERVER 0x80000u /* wait for a server that has not started yet */

/*
 * Options for sunpath_connect(), used as struct sunpath_bind_options is.
 */
struct sunpath_connect_options {
    size_t size;        /* sizeof(struct sunpath_connect_options) */
    unsigned int flags; /* SUNPATH_SET_TIMEOUT and its like */
    uid_t peer;         /* whose server it must be */
    int64_t timeout_ms; /* how long to wait, in milliseconds; without it as long as needed */
};

#define SUNPATH_CONNECT_OPTIONS_INIT { sizeof(struct sunpath_connect_options), 0, 0, 0 }

/*
 * Makes a socket of `type` that is connected to the one at a path of any length, and returns its
 * descriptor. `options` may be NULL. A datagram socket takes no option but SUNPATH_NONBLOCK. With
 * SUNPATH_NONBLOCK the socket is nonblocking when it is returned; connecting itself waits for a place in
 * the queue, as long as the timeout allows.
 *
 * ENOENT: there is no file at the path, or the path is empty. ECONNREFUSED: nobody listens at it.
 * With SUNPATH_WAIT_FOR_SERVER both come only when the timeout has passed.
 * ETIMEDOUT: the queue was full until the timeout had passed.
 * EPERM: another user runs the server; the cause has the number. Nothing was sent to it.
 * EACCES: no write permission on the file, or no search permission above it.
 * EPROTOTYPE: the server has a socket of another type.
 * EINVAL: the type or an option is not right; the user that is required stands for several users in this
 * user namespace; or a pointer is NULL.
 * E2BIG, ENAMETOOLONG, ENOTDIR, ELOOP, EMFILE, ENFILE, ENOMEM, ENOBUFS: as for sunpath_bind().
 * See connect(2), unix(7).
 */
int sunpath_connect(int type, const char *path, const struct sunpath_connect_options *options,
                    uint64_t *ret_error);

/*
 * Does the same with a path that begins at the open directory `dirfd`, or AT_FDCWD.
 *
 * EBADF: `dirfd` is not a descriptor. All others: as for sunpath_connect().
 */
int sunpath_connect_at(int dirfd, int type, const char *path,
                       const struct sunpath_connect_options *options, uint64_t *ret_error);

/*
 * Does the same with an address.
 *
 * EAFNOSUPPORT: it is an address of another family. All others: as for sunpath_connect().
 */
int sunpath_connect_addr(int type, const struct sockaddr_un *addr, socklen_t len,
                         const struct sunpath_connect_options *options, uint64_t *ret_error);

/*
 * Binds a socket that the program made itself to a path of any length, which begins at `dirfd` or
 * AT_FDCWD, as bind(2) does. A datagram socket needs a path that fits into sun_path, because its peers
 * answer to it. Nothing removes the file.
 *
 * EADDRINUSE, EACCES, ENOENT, ENAMETOOLONG and others: as for sunpath_bind().
 * EINVAL: the socket has an address already, or `path` is NULL. EBADF, ENOTSOCK: it is not a socket.
 * See bind(2).
 */
int sunpath_bind_to_at(int socket, int dirfd, const char *path, uint64_t *ret_error);

/*
 * Connects a socket that the program made itself to a path of any length, which begins at `dirfd` or
 * AT_FDCWD, as connect(2) does.
 *
 * EAGAIN: the queue is full, and the socket is nonblocking. EISCONN: it is connected already.
 * ENOENT, ECONNREFUSED, EACCES, EPROTOTYPE and others: as for sunpath_connect().
 * See connect(2).
 */
int sunpath_connect_to_at(int socket, int dirfd, const char *path, uint64_t *ret_error);

/* ---- Descriptors and credentials --------------------------------------------------------------------
 *
 * Descriptors that arrive are close-on-exec. On failure every descriptor that arrived is closed. These
 * functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Sends the descriptor `fd` with one byte, and keeps it.
 *
 * EBADF: one of the two is not a descriptor.
 * EINVAL: a descriptor that cannot be passed. ETOOMANYREFS: too many are in flight.
 * EPIPE, ECONNRESET, ENOTCONN, EAGAIN, ENOBUFS, ENOMEM: as for sendmsg(2).
 * See unix(7), "SCM_RIGHTS".
 */
int sunpath_send_fd(int socket, int fd, uint64_t *ret_error);

/*
 * Receives one descriptor with one byte, and returns it.
 *
 * ENOMSG: no descriptor came with the byte. EPIPE: the stream ended.
 * EMSGSIZE: more than one came, or more than one byte of a message, or no descriptor was free for it.
 * EAGAIN, ECONNRESET, ENOTCONN, EBADF, ENOTSOCK, ENOMEM: as for recvmsg(2).
 */
int sunpath_recv_fd(int socket, uint64_t *ret_error);

/*
 * Sends all of `size` bytes, and `count` descriptors with the first of them, at most 253. It keeps the
 * descriptors. Returns 0.
 *
 * EINVAL: more than 253; or descriptors without a byte on a stream, which would drop them; or a pointer is
 * NULL and the number after it is not 0.
 * EBADF, ETOOMANYREFS, EMSGSIZE, EPIPE and others: as for sunpath_send_fd(). On a nonblocking stream EAGAIN
 * can come after a part of the bytes was sent.
 */
int sunpath_send_fds(int socket, const void *buf, size_t size, const int *fds, size_t count,
                     uint64_t *ret_error);

/*
 * Receives up to `size` bytes, and exactly `count` descriptors with them, into ret_fds[0] to
 * ret_fds[count - 1]. Returns the number of bytes. A number over `size` is the true length of a message of
 * which the rest is lost.
 *
 * ENOMSG: fewer descriptors came. EMSGSIZE: more came, or too few were free for them. EPIPE: the stream
 * ended. The bytes are in `buf` in these cases.
 * EINVAL: a pointer is NULL and its size is not 0.
 * EAGAIN and others: as for sunpath_recv_fd().
 */
ssize_t sunpath_recv_fds(int socket, void *buf, size_t size, int *ret_fds, size_t count,
                         uint64_t *ret_error);

/*
 * Receives up to `size` bytes, and at most `most` descriptors with them, whose number is written to
 * *ret_count. Returns the number of bytes, as sunpath_recv_fds() does. 0 with no descriptor is the end of
 * the connection, or an empty message.
 *
 * EMSGSIZE: more came, or too few were free for them.
 * EINVAL, EAGAIN and others: as for sunpath_recv_fds().
 */
ssize_t sunpath_recv_fds_up_to(int socket, void *buf, size_t size, int *ret_fds, size_t most,
                               size_t *ret_count, uint64_t *ret_error);

/*
 * Sends all of `size` bytes, and this process's pid, real user and real group with the first of them. A
 * receiver that asked for credentials gets them without this.
 *
 * EINVAL: no byte, on a stream. EOPNOTSUPP: the system has no such messages.
 * EPIPE and others: as for sunpath_send_fd().
 * See unix(7), "SCM_CREDENTIALS".
 */
int sunpath_send_credentials(int socket, const void *buf, size_t size, uint64_t *ret_error);

/*
 * Sets whether messages that are sent from now on bring the credentials of their senders.
 *
 * ENOPROTOOPT: the system has no such option. EBADF, ENOTSOCK: it is not a socket.
 * See unix(7), "SO_PASSCRED".
 */
int sunpath_set_pass_credentials(int socket, int on);

/*
 * Receives up to `size` bytes, and the credentials of their sender. Returns the number of bytes, as
 * sunpath_recv_fds() does. Each of the three pointers may be NULL. Without credentials the pid is 0, and
 * the user and the group are -1, which no process has. Descriptors that come are closed.
 *
 * EINVAL: `buf` is NULL and `size` is not 0.
 * EAGAIN, ECONNRESET, ENOTCONN, EBADF, ENOTSOCK, ENOMEM: as for recvmsg(2).
 */
ssize_t sunpath_recv_credentials(int socket, void *buf, size_t size, pid_t *ret_pid, uid_t *ret_uid,
                                 gid_t *ret_gid, uint64_t *ret_error);

/* ---- Who the peer is ------------------------------------------------------------------------------
 *
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Writes the credentials that the peer had when it called connect(2), listen(2) or socketpair(2): pid,
 * effective user and effective group. Each of the three pointers may be NULL. The pid is 0 if it is not
 * known: in another pid namespace, or on a system that does not report it.
 *
 * ENOTCONN: there is no peer, for which Linux itself reports the user -1.
 * EBADF, ENOTSOCK: it is not a socket. ENOPROTOOPT, EOPNOTSUPP: the system does not report it.
 * See unix(7), "SO_PEERCRED".
 */
int sunpath_peer_cred(int socket, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid, uint64_t *ret_error);

/*
 * Returns a new descriptor of the peer's process, which stays that of this process even if its pid is used
 * again.
 *
 * ENOTCONN: there is no peer. ENOPROTOOPT: the kernel is older than Linux 6.5, or not Linux.
 * ESRCH: the process was reaped. EMFILE, ENFILE: no descriptor is free.
 * See pidfd_open(2).
 */
int sunpath_peer_pidfd(int socket, uint64_t *ret_error);

/*
 * Writes the supplementary groups of the peer, at most `most`, and returns how many there are. With `most`
 * 0 it only returns the number.
 *
 * ERANGE: there are more than `most`; what is in ret_groups has no meaning then.
 * ENOTCONN: there is no peer. ENOPROTOOPT: the kernel does not report them.
 * EINVAL: `ret_groups` is NULL and `most` is not 0.
 * See socket(7), "SO_PEERGROUPS".
 */
ssize_t sunpath_peer_groups(int socket, gid_t *ret_groups, size_t most, uint64_t *ret_error);

/* ---- Directories ----------------------------------------------------------------------------------
 *
 * The descriptor that these return is for sunpath_bind_at() and its like, and for fchdir(2) and openat(2).
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/*
 * Makes or verifies a directory that nobody else can enter, of mode 0700 whatever the umask is, and opens
 * it. This is the portable way to restrict a server to one user. A directory that exists is accepted or
 * refused, and never repaired; so is every directory above it, because whoever can replace one of them
 * decides where the path leads.
 *
 * EPERM: a directory belongs to another user, or has a mode that permits too much; the cause has both.
 * ELOOP: the directory is a symbolic link. ENOTDIR: it is not a directory.
 * ENOENT: the directory above does not exist, or the path is empty.
 * EACCES, EROFS, ENOSPC, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM: it cannot be made or opened.
 * EINVAL: `path` is NULL.
 * See mkdirat(2).
 */
int sunpath_private_dir(const char *path, uint64_t *ret_error);

/*
 * Does the same with a directory of mode 0755, in which everybody may look up names and this user alone
 * can make them.
 *
 * Errors: as for sunpath_private_dir().
 */
int sunpath_public_dir(const char *path, uint64_t *ret_error);

/*
 * Opens a directory of any owner, by a path of any length.
 *
 * ENOENT, ENOTDIR, ENAMETOOLONG, EACCES, ELOOP, EMFILE, ENFILE, ENOMEM: as for open(2).
 * EINVAL: `path` is NULL.
 */
int sunpath_open_dir(const char *path, uint64_t *ret_error);

/* ---- Whether a server is alive ----------------------------------------------------------------------
 *
 * These functions may be called anywhere, as "THREADS" in sunpath(3) defines it.
 */

/* What sunpath_probe() returns. */
#define SUNPATH_ABSENT 0     /* there is no file at the path */
#define SUNPATH_DEAD 1       /* a socket file that no process holds any more */
#define SUNPATH_LIVE 2       /* a process holds the socket: bound, listening or shut down */
#define SUNPATH_NOT_SOCKET 3 /* a file that is not a socket */
#define SUNPATH_UNKNOWN 4    /* it looks dead, and this kernel does not tell dead sockets from live ones */

/*
 * Asks the kernel whether any process holds the socket at a path of any length, without connecting to it:
 * no server notices. The answer is that of one instant; SUNPATH_REPLACE_STALE acts on it safely.
 *
 * EACCES: no write permission on the file, or no search permission above it. Nothing is known then.
 * ENOENT: the path is empty. ENOTDIR, ELOOP, ENAMETOOLONG: it leads nowhere.
 * EINVAL: `path` is NULL. EMFILE, ENFILE, ENOMEM, ENOBUFS: no descriptor is free; no memory.
 */
int sunpath_probe(const char *path, uint64_t *ret_error);

/* ---- Sockets that a service manager passed ----------------------------------------------------------
 *
 * The protocol is that of systemd. Any thread may call these functions, as "THREADS" in sunpath(3) defines
 * it, if no other changes the environment. sunpath_check_socket() may be called anywhere.
 */

/* The number of the first descriptor that is passed. */
#define SUNPATH_FIRST_PASSED 3

/*
 * Takes over the descriptors that a service manager passed to this process, and returns how many there are:
 * SUNPATH_FIRST_PASSED and those after it. They are close-on-exec from then on and belong to the caller.
 * Call it once, at the beginning of main, before anything is opened.
 *
 * It returns 0 if none were passed to this process, and *ret_error says why: the variables are not set, or
 * name another process. Only with "LISTEN_FDS is not set" was the program started without a manager.
 *
 * EALREADY: they were taken over before.
 * EBADF: the variables count a descriptor that is not open.
 * EBUSY: one is close-on-exec, so that this process opened it.
 * EINVAL: a variable is not a number in range.
 * See sd_listen_fds(3).
 */
int sunpath_take_passed(uint64_t *ret_error);

/*
 * Writes the name of a descriptor that was passed, as LISTEN_FDNAMES has it, in at most `size` bytes, and
 * returns the length of the whole name: 0 if it has none. 256 bytes are enough.
 *
 * EBADF: `fd` is less than SUNPATH_FIRST_PASSED. EINVAL: `buf` is NULL and `size` is not 0.
 */
int sunpath_passed_name(int fd, char *buf, size_t size);

/*
 * Returns 0 if `fd` is a Unix domain socket of `type` that listens, if `listens` is 1; that does not, if it
 * is 0; whichever, if it is -1.
 *
 * ENOTSOCK, EAFNOSUPPORT, EPROTOTYPE: it is not a socket, or one of another family, or of another type.
 * EINVAL: it listens or does not, against what was asked; or `type` is not one of the three.
 * EBADF: it is not a descriptor.
 */
int sunpath_check_socket(int fd, int type, int listens, uint64_t *ret_error);

#ifdef __cplusplus
}
#endif

#endif
