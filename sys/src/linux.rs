//! Items from Linux's own headers that libc lacks, or has only for some targets.
//!
//! The values are those that `bindgen` read from the kernel's headers. The values depend on the
//! architecture, and on neither the C library nor the word size, so every Linux target has all of
//! them. mips, powerpc and sparc have values of their own. All other architectures have the values
//! of the kernel's asm-generic headers.
//!
//! A kernel that is older than an option answers `ENOPROTOOPT`.

use core::ffi::{c_int, c_uint, c_ushort};

/// The headers of the kernel as bindgen reads them.
#[allow(dead_code, non_camel_case_types)]
// This module itself has no documentation: items are documented where they are re-exported.
#[allow(missing_docs, unreachable_pub)]
mod uapi {
    include!(env!("SUNPATH_SYS_UAPI"));
}

/// The type of the argument `request` of ioctl(2), which differs between C libraries.
#[cfg(not(any(target_env = "musl", target_env = "ohos", target_os = "android")))]
type Ioctl = core::ffi::c_ulong;
#[cfg(any(target_env = "musl", target_env = "ohos", target_os = "android"))]
type Ioctl = c_int;

// This line compiles only if libc's own requests have the same type.
const _: Ioctl = libc::FIONREAD;

/// `UNIX_PATH_MAX` — the kernel's name for `sizeof sun_path`: 108 bytes.
///
/// See unix(7), `<linux/un.h>`.
pub const UNIX_PATH_MAX: usize = uapi::UNIX_PATH_MAX as usize;

const _: () = assert!(
    UNIX_PATH_MAX == crate::un::SUN_PATH_CAPACITY,
    "sun_path: libc and <linux/un.h> differ in its size"
);

/// `SCM_MAX_FD` — how many descriptors one `SCM_RIGHTS` message takes: 253. A message with more
/// descriptors fails with `EINVAL`.
///
/// No header that programs can include defines it, so it is written by hand here.
///
/// See unix(7), the kernel's `include/net/scm.h`.
pub const SCM_MAX_FD: usize = 253;

/// `SCM_SECURITY` — a control message: the sender's security label, which is text and need not end
/// with a NUL. `SO_PASSSEC` asks for it. Linux has had it since 2.6.18.
///
/// glibc before 2.39 and the kernel's headers do not have it, so it is written by hand. The value
/// is the same for all architectures.
///
/// See unix(7), the kernel's `include/linux/socket.h`.
pub const SCM_SECURITY: c_int = 3;

/// `SCM_PIDFD` — a control message: an `int`, which is a pidfd of the sender, or a negative errno
/// if no descriptor could be made. [`SO_PASSPIDFD`] asks for it. Linux has had it since 6.5.
///
/// glibc before 2.39 and the kernel's headers do not have it, so it is written by hand. The value
/// is the same for all architectures.
///
/// See unix(7), the kernel's `include/linux/socket.h`.
pub const SCM_PIDFD: c_int = 4;

/// `SCM_INQ` — a control message: an `int`, the number of bytes left in the receive queue.
/// [`SO_INQ`] asks for it. Equal to [`SO_INQ`].
///
/// See `<asm/socket.h>`.
pub const SCM_INQ: c_int = uapi::SCM_INQ as c_int;

/// `SO_PASSPIDFD` — an option: whether a pidfd of the sender arrives with each message
/// ([`SCM_PIDFD`]); an `int`. Linux has had it since 6.5.
///
/// See unix(7), `<asm/socket.h>`.
pub const SO_PASSPIDFD: c_int = uapi::SO_PASSPIDFD as c_int;

/// `SO_PEERGROUPS` — an option to read: the peer's supplementary groups, an array of `gid_t`,
/// recorded together with its `ucred`. Linux has had it since 4.13.
///
/// See socket(7), `<asm/socket.h>`.
pub const SO_PEERGROUPS: c_int = uapi::SO_PEERGROUPS as c_int;

/// `SO_PEERPIDFD` — an option to read: a new pidfd of the process that `SO_PEERCRED` names, an
/// `int`. Linux has had it since 6.5.
///
/// See unix(7), `<asm/socket.h>`.
pub const SO_PEERPIDFD: c_int = uapi::SO_PEERPIDFD as c_int;

/// `SO_PASSRIGHTS` — an option: whether peers may send descriptors to this socket; an `int`, 1 by
/// default. With 0 the sender's `SCM_RIGHTS` fails with `EPERM`. Linux has had it since 6.16.
///
/// See `<asm/socket.h>`.
pub const SO_PASSRIGHTS: c_int = uapi::SO_PASSRIGHTS as c_int;

/// `SO_INQ` — an option: whether [`SCM_INQ`] arrives with each recvmsg(2) of a stream socket; an
/// `int` that can be set but not read. Linux has had it since 6.17.
///
/// See `<asm/socket.h>`.
pub const SO_INQ: c_int = uapi::SO_INQ as c_int;

/// `SIOCINQ` — a request of ioctl(2), an `int`: how many bytes are in the receive queue of a stream
/// or seqpacket socket, or in the first datagram of a datagram socket. Equal to `FIONREAD`.
///
/// See unix(7), `<linux/sockios.h>`.
pub const SIOCINQ: Ioctl = uapi::FACT_SIOCINQ as Ioctl;

/// `SIOCOUTQ` — a request of ioctl(2), an `int`: how many bytes of the send buffer are taken by
/// data that the peer has not received, including the kernel's overhead. Equal to `TIOCOUTQ`.
///
/// See unix(7), `<linux/sockios.h>`.
pub const SIOCOUTQ: Ioctl = uapi::FACT_SIOCOUTQ as Ioctl;

/// `SIOCATMARK` — a request of ioctl(2), an `int`: 1 if the next byte to be received is the
/// out-of-band byte, otherwise 0. Unix domain sockets have had it since Linux 5.15, with
/// `CONFIG_AF_UNIX_OOB`.
///
/// See sockatmark(3), `<asm/sockios.h>`.
pub const SIOCATMARK: Ioctl = uapi::FACT_SIOCATMARK as Ioctl;

/// `SIOCUNIXFILE` — a request of ioctl(2) without an argument: a new `O_PATH` descriptor of the
/// file that the socket is bound to, for `CAP_NET_ADMIN` alone. Linux has had it since 4.11.
///
/// See `<linux/un.h>`.
pub const SIOCUNIXFILE: Ioctl = uapi::SIOCUNIXFILE as Ioctl;

/// `int close_range(unsigned int first, unsigned int last, int flags);` — closes every descriptor
/// from `first` to `last`. Linux has had the call since 5.9. Older kernels report `ENOSYS`. The
/// call is made by syscall(2), because not every C library has it.
///
/// # Safety
///
/// - Nothing uses any of the descriptors from here on.
///
/// See close_range(2).
pub unsafe fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    // SAFETY: the arguments are integers, and the caller guarantees that the descriptors may be
    // closed.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) as c_int }
}

/// `AF_NETLINK`, `SOCK_RAW`, `NETLINK_SOCK_DIAG` — family, type and protocol of a socket for
/// queries about sockets.
///
/// See netlink(7), sock_diag(7).
#[doc(inline)]
pub use libc::{AF_NETLINK, NETLINK_SOCK_DIAG, SOCK_RAW};

/// `NLM_F_REQUEST` — a flag of `nlmsg_flags`: the message is a request.
///
/// See netlink(7).
#[doc(inline)]
pub use libc::NLM_F_REQUEST;

/// `unsigned int major(dev_t dev);`, `unsigned int minor(dev_t dev);` — return the major and the
/// minor number of a device.
///
/// See makedev(3).
#[doc(inline)]
pub use libc::{major, minor};

/// `SOCK_DIAG_BY_FAMILY` — the `nlmsg_type` of a query about sockets over `NETLINK_SOCK_DIAG`, and
/// of its answers. Linux has had it since 3.3.
///
/// See sock_diag(7), `<linux/sock_diag.h>`.
pub const SOCK_DIAG_BY_FAMILY: c_ushort = uapi::SOCK_DIAG_BY_FAMILY as c_ushort;

/// `SOCK_DESTROY` — the `nlmsg_type` of a request to close a socket; `EOPNOTSUPP` for Unix domain
/// sockets. Linux has had it since 4.5.
///
/// See `<linux/sock_diag.h>`.
pub const SOCK_DESTROY: c_ushort = uapi::SOCK_DESTROY as c_ushort;

/// `struct sock_diag_req { __u8 sdiag_family; __u8 sdiag_protocol; };` — the beginning of each
/// query with [`SOCK_DIAG_BY_FAMILY`].
///
/// See sock_diag(7), `<linux/sock_diag.h>`.
#[doc(inline)]
pub use uapi::sock_diag_req;

/// `struct unix_diag_req` — a query about Unix domain sockets, 24 bytes: `sdiag_family` is
/// `AF_UNIX`, `udiag_states` has a bit for each state, `udiag_ino` is 0 for all or one socket's
/// inode, `udiag_show` lists the wanted answers (`UDIAG_SHOW_...`), `udiag_cookie` is -1 twice or
/// one socket's cookie.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
#[doc(inline)]
pub use uapi::unix_diag_req;

/// `struct unix_diag_msg` — the answer about one socket, 16 bytes, before its attributes
/// (`UNIX_DIAG_...`): `udiag_type` is `SOCK_STREAM`, `SOCK_DGRAM` or `SOCK_SEQPACKET`, and
/// `udiag_state` is a state of TCP.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
#[doc(inline)]
pub use uapi::unix_diag_msg;

/// `struct unix_diag_vfs { __u32 udiag_vfs_ino; __u32 udiag_vfs_dev; };` — the file of a bound
/// socket. The inode number is truncated to 32 bits.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
#[doc(inline)]
pub use uapi::unix_diag_vfs;

/// `struct unix_diag_rqlen { __u32 udiag_rqueue; __u32 udiag_wqueue; };` — the queues. For a
/// listener these are how many connections wait, and the backlog. For other sockets they are what
/// [`SIOCINQ`] and [`SIOCOUTQ`] report.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
#[doc(inline)]
pub use uapi::unix_diag_rqlen;

// generate.rs turns bindgen's own assertions off, so these replace them. Every field has a fixed
// width.
const _: () = {
    assert!(size_of::<sock_diag_req>() == 2, "size of sock_diag_req");
    assert!(size_of::<unix_diag_req>() == 24, "size of unix_diag_req");
    assert!(size_of::<unix_diag_msg>() == 16, "size of unix_diag_msg");
    assert!(size_of::<unix_diag_vfs>() == 8, "size of unix_diag_vfs");
    assert!(size_of::<unix_diag_rqlen>() == 8, "size of unix_diag_rqlen");
};

/// `UDIAG_SHOW_NAME` — a bit of `udiag_show`: the address, in [`UNIX_DIAG_NAME`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_NAME: c_uint = uapi::UDIAG_SHOW_NAME as c_uint;

/// `UDIAG_SHOW_VFS` — a bit of `udiag_show`: the socket's file, in [`UNIX_DIAG_VFS`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_VFS: c_uint = uapi::UDIAG_SHOW_VFS as c_uint;

/// `UDIAG_SHOW_PEER` — a bit of `udiag_show`: the peer, in [`UNIX_DIAG_PEER`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_PEER: c_uint = uapi::UDIAG_SHOW_PEER as c_uint;

/// `UDIAG_SHOW_ICONS` — a bit of `udiag_show`: connections not yet accepted, in
/// [`UNIX_DIAG_ICONS`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_ICONS: c_uint = uapi::UDIAG_SHOW_ICONS as c_uint;

/// `UDIAG_SHOW_RQLEN` — a bit of `udiag_show`: the queues, in [`UNIX_DIAG_RQLEN`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_RQLEN: c_uint = uapi::UDIAG_SHOW_RQLEN as c_uint;

/// `UDIAG_SHOW_MEMINFO` — a bit of `udiag_show`: memory, in [`UNIX_DIAG_MEMINFO`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_MEMINFO: c_uint = uapi::UDIAG_SHOW_MEMINFO as c_uint;

/// `UDIAG_SHOW_UID` — a bit of `udiag_show`: the owner, in [`UNIX_DIAG_UID`]. Linux has had it
/// since 5.3.
///
/// See `<linux/unix_diag.h>`.
pub const UDIAG_SHOW_UID: c_uint = uapi::UDIAG_SHOW_UID as c_uint;

/// `UNIX_DIAG_NAME` — the type of an attribute: `sun_path` up to the length of the address. A
/// pathname is followed by its NUL, and an abstract name begins with its NUL.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_NAME: c_ushort = uapi::UNIX_DIAG_NAME as c_ushort;

/// `UNIX_DIAG_VFS` — the type of an attribute: a [`unix_diag_vfs`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_VFS: c_ushort = uapi::UNIX_DIAG_VFS as c_ushort;

/// `UNIX_DIAG_PEER` — the type of an attribute: the inode number of the peer, a `__u32`.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_PEER: c_ushort = uapi::UNIX_DIAG_PEER as c_ushort;

/// `UNIX_DIAG_ICONS` — the type of an attribute: the inode numbers of the clients that wait to be
/// accepted, an array of `__u32`.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_ICONS: c_ushort = uapi::UNIX_DIAG_ICONS as c_ushort;

/// `UNIX_DIAG_RQLEN` — the type of an attribute: a [`unix_diag_rqlen`].
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_RQLEN: c_ushort = uapi::UNIX_DIAG_RQLEN as c_ushort;

/// `UNIX_DIAG_MEMINFO` — the type of an attribute: an array of `__u32`, the socket's memory as
/// `SO_MEMINFO` reports it.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_MEMINFO: c_ushort = uapi::UNIX_DIAG_MEMINFO as c_ushort;

/// `UNIX_DIAG_SHUTDOWN` — the type of an attribute: a `__u8`, bit 0 if receiving and bit 1 if
/// sending is shut down. Every answer has it, whatever `udiag_show` is. Linux has had it since 3.7.
///
/// See sock_diag(7), `<linux/unix_diag.h>`.
pub const UNIX_DIAG_SHUTDOWN: c_ushort = uapi::UNIX_DIAG_SHUTDOWN as c_ushort;

/// `UNIX_DIAG_UID` — the type of an attribute: the uid of the socket's owner, a `__u32`. Linux has
/// had it since 5.3.
///
/// See `<linux/unix_diag.h>`.
pub const UNIX_DIAG_UID: c_ushort = uapi::UNIX_DIAG_UID as c_ushort;

/// `SYS_pidfd_open` — the number of `int pidfd_open(pid_t pid, unsigned int flags);`, which makes a
/// descriptor of a process. Older C libraries have no function for it. Linux has had it since 5.3.
///
/// See pidfd_open(2).
#[doc(inline)]
pub use libc::SYS_pidfd_open;

/// `PID_FS_MAGIC` — the file system of pidfds, as fstatfs(2) reports it. On this file system, no
/// other process gets the same `st_ino` until the next boot. Linux has had it since 6.9.
///
/// See the kernel's `include/uapi/linux/magic.h`. The value is written by hand, and is the same for
/// all architectures.
pub const PID_FS_MAGIC: c_uint = 0x5049_4446;

/// `int fstatfs(int fd, struct statfs *st);` — returns which file system an open file is on, and
/// that system's sizes. The type and the fields of the struct differ between C libraries and
/// architectures.
///
/// See statfs(2).
#[doc(inline)]
pub use crate::file::calls::{fstatfs, statfs};

/// `void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);` — maps memory,
/// or returns `MAP_FAILED`.
///
/// See mmap(2).
#[doc(inline)]
pub use crate::file::calls::mmap;

/// `int munmap(void *addr, size_t size);` — removes a mapping.
///
/// See mmap(2).
#[doc(inline)]
pub use libc::munmap;

/// Arguments and the result of mmap(2): the mapping is private and does not belong to a file; it is
/// readable; it is writable; the call failed.
///
/// See mmap(2).
#[doc(inline)]
pub use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE};

/// `int madvise(void *addr, size_t size, int advice);` — with `MADV_WIPEONFORK` the pages are zero
/// in every child that is forked from now on. Linux has had it since 4.14. Older kernels report
/// `EINVAL`.
///
/// See madvise(2).
#[doc(inline)]
pub use libc::{MADV_WIPEONFORK, madvise};

/// `long syscall(long number, ...);` — makes the system call with this number.
///
/// See syscall(2).
#[doc(inline)]
pub use libc::syscall;
