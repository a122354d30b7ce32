//! `<sys/socket.h>`, then `<sys/uio.h>`, `<poll.h>` and `<sys/ioctl.h>`: the structs, constants and
//! calls that programs with Unix domain sockets use, in the order of the header.
//!
//! The items are libc's own, so this `msghdr` is the `msghdr` of every other crate that uses libc.
//! The calls are `unsafe` as in C: the caller guarantees that pointers and their lengths match.
//! Unless a call says otherwise it returns 0, a count or a descriptor, or -1 with
//! [`errno`](crate::errno()) set.
//!
//! `struct sockaddr_un` is in [`un`](crate::un), `struct msghdr` and `struct cmsghdr` are in
//! [`cmsg`](crate::cmsg).

#[cfg(target_os = "freebsd")]
use core::ffi::c_int;
#[cfg(any(
    all(target_os = "linux", target_env = "musl", not(have_inline_syscalls)),
    target_os = "android"
))]
use core::ffi::{c_int, c_uint};

/// The socket types of Unix domain sockets: a stream of bytes, datagrams, and a connection that
/// keeps record boundaries.
///
/// See socket(2), unix(7).
#[doc(inline)]
pub use libc::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

/// Flags that socket(2), socketpair(2) and accept4(2) take with the type: set `FD_CLOEXEC` or
/// `O_NONBLOCK` in the same call. macOS has neither.
///
/// See socket(2).
#[cfg(not(target_vendor = "apple"))]
#[doc(inline)]
pub use libc::{SOCK_CLOEXEC, SOCK_NONBLOCK};

/// `PF_UNIX` is `AF_UNIX`. `AF_UNSPEC` is not a family: connecting a datagram socket to `AF_UNSPEC`
/// dissolves its connection.
///
/// See socket(2), connect(2).
#[doc(inline)]
pub use libc::{AF_UNSPEC, PF_UNIX};

/// `struct sockaddr { sa_family_t sa_family; char sa_data[]; };` — the address type of the calls,
/// for every family. Cast a pointer to `sockaddr_un` to a pointer to this.
///
/// See bind(2).
#[doc(inline)]
pub use libc::sockaddr;

/// `struct sockaddr_storage` — a struct with the size and alignment for an address of any family:
/// 128 bytes, 256 on OpenBSD.
///
/// See sockaddr(3type).
#[doc(inline)]
pub use libc::sockaddr_storage;

/// `struct ucred { pid_t pid; uid_t uid; gid_t gid; };` — the credentials of a process, 12 bytes,
/// as `SO_PEERCRED` and `SCM_CREDENTIALS` report them.
///
/// See unix(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::ucred;

/// `struct linger { int l_onoff; int l_linger; };` — the value of `SO_LINGER`, which changes
/// nothing on a Unix domain socket.
///
/// See socket(7).
#[doc(inline)]
pub use libc::linger;

/// `struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };` — one message of a batch, and
/// how many of its bytes were sent or received.
///
/// See sendmmsg(2).
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
))]
#[doc(inline)]
pub use libc::mmsghdr;

/// `SOL_SOCKET` — the level of every option and control message of Unix domain sockets.
///
/// See socket(7).
#[doc(inline)]
pub use libc::SOL_SOCKET;

/// Options to read, each an `int`: whether the socket listens; its pending error, which reading
/// clears; its type.
///
/// See socket(7).
#[doc(inline)]
pub use libc::{SO_ACCEPTCONN, SO_ERROR, SO_TYPE};

/// Options for how many bytes may be queued, each an `int`. Linux doubles what is set, and counts
/// traffic between Unix domain sockets against the sender's `SO_SNDBUF` alone.
///
/// See socket(7).
#[doc(inline)]
pub use libc::{SO_RCVBUF, SO_SNDBUF};

/// `SO_RCVLOWAT` — an option: how many bytes a receive from a stream waits for, an `int`. On Linux,
/// poll(2) of a Unix domain socket ignores it.
///
/// See socket(7).
#[doc(inline)]
pub use libc::SO_RCVLOWAT;

/// Options that set `SO_SNDBUF` and `SO_RCVBUF` over the limits of the system, each an `int`. Only
/// a process with `CAP_NET_ADMIN` may set them.
///
/// See socket(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::{SO_RCVBUFFORCE, SO_SNDBUFFORCE};

/// Options to receive a time stamp with each datagram, each an `int`, and the control messages that
/// carry it: a `timeval`.
///
/// See socket(7).
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
#[doc(inline)]
pub use libc::{SCM_TIMESTAMP, SO_TIMESTAMP};

/// `SO_TIMESTAMPNS` and `SCM_TIMESTAMPNS` — like `SO_TIMESTAMP` and `SCM_TIMESTAMP`, but with a
/// `timespec`.
///
/// See socket(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::{SCM_TIMESTAMPNS, SO_TIMESTAMPNS};

/// Options for how long receiving and accept(2) wait, and how long sending and connect(2) wait;
/// each a `timeval`. After that time the calls fail with `EAGAIN`. A time of zero means forever.
///
/// See socket(7).
#[doc(inline)]
pub use libc::{SO_RCVTIMEO, SO_SNDTIMEO};

/// Options that can be set, but have no effect on a Unix domain socket: bind to an existing path
/// still fails with `EADDRINUSE`.
///
/// See unix(7).
#[doc(inline)]
pub use libc::{SO_LINGER, SO_REUSEADDR};

/// Options to read, each an `int`: the family, and the protocol, which is 0.
///
/// See socket(7).
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[doc(inline)]
pub use libc::{SO_DOMAIN, SO_PROTOCOL};

/// Options for whether the sender's credentials, or its security label, arrive with each message;
/// each an `int`.
///
/// See unix(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::{SO_PASSCRED, SO_PASSSEC};

/// Options to read: the peer's `ucred`, and its security label, as of connect(2), listen(2) or
/// socketpair(2).
///
/// See unix(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::{SO_PEERCRED, SO_PEERSEC};

/// `SO_PEEK_OFF` — an option: how many bytes into the queue `MSG_PEEK` begins, an `int`; -1 means
/// always at the front.
///
/// See unix(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::SO_PEEK_OFF;

/// `SO_NOSIGPIPE` — an option: this socket raises no `SIGPIPE`; an `int`.
///
/// See setsockopt(2).
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
#[doc(inline)]
pub use libc::SO_NOSIGPIPE;

/// `SCM_RIGHTS` — a control message: an array of descriptors to pass.
///
/// See unix(7).
#[doc(inline)]
pub use libc::SCM_RIGHTS;

/// `SCM_CREDENTIALS` — a control message: a `ucred`.
///
/// See unix(7).
#[cfg(any(target_os = "linux", target_os = "android"))]
#[doc(inline)]
pub use libc::SCM_CREDENTIALS;

/// Flags of a receive or send: do not block in this call; send or receive one byte out of band;
/// leave the data in the queue; wait until the buffer is full.
///
/// See recv(2), send(2).
#[doc(inline)]
pub use libc::{MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_WAITALL};

/// Flags of a send: end of record, which Linux accepts but does not deliver; fail with `EPIPE`
/// without raising `SIGPIPE`.
///
/// See send(2).
#[doc(inline)]
pub use libc::{MSG_EOR, MSG_NOSIGNAL};

/// Flags in `msg_flags` after recvmsg(2): control messages, or the end of the datagram, did not fit
/// and are lost. `MSG_TRUNC` given to recv(2) returns a datagram's true length.
///
/// See recvmsg(2).
#[doc(inline)]
pub use libc::{MSG_CTRUNC, MSG_TRUNC};

/// `MSG_CMSG_CLOEXEC` — a flag of recvmsg(2): received descriptors are close-on-exec when they are
/// made. macOS and Haiku lack it.
///
/// See recvmsg(2).
#[cfg(not(any(target_vendor = "apple", target_os = "haiku")))]
#[doc(inline)]
pub use libc::MSG_CMSG_CLOEXEC;

/// The direction that shutdown(2) ends: receiving, both, sending.
///
/// See shutdown(2).
#[doc(inline)]
pub use libc::{SHUT_RD, SHUT_RDWR, SHUT_WR};

/// `SOMAXCONN` — the greatest backlog, as the C header has it. The limit of the running system can
/// differ.
///
/// See listen(2).
#[doc(inline)]
pub use libc::SOMAXCONN;

/// `int socket(int domain, int type, int protocol);` — makes a socket and returns its descriptor.
///
/// See socket(2).
#[doc(inline)]
pub use crate::calls::socket;

/// `int socketpair(int domain, int type, int protocol, int sv[2]);` — makes two unnamed sockets
/// that are connected to each other.
///
/// See socketpair(2).
#[doc(inline)]
pub use crate::calls::socketpair;

/// `int bind(int fd, const struct sockaddr *addr, socklen_t len);` — gives a socket its address.
/// For a pathname, a socket file is made, which must not exist yet.
///
/// See bind(2), unix(7).
#[doc(inline)]
pub use crate::calls::bind;

/// `int getsockname(int fd, struct sockaddr *addr, socklen_t *len);` — returns the socket's own
/// address. `*len` is the size of the buffer before the call and the true length after it, which
/// can be more than the size.
///
/// See getsockname(2).
#[doc(inline)]
pub use crate::calls::getsockname;

/// `int connect(int fd, const struct sockaddr *addr, socklen_t len);` — connects to a listening
/// socket, or sets a datagram socket's peer.
///
/// See connect(2), unix(7).
#[doc(inline)]
pub use crate::calls::connect;

/// `int getpeername(int fd, struct sockaddr *addr, socklen_t *len);` — returns the address of the
/// other end. A client's address is nearly always unnamed. `*len` has the meaning that it has for
/// getsockname.
///
/// See getpeername(2).
#[doc(inline)]
pub use crate::calls::getpeername;

/// `ssize_t send(int fd, const void *buf, size_t n, int flags);` — sends on a connected socket.
///
/// See send(2).
#[doc(inline)]
pub use crate::calls::send;

/// `ssize_t recv(int fd, void *buf, size_t n, int flags);` — receives, and returns 0 at the end of
/// a stream.
///
/// See recv(2).
#[doc(inline)]
pub use crate::calls::recv;

/// `ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
/// socklen_t len);` — sends to an address.
///
/// See send(2).
#[doc(inline)]
pub use crate::calls::sendto;

/// `ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t
/// *len);` — receives with the sender's address. For an unnamed sender the length is 0, and the
/// struct is not written.
///
/// See recv(2).
#[doc(inline)]
pub use crate::calls::recvfrom;

/// `ssize_t sendmsg(int fd, const struct msghdr *msg, int flags);` — sends from several slices,
/// with an address and control messages if given.
///
/// See send(2).
#[cfg(not(all(target_os = "linux", target_env = "musl", target_pointer_width = "64")))]
#[doc(inline)]
pub use crate::calls::sendmsg;

/// `ssize_t recvmsg(int fd, struct msghdr *msg, int flags);` — receives into several slices, with
/// the sender's address and control messages.
///
/// See recv(2).
#[cfg(not(all(have_inline_syscalls, target_env = "musl")))]
#[doc(inline)]
pub use crate::calls::recvmsg;

/// `int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);` — sends several
/// messages and returns how many were sent.
///
/// See sendmmsg(2).
#[cfg(any(
    all(target_os = "linux", target_env = "gnu"),
    target_os = "freebsd",
    target_os = "netbsd"
))]
#[doc(inline)]
pub use crate::calls::sendmmsg;

/// `int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec
/// *timeout);` — receives several messages and returns how many arrived.
///
/// See recvmmsg(2).
#[cfg(any(
    all(target_os = "linux", target_env = "gnu"),
    target_os = "freebsd",
    target_os = "netbsd"
))]
#[doc(inline)]
pub use crate::calls::recvmmsg;

/// `MSG_WAITFORONE` — a flag of recvmmsg(2): wait for the first message, and then take the others
/// that are there without waiting.
///
/// See recvmmsg(2).
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
))]
#[doc(inline)]
pub use libc::MSG_WAITFORONE;

// Calls that FreeBSD has in its <sys/socket.h> and libc does not declare.
#[cfg(target_os = "freebsd")]
unsafe extern "C" {
    /// `int bindat(int dirfd, int fd, const struct sockaddr *addr, socklen_t len);` — binds to a
    /// path below a directory.
    ///
    /// See bindat(2).
    pub fn bindat(
        dirfd: c_int,
        fd: c_int,
        addr: *const sockaddr,
        len: crate::un::socklen_t,
    ) -> c_int;

    /// `int connectat(int dirfd, int fd, const struct sockaddr *addr, socklen_t len);` — connects
    /// to a path below a directory.
    ///
    /// See connectat(2).
    pub fn connectat(
        dirfd: c_int,
        fd: c_int,
        addr: *const sockaddr,
        len: crate::un::socklen_t,
    ) -> c_int;
}

// Calls that musl and bionic have and libc does not declare for them. musl declares the flags as
// unsigned. Here they are int, as in every other C library.
#[cfg(any(
    all(target_os = "linux", target_env = "musl", not(have_inline_syscalls)),
    target_os = "android"
))]
unsafe extern "C" {
    /// `int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, unsigned int flags);` — sends
    /// several messages and returns how many were sent.
    ///
    /// See sendmmsg(2).
    #[cfg(not(all(target_os = "linux", target_env = "musl", target_pointer_width = "64")))]
    pub fn sendmmsg(fd: c_int, msgs: *mut mmsghdr, n: c_uint, flags: c_int) -> c_int;

    /// `int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, unsigned int flags, struct
    /// timespec *timeout);` — receives several messages and returns how many arrived.
    ///
    /// See recvmmsg(2).
    pub fn recvmmsg(
        fd: c_int,
        msgs: *mut mmsghdr,
        n: c_uint,
        flags: c_int,
        timeout: *mut libc::timespec,
    ) -> c_int;
}

#[cfg(all(have_inline_syscalls, target_env = "musl"))]
#[doc(inline)]
pub use crate::musl::{recvmmsg, recvmsg};
#[cfg(all(target_os = "linux", target_env = "musl", target_pointer_width = "64"))]
#[doc(inline)]
pub use crate::musl::{sendmmsg, sendmsg};

/// `int getsockopt(int fd, int level, int name, void *value, socklen_t *len);` — reads an option.
/// `*len` is the size of the buffer before the call and the size of the value after it.
///
/// See getsockopt(2), socket(7).
#[doc(inline)]
pub use crate::calls::getsockopt;

/// `int setsockopt(int fd, int level, int name, const void *value, socklen_t len);` — sets an
/// option.
///
/// See setsockopt(2), socket(7).
#[doc(inline)]
pub use crate::calls::setsockopt;

/// `int listen(int fd, int backlog);` — makes a bound socket accept connections. Linux queues
/// `backlog + 1` connections.
///
/// See listen(2).
#[doc(inline)]
pub use crate::calls::listen;

/// `int accept(int fd, struct sockaddr *addr, socklen_t *len);` — takes a connection from the
/// queue. On Linux the new descriptor inherits no flags.
///
/// See accept(2).
#[doc(inline)]
pub use crate::calls::accept;

/// `int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);` — takes a connection,
/// with `SOCK_CLOEXEC` and `SOCK_NONBLOCK` for the new descriptor. macOS lacks this call.
///
/// See accept(2).
#[cfg(not(target_vendor = "apple"))]
#[doc(inline)]
pub use crate::calls::accept4;

/// `int shutdown(int fd, int how);` — ends one or both directions of a connection, for every
/// descriptor of the socket.
///
/// See shutdown(2).
#[doc(inline)]
pub use crate::calls::shutdown;

/// `int getpeereid(int fd, uid_t *euid, gid_t *egid);` — returns the effective ids of the peer, as
/// of connect(2) or listen(2).
///
/// See getpeereid(3).
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
#[doc(inline)]
pub use libc::getpeereid;

/// `SOL_LOCAL` — the level of some options of Unix domain sockets, such as `LOCAL_PEERCRED`.
///
/// See unix(4).
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
#[doc(inline)]
pub use libc::SOL_LOCAL;

/// `LOCAL_PEERPID` — an option to read: the `pid_t` of the process that used the other end last.
///
/// See `<sys/un.h>`.
#[cfg(target_vendor = "apple")]
#[doc(inline)]
pub use libc::LOCAL_PEERPID;

/// `LOCAL_PEERCRED` and its value, `struct xucred`: the peer's effective uid, its groups (the first
/// is the effective gid), and since FreeBSD 13 its pid. `cr_version` is `XUCRED_VERSION`.
///
/// See unix(4).
#[cfg(target_os = "freebsd")]
#[doc(inline)]
pub use libc::{LOCAL_PEERCRED, XUCRED_VERSION, xucred};

/// `SOL_LOCAL` — the level of some options of Unix domain sockets, such as `LOCAL_PEEREID`. Older
/// headers have no name for it.
///
/// See unix(4).
#[cfg(target_os = "netbsd")]
pub const SOL_LOCAL: core::ffi::c_int = 0;

/// `LOCAL_PEEREID` and its value, `struct unpcbid`: the peer's pid and effective ids.
///
/// See unix(4).
#[cfg(target_os = "netbsd")]
#[doc(inline)]
pub use libc::{LOCAL_PEEREID, unpcbid};

/// `SO_PEERCRED` and its value, `struct sockpeercred`: the peer's effective ids and its pid.
///
/// See getsockopt(2).
#[cfg(target_os = "openbsd")]
#[doc(inline)]
pub use libc::{SO_PEERCRED, sockpeercred};

/// `int getpeerucred(int fd, ucred_t **ucred);` — returns the peer's credentials, in memory that
/// `ucred_free` frees. The other functions read the ids from these credentials.
///
/// See getpeerucred(3C), ucred_get(3C).
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
#[doc(inline)]
pub use libc::{getpeerucred, ucred_free, ucred_getegid, ucred_geteuid, ucred_getpid, ucred_t};

/// `struct iovec { void *iov_base; size_t iov_len; };` — one slice of a vectored read or write. A
/// call takes at most 1024 slices.
///
/// See readv(2), `<sys/uio.h>`.
#[doc(inline)]
pub use libc::iovec;

/// `ssize_t readv(int fd, const struct iovec *iov, int n);` — reads into several slices.
///
/// See readv(2).
#[doc(inline)]
pub use crate::calls::readv;

/// `ssize_t writev(int fd, const struct iovec *iov, int n);` — writes from several slices. On a
/// stream whose peer has closed, writev raises `SIGPIPE`; sendmsg with `MSG_NOSIGNAL` does not.
///
/// See readv(2).
#[doc(inline)]
pub use crate::calls::writev;

/// `struct timeval { time_t tv_sec; suseconds_t tv_usec; };` — the value of `SO_RCVTIMEO` and
/// `SO_SNDTIMEO`.
///
/// See socket(7).
#[doc(inline)]
pub use libc::timeval;

/// `int clock_gettime(clockid_t clock, struct timespec *now);` — returns the time of a clock.
/// `CLOCK_MONOTONIC` never moves back, so it is suited to count a timeout.
///
/// See clock_gettime(2).
#[doc(inline)]
pub use libc::{CLOCK_MONOTONIC, clock_gettime, timespec};

/// `struct pollfd { int fd; short events; short revents; };` — a descriptor to wait for, the events
/// to wait for, and the events that occurred.
///
/// See poll(2).
#[doc(inline)]
pub use libc::pollfd;

/// `int poll(struct pollfd *fds, nfds_t n, int timeout);` — waits for events on `n` descriptors;
/// `timeout` is in milliseconds, -1 means forever.
///
/// See poll(2).
#[doc(inline)]
pub use crate::calls::poll;

/// Events of poll(2): an error is pending; the other end has closed, or there is none; ready for
/// receiving or accepting; not an open descriptor; ready for sending; an out-of-band byte.
///
/// See poll(2).
#[doc(inline)]
pub use libc::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, nfds_t};

/// `POLLRDHUP` — an event of poll(2): the peer sends no more.
///
/// See poll(2).
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "illumos"
))]
#[doc(inline)]
pub use libc::POLLRDHUP;

/// `int ioctl(int fd, unsigned long request, ...);` — controls a socket by `FIONREAD`, `FIONBIO`
/// and the `SIOC...` requests.
///
/// See ioctl(2), unix(7).
#[doc(inline)]
pub use libc::ioctl;

/// Requests of ioctl(2) with an `int`: set or clear `O_NONBLOCK`; how many bytes can be received.
///
/// See ioctl(2), unix(7).
#[doc(inline)]
pub use libc::{FIONBIO, FIONREAD};
