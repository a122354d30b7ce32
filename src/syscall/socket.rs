//! Makes sockets, binds them and connects them.

use core::ffi::{c_int, c_short};
use core::ptr;

use sunpath_sys as sys;
use sunpath_sys::socklen_t;

use super::{ANY, adopt_new, getsockopt, new_socket_flags, retry, retry_timed};
use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsRawFd, BorrowedFd, CWD, OwnedFd};

#[inline]
pub(crate) fn socket(kind: c_int, nonblocking: bool) -> Result<OwnedFd, Error> {
    let kind = kind | new_socket_flags(nonblocking);
    let fd = retry(Call::Socket, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::socket(sys::AF_UNIX, kind, 0) as isize }
    })?;
    adopt_new(fd as c_int, nonblocking)
}

pub(crate) fn socketpair(kind: c_int, nonblocking: bool) -> Result<(OwnedFd, OwnedFd), Error> {
    let mut fds: [c_int; 2] = [-1; 2];
    let kind = kind | new_socket_flags(nonblocking);
    retry(Call::Socketpair, || {
        // SAFETY: `fds` has space for two descriptors.
        unsafe { sys::socketpair(sys::AF_UNIX, kind, 0, fds.as_mut_ptr()) as isize }
    })?;
    // Both descriptors get an owner before the first failure is returned, so that neither leaks.
    match fds.map(|fd| adopt_new(fd, nonblocking)) {
        [Ok(a), Ok(b)] => Ok((a, b)),
        [Err(error), _] | [_, Err(error)] => Err(error),
    }
}

#[inline]
pub(crate) fn bind(fd: BorrowedFd<'_>, addr: &UnixAddr) -> Result<(), Error> {
    bind_at(CWD, fd, addr)
}

#[inline]
pub(crate) fn connect(fd: BorrowedFd<'_>, addr: &UnixAddr) -> Result<(), Error> {
    connect_at(CWD, fd, addr)
}

/// Binds by bind(2), or by bindat on systems that have it. On other systems `dir` must be [`CWD`].
#[inline]
pub(crate) fn bind_at(
    dir: BorrowedFd<'_>,
    fd: BorrowedFd<'_>,
    addr: &UnixAddr,
) -> Result<(), Error> {
    retry(Call::Bind, || {
        let (fd, addr, len) = (fd.as_raw_fd(), addr.as_ptr(), addr.len());
        #[cfg(have_bindat)]
        // SAFETY: the address is live, and its length is at most its size.
        return unsafe { sys::bindat(dir.as_raw_fd(), fd, addr, len) as isize };
        #[cfg(not(have_bindat))]
        debug_assert_eq!(dir.as_raw_fd(), CWD.as_raw_fd());
        #[cfg(not(have_bindat))]
        // SAFETY: the address is live, and its length is at most its size.
        return unsafe { sys::bind(fd, addr, len) as isize };
    })?;
    Ok(())
}

/// Connects by connect(2), or by connectat on systems that have it. On other systems `dir` must be
/// [`CWD`].
#[inline]
pub(crate) fn connect_at(
    dir: BorrowedFd<'_>,
    fd: BorrowedFd<'_>,
    addr: &UnixAddr,
) -> Result<(), Error> {
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Connect, ANY, move || {
        raw_connect(dir, fd, addr) as isize
    })?;
    Ok(())
}

#[inline]
pub(super) fn raw_connect(dir: BorrowedFd<'_>, fd: BorrowedFd<'_>, addr: &UnixAddr) -> c_int {
    let (fd, addr, len) = (fd.as_raw_fd(), addr.as_ptr(), addr.len());
    #[cfg(have_bindat)]
    // SAFETY: the address is live, and its length is at most its size.
    return unsafe { sys::connectat(dir.as_raw_fd(), fd, addr, len) };
    #[cfg(not(have_bindat))]
    debug_assert_eq!(dir.as_raw_fd(), CWD.as_raw_fd());
    #[cfg(not(have_bindat))]
    // SAFETY: the address is live, and its length is at most its size.
    return unsafe { sys::connect(fd, addr, len) };
}

/// A descriptor for which poll(2) reported an event.
pub(crate) struct Ready {
    /// `true` if the receiving direction was shut down, which cannot be undone.
    pub(crate) shut_down: bool,
}

/// The events that report that the receiving direction was shut down.
#[cfg(have_pollrdhup)]
const SHUT_DOWN: c_short = sys::POLLHUP | sys::POLLRDHUP;
#[cfg(not(have_pollrdhup))]
const SHUT_DOWN: c_short = sys::POLLHUP;

/// Waits by poll(2) for something to receive or to accept, for at most `milliseconds`. Returns
/// `None` if nothing arrived. If a signal interrupts the wait, the result is `EINTR`, because only
/// the caller knows how much time is left.
pub(crate) fn poll_in(fd: BorrowedFd<'_>, milliseconds: c_int) -> Result<Option<Ready>, Error> {
    let mut slot = sys::pollfd {
        fd: fd.as_raw_fd(),
        events: sys::POLLIN | SHUT_DOWN,
        revents: 0,
    };
    // SAFETY: `slot` is one live pollfd.
    match unsafe { sys::poll(&mut slot, 1, milliseconds) } {
        -1 => Err(Error::new(Call::Poll, Errno::from_raw(sys::errno()))),
        0 => Ok(None),
        _ => Ok(Some(Ready {
            shut_down: slot.revents & SHUT_DOWN != 0,
        })),
    }
}

/// Waits by poll(2) for any of these events, for an error or for the end of the connection, for at
/// most `milliseconds`. If a signal interrupts the wait, the result is `EINTR`, because only the
/// caller knows how much time is left.
pub(crate) fn poll_for(
    fd: BorrowedFd<'_>,
    events: c_short,
    milliseconds: c_int,
) -> Result<bool, Error> {
    let mut slot = sys::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: `slot` is one live pollfd.
    match unsafe { sys::poll(&mut slot, 1, milliseconds) } {
        -1 => Err(Error::new(Call::Poll, Errno::from_raw(sys::errno()))),
        ready => Ok(ready > 0),
    }
}

/// Waits by poll(2) for a listener to be shut down, for at most `milliseconds`. If a signal
/// interrupts the wait, the result is `EINTR`, because only the caller knows how much time is left.
pub(crate) fn poll_shut_down(fd: BorrowedFd<'_>, milliseconds: c_int) -> Result<bool, Error> {
    poll_for(fd, SHUT_DOWN, milliseconds)
}

/// Sleeps for a number of milliseconds, by poll(2) without descriptors. A signal ends the sleep
/// early.
pub(crate) fn pause(milliseconds: c_int) {
    // SAFETY: poll does not read the array if it has no elements.
    unsafe { sys::poll(ptr::null_mut(), 0, milliseconds) };
}

/// Dissolves a datagram socket's connection, by connect(2) to `AF_UNSPEC`.
pub(crate) fn disconnect(fd: BorrowedFd<'_>) -> Result<(), Error> {
    let mut unspec = *UnixAddr::unnamed().as_sockaddr_un();
    unspec.sun_family = sys::AF_UNSPEC as sys::sa_family_t;
    let len = sys::SUN_PATH_OFFSET as socklen_t;
    retry(Call::Connect, || {
        let addr = ptr::from_ref(&unspec).cast();
        // SAFETY: the address is live, and `len` is less than its size.
        unsafe { sys::connect(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(())
}

#[inline]
pub(crate) fn listen(fd: BorrowedFd<'_>, backlog: c_int) -> Result<(), Error> {
    retry(Call::Listen, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::listen(fd.as_raw_fd(), backlog) as isize }
    })?;
    Ok(())
}

/// Accepts a connection by accept(2), and writes the peer's address into `ret_peer` if there is
/// one.
#[inline]
pub(crate) fn accept(
    fd: BorrowedFd<'_>,
    mut ret_peer: Option<&mut UnixAddr>,
    nonblocking: bool,
) -> Result<OwnedFd, Error> {
    let mut peer_len: socklen_t = 0;
    let (addr, len): (_, *mut socklen_t) = match ret_peer.as_deref_mut() {
        Some(peer) => (peer.as_mut_ptr(), &mut peer_len),
        None => (ptr::null_mut(), ptr::null_mut()),
    };
    let accepted = retry_timed(fd, sys::SO_RCVTIMEO, Call::Accept, ANY, move || {
        if !len.is_null() {
            // SAFETY: `len` points to the variable above, which nothing else uses now.
            unsafe { *len = size_of::<sys::sockaddr_un>() as socklen_t };
        }
        #[cfg(have_sock_cloexec)]
        // SAFETY: `addr` has space for `*len` bytes and both outlive the call, or both are null.
        return unsafe {
            sys::accept4(fd.as_raw_fd(), addr, len, new_socket_flags(nonblocking)) as isize
        };
        #[cfg(not(have_sock_cloexec))]
        // SAFETY: `addr` has space for `*len` bytes and both outlive the call, or both are null.
        return unsafe { sys::accept(fd.as_raw_fd(), addr, len) as isize };
    })
    .map_err(|error| why_not_accepted(fd, error))?;
    // The result has no sign, which spares the owner of the descriptor a comparison with -1.
    let accepted = adopt_new(accepted as c_int & c_int::MAX, nonblocking)?;
    #[cfg(not(have_sock_cloexec))]
    if !nonblocking {
        // Without accept4 an accepted socket inherits O_NONBLOCK from the listener.
        use crate::fd::AsFd;
        super::set_nonblocking(accepted.as_fd(), false)?;
    }
    if let Some(peer) = ret_peer {
        normalized(peer, peer_len, Call::Accept)?;
    }
    Ok(accepted)
}

/// Adds the cause to the error of accept. `EINVAL` means that the listener was shut down, or that
/// the socket never listened.
#[cold]
fn why_not_accepted(fd: BorrowedFd<'_>, error: Error) -> Error {
    if error.errno() != Errno::EINVAL {
        return error;
    }
    match getsockopt::<c_int>(fd, sys::SO_ACCEPTCONN) {
        Ok(0) => error.because(Cause::NotListening),
        Ok(_) => error.because(Cause::ShutDown),
        Err(_) => error,
    }
}

pub(crate) fn getsockname(fd: BorrowedFd<'_>) -> Result<UnixAddr, Error> {
    let mut addr = UnixAddr::unnamed();
    let len = sockname(fd, &mut addr)?;
    normalized(&mut addr, len, Call::Getsockname)?;
    Ok(addr)
}

/// Returns whether a socket is a Unix domain socket. On every system the socket's own address
/// contains the family.
pub(crate) fn is_unix(fd: BorrowedFd<'_>) -> Result<bool, Error> {
    let mut addr = UnixAddr::unnamed();
    let len = sockname(fd, &mut addr)?;
    Ok(addr.normalize(len).is_ok())
}

/// Returns the length that the kernel reported for the address that it wrote.
fn sockname(fd: BorrowedFd<'_>, ret_addr: &mut UnixAddr) -> Result<socklen_t, Error> {
    let mut reported = 0;
    retry(Call::Getsockname, || {
        let (addr, len) = offered(ret_addr, &mut reported);
        // SAFETY: `addr` has space for `*len` bytes, and both outlive the call.
        unsafe { sys::getsockname(fd.as_raw_fd(), addr, len) as isize }
    })?;
    Ok(reported)
}

pub(crate) fn getpeername(fd: BorrowedFd<'_>) -> Result<UnixAddr, Error> {
    let (mut peer, mut reported) = (UnixAddr::unnamed(), 0);
    retry(Call::Getpeername, || {
        let (addr, len) = offered(&mut peer, &mut reported);
        // SAFETY: `addr` has space for `*len` bytes, and both outlive the call.
        unsafe { sys::getpeername(fd.as_raw_fd(), addr, len) as isize }
    })?;
    normalized(&mut peer, reported, Call::Getpeername)?;
    Ok(peer)
}

/// Returns the two pointers through which a call writes an address and its length. The length is
/// set to the size of the buffer before each call, because the kernel overwrites it.
#[inline]
fn offered(addr: &mut UnixAddr, len: &mut socklen_t) -> (*mut sys::sockaddr, *mut socklen_t) {
    *len = size_of::<sys::sockaddr_un>() as socklen_t;
    (addr.as_mut_ptr(), len)
}

/// Returns the address that a call has written. Fails with `EAFNOSUPPORT` if the socket is of
/// another family.
#[inline]
fn normalized(addr: &mut UnixAddr, len: socklen_t, call: Call) -> Result<(), Error> {
    addr.normalize(len)
        .map_err(|errno| Error::with_cause(call, errno, Cause::OtherFamily))
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: c_int) -> Result<(), Error> {
    retry(Call::Shutdown, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::shutdown(fd.as_raw_fd(), how) as isize }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::AsFd;
    use crate::syscall::send;

    #[test]
    fn poll_in_tells_nothing_something_and_the_end_apart() {
        let (a, b) = socketpair(sys::SOCK_STREAM, false).unwrap();
        let shut_down = || {
            let ready = poll_in(a.as_fd(), 0).unwrap();
            ready.map(|ready| ready.shut_down)
        };
        assert_eq!(shut_down(), None);
        send(b.as_fd(), b"x", 0).unwrap();
        assert_eq!(shut_down(), Some(false));
        drop(b);
        assert_eq!(shut_down(), Some(true));
    }
}
