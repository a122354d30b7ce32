//! socket(2), its addresses and its connection.

use core::ffi::c_int;
use core::ptr;

use sunpath_sys as sys;
use sunpath_sys::{sockaddr_un, socklen_t};

use super::{BIRTH, born, retry, retry_timed};
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, OwnedFd};

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
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Connect, || {
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
    let accepted = retry_timed(fd, sys::SO_RCVTIMEO, Call::Accept, || {
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
        super::set_nonblocking(accepted.as_fd(), false)?;
    }
    Ok((accepted, room.address(Call::Accept)?))
}

pub(crate) fn getsockname(fd: BorrowedFd<'_>) -> Result<UnixAddr, Error> {
    sockname(fd)?.address(Call::Getsockname)
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
    room.address(Call::Getpeername)
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: c_int) -> Result<(), Error> {
    retry(Call::Shutdown, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::shutdown(fd.as_raw_fd(), how) as isize }
    })?;
    Ok(())
}

/// Room for an address that the kernel writes, and for the length that it reports.
#[derive(Clone, Copy)]
pub(super) struct AddrRoom {
    addr: sockaddr_un,
    pub(super) len: socklen_t,
}

impl AddrRoom {
    pub(super) fn new() -> Self {
        Self {
            addr: *UnixAddr::unnamed().as_sockaddr_un(),
            len: 0,
        }
    }

    /// The two pointers of the calls: `*len` is the room.
    pub(super) fn offer(&mut self) -> (*mut sys::sockaddr, *mut socklen_t) {
        self.len = size_of::<sockaddr_un>() as socklen_t;
        (ptr::from_mut(&mut self.addr).cast(), &mut self.len)
    }

    /// The same for recvmsg(2).
    pub(super) fn offer_in(&mut self, msg: &mut sys::msghdr) {
        msg.msg_name = ptr::from_mut(&mut self.addr).cast();
        msg.msg_namelen = size_of::<sockaddr_un>() as socklen_t;
    }

    /// The address; `EAFNOSUPPORT` where the socket is of another family.
    fn address(self, call: Call) -> Result<UnixAddr, Error> {
        UnixAddr::from_raw(self.addr, self.len).map_err(|errno| Error::new(call, errno))
    }

    /// The address of a sender; unnamed where the socket is of another family, since an error would
    /// lose the message.
    pub(super) fn take(self) -> UnixAddr {
        UnixAddr::from_raw(self.addr, self.len).unwrap_or(UnixAddr::unnamed())
    }
}
