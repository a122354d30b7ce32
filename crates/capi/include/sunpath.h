/*
 * sunpath.h: Unix domain sockets.
 *
 * The library binds and connects at paths of any length, gives a socket file its mode from the
 * beginning, replaces the file of a server that was killed, tells who the peer is, and passes
 * descriptors without leaking them. No address is ever truncated.
 *
 * WHAT EVERY FUNCTION DOES. No function prints, raises SIGPIPE, or changes a signal disposition, the
 * umask or the working directory. No function keeps a pointer to a path, to options or to a buffer:
 * they may be freed or changed after the call, even while a sunpath_server exists. The size of a buffer
 * or an array is the parameter after it, ret_error is the last parameter, and ids are in the order pid,
 * uid, gid.
 *
 * RETURN VALUES. A function returns 0 unless its page names another result, such as a count or a
 * descriptor. On failure it returns -1, sets errno last, and leaves every output as it was, except for
 * *ret_error and for buffers into which bytes or groups are received. On success errno has no meaning,
 * and *ret_error stays as it was, except that sunpath_take_passed() sets it if it returns 0. If a
 * pointer is NULL and must not be, the errno is EINVAL.
 *
 * ERRORS. One errno often has several causes. Most functions therefore take a uint64_t *ret_error,
 * which may be NULL. The others, such as sunpath_accept(), tell the cause by errno alone. On failure a
 * function stores in *ret_error the call, the errno and the cause as one integer, and
 * sunpath_explain() turns the integer into a sentence:
 *
 *     uint64_t error;
 *     char text[256];
 *     if (sunpath_bind(SOCK_STREAM, path, NULL, &server, &error) == -1) {
 *         sunpath_explain(error, text, sizeof(text));
 *         fprintf(stderr, "%s: %s\n", path, text);
 *     }
 *
 * If a regular file is at the path, this prints:
 *
 *     /run/app.sock: bind: EADDRINUSE (there is a file at the path that is not a socket)
 *
 * The sentence also has the uid, the mode, the length or the counts that belong to the error. No
 * function returns these as numbers. Only the same version of the library can explain the integer. 0
 * means that there is no error. The library has no global or thread-local state except errno.
 *
 * DESCRIPTORS are plain ints and belong to the caller, who closes them with close(2). All of them are
 * close-on-exec. A function uses a descriptor that is passed to it only during the call, unless the
 * page of the function says otherwise. AT_FDCWD, the working directory as a `dirfd`, is in <fcntl.h>.
 * With -std=c11 define _POSIX_C_SOURCE as 200809L first, as for most functions of POSIX.
 *
 * STRINGS end with a NUL. A path is bytes, and may be longer than sun_path unless the page of the
 * function says otherwise. Sizes are in bytes. A function that writes text follows snprintf(3): it
 * writes at most size bytes with a NUL at the end, and returns the length of the whole text without the
 * NUL. If the result is size or more, the text was truncated.
 *
 * SIGNALS. No function fails with EINTR: a call that a signal interrupts is made again. A program that
 * has to stop on a signal therefore waits in poll(2) on nonblocking sockets, and its handler writes a
 * byte to a pipe, which poll(2) watches too. Wherever a nonblocking socket fails with EAGAIN, a
 * blocking socket does so after its SO_RCVTIMEO or SO_SNDTIMEO. Signals can make that wait up to three
 * times as long. Signals neither extend the timeout of sunpath_connect() nor end its wait: a program
 * that has to stop on a signal calls it again and again with a short timeout. The program's own
 * write(2) to a stream whose peer has closed raises SIGPIPE: call send(2) with MSG_NOSIGNAL.
 *
 * CREDENTIALS. The kernel records who the two ends of a connection are when the connection is made, and
 * does not change that afterwards: the client as of connect(2), the server as of its last listen(2),
 * and both ends of a pair as of socketpair(2). sunpath_peer_cred(), sunpath_accept_user() and the flags
 * SUNPATH_SET_PEER and SUNPATH_OWN_USER use these credentials, whose uid and gid are the effective
 * ones. They do not show who writes now: since then the process may have changed its user, executed
 * another program or ended, and a child or a process that was sent the descriptor may use the
 * connection. If a service manager made the listener, the server has the manager's uid, often 0, until
 * it calls listen(2) again itself. The credentials of a message are those of the process that sent it,
 * with its real uid and gid: see sunpath_recv_credentials(). Use a pid for a log and not for a
 * decision, because another process can get the pid after that process has ended. sunpath_peer_pidfd()
 * has no such race.
 *
 * In a container or a sandbox, the user namespace may not map every user of the system. The kernel then
 * reports one uid for all users that are not mapped, usually 65534. That uid does not tell who the peer
 * is.
 *
 * THREADS. Each section says whether its functions may be called by several threads at once, in a
 * signal handler, and between fork and exec. A signal handler must save errno and restore it, and needs
 * a stack of 64 KiB, because long paths use up to 20 KiB. A function that calls malloc(3), free(3) or
 * getenv(3) may not be called in a signal handler, nor between fork and exec in a process with several
 * threads. A sunpath_server may be used by one thread at a time, except that several threads may call
 * sunpath_server_fd() and sunpath_server_addr() at once. Its descriptor may be used in several threads
 * at once. A thread that is cancelled by pthread_cancel(3) inside a function can leave descriptors
 * open, as a thread inside open(2) can. The destructors of C++ callers, and the cleanup handlers of
 * callers in C compiled with -fexceptions, then run only if the library was built with the feature
 * unwind-tables.
 *
 * ABI. The library is libsunpath.so.0. A later version of libsunpath.so.0 may add functions, flags, and
 * fields at the end of the structs of options, and may report a cause where none was reported. It
 * changes no prototype, no constant and no meaning. A struct of options carries its size. For a program
 * that was compiled with an older header, the fields that it lacks have their defaults. A program that
 * was compiled with a newer header gets E2BIG if it sets a field that the library does not know,
 * and EINVAL if it sets a flag that the library does not know.
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
 * Returns the version of the library, in the form of SUNPATH_VERSION. It cannot fail. It may be called
 * by several threads at once, in a signal handler, and between fork and exec.
 */
unsigned int sunpath_version(void);

/* ---- Addresses ------------------------------------------------------------------------------------
 *
 * These functions are for programs that call bind(2), connect(2) or sendto(2) themselves. They may be
 * called by several threads at once, in a signal handler, and between fork and exec: see "THREADS" in
 * sunpath(3).
 *
 * A function that makes an address writes it to *ret_addr, and its exact length to *ret_len: the offset
 * of sun_path, plus the bytes of the name.
 */

/*
 * Makes the address of a path, which must fit into sun_path: 107 bytes on Linux, 103 on the BSDs and
 * macOS. Nothing is truncated. The length includes the NUL after the path.
 *
 * ENOENT: the path is empty. Linux would make an abstract name of it, which every user can reach.
 * ENAMETOOLONG: the path does not fit; sunpath_bind() and sunpath_connect() take paths of any length.
 * EINVAL: a pointer is NULL.
 * See unix(7).
 */
int sunpath_addr_from_path(const char *path, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                           uint64_t *ret_error);

/*
 * Makes the address of an abstract name of `size` bytes, at most 107: a NUL and the name, without a NUL
 * after it. Every byte counts, and NULs count as well. Every process of the network namespace can
 * connect to an abstract name.
 *
 * ENAMETOOLONG: the name is too long.
 * EOPNOTSUPP: the system is not Linux.
 * EINVAL: a pointer is NULL.
 * See unix(7), "Abstract sockets".
 */
int sunpath_addr_from_abstract(const void *name, size_t size, struct sockaddr_un *ret_addr,
                               socklen_t *ret_len, uint64_t *ret_error);

/*
 * Reads an address from text, as sunpath_addr_to_text() writes it and service managers do: "@name" is
 * an abstract name, "(unnamed)" is the unnamed address, and everything else is a path. A backslash
 * begins an escape: "\\" is a backslash, "\xNN" is a byte, and "\u{N}" is a character. A path that
 * begins with @ is written with "\x40".
 *
 * EINVAL: a backslash does not begin an escape; or a pointer is NULL.
 * ENOENT, ENAMETOOLONG, EOPNOTSUPP: as for the functions above.
 * See unix(7).
 */
int sunpath_addr_from_text(const char *text, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                           uint64_t *ret_error);

/*
 * Makes the unnamed address: a family without a name.
 *
 * EINVAL: a pointer is NULL.
 * See unix(7).
 */
int sunpath_addr_unnamed(struct sockaddr_un *ret_addr, socklen_t *ret_len);

/* What sunpath_addr_name() returns. */
#define SUNPATH_UNNAMED 0
#define SUNPATH_PATHNAME 1
#define SUNPATH_ABSTRACT 2

/*
 * Finds the name in an address that the kernel or this library wrote. *ret_name points into *addr, and
 * *ret_size is its length. The name need not end with a NUL: a path can fill sun_path. Every `len` that
 * a kernel returns is accepted, including 0 and one more than the struct. Nothing after the struct is
 * read.
 *
 * Returns SUNPATH_UNNAMED, SUNPATH_PATHNAME or SUNPATH_ABSTRACT.
 *
 * EAFNOSUPPORT: the address is of another family. EINVAL: `len` is greater than any that a kernel
 * returns; or a pointer is NULL.
 * See getsockname(2).
 */
int sunpath_addr_name(const struct sockaddr_un *addr, socklen_t len, const char **ret_name,
                      size_t *ret_size);

/*
 * Writes an address as text for a message, in at most `size` bytes. Bytes that could move a terminal's
 * cursor are escaped. 512 bytes are enough for every address. `buf` may be NULL if `size` is 0.
 *
 * Returns the length of the whole text without its NUL.
 *
 * EAFNOSUPPORT, EINVAL: as for sunpath_addr_name().
 * See unix(7).
 */
int sunpath_addr_to_text(const struct sockaddr_un *addr, socklen_t len, char *buf, size_t size);

/* ---- Errors ---------------------------------------------------------------------------------------
 *
 * These functions may be called by several threads at once, in a signal handler, and between fork and
 * exec: see "THREADS" in sunpath(3).
 */

/*
 * Writes the meaning of `error`, which another function stored, in at most `size` bytes. 256 bytes are
 * enough. `buf` may be NULL if `size` is 0. The text does not have the path. If `error` is not an
 * error of this version, the text says that.
 *
 * Returns the length of the whole text without its NUL.
 *
 * EINVAL: `buf` is NULL and `size` is not 0.
 * See errno(3).
 */
int sunpath_explain(uint64_t error, char *buf, size_t size);

/*
 * Tells the errno of an error: the value that errno had when the function failed.
 *
 * Returns the errno, or 0 if `error` is not an error. It cannot fail.
 * See errno(3).
 */
int sunpath_error_errno(uint64_t error);

/*
 * Tells whether binding failed because a server runs or is starting at the path. Only
 * SUNPATH_REPLACE_STALE tests that: with SUNPATH_REFUSE the result is 0 even if a server runs. If an
 * abstract name is taken, the result is 1. EADDRINUSE has other causes, too: a directory, a file that
 * is not a socket, or a lock file that belongs to another user or is not empty.
 *
 * Returns 1 if a server runs or is starting, and otherwise 0. It cannot fail.
 * See bind(2).
 */
int sunpath_error_is_running(uint64_t error);

/* ---- Servers --------------------------------------------------------------------------------------
 *
 * A server is a bound socket and the file that belongs to it. It has up to three descriptors: the
 * socket, its directory, and the lock file. Several threads may call these functions at once, each for
 * a server of its own. Only sunpath_server_fd(), sunpath_server_addr() and sunpath_server_adopt() may
 * also be called in a signal handler, and between fork and exec in a process with several threads: see
 * "THREADS" in sunpath(3).
 *
 * A server belongs to the process that bound it, or to the child that called sunpath_server_adopt().
 * Only that process removes the file. A forked worker accepts on sunpath_server_fd(), and needs no
 * other function of this section. A worker that no longer accepts calls sunpath_server_release() and
 * closes the descriptor, which leaves the file and the lock to its parent. A worker has copies of the
 * socket and of the lock. While it runs, a new server fails with EADDRINUSE, even if the parent has
 * been killed.
 *
 * daemon(3) continues in a child: call it before sunpath_bind(), or call sunpath_server_adopt() in the
 * child. Call closefrom(3) before sunpath_bind(), because a later call closes the descriptors of the
 * server: sunpath_server_close() then fails with EBADF and leaves the file. chdir(2) has no effect on a
 * server. After setuid(2) the file can be removed only if the new user may write to the directory, and
 * clients see the user who called listen(2).
 */
struct sunpath_server;
typedef struct sunpath_server sunpath_server;

/* Flags of struct sunpath_bind_options. */
#define SUNPATH_NONBLOCK 0x1u        /* the socket is nonblocking (also for connect and accept) */
#define SUNPATH_SET_MODE 0x100u      /* the field mode is set; otherwise it is 0777 less the umask */
#define SUNPATH_SET_OWNER 0x200u     /* the field owner is set */
#define SUNPATH_SET_GROUP 0x400u     /* the field group is set */
#define SUNPATH_SET_BACKLOG 0x800u   /* the field backlog is set */
#define SUNPATH_NO_LOCK_FILE 0x1000u /* SUNPATH_REPLACE_STALE makes no lock file */
#define SUNPATH_REACHABLE 0x2000u    /* a path that does not fit into sun_path is refused */
#define SUNPATH_KEEP_FILE 0x4000u    /* sunpath_server_close() does not remove the file */
#define SUNPATH_PASS_CREDENTIALS 0x8000u /* each message carries the credentials of its sender */

/* Values of the field if_exists: what to do if a file is at the path. */
#define SUNPATH_REFUSE 0        /* fail with EADDRINUSE, as bind(2) does */
#define SUNPATH_REPLACE_STALE 1 /* replace a socket file that is proved dead, and no other file */
#define SUNPATH_TAKEOVER 2      /* replace a socket file, dead or live, while clients go on connecting */

/*
 * Options for sunpath_bind(). Initialize them as below, which sets size, and then set fields and their
 * flags. mode, owner, group and backlog need their flag: without it they must be 0, or the errno is
 * EINVAL. if_exists has no flag.
 *
 *     struct sunpath_bind_options options = SUNPATH_BIND_OPTIONS_INIT;
 *     options.flags = SUNPATH_SET_MODE;
 *     options.mode = 0600;
 *     options.if_exists = SUNPATH_REPLACE_STALE;
 */
struct sunpath_bind_options {
    size_t size;        /* sizeof(struct sunpath_bind_options) */
    unsigned int flags; /* the flags of this struct, such as SUNPATH_SET_MODE */
    mode_t mode;        /* the mode of the file, at most 0777, whatever the umask is */
    uid_t owner;        /* the owner of the file */
    gid_t group;        /* the group of the file */
    int if_exists;      /* SUNPATH_REFUSE, SUNPATH_REPLACE_STALE, SUNPATH_TAKEOVER */
    int backlog;        /* the backlog of listen(2); by default the greatest one */
};

#define SUNPATH_BIND_OPTIONS_INIT { sizeof(struct sunpath_bind_options), 0, 0, 0, 0, 0, 0 }

/*
 * Makes a socket of `type` (SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM), binds it to a path of any
 * length, and listens unless it is a datagram socket, whose path must fit into sun_path. `options` may
 * be NULL, which means SUNPATH_BIND_OPTIONS_INIT: as with bind(2), the mode is 0777 less the umask,
 * owner and group are those of a new file, and a file that is at the path makes the call fail. The
 * server is written to *ret_server, and belongs to the caller until sunpath_server_close() or
 * sunpath_server_release().
 *
 * A mode, an owner and a group hold from the first instant: a process that they keep out can never
 * connect.
 *
 * With SUNPATH_REFUSE, which is the default, every file at the path makes the call fail. It is not
 * tested whether a server holds a socket file that is there: sunpath_probe() tells that. If the server
 * has ended, remove the file, or use SUNPATH_REPLACE_STALE, which the texts of sunpath_explain() call
 * ReplaceStale, as Rust does.
 *
 * With SUNPATH_REPLACE_STALE exactly one of several processes that start at once succeeds: they compete
 * for a lock file beside the socket. The path of the lock file is the path of the socket with .lock
 * added, as the texts of sunpath_explain() say. If the name of the socket file has more than 250 bytes,
 * the name of the lock file is .sunpath-<16 hexadecimal digits>.lock instead. The lock file is empty,
 * and has mode 0600 and the sticky bit. It is made by this call and removed when the server is closed
 * or released. If the process is killed, the kernel releases the lock, and the lock file stays for the
 * next server. SUNPATH_NO_LOCK_FILE is for a program that has a lock of its own, or may not make the
 * file.
 *
 * With SUNPATH_TAKEOVER no client is refused while the path passes to the new server. The old server
 * keeps its clients, and its sunpath_server_close() fails with ESTALE. Nothing is locked: if two
 * processes take over at once, the last one has the path.
 *
 * With SUNPATH_PASS_CREDENTIALS, sunpath_recv_credentials() receives the credentials of the sender with
 * each message, from the first message on, and the connections of a listener inherit this.
 *
 * For an instant, files with names of the form .sunpath-<16 hexadecimal digits> can be in the
 * directory.
 *
 * On failure nothing stays open, and no file stays that was not there before, except for an empty lock
 * file.
 *
 * EADDRINUSE: a file is at the path. SUNPATH_REPLACE_STALE and SUNPATH_TAKEOVER fail with this errno if
 * the file is not a socket. SUNPATH_REPLACE_STALE also fails with it if a server runs or is starting
 * there (then sunpath_error_is_running() returns 1), if the kernel does not tell whether one runs, or
 * if the lock file belongs to another user or is not empty.
 * EACCES: no permission to write to the directory, or to search one above it; or with
 * SUNPATH_REPLACE_STALE, to write to the file or to open the lock file, as is usual if these belong to
 * another user.
 * ENOENT: the path is empty, or its directory does not exist. ENOTDIR, ELOOP: a part of the path is not
 * a directory, or belongs to a loop of symbolic links.
 * ENAMETOOLONG: a name has over 255 bytes; or the path does not fit into sun_path, and the socket is a
 * datagram socket or SUNPATH_REACHABLE is set.
 * EINVAL: the type or an option is wrong, a mode is over 0777, or a pointer is NULL.
 * E2BIG: the options are those of a later version, and a field is set that this version does not know.
 * EPERM: to give the file this owner or group needs privileges; the directory is sticky and the file
 * belongs to another user; or the file system takes no sockets. EOPNOTSUPP: the file system does not
 * keep modes or owners.
 * ENOLCK: the file system has no locks. ESTALE: another program removed or replaced the file during the
 * call. EBUSY: something is mounted on the file.
 * ENOPROTOOPT: SUNPATH_PASS_CREDENTIALS is set, and the system has no such option.
 * EPROTONOSUPPORT: the system has no SOCK_SEQPACKET (macOS). EAFNOSUPPORT: the system does not let this
 * process make Unix domain sockets.
 * EROFS, ENOSPC, EDQUOT, EIO: the file system takes no new file.
 * EMFILE: no descriptor is free in the process. ENFILE: no descriptor is free in the system. ENOMEM,
 * ENOBUFS: there is no memory.
 * See bind(2), listen(2), unix(7).
 */
int sunpath_bind(int type, const char *path, const struct sunpath_bind_options *options,
                 sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Does what sunpath_bind() does, with a path that begins at the open directory `dirfd`, or at the
 * working directory if `dirfd` is AT_FDCWD (<fcntl.h>).
 *
 * EBADF: `dirfd` is not a descriptor. ENOTDIR: `dirfd` is not a directory, or as for sunpath_bind().
 * E2BIG, EACCES, EADDRINUSE, EAFNOSUPPORT, EBUSY, EDQUOT, EINVAL, EIO, ELOOP, EMFILE, ENAMETOOLONG,
 * ENFILE, ENOBUFS, ENOENT, ENOLCK, ENOMEM, ENOPROTOOPT, ENOSPC, EOPNOTSUPP, EPERM, EPROTONOSUPPORT,
 * EROFS, ESTALE: as for sunpath_bind().
 * See bind(2), openat(2).
 */
int sunpath_bind_at(int dirfd, int type, const char *path, const struct sunpath_bind_options *options,
                    sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Does what sunpath_bind() does, with an address, such as an abstract name. An abstract name can have
 * no mode, owner or group, because every process of the network namespace can connect to it. It has no
 * file, so nothing is removed at the end.
 *
 * EINVAL: the address is unnamed, or has a wrong length, or is an abstract name and the options have a
 * mode, an owner or a group; or as for sunpath_bind(). EAFNOSUPPORT: the address is of another family,
 * or as for sunpath_bind(). EADDRINUSE: another socket has the abstract name, or as for sunpath_bind().
 * E2BIG, EACCES, EBUSY, EDQUOT, EIO, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOBUFS, ENOENT, ENOLCK,
 * ENOMEM, ENOPROTOOPT, ENOSPC, ENOTDIR, EOPNOTSUPP, EPERM, EPROTONOSUPPORT, EROFS, ESTALE: as for
 * sunpath_bind().
 * See bind(2), unix(7).
 */
int sunpath_bind_addr(int type, const struct sockaddr_un *addr, socklen_t len,
                      const struct sunpath_bind_options *options, sunpath_server **ret_server,
                      uint64_t *ret_error);

/*
 * Makes a server from a socket that is bound already. A program calls this if it inherited the socket
 * through execve(2), after the old program had called sunpath_server_release() and cleared FD_CLOEXEC.
 * The kernel is asked whether the file at the path is the socket's. With SUNPATH_REPLACE_STALE the lock
 * is taken again. On success the server owns `fd`. On failure the caller still owns it.
 *
 * ESTALE: another socket's file is at the path. ENOENT: no file is at the path.
 * EADDRINUSE: the file is not a socket, or another process holds the lock.
 * EINVAL: the socket does not listen, an option is wrong, or a pointer is NULL.
 * EBADF, ENOTSOCK, EAFNOSUPPORT: `fd` is not a Unix domain socket.
 * EOPNOTSUPP: the kernel does not report the file of a socket.
 * E2BIG, EACCES, EDQUOT, EIO, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOLCK, ENOMEM, ENOSPC, ENOTDIR,
 * EPERM, EROFS: as for sunpath_bind().
 * See execve(2).
 */
int sunpath_server_from_fd(int fd, const char *path, const struct sunpath_bind_options *options,
                           sunpath_server **ret_server, uint64_t *ret_error);

/*
 * Tells which descriptor the socket has, for poll(2) and sunpath_accept(). The descriptor belongs to
 * the server: do not close it.
 *
 * Returns the descriptor.
 *
 * EINVAL: `server` is NULL.
 * See accept(2), poll(2).
 */
int sunpath_server_fd(const sunpath_server *server);

/*
 * Writes the address at which clients connect. If the path does not fit into sun_path, the address is
 * the result of getsockname(2). That address leads to the socket only in this process.
 *
 * EINVAL: a pointer is NULL. EBADF, ENOTSOCK: the program has closed the descriptor of the server.
 * See getsockname(2).
 */
int sunpath_server_addr(const sunpath_server *server, struct sockaddr_un *ret_addr, socklen_t *ret_len,
                        uint64_t *ret_error);

/*
 * Makes this process the one in which sunpath_server_close() removes the file. Call this in a forked
 * child that continues as the daemon. The parent must then end by _exit(2), as the parent in daemon(3)
 * does, without closing or releasing its copy of the server.
 *
 * EINVAL: `server` is NULL.
 * See fork(2), daemon(3).
 */
int sunpath_server_adopt(sunpath_server *server);

/*
 * Frees the server. The file stays. In the process to which the server belongs, the lock is released
 * and the lock file removed.
 *
 * Returns the descriptor of the socket, which belongs to the caller from now on.
 *
 * EINVAL: `server` is NULL.
 * See close(2).
 */
int sunpath_server_release(sunpath_server *server);

/*
 * Removes the file and the lock file, closes the socket and frees the server. The socket is closed and
 * the server is freed even if the call reports an error. The file is removed only if it is still the
 * file that was bound, and only in the process to which the server belongs. With SUNPATH_KEEP_FILE it
 * stays. The lock file is removed in each of these cases, but only in that process. A process that
 * ends without this call leaves both files.
 *
 * ENOENT: the file was removed earlier. ESTALE: another file is at the path, and stays. EPERM: another
 * process bound the socket, or the directory is sticky and neither the directory nor the file belongs
 * to this user.
 * EACCES, EROFS, EBUSY, EIO, ENOMEM: the file cannot be removed. EBADF: the program has closed the
 * descriptors of the server, for example by closefrom(3).
 * EINVAL: `server` is NULL.
 * See unlink(2).
 */
int sunpath_server_close(sunpath_server *server, uint64_t *ret_error);

/* ---- Clients that connect -------------------------------------------------------------------------
 *
 * These functions may be called by several threads at once, in a signal handler, and between fork and
 * exec: see "THREADS" in sunpath(3).
 */

/*
 * Accepts a connection. `flags` is 0 or SUNPATH_NONBLOCK. Without SUNPATH_NONBLOCK the new socket is
 * blocking, even if the listener is nonblocking. Whether this call waits for a client depends on the
 * listener alone. A poll(2) loop needs a nonblocking listener (SUNPATH_NONBLOCK in the options of
 * sunpath_bind()), because another thread or process can take the client that poll(2) reported.
 *
 * Returns the descriptor of the connection.
 *
 * EAGAIN: no connection waits, and the listener is nonblocking.
 * EMFILE, ENFILE: no descriptor is free in the process, or in the system. The connection stays in the
 * queue, and poll(2) reports it again at once: do not poll the listener until a descriptor is closed,
 * or for a short time.
 * EINVAL: the socket does not listen, or was shut down, or a flag is unknown. EBADF, ENOTSOCK,
 * EOPNOTSUPP: `listener` is not a socket that can listen.
 * EAFNOSUPPORT: `listener` is of another family. The connection is closed.
 * ECONNABORTED: the client has closed already (not on Linux). ENOBUFS, ENOMEM: there is no memory.
 * See accept(2).
 */
int sunpath_accept(int listener, unsigned int flags);

/*
 * Accepts the next connection whose peer is the user `uid` (the effective user at connect(2)), and
 * closes all others, including those of root. After it has closed a connection, it waits for the next
 * one if the listener is blocking, or fails with EAGAIN if none waits and the listener is nonblocking.
 * A client whose connection was closed reads its end. On Linux it gets ECONNRESET instead if it had
 * sent something that was not read. If it sends later, it gets EPIPE. The caller does not learn of
 * these clients: a program that logs them calls sunpath_accept() and sunpath_peer_cred() instead. In a
 * user namespace that does not map every user, do not pass the uid of all unmapped users: see
 * "CREDENTIALS" in sunpath(3).
 *
 * Returns the descriptor of the connection.
 *
 * EAFNOSUPPORT, EAGAIN, EBADF, ECONNABORTED, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOTSOCK,
 * EOPNOTSUPP: as for sunpath_accept().
 * See unix(7), "SO_PEERCRED".
 */
int sunpath_accept_user(int listener, unsigned int flags, uid_t uid);

/* ---- Connecting -----------------------------------------------------------------------------------
 *
 * These functions may be called by several threads at once, in a signal handler, and between fork and
 * exec: see "THREADS" in sunpath(3).
 */

/* Flags of struct sunpath_connect_options, in addition to SUNPATH_NONBLOCK. */
#define SUNPATH_SET_PEER 0x20000u        /* the field peer is set: the server must have this uid */
#define SUNPATH_OWN_USER 0x40000u        /* the server must have the effective uid of this process */
#define SUNPATH_SET_TIMEOUT 0x10000u     /* the field timeout_ms is set */
#define SUNPATH_WAIT_FOR_SERVER 0x80000u /* wait for a server that has not started yet */

/*
 * Options for sunpath_connect(). They are set in the same way as struct sunpath_bind_options.
 */
struct sunpath_connect_options {
    size_t size;        /* sizeof(struct sunpath_connect_options) */
    unsigned int flags; /* the flags of this struct, such as SUNPATH_SET_PEER */
    uid_t peer;         /* the uid of the server, which is that of the process that called listen(2) */
    int64_t timeout_ms; /* how many milliseconds connecting may take; by default there is no limit */
};

#define SUNPATH_CONNECT_OPTIONS_INIT { sizeof(struct sunpath_connect_options), 0, 0, 0 }

/*
 * Makes a socket of `type`, and connects it to the socket at a path of any length. `options` may be
 * NULL. A datagram socket takes no option except SUNPATH_NONBLOCK. With SUNPATH_NONBLOCK the returned
 * socket is nonblocking, but connecting waits for a place in the queue as long as the timeout allows. A
 * program that must not wait makes a nonblocking socket by socket(2), and calls
 * sunpath_connect_to_at(), which fails with EAGAIN if the queue is full.
 *
 * SUNPATH_SET_PEER and SUNPATH_OWN_USER compare the effective uid of the process that called listen(2),
 * which is the service manager if that made the listener: see "CREDENTIALS" in sunpath(3). Set one of
 * these two flags, not both.
 *
 * With SUNPATH_WAIT_FOR_SERVER the function tries again, at least ten times a second, as long as the
 * path or its directory does not exist (ENOENT) or nobody listens there (ECONNREFUSED). Every other
 * error ends the wait at once. After the timeout the errno and the text of sunpath_explain() are those
 * of the last try, and do not mention the wait. Without SUNPATH_SET_TIMEOUT the wait has no end. A
 * timeout_ms of 0 fails with ETIMEDOUT without a try.
 *
 * Returns the descriptor of the connection.
 *
 * ENOENT: there is no file at the path, its directory does not exist, or the path is empty.
 * ECONNREFUSED: nobody listens at the path, or on Linux the file there is not a socket.
 * ETIMEDOUT: the queue was full until the timeout, or timeout_ms is 0.
 * EPERM: another user runs the server. Nothing was sent to it. Only the text of sunpath_explain() has
 * the uid of that user.
 * EACCES: no write permission on the file, or no search permission above it.
 * EPROTOTYPE: the server has a socket of another type.
 * EINVAL: the type or an option is wrong, such as a negative timeout_ms, or both SUNPATH_SET_PEER and
 * SUNPATH_OWN_USER; the required uid stands for all users that this user namespace does not map; or a
 * pointer is NULL.
 * E2BIG, EAFNOSUPPORT, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOBUFS, ENOMEM, ENOTDIR,
 * EPROTONOSUPPORT: as for sunpath_bind().
 * See connect(2), unix(7).
 */
int sunpath_connect(int type, const char *path, const struct sunpath_connect_options *options,
                    uint64_t *ret_error);

/*
 * Does what sunpath_connect() does, with a path that begins at the open directory `dirfd`, or at the
 * working directory if `dirfd` is AT_FDCWD (<fcntl.h>).
 *
 * Returns the descriptor of the connection.
 *
 * EBADF: `dirfd` is not a descriptor. ENOTDIR: `dirfd` is not a directory, or as for sunpath_connect().
 * E2BIG, EACCES, EAFNOSUPPORT, ECONNREFUSED, EINVAL, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOBUFS,
 * ENOENT, ENOMEM, EPERM, EPROTONOSUPPORT, EPROTOTYPE, ETIMEDOUT: as for sunpath_connect().
 * See connect(2), openat(2).
 */
int sunpath_connect_at(int dirfd, int type, const char *path,
                       const struct sunpath_connect_options *options, uint64_t *ret_error);

/*
 * Does what sunpath_connect() does, with an address.
 *
 * Returns the descriptor of the connection.
 *
 * EAFNOSUPPORT: the address is of another family, or as for sunpath_connect().
 * EINVAL: the address has a wrong length or is unnamed, or as for sunpath_connect().
 * ECONNREFUSED: nobody has the abstract name, or as for sunpath_connect().
 * E2BIG, EACCES, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOBUFS, ENOENT, ENOMEM, ENOTDIR, EPERM,
 * EPROTONOSUPPORT, EPROTOTYPE, ETIMEDOUT: as for sunpath_connect().
 * See connect(2), unix(7).
 */
int sunpath_connect_addr(int type, const struct sockaddr_un *addr, socklen_t len,
                         const struct sunpath_connect_options *options, uint64_t *ret_error);

/*
 * Binds a socket that the program itself has made, as bind(2) does. The path may have any length. It
 * begins at the open directory `dirfd`, or at the working directory if `dirfd` is AT_FDCWD (<fcntl.h>).
 * Nothing removes the file. A datagram socket needs a path that fits into sun_path, because its peers
 * send answers to that path.
 *
 * EADDRINUSE: a file is at the path.
 * EINVAL: the socket has an address already, or `path` is NULL. EBADF: `socket` or `dirfd` is not a
 * descriptor. ENOTSOCK: `socket` is not a socket. EAFNOSUPPORT, EINVAL: `socket` is of another family.
 * ESTALE: the directory was moved during the call. EOPNOTSUPP: /proc is not mounted, and `dirfd` is not
 * AT_FDCWD.
 * EACCES, EDQUOT, EIO, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM,
 * EROFS: as for sunpath_bind().
 * See bind(2).
 */
int sunpath_bind_to_at(int socket, int dirfd, const char *path, uint64_t *ret_error);

/*
 * Connects a socket that the program itself has made, as connect(2) does. The path may have any length.
 * It begins at the open directory `dirfd`, or at the working directory if `dirfd` is AT_FDCWD
 * (<fcntl.h>).
 *
 * EAGAIN: the queue is full, and the socket is nonblocking. EISCONN: the socket is connected already.
 * EINVAL: the socket listens, or `path` is NULL. EBADF: `socket` or `dirfd` is not a descriptor.
 * ENOTSOCK: `socket` is not a socket. EAFNOSUPPORT, EINVAL: `socket` is of another family. EPERM: the
 * peer is a datagram socket that is connected to another socket.
 * EOPNOTSUPP: /proc is not mounted, and `dirfd` is not AT_FDCWD.
 * EACCES, ECONNREFUSED, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOTDIR, EPROTOTYPE: as for
 * sunpath_connect().
 * See connect(2).
 */
int sunpath_connect_to_at(int socket, int dirfd, const char *path, uint64_t *ret_error);

/* ---- Descriptors and credentials --------------------------------------------------------------------
 *
 * Descriptors and credentials are sent together with bytes. Descriptors that arrive are close-on-exec.
 * If a receive fails, every descriptor that arrived is closed. These functions may be called by several
 * threads at once, in a signal handler, and between fork and exec: see "THREADS" in sunpath(3).
 *
 * A datagram or a record of SOCK_SEQPACKET is sent as a whole or not at all. On a stream, the
 * descriptors and credentials are sent with the first byte. If a send on a stream fails later, also
 * with EAGAIN, the peer gets these and some of the bytes, and their number is not known: close the
 * connection. One byte is sent as a whole or not at all, so send the descriptors with one byte and the
 * rest by send(2) if the socket is nonblocking.
 *
 * A receive that fails with ENOMSG or EMSGSIZE has taken what it received out of the queue: the whole
 * message, or up to `size` bytes of a stream, and their number is not reported. On a stream close the
 * connection then, unless `size` was 1, because the beginning of the next message is not known. A
 * receive that fails with another errno has taken nothing.
 *
 * One receive on a stream can return bytes of several sends, but never the descriptors of two sends.
 * Bytes that were sent without descriptors can come together with the descriptors of the next send. A
 * receive of fewer bytes than were sent with the descriptors returns all of the descriptors, and
 * recv(2) reads the rest. On Linux, read(2) and recv(2) close descriptors that come with the bytes
 * that they read.
 *
 * At the end of a connection, when the peer has closed it, a receive that needs no descriptor returns
 * 0, as recv(2) does. sunpath_recv_fd(), and sunpath_recv_fds() with a `count` over 0, need descriptors
 * and fail there: on a stream with EPIPE, without the signal SIGPIPE, and on a SOCK_SEQPACKET socket
 * with ENOMSG, because there the kernel reports the end like an empty record. A program for which the
 * end is no error calls sunpath_recv_fds_up_to().
 *
 * A receive that returns more than `size` has truncated a datagram or a record. On Linux the result is
 * the true length of the message, of which `size` bytes are in `buf`, and on other systems it is one
 * more than `size`. The rest is lost. A stream truncates nothing.
 */

/*
 * Sends a copy of the descriptor `fd`, together with one byte, which is 0. `fd` stays open.
 *
 * EBADF: `socket` or `fd` is not a descriptor. EINVAL: `fd` cannot be passed. ETOOMANYREFS: too many
 * descriptors are in flight. EPERM: the receiver takes no descriptors (Linux 6.16, SO_PASSRIGHTS),
 * or is a datagram socket that is connected to another socket.
 * EAGAIN: the queue is full, and the socket is nonblocking. Nothing was sent.
 * EPIPE, ECONNRESET, ECONNREFUSED: the peer has closed. ENOTCONN: the socket is not connected.
 * ENOTSOCK: `socket` is not a socket. ENOBUFS, ENOMEM: there is no memory.
 * See sendmsg(2), unix(7), "SCM_RIGHTS".
 */
int sunpath_send_fd(int socket, int fd, uint64_t *ret_error);

/*
 * Receives one byte and one descriptor. If a sender on a stream sends more than one byte with the
 * descriptor, the others stay in the queue.
 *
 * Returns the descriptor. At the end of the connection there is none, so the function fails: on a
 * stream with EPIPE, and on a SOCK_SEQPACKET socket with ENOMSG.
 *
 * ENOMSG: no descriptor came with the byte, or the SOCK_SEQPACKET connection ended. EPIPE: the stream
 * ended, because the peer has closed it or called shutdown(2).
 * EMSGSIZE: more than one descriptor came, or the message has more than one byte, or the process has no
 * descriptor free. The text of sunpath_explain() tells which.
 * EAGAIN: nothing has come, and the socket is nonblocking. ECONNRESET: the peer closed before it had
 * received everything that this end sent.
 * EINVAL: the socket is a stream that is not connected. ENOTCONN: the socket is of another type and not
 * connected. EBADF, ENOTSOCK: `socket` is not a socket. ENOBUFS, ENOMEM: there is no memory.
 * See recvmsg(2).
 */
int sunpath_recv_fd(int socket, uint64_t *ret_error);

/*
 * Sends all of `size` bytes, and with the first byte copies of `count` descriptors. A message can have
 * at most 253 descriptors. The descriptors stay open.
 *
 * EINVAL: more than 253 descriptors; or descriptors without a byte on a stream, which would drop them;
 * or a pointer is NULL and the size or count after it is not 0.
 * EMSGSIZE: the datagram or record is longer than the send buffer allows.
 * EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK, EPERM, EPIPE,
 * ETOOMANYREFS: as for sunpath_send_fd(). On a stream, EAGAIN and EPIPE can be reported after a part of
 * the bytes was sent.
 * See sendmsg(2), unix(7), "SCM_RIGHTS".
 */
int sunpath_send_fds(int socket, const void *buf, size_t size, const int *fds, size_t count,
                     uint64_t *ret_error);

/*
 * Receives up to `size` bytes, and exactly `count` descriptors, into ret_fds[0] to ret_fds[count - 1].
 *
 * Returns how many bytes there were, and more than `size` if the message was truncated. At the end of
 * the connection it returns 0 if `count` is 0, and otherwise fails: with EPIPE on a stream, and with
 * ENOMSG on a SOCK_SEQPACKET socket, as for a record without descriptors. sunpath_recv_fds_up_to()
 * tells these two apart, unless the record is empty.
 *
 * ENOMSG: fewer descriptors came. EMSGSIZE: more descriptors came, or the process has too few free. The
 * text of sunpath_explain() tells which, and has `count` and the number of descriptors that came.
 * EPIPE: the stream ended, because the peer has closed it or called shutdown(2), and `count` is not 0.
 * EINVAL: a pointer is NULL and its size or count is not 0; or as for sunpath_recv_fd().
 * EAGAIN, EBADF, ECONNRESET, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK: as for sunpath_recv_fd().
 * See recvmsg(2).
 */
ssize_t sunpath_recv_fds(int socket, void *buf, size_t size, int *ret_fds, size_t count,
                         uint64_t *ret_error);

/*
 * Receives up to `size` bytes, and at most `max_count` descriptors, and writes to *ret_count how many
 * descriptors came. 253 places are enough for every message.
 *
 * Returns how many bytes there were, and more than `size` if the message was truncated. At the end of
 * the connection it returns 0, and *ret_count is 0. An empty datagram or record gives the same.
 *
 * EMSGSIZE: more descriptors came, or the process has too few free. The text of sunpath_explain() tells
 * which, and has `max_count` and the number of descriptors that came. EINVAL: `ret_count` is NULL, or
 * as for sunpath_recv_fds().
 * EAGAIN, EBADF, ECONNRESET, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK: as for sunpath_recv_fd().
 * See recvmsg(2).
 */
ssize_t sunpath_recv_fds_up_to(int socket, void *buf, size_t size, int *ret_fds, size_t max_count,
                               size_t *ret_count, uint64_t *ret_error);

/*
 * Does what sunpath_recv_fds_up_to() does, and writes the credentials of the sender, as
 * sunpath_recv_credentials() does. Each of `ret_pid`, `ret_uid` and `ret_gid` may be NULL. The sender
 * calls sunpath_send_fds(): the kernel adds the credentials if this end has asked for them.
 *
 * Returns the same as sunpath_recv_fds_up_to(). At the end of the connection it returns 0.
 *
 * EAGAIN, EBADF, ECONNRESET, EINVAL, EMSGSIZE, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK: as for
 * sunpath_recv_fds_up_to().
 * See unix(7), "SCM_CREDENTIALS".
 */
ssize_t sunpath_recv_fds_with_credentials(int socket, void *buf, size_t size, int *ret_fds,
                                          size_t max_count, size_t *ret_count, pid_t *ret_pid,
                                          uid_t *ret_uid, gid_t *ret_gid, uint64_t *ret_error);

/*
 * Sends all of `size` bytes, and this process's pid, real uid and real gid with the first byte. A
 * receiver that asked for credentials gets these even if the sender does not call this function.
 *
 * EINVAL: `size` is 0 on a stream; or `buf` is NULL and `size` is not 0. EOPNOTSUPP: the system cannot
 * send credentials.
 * EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EMSGSIZE, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK, EPERM, EPIPE:
 * as for sunpath_send_fds().
 * See unix(7), "SCM_CREDENTIALS".
 */
int sunpath_send_credentials(int socket, const void *buf, size_t size, uint64_t *ret_error);

/*
 * Sets whether messages that are sent to this socket from now on carry the credentials of their
 * senders. Call it before the peer can send: what was sent earlier arrives with pid 0 and, on Linux,
 * with uid and gid 65534. A server therefore binds with SUNPATH_PASS_CREDENTIALS. A client calls this
 * function when it has connected, if the server sends nothing before the client does. Otherwise the
 * client calls it on a socket of socket(2), and connects that by sunpath_connect_to_at().
 *
 * ENOPROTOOPT: the system has no such option. EOPNOTSUPP: the socket is of another family. EBADF,
 * ENOTSOCK: `socket` is not a socket.
 * See unix(7), "SO_PASSCRED".
 */
int sunpath_set_pass_credentials(int socket, int on);

/*
 * Receives up to `size` bytes, and the credentials of their sender, if sunpath_set_pass_credentials()
 * has asked for them. Each of `ret_pid`, `ret_uid` and `ret_gid` may be NULL. The uid and gid are the
 * real ones of the process that sent the bytes. A privileged sender can send those of another process.
 * One receive does not return bytes of two senders. If no credentials came, and at the end of a
 * connection, the pid is 0, and the uid and gid are -1, which no process has. The pid is 0 as well if
 * the sender is in another pid namespace. Descriptors that came are closed:
 * sunpath_recv_fds_with_credentials() receives both.
 *
 * Returns how many bytes there were, and more than `size` if the message was truncated. At the end of
 * the connection it returns 0.
 *
 * EINVAL: `buf` is NULL and `size` is not 0; or as for sunpath_recv_fd().
 * EAGAIN, EBADF, ECONNRESET, ENOBUFS, ENOMEM, ENOTCONN, ENOTSOCK: as for sunpath_recv_fd().
 * See recvmsg(2).
 */
ssize_t sunpath_recv_credentials(int socket, void *buf, size_t size, pid_t *ret_pid, uid_t *ret_uid,
                                 gid_t *ret_gid, uint64_t *ret_error);

/* ---- Who the peer is ------------------------------------------------------------------------------
 *
 * These functions may be called by several threads at once, in a signal handler, and between fork and
 * exec: see "THREADS" in sunpath(3).
 */

/*
 * Writes the credentials that the peer had when it called connect(2), listen(2) or socketpair(2): pid,
 * effective uid and effective gid. They can be out of date: see "CREDENTIALS" in sunpath(3). Each of
 * `ret_pid`, `ret_uid` and `ret_gid` may be NULL. The pid is 0 if it is not known, because the peer is
 * in another pid namespace or the system does not report it.
 *
 * ENOTCONN: there is no peer, as for a datagram socket that is not of socketpair(2). (Linux itself
 * reports the uid -1 in this case.) EBADF, ENOTSOCK: `socket` is not a socket. ENOPROTOOPT, EOPNOTSUPP:
 * the system does not report credentials.
 * See unix(7), "SO_PEERCRED".
 */
int sunpath_peer_cred(int socket, pid_t *ret_pid, uid_t *ret_uid, gid_t *ret_gid, uint64_t *ret_error);

/*
 * Makes a descriptor of the process of sunpath_peer_cred(). The descriptor stands for that process even
 * if another process gets the same pid, and poll(2) reports it as readable when the process ends.
 *
 * Returns the descriptor, which belongs to the caller.
 *
 * ENOTCONN: there is no peer. ENOPROTOOPT: the kernel is older than Linux 6.5, or the system is not
 * Linux.
 * ESRCH, EINVAL: the process has ended, and the kernel is older than Linux 6.16. EMFILE, ENFILE: no
 * descriptor is free.
 * EBADF, ENOTSOCK: `socket` is not a socket. See pidfd_open(2).
 */
int sunpath_peer_pidfd(int socket, uint64_t *ret_error);

/*
 * Writes the supplementary groups that the peer had when the connection was made, at most `max_count`.
 * If `max_count` is 0, nothing is written.
 *
 * Returns how many groups there are.
 *
 * ERANGE: there are more groups than `max_count`, and `max_count` is not 0. The contents of ret_groups
 * then have no meaning.
 * ENOTCONN: there is no peer. ENOPROTOOPT: the kernel does not report them.
 * EINVAL: `ret_groups` is NULL and `max_count` is not 0.
 * EBADF, ENOTSOCK: `socket` is not a socket.
 * See socket(7), "SO_PEERGROUPS".
 */
ssize_t sunpath_peer_groups(int socket, gid_t *ret_groups, size_t max_count, uint64_t *ret_error);

/* ---- Directories ----------------------------------------------------------------------------------
 *
 * The returned descriptor is for sunpath_bind_at() and sunpath_connect_at(), and for fchdir(2) and
 * openat(2). These functions may be called by several threads at once, in a signal handler, and between
 * fork and exec: see "THREADS" in sunpath(3).
 */

/*
 * Makes or verifies a directory that nobody else can enter, of mode 0700 whatever the umask is, and
 * opens it. This is the portable way to restrict a server to one user. A directory that exists is
 * accepted or refused, and never repaired. The directories above it are verified as well, because a
 * user who can replace one of these decides where the path leads.
 *
 * Returns the descriptor of the directory.
 *
 * EPERM: a directory belongs to another user, or has a mode that permits too much. Only the text of
 * sunpath_explain() has the owner and the mode.
 * ELOOP: the directory is a symbolic link. ENOTDIR: the file is not a directory. ENOENT: the directory
 * above does not exist, or the path is empty.
 * EACCES, EROFS, ENOSPC, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM: the directory cannot be made or opened.
 * EINVAL: `path` is NULL. See mkdirat(2).
 */
int sunpath_private_dir(const char *path, uint64_t *ret_error);

/*
 * Does what sunpath_private_dir() does, with mode 0755: everybody may look up names in the directory,
 * and only this user can make names there.
 *
 * Returns the descriptor of the directory.
 *
 * EACCES, EINVAL, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS: as
 * for sunpath_private_dir().
 * See mkdirat(2).
 */
int sunpath_public_dir(const char *path, uint64_t *ret_error);

/*
 * Opens a directory of any owner, by a path of any length.
 *
 * Returns the descriptor of the directory.
 *
 * ENOENT, ENOTDIR, ENAMETOOLONG, EACCES, ELOOP, EMFILE, ENFILE, ENOMEM: as for open(2).
 * EINVAL: `path` is NULL.
 * See openat(2).
 */
int sunpath_open_dir(const char *path, uint64_t *ret_error);

/* ---- Whether a server is alive ----------------------------------------------------------------------
 *
 * These functions may be called by several threads at once, in a signal handler, and between fork and
 * exec: see "THREADS" in sunpath(3).
 */

/* What sunpath_probe() returns. */
#define SUNPATH_ABSENT 0     /* there is no file at the path */
#define SUNPATH_DEAD 1       /* a socket file that no process holds any more */
#define SUNPATH_LIVE 2       /* a process holds the socket: bound, listening or shut down */
#define SUNPATH_NOT_SOCKET 3 /* a file that is not a socket */
#define SUNPATH_UNKNOWN 4    /* the socket looks dead, but this kernel may not tell */

/*
 * Asks the kernel whether any process holds the socket at a path of any length. No connection is made,
 * so no server notices. Symbolic links are followed. If the socket looks dead, the function also binds
 * a socket for an instant, in the same directory or in /tmp, /var/tmp or /run, to learn whether this
 * kernel can tell. The answer describes one instant. To replace a dead file, call sunpath_bind() with
 * SUNPATH_REPLACE_STALE, which tests the file again before it removes it.
 *
 * Returns SUNPATH_ABSENT, SUNPATH_DEAD, SUNPATH_LIVE, SUNPATH_NOT_SOCKET or SUNPATH_UNKNOWN.
 *
 * EACCES: no write permission on the file, or no search permission above it. Nothing is then known
 * about the socket. ENOENT: the path is empty. ENOTDIR, ELOOP, ENAMETOOLONG: the path leads nowhere.
 * EINVAL: `path` is NULL. EMFILE, ENFILE: no descriptor is free in the process, or in the system.
 * ENOMEM, ENOBUFS: there is no memory.
 * See connect(2), unix(7).
 */
int sunpath_probe(const char *path, uint64_t *ret_error);

/* ---- Sockets that a service manager passed ----------------------------------------------------------
 *
 * The protocol is that of systemd. Several threads may call these functions at once, while no other
 * thread changes the environment. Only sunpath_check_socket() may also be called in a signal handler,
 * and between fork and exec in a process with several threads: see "THREADS" in sunpath(3).
 */

/* The first descriptor that is passed. */
#define SUNPATH_FIRST_PASSED 3

/*
 * Takes over the descriptors that a service manager passed to this process: SUNPATH_FIRST_PASSED and
 * those after it. The descriptors are close-on-exec from then on, and belong to the caller. They are
 * blocking or nonblocking as the manager made them: a poll(2) loop makes them nonblocking by fcntl(2).
 * They have no sunpath_server, because the manager made the files and removes them. Call this function
 * once, at the beginning of main, before anything is opened, and before daemon(3), because LISTEN_PID
 * names this process.
 *
 * Returns how many descriptors there are. The result is 0 if no descriptors were passed to this
 * process, and *ret_error then has the reason: the variables are not set, or name another process. The
 * program was started without a manager, and may bind the path itself, only if getenv("LISTEN_FDS") is
 * NULL.
 *
 * EALREADY: the descriptors were taken over before.
 * EBADF: the variables count a descriptor that is not open.
 * EBUSY: a descriptor is close-on-exec, so this process opened it. EINVAL: a variable is not a number
 * in range. See sd_listen_fds(3).
 */
int sunpath_take_passed(uint64_t *ret_error);

/*
 * Writes the name of a descriptor that was passed, as LISTEN_FDNAMES has it, in at most `size` bytes.
 * 256 bytes are enough.
 *
 * Returns the length of the whole name without its NUL, or 0 if there is no name.
 *
 * EBADF: `fd` is less than SUNPATH_FIRST_PASSED. EINVAL: `buf` is NULL and `size` is not 0.
 * See sd_listen_fds_with_names(3).
 */
int sunpath_passed_name(int fd, char *buf, size_t size);

/*
 * Checks that `fd` is a Unix domain socket of `type`. If `listens` is 1, the socket must listen. If
 * `listens` is 0, it must not listen. If `listens` is -1, both are accepted.
 *
 * EBADF: `fd` is not a descriptor. ENOTSOCK: `fd` is not a socket. EAFNOSUPPORT: the socket is of
 * another family. EPROTOTYPE: the socket is of another type.
 * EINVAL: the socket listens and must not, or must listen and does not; or `type` is unknown.
 * See getsockopt(2), sd_is_socket(3).
 */
int sunpath_check_socket(int fd, int type, int listens, uint64_t *ret_error);

#ifdef __cplusplus
}
#endif

#endif
