//! Sending and receiving.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::slice;

use sunpath_sys as sys;

use super::control::OwnedControl;
use super::retry_timed;
use super::socket::AddrRoom;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd, IoSlice, IoSliceMut};

/// The most pieces of a vectored call, `IOV_MAX` on every supported system.
pub(crate) const IOV_MAX: usize = 1024;

/// Received descriptors are close-on-exec from birth, where the system can do that.
#[cfg(have_msg_cmsg_cloexec)]
pub(super) const CMSG_CLOEXEC: c_int = sys::MSG_CMSG_CLOEXEC;
#[cfg(not(have_msg_cmsg_cloexec))]
pub(super) const CMSG_CLOEXEC: c_int = 0;

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

/// sendmsg(2): of one slice as well as of many, to an address or to the peer, with control messages
/// or without.
pub(crate) fn sendmsg(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[u8],
) -> Result<usize, Error> {
    let msg = msghdr_to_send(bufs, to, control);
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendmsg, || {
        // SAFETY: an IoSlice is an iovec over a slice that is readable for its length; the address
        // and the control messages are live and as long as is said.
        unsafe { sys::sendmsg(fd.as_raw_fd(), &msg, sys::MSG_NOSIGNAL) }
    })
}

/// What recvmsg(2) returned: its result, `msg_flags`, who sent, and how much control data.
pub(crate) struct Arrived {
    pub(crate) result: usize,
    pub(crate) flags: c_int,
    pub(crate) from: UnixAddr,
    pub(super) control_len: usize,
}

/// recvmsg(2) into slices.
pub(crate) fn recvmsg(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    flags: c_int,
) -> Result<Arrived, Error> {
    let pieces = bufs.len().min(IOV_MAX);
    // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
    unsafe { receive(fd, bufs.as_mut_ptr().cast(), pieces, &mut [], flags) }
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
    let arrived = unsafe { receive(fd, &mut iov, 1, &mut [], flags) }?;
    let filled = arrived.result.min(buf.len());
    // SAFETY: the kernel has written the first `filled` bytes, and buf is borrowed for 'b.
    let filled = unsafe { slice::from_raw_parts_mut(buf.as_mut_ptr().cast(), filled) };
    Ok((filled, arrived))
}

/// recvmsg(2) into slices, and control messages into `room`. Of descriptors that arrive all are
/// owned at once and those beyond `most` are closed, whose number is the last of the results.
pub(crate) fn recvmsg_control<'c>(
    fd: BorrowedFd<'_>,
    bufs: &mut [IoSliceMut<'_>],
    room: &'c mut [u8],
    most: usize,
    flags: c_int,
) -> Result<(Arrived, OwnedControl<'c>, usize), Error> {
    let pieces = bufs.len().min(IOV_MAX);
    let (iov, flags) = (bufs.as_mut_ptr().cast(), flags | CMSG_CLOEXEC);
    // SAFETY: an IoSliceMut is an iovec over a slice that is writable for its length.
    let arrived = unsafe { receive(fd, iov, pieces, room, flags) }?;
    let written = arrived.control_len.min(room.len());
    // SAFETY: recvmsg has just written so many bytes, and nobody has looked at them.
    let (control, closed) = unsafe { OwnedControl::new(&mut room[..written], most) };
    Ok((arrived, control, closed))
}

/// recvmsg(2), with room for the sender's address and for control messages.
///
/// # Safety
///
/// - `iov` points to `pieces` iovecs over memory that is writable.
unsafe fn receive(
    fd: BorrowedFd<'_>,
    iov: *mut sys::iovec,
    pieces: usize,
    control: &mut [u8],
    flags: c_int,
) -> Result<Arrived, Error> {
    let mut addr = AddrRoom::new();
    let mut msg = msghdr_over(iov, pieces);
    let result = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmsg, || {
        addr.offer_in(&mut msg);
        offer_control(control, &mut msg);
        // SAFETY: the caller vouches for iov; the address and the control messages have the room
        // that is said.
        unsafe { sys::recvmsg(fd.as_raw_fd(), &mut msg, flags) }
    })?;
    Ok(arrived(result, &msg, addr))
}

/// What a receive has left in its msghdr and its address.
#[allow(
    clippy::unnecessary_cast,
    reason = "msg_controllen is 4 bytes outside glibc"
)]
pub(super) fn arrived(result: usize, msg: &sys::msghdr, mut addr: AddrRoom) -> Arrived {
    addr.len = msg.msg_namelen;
    Arrived {
        result,
        flags: msg.msg_flags,
        from: addr.take(),
        control_len: msg.msg_controllen as usize,
    }
}

/// A msghdr with data alone.
pub(super) fn msghdr_over(iov: *mut sys::iovec, pieces: usize) -> sys::msghdr {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    msg.msg_iov = iov;
    msg.msg_iovlen = pieces as _;
    msg
}

/// A msghdr to send, which is valid as long as what it is made of. The kernel only reads what it
/// points to.
pub(super) fn msghdr_to_send(
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[u8],
) -> sys::msghdr {
    let mut msg = msghdr_over(bufs.as_ptr().cast_mut().cast(), bufs.len());
    if let Some(to) = to {
        msg.msg_name = to.as_ptr().cast_mut().cast();
        msg.msg_namelen = to.len();
    }
    if !control.is_empty() {
        msg.msg_control = control.as_ptr().cast_mut().cast();
        msg.msg_controllen = control.len() as _;
    }
    msg
}

/// Lends a msghdr room for control messages, before each call: the kernel writes their length over
/// it.
pub(super) fn offer_control(control: &mut [u8], msg: &mut sys::msghdr) {
    if !control.is_empty() {
        msg.msg_control = control.as_mut_ptr().cast();
        msg.msg_controllen = control.len() as _;
    }
}
