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

use sunpath_sys as sys;
use sunpath_sys::{sockaddr_un, socklen_t};

use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

#[cfg(not(feature = "std"))]
pub use polyfill::{IoSlice, IoSliceMut};
#[cfg(feature = "std")]
pub use std::io::{IoSlice, IoSliceMut};

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
    let mut room = AddrRoom::new();
    retry(Call::Getsockname, || {
        let (addr, len) = room.offer();
        // SAFETY: addr is room for *len bytes, and both outlive the call.
        unsafe { sys::getsockname(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(room.take())
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

pub(crate) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8]) -> Result<usize, Error> {
    retry(Call::Recv, || {
        // SAFETY: buf is writable for its length.
        unsafe { sys::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), 0) }
    })
}

pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
    let pieces = bufs.len().min(IOV_MAX) as c_int;
    retry(Call::Readv, || {
        // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
        unsafe { sys::readv(fd.as_raw_fd(), bufs.as_mut_ptr().cast(), pieces) }
    })
}

pub(crate) fn send(fd: BorrowedFd<'_>, buf: &[u8]) -> Result<usize, Error> {
    retry(Call::Send, || {
        // SAFETY: buf is readable for its length.
        unsafe {
            sys::send(
                fd.as_raw_fd(),
                buf.as_ptr().cast(),
                buf.len(),
                sys::MSG_NOSIGNAL,
            )
        }
    })
}

/// sendmsg(2) in place of writev(2), which has no `MSG_NOSIGNAL`.
pub(crate) fn sendmsg(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Result<usize, Error> {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    // The kernel only reads what a msghdr to send points to.
    msg.msg_iov = bufs.as_ptr().cast_mut().cast();
    msg.msg_iovlen = bufs.len().min(IOV_MAX) as _;
    retry(Call::Sendmsg, || {
        // SAFETY: an IoSlice is an iovec over a slice that is readable for its length; there is
        // no address and no control buffer.
        unsafe { sys::sendmsg(fd.as_raw_fd(), &msg, sys::MSG_NOSIGNAL) }
    })
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
/// - Every byte of the type belongs to a field, and every value of the bytes is valid.
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
        // The family is set, since a reported length of 0 leaves it unwritten.
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

/// `std::io`'s slices for vectored calls over `core`: an `iovec` each, with the slice's lifetime.
#[cfg(not(feature = "std"))]
mod polyfill {
    use core::fmt;
    use core::marker::PhantomData;
    use core::ops::{Deref, DerefMut};
    use core::slice;

    use sunpath_sys as sys;

    /// A piece to write from, laid out as `struct iovec`.
    #[repr(transparent)]
    #[doc(alias = "iovec")]
    pub struct IoSlice<'a> {
        /// INVARIANT: `iov_base` is readable for `iov_len` bytes during `'a`.
        iovec: sys::iovec,
        slice: PhantomData<&'a [u8]>,
    }

    /// A piece to read into, laid out as `struct iovec`.
    #[repr(transparent)]
    #[doc(alias = "iovec")]
    pub struct IoSliceMut<'a> {
        /// INVARIANT: `iov_base` is readable and writable for `iov_len` bytes during `'a`, and
        /// nothing else refers to them.
        iovec: sys::iovec,
        slice: PhantomData<&'a mut [u8]>,
    }

    impl<'a> IoSlice<'a> {
        /// A piece over a slice.
        #[must_use]
        pub const fn new(slice: &'a [u8]) -> Self {
            let iov_base = slice.as_ptr().cast_mut().cast();
            Self {
                iovec: sys::iovec {
                    iov_base,
                    iov_len: slice.len(),
                },
                slice: PhantomData,
            }
        }
    }

    impl<'a> IoSliceMut<'a> {
        /// A piece over a slice.
        #[must_use]
        pub const fn new(slice: &'a mut [u8]) -> Self {
            let iov_base = slice.as_mut_ptr().cast();
            Self {
                iovec: sys::iovec {
                    iov_base,
                    iov_len: slice.len(),
                },
                slice: PhantomData,
            }
        }
    }

    impl Deref for IoSlice<'_> {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            // SAFETY: the field's invariant; nothing writes to the bytes while they are borrowed.
            unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    impl Deref for IoSliceMut<'_> {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            // SAFETY: the field's invariant; `self` is borrowed, so nothing writes to the bytes.
            unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    impl DerefMut for IoSliceMut<'_> {
        fn deref_mut(&mut self) -> &mut [u8] {
            // SAFETY: the field's invariant; `self` is borrowed exclusively.
            unsafe { slice::from_raw_parts_mut(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    // SAFETY: a shared slice of bytes, which is Send.
    unsafe impl Send for IoSlice<'_> {}
    // SAFETY: a shared slice of bytes, which is Sync.
    unsafe impl Sync for IoSlice<'_> {}
    // SAFETY: an exclusive slice of bytes, which is Send.
    unsafe impl Send for IoSliceMut<'_> {}
    // SAFETY: an exclusive slice of bytes, which is Sync.
    unsafe impl Sync for IoSliceMut<'_> {}

    impl fmt::Debug for IoSlice<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl fmt::Debug for IoSliceMut<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }
}

#[cfg(all(test, not(feature = "std")))]
mod tests {
    use super::*;
    use crate::fd::AsFd;

    #[test]
    fn io_slice_is_an_iovec() {
        let (a, b) = socketpair(sys::SOCK_STREAM).unwrap();
        let pieces = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(&*pieces[2], b"cde");
        assert_eq!(sendmsg(a.as_fd(), &pieces).unwrap(), 5);

        let (mut first, mut second) = ([0; 3], [0; 3]);
        let mut pieces = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(readv(b.as_fd(), &mut pieces).unwrap(), 5);
        assert_eq!(&*pieces[0], b"abc");
        pieces[1][2] = b'!';
        assert_eq!(&second, b"de!");
    }
}
