//! A loop in place of sendmmsg(2) and recvmmsg(2) where the system has neither, and in place of
//! recvmmsg(2) where the kernel refuses it. FreeBSD's C library makes the calls in a loop, too. The
//! tests of this module run on every system.

use core::ffi::{c_int, c_void};

use sunpath_sys as sys;
#[cfg(have_mmsg)]
use sunpath_sys::mmsghdr;

/// The header of one message, for systems that lack this struct.
#[cfg(not(have_mmsg))]
#[allow(non_camel_case_types)]
pub(super) struct mmsghdr {
    pub(super) msg_hdr: sys::msghdr,
    pub(super) msg_len: usize,
}

/// Does what sendmmsg(2) does.
///
/// # Safety
///
/// - As for sendmsg(2), for each of `count` headers.
#[cfg(any(test, not(have_mmsg)))]
pub(super) unsafe fn send_many(
    fd: c_int,
    headers: *mut mmsghdr,
    count: usize,
    flags: c_int,
) -> isize {
    let send = |header: &mut mmsghdr, _| {
        // SAFETY: the caller guarantees each header.
        unsafe { sys::sendmsg(fd, &header.msg_hdr, flags) }
    };
    // SAFETY: the caller guarantees the headers.
    unsafe { one_by_one(headers, count, send) }
}

/// Does what recvmmsg(2) does with `MSG_WAITFORONE`.
///
/// # Safety
///
/// - As for recvmsg(2), for each of `count` headers.
pub(super) unsafe fn recv_many(
    fd: c_int,
    headers: *mut mmsghdr,
    count: usize,
    flags: c_int,
    _timeout: *mut c_void,
) -> isize {
    let receive = |header: &mut mmsghdr, first| {
        let flags = flags | if first { 0 } else { sys::MSG_DONTWAIT };
        // SAFETY: the caller guarantees each header.
        unsafe { sys::recvmsg(fd, &mut header.msg_hdr, flags) }
    };
    // SAFETY: the caller guarantees the headers.
    unsafe { one_by_one(headers, count, receive) }
}

/// Calls `call` for each header until it fails. Returns for how many headers it succeeded, or -1 if
/// the first call failed.
///
/// # Safety
///
/// - `headers` points to `count` headers that nothing else uses.
unsafe fn one_by_one(
    headers: *mut mmsghdr,
    count: usize,
    mut call: impl FnMut(&mut mmsghdr, bool) -> isize,
) -> isize {
    for done in 0..count {
        // SAFETY: `done` is less than `count`, so the pointer stays inside the headers.
        let header = unsafe { headers.add(done) };
        // SAFETY: the caller guarantees that each of the headers is valid, and that nothing else
        // uses them.
        let header = unsafe { &mut *header };
        match call(header, done == 0) {
            len @ 0.. => header.msg_len = len as _,
            _ if done == 0 => return -1,
            _ => return done as isize,
        }
    }
    count as isize
}

#[cfg(test)]
mod tests {
    use super::super::header_over;
    use super::*;
    use crate::fd::{AsFd, AsRawFd, IoSlice, IoSliceMut};
    use crate::syscall;
    use crate::syscall::message::msghdr_over;

    /// Makes two headers for the same slices.
    fn headers(pieces: [*mut sys::iovec; 2]) -> [mmsghdr; 2] {
        pieces.map(|piece| header_over(msghdr_over(piece, 1)))
    }

    #[test]
    fn batch_one_by_one_takes_what_is_there() {
        let (a, b) = syscall::socketpair(sys::SOCK_DGRAM, false).unwrap();
        let mut pieces = [IoSlice::new(b"one"), IoSlice::new(b"three")];
        let mut to_send = headers(
            pieces
                .each_mut()
                .map(|piece| core::ptr::from_mut(piece).cast()),
        );
        // SAFETY: each of the two headers points to a live slice.
        let sent = unsafe { send_many(a.as_raw_fd(), to_send.as_mut_ptr(), 2, 0) };
        assert_eq!((sent, to_send[0].msg_len, to_send[1].msg_len), (2, 3, 5));

        let mut bufs = [[0; 8]; 2];
        let mut pieces = bufs.each_mut().map(|buf| IoSliceMut::new(buf));
        let mut to_fill = headers(
            pieces
                .each_mut()
                .map(|piece| core::ptr::from_mut(piece).cast()),
        );
        let timeout = core::ptr::null_mut();
        for (there, came) in [(2, 2), (1, 1)] {
            if there == 1 {
                syscall::send(a.as_fd(), b"four", 0).unwrap();
            }
            let vector = to_fill.as_mut_ptr();
            // SAFETY: each of the two headers points to a live slice that nothing else uses.
            let count = unsafe { recv_many(b.as_raw_fd(), vector, 2, 0, timeout) };
            assert_eq!(count, came);
        }
        assert_eq!((&bufs[0], &bufs[1]), (b"four\0\0\0\0", b"three\0\0\0"));
    }

    #[test]
    fn batch_one_by_one_fails_only_at_the_first() {
        let (a, b) = syscall::socketpair(sys::SOCK_SEQPACKET, false).unwrap();
        let mut empty = [IoSlice::new(b"x"), IoSlice::new(b"y")];
        let mut to_send = headers(
            empty
                .each_mut()
                .map(|piece| core::ptr::from_mut(piece).cast()),
        );
        drop(b);
        let (vector, flags) = (to_send.as_mut_ptr(), sys::MSG_NOSIGNAL);
        // SAFETY: each of the two headers points to a live slice.
        let sent = unsafe { send_many(a.as_raw_fd(), vector, 2, flags) };
        assert_eq!((sent, sys::errno()), (-1, sys::EPIPE));
    }
}
