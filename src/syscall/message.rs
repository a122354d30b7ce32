//! Sending and receiving.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::slice;

use sunpath_sys as sys;

use super::retry_timed;
use super::socket::AddrRoom;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd, IoSlice, IoSliceMut};

/// The most pieces of a vectored call, `IOV_MAX` on every supported system.
pub(crate) const IOV_MAX: usize = 1024;

pub(crate) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8], flags: c_int) -> Result<usize, Error> {
    retry_timed(fd, sys::SO_RCVTIMEO, Call::Recv, || {
        // SAFETY: buf is writable for its length.
        unsafe { sys::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), flags) }
    })
}

pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Error> {
    let pieces = bufs.len().min(IOV_MAX) as c_int;
    retry_timed(fd, sys::SO_RCVTIMEO, Call::Readv, || {
        // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
        unsafe { sys::readv(fd.as_raw_fd(), bufs.as_mut_ptr().cast(), pieces) }
    })
}

pub(crate) fn send(fd: BorrowedFd<'_>, buf: &[u8], flags: c_int) -> Result<usize, Error> {
    let flags = flags | sys::MSG_NOSIGNAL;
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Send, || {
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
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendmsg, || {
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
    let result = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmsg, || {
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
