//! The one room with `unsafe`: each call of the system as a safe function over borrowed
//! descriptors, typed addresses and slices. What the kernel does not promise is not assumed, and
//! three rules are kept here so that nobody above has to think of them:
//!
//! - a new descriptor is owned and close-on-exec before anything else can happen,
//! - nothing sent raises `SIGPIPE`,
//! - a call that a signal interrupts is made again.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr;
use core::slice;
use core::time::Duration;

use sunpath_sys as sys;
use sunpath_sys::{sockaddr_un, socklen_t};

use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, FromRawFd, IoSlice, IoSliceMut, OwnedFd};

/// Flags for every new socket: close-on-exec from birth, where the system can do that.
#[cfg(have_sock_cloexec)]
const BIRTH: c_int = sys::SOCK_CLOEXEC;
#[cfg(not(have_sock_cloexec))]
const BIRTH: c_int = 0;

/// The most pieces of a vectored call, `IOV_MAX` on every supported system.
pub(crate) const IOV_MAX: usize = 1024;

/// Makes a call again as long as a signal interrupts it; its result, or its errno.
///
/// accept, connect, send and receive with a timeout start that anew when they are interrupted.
#[inline]
fn retry(call: Call, mut attempt: impl FnMut() -> isize) -> Result<usize, Error> {
    loop {
        if let Ok(result) = usize::try_from(attempt()) {
            return Ok(result);
        }
        let errno = Errno::from_raw(sys::errno());
        if errno != Errno::EINTR {
            return Err(Error::new(call, errno));
        }
    }
}

/// Takes over a descriptor that a call has just returned, and does what the system could not do
/// at its birth.
fn born(fd: c_int) -> Result<OwnedFd, Error> {
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    #[cfg(not(have_sock_cloexec))]
    retry(Call::Fcntl, || {
        // SAFETY: F_SETFD takes an int and touches the descriptor alone.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_SETFD, sys::FD_CLOEXEC) as isize }
    })?;
    #[cfg(have_so_nosigpipe)]
    {
        use crate::fd::AsFd;
        setsockopt(fd.as_fd(), sys::SO_NOSIGPIPE, &1)?;
    }
    Ok(fd)
}

pub(crate) fn socket(kind: c_int) -> Result<OwnedFd, Error> {
    let fd = retry(Call::Socket, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::socket(sys::AF_UNIX, kind | BIRTH, 0) as isize }
    })?;
    born(fd as c_int)
}

pub(crate) fn socketpair(kind: c_int) -> Result<(OwnedFd, OwnedFd), Error> {
    let mut fds: [c_int; 2] = [-1; 2];
    retry(Call::Socketpair, || {
        // SAFETY: fds is room for two descriptors.
        unsafe { sys::socketpair(sys::AF_UNIX, kind | BIRTH, 0, fds.as_mut_ptr()) as isize }
    })?;
    // Both are owned before either can fail.
    match fds.map(born) {
        [Ok(a), Ok(b)] => Ok((a, b)),
        [Err(error), _] | [_, Err(error)] => Err(error),
    }
}

pub(crate) fn bind(fd: BorrowedFd<'_>, addr: &UnixAddr) -> Result<(), Error> {
    retry(Call::Bind, || {
        // SAFETY: the address is live, and its length is not more than its size.
        unsafe { sys::bind(fd.as_raw_fd(), addr.as_ptr(), addr.len()) as isize }
    })?;
    Ok(())
}

pub(crate) fn connect(fd: BorrowedFd<'_>, addr: &UnixAddr) -> Result<(), Error> {
    retry(Call::Connect, || {
        // SAFETY: the address is live, and its length is not more than its size.
        unsafe { sys::connect(fd.as_raw_fd(), addr.as_ptr(), addr.len()) as isize }
    })?;
    Ok(())
}

/// connect(2) that does not begin anew when a signal interrupts it: `EINTR` is the caller's.
pub(crate) fn connect_once(fd: BorrowedFd<'_>, addr: &UnixAddr) -> Result<(), Error> {
    // SAFETY: the address is live, and its length is not more than its size.
    match unsafe { sys::connect(fd.as_raw_fd(), addr.as_ptr(), addr.len()) } {
        0 => Ok(()),
        _ => Err(Error::new(Call::Connect, Errno::from_raw(sys::errno()))),
    }
}

/// poll(2) for something to receive or to accept, at most this many milliseconds. `EINTR` is the
/// caller's, who knows how much time is left.
pub(crate) fn poll_in(fd: BorrowedFd<'_>, milliseconds: c_int) -> Result<bool, Error> {
    let mut slot = sys::pollfd {
        fd: fd.as_raw_fd(),
        events: sys::POLLIN,
        revents: 0,
    };
    // SAFETY: slot is one live pollfd.
    match unsafe { sys::poll(&mut slot, 1, milliseconds) } {
        -1 => Err(Error::new(Call::Poll, Errno::from_raw(sys::errno()))),
        ready => Ok(ready > 0),
    }
}

/// connect(2) to `AF_UNSPEC`, which dissolves a datagram socket's connection.
pub(crate) fn disconnect(fd: BorrowedFd<'_>) -> Result<(), Error> {
    let mut unspec = *UnixAddr::unnamed().as_sockaddr_un();
    unspec.sun_family = sys::AF_UNSPEC as sys::sa_family_t;
    let len = sys::SUN_PATH_OFFSET as socklen_t;
    retry(Call::Connect, || {
        let addr = ptr::from_ref(&unspec).cast();
        // SAFETY: the address is live, and len is less than its size.
        unsafe { sys::connect(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(())
}

pub(crate) fn listen(fd: BorrowedFd<'_>, backlog: c_int) -> Result<(), Error> {
    retry(Call::Listen, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::listen(fd.as_raw_fd(), backlog) as isize }
    })?;
    Ok(())
}

pub(crate) fn accept(fd: BorrowedFd<'_>) -> Result<(OwnedFd, UnixAddr), Error> {
    let mut room = AddrRoom::new();
    let accepted = retry(Call::Accept, || {
        let (addr, len) = room.offer();
        #[cfg(have_sock_cloexec)]
        // SAFETY: addr is room for *len bytes, and both outlive the call.
        return unsafe { sys::accept4(fd.as_raw_fd(), addr, len, BIRTH) as isize };
        #[cfg(not(have_sock_cloexec))]
        // SAFETY: addr is room for *len bytes, and both outlive the call.
        return unsafe { sys::accept(fd.as_raw_fd(), addr, len) as isize };
    })?;
    let accepted = born(accepted as c_int)?;
    #[cfg(not(have_sock_cloexec))]
    {
        // Without accept4 the listener's O_NONBLOCK is inherited.
        use crate::fd::AsFd;
        set_nonblocking(accepted.as_fd(), false)?;
    }
    Ok((accepted, room.take()))
}

pub(crate) fn getsockname(fd: BorrowedFd<'_>) -> Result<UnixAddr, Error> {
    sockname(fd).map(AddrRoom::take)
}

/// The family of a socket, which getsockname(2) tells on every system.
pub(crate) fn family(fd: BorrowedFd<'_>) -> Result<c_int, Error> {
    Ok(c_int::from(sockname(fd)?.addr.sun_family))
}

fn sockname(fd: BorrowedFd<'_>) -> Result<AddrRoom, Error> {
    let mut room = AddrRoom::new();
    retry(Call::Getsockname, || {
        let (addr, len) = room.offer();
        // SAFETY: addr is room for *len bytes, and both outlive the call.
        unsafe { sys::getsockname(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(room)
}

pub(crate) fn getpeername(fd: BorrowedFd<'_>) -> Result<UnixAddr, Error> {
    let mut room = AddrRoom::new();
    retry(Call::Getpeername, || {
        let (addr, len) = room.offer();
        // SAFETY: addr is room for *len bytes, and both outlive the call.
        unsafe { sys::getpeername(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(room.take())
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: c_int) -> Result<(), Error> {
    retry(Call::Shutdown, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::shutdown(fd.as_raw_fd(), how) as isize }
    })?;
    Ok(())
}

pub(crate) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8], flags: c_int) -> Result<usize, Error> {
    retry(Call::Recv, || {
        // SAFETY: buf is writable for its length.
        unsafe { sys::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), flags) }
    })
}

pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
    let pieces = bufs.len().min(IOV_MAX) as c_int;
    retry(Call::Readv, || {
        // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
        unsafe { sys::readv(fd.as_raw_fd(), bufs.as_mut_ptr().cast(), pieces) }
    })
}

pub(crate) fn send(fd: BorrowedFd<'_>, buf: &[u8], flags: c_int) -> Result<usize, Error> {
    let flags = flags | sys::MSG_NOSIGNAL;
    retry(Call::Send, || {
        // SAFETY: buf is readable for its length.
        unsafe { sys::send(fd.as_raw_fd(), buf.as_ptr().cast(), buf.len(), flags) }
    })
}

/// sendmsg(2): of one slice as well as of many, to an address or to the peer.
pub(crate) fn sendmsg(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
) -> Result<usize, Error> {
    // The kernel only reads what a msghdr to send points to.
    let iov = bufs.as_ptr().cast_mut().cast();
    let mut msg = msghdr_over(iov, bufs.len());
    if let Some(to) = to {
        msg.msg_name = to.as_ptr().cast_mut().cast();
        msg.msg_namelen = to.len();
    }
    retry(Call::Sendmsg, || {
        // SAFETY: an IoSlice is an iovec over a slice that is readable for its length; the address
        // is live and as long as is said; there is no control buffer.
        unsafe { sys::sendmsg(fd.as_raw_fd(), &msg, sys::MSG_NOSIGNAL) }
    })
}

/// What recvmsg(2) returned: its result, `msg_flags`, and who sent.
pub(crate) struct Arrived {
    pub(crate) result: usize,
    pub(crate) flags: c_int,
    pub(crate) from: UnixAddr,
}

/// recvmsg(2) into slices.
pub(crate) fn recvmsg(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    flags: c_int,
) -> Result<Arrived, Error> {
    let pieces = bufs.len().min(IOV_MAX);
    // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
    unsafe { receive(fd, bufs.as_mut_ptr().cast(), pieces, flags) }
}

/// recvmsg(2) into bytes that need not be initialised; those that arrived are the front of `buf`.
pub(crate) fn recvmsg_uninit<'b>(
    fd: BorrowedFd<'_>,
    buf: &'b mut [MaybeUninit<u8>],
    flags: c_int,
) -> Result<(&'b mut [u8], Arrived), Error> {
    let mut iov = sys::iovec {
        iov_base: buf.as_mut_ptr().cast(),
        iov_len: buf.len(),
    };
    // SAFETY: the one iovec is over bytes that are writable for their length.
    let arrived = unsafe { receive(fd, &mut iov, 1, flags) }?;
    let filled = arrived.result.min(buf.len());
    // SAFETY: the kernel has written the first `filled` bytes, and buf is borrowed for 'b.
    let filled = unsafe { slice::from_raw_parts_mut(buf.as_mut_ptr().cast(), filled) };
    Ok((filled, arrived))
}

/// recvmsg(2), with room for the sender's address and without a control buffer.
///
/// # Safety
///
/// - `iov` points to `pieces` iovecs over memory that is writable.
unsafe fn receive(
    fd: BorrowedFd<'_>,
    iov: *mut sys::iovec,
    pieces: usize,
    flags: c_int,
) -> Result<Arrived, Error> {
    let mut room = AddrRoom::new();
    let mut msg = msghdr_over(iov, pieces);
    let result = retry(Call::Recvmsg, || {
        let (addr, len) = room.offer();
        msg.msg_name = addr.cast();
        // SAFETY: len points to the live length of the room.
        msg.msg_namelen = unsafe { *len };
        // SAFETY: the caller vouches for iov, and the address has room for its length.
        unsafe { sys::recvmsg(fd.as_raw_fd(), &mut msg, flags) }
    })?;
    room.len = msg.msg_namelen;
    Ok(Arrived {
        result,
        flags: msg.msg_flags,
        from: room.take(),
    })
}

/// A msghdr with data alone.
fn msghdr_over(iov: *mut sys::iovec, pieces: usize) -> sys::msghdr {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    msg.msg_iov = iov;
    msg.msg_iovlen = pieces as _;
    msg
}

/// `fcntl(F_DUPFD_CLOEXEC)`.
pub(crate) fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    let copy = retry(Call::Fcntl, || {
        // SAFETY: F_DUPFD_CLOEXEC takes an int, the least number wanted.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, 0) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as c_int) })
}

/// `ioctl(FIONBIO)`.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> Result<(), Error> {
    let mut on = c_int::from(nonblocking);
    retry(Call::Ioctl, || {
        // SAFETY: FIONBIO takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::FIONBIO, &raw mut on) as isize }
    })?;
    Ok(())
}

/// `ioctl(FIONREAD)`.
pub(crate) fn readable_bytes(fd: BorrowedFd<'_>) -> Result<usize, Error> {
    let mut bytes: c_int = 0;
    retry(Call::Ioctl, || {
        // SAFETY: FIONREAD takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::FIONREAD, &raw mut bytes) as isize }
    })?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// `ioctl(SIOCOUTQ)`.
#[cfg(have_so_passcred)]
pub(crate) fn unreceived_bytes(fd: BorrowedFd<'_>) -> Result<usize, Error> {
    let mut bytes: c_int = 0;
    retry(Call::Ioctl, || {
        // SAFETY: SIOCOUTQ takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::SIOCOUTQ, &raw mut bytes) as isize }
    })?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

#[cfg(not(have_so_passcred))]
pub(crate) fn unreceived_bytes(_fd: BorrowedFd<'_>) -> Result<usize, Error> {
    Err(Error::new(Call::Ioctl, Errno::ENOTTY))
}

/// `fcntl(F_GETFL) & O_NONBLOCK`.
pub(crate) fn nonblocking(fd: BorrowedFd<'_>) -> Result<bool, Error> {
    let flags = retry(Call::Fcntl, || {
        // SAFETY: F_GETFL takes nothing.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_GETFL) as isize }
    })?;
    Ok(flags as c_int & sys::O_NONBLOCK != 0)
}

pub(crate) fn fchmod(fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    retry(Call::Fchmod, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::fchmod(fd.as_raw_fd(), mode) as isize }
    })?;
    Ok(())
}

/// The value of an option that is an `int`, a `timeval` or a `ucred`.
///
/// # Safety
///
/// - Every value of the type's bytes is valid; what is padding may be read and written.
pub(crate) unsafe trait Plain: Copy {}
// SAFETY: an int.
unsafe impl Plain for c_int {}
// SAFETY: two integers; the kernel copies all of it in and out.
unsafe impl Plain for sys::timeval {}
// SAFETY: three integers of 4 bytes.
#[cfg(have_so_peercred)]
unsafe impl Plain for sys::ucred {}

/// An option of level `SOL_SOCKET`.
pub(crate) fn getsockopt<T: Plain>(fd: BorrowedFd<'_>, name: c_int) -> Result<T, Error> {
    getsockopt_at(fd, sys::SOL_SOCKET, name)
}

/// An option of any level. What the kernel leaves unwritten is zero.
pub(crate) fn getsockopt_at<T: Plain>(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
) -> Result<T, Error> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as socklen_t;
    retry(Call::Getsockopt, || {
        let room = value.as_mut_ptr().cast();
        // SAFETY: value is room for len bytes, and both outlive the call.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, room, &mut len) as isize }
    })?;
    // SAFETY: every byte was zeroed or written, and every value of the bytes is a T.
    Ok(unsafe { value.assume_init() })
}

/// An option whose value is a new descriptor.
pub(crate) fn getsockopt_fd(fd: BorrowedFd<'_>, name: c_int) -> Result<OwnedFd, Error> {
    let made: c_int = getsockopt(fd, name)?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// An option whose value is bytes of any number; how many were written.
pub(crate) fn getsockopt_bytes(
    fd: BorrowedFd<'_>,
    name: c_int,
    room: &mut [u8],
) -> Result<usize, Error> {
    let (level, mut len) = (
        sys::SOL_SOCKET,
        socklen_t::try_from(room.len()).unwrap_or(socklen_t::MAX),
    );
    retry(Call::Getsockopt, || {
        let room = room.as_mut_ptr().cast();
        // SAFETY: room is writable for len bytes, and both outlive the call.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, room, &mut len) as isize }
    })?;
    Ok(room.len().min(len as usize))
}

/// An option whose value is group numbers; how many were written.
pub(crate) fn getsockopt_groups(
    fd: BorrowedFd<'_>,
    name: c_int,
    room: &mut [sys::gid_t],
) -> Result<usize, Error> {
    let bytes = size_of_val(room);
    // SAFETY: group numbers are plain integers, of which every byte may be written.
    let room = unsafe { slice::from_raw_parts_mut(room.as_mut_ptr().cast(), bytes) };
    Ok(getsockopt_bytes(fd, name, room)? / size_of::<sys::gid_t>())
}

/// How many bytes the value of an option has that says so where they do not fit.
pub(crate) fn getsockopt_size(fd: BorrowedFd<'_>, name: c_int) -> Result<usize, Error> {
    let (level, mut len) = (sys::SOL_SOCKET, 0);
    let asked = retry(Call::Getsockopt, || {
        let room = ptr::null_mut();
        // SAFETY: there is no room, and len says so.
        unsafe { sys::getsockopt(fd.as_raw_fd(), level, name, room, &mut len) as isize }
    });
    match asked {
        Err(error) if error.errno() != Errno::ERANGE => Err(error),
        _ => Ok(len as usize),
    }
}

/// An option of level `SOL_SOCKET`.
pub(crate) fn setsockopt<T: Plain>(
    fd: BorrowedFd<'_>,
    name: c_int,
    value: &T,
) -> Result<(), Error> {
    let len = size_of::<T>() as socklen_t;
    retry(Call::Setsockopt, || {
        let value = ptr::from_ref(value).cast();
        // SAFETY: value is readable for len bytes.
        unsafe { sys::setsockopt(fd.as_raw_fd(), sys::SOL_SOCKET, name, value, len) as isize }
    })?;
    Ok(())
}

/// `getpeereid(3)`: the peer's effective user and group.
#[cfg(not(have_so_peercred))]
pub(crate) fn getpeereid(fd: BorrowedFd<'_>) -> Result<(sys::uid_t, sys::gid_t), Error> {
    let (mut uid, mut gid) = (0, 0);
    retry(Call::Getsockopt, || {
        // SAFETY: both pointers are to live integers of their types.
        unsafe { sys::getpeereid(fd.as_raw_fd(), &mut uid, &mut gid) as isize }
    })?;
    Ok((uid, gid))
}

/// `clock_gettime(CLOCK_MONOTONIC)`: a time that only goes forward.
pub(crate) fn monotonic_clock() -> Duration {
    let mut now = MaybeUninit::<sys::timespec>::zeroed();
    // SAFETY: now is room for a timespec. It cannot fail: every system has this clock.
    unsafe { sys::clock_gettime(sys::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid timespec, and so is what the kernel wrote.
    let now = unsafe { now.assume_init() };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// unlink(2) of the path of a pathname address; nothing for the others.
pub(crate) fn unlink(addr: &UnixAddr) {
    if let sys::SunPath::Pathname(path) = addr.name() {
        let mut terminated = [0; sys::SUN_PATH_CAPACITY + 1];
        terminated[..path.len()].copy_from_slice(path);
        // SAFETY: the path ends with a NUL, since it is shorter than its room.
        unsafe { sys::unlink(terminated.as_ptr().cast()) };
    }
}

/// Room for an address that the kernel writes, and for the length that it reports.
struct AddrRoom {
    addr: sockaddr_un,
    len: socklen_t,
}

impl AddrRoom {
    fn new() -> Self {
        Self {
            addr: *UnixAddr::unnamed().as_sockaddr_un(),
            len: 0,
        }
    }

    /// The two pointers of the calls: `*len` is the room.
    fn offer(&mut self) -> (*mut sys::sockaddr, *mut socklen_t) {
        self.len = size_of::<sockaddr_un>() as socklen_t;
        (ptr::from_mut(&mut self.addr).cast(), &mut self.len)
    }

    /// The address; unnamed where the socket is of another family.
    fn take(self) -> UnixAddr {
        UnixAddr::from_raw(self.addr, self.len).unwrap_or(UnixAddr::unnamed())
    }
}
