//! sendmmsg(2) and recvmmsg(2): several messages with one call.

use core::ffi::c_int;
use core::fmt;
use core::mem::MaybeUninit;
use core::slice;

use sunpath_sys as sys;
#[cfg(have_mmsg)]
use sunpath_sys::{mmsghdr, recvmmsg as recv_many, sendmmsg as send_many};

#[cfg(not(have_mmsg))]
use self::one_by_one::{mmsghdr, recv_many, send_many};
use super::control::{OwnedControl, zeroed};
use super::message::{
    CMSG_CLOEXEC, Length, msghdr_over, msghdr_to_send, offer_addr, offer_control,
};
use super::retry_timed;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd, IoSlice, IoSliceMut};

/// Takes what is there once a message has come.
#[cfg(have_mmsg)]
const WAIT_FOR_ONE: c_int = sys::MSG_WAITFORONE;
#[cfg(not(have_mmsg))]
const WAIT_FOR_ONE: c_int = 0; // the loop does so by itself

/// Room for the headers of at most `N` messages. What it held before a call means nothing.
pub(crate) struct Headers<const N: usize>([MaybeUninit<mmsghdr>; N]);

// SAFETY: the pointers in the headers are written before each call and followed during it alone.
unsafe impl<const N: usize> Send for Headers<N> {}
// SAFETY: as above; nothing can be done with a shared one.
unsafe impl<const N: usize> Sync for Headers<N> {}

impl<const N: usize> Headers<N> {
    pub(crate) const fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; N])
    }
}

impl<const N: usize> fmt::Debug for Headers<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

/// One message to send: its data, its receiver, its control messages.
pub(crate) struct ToSend<'m> {
    pub(crate) bufs: &'m [IoSlice<'m>],
    pub(crate) to: Option<&'m UnixAddr>,
    pub(crate) control: &'m [u8],
}

/// sendmmsg(2): the first `N` of the messages; how many went. Fewer than there are mean that the
/// next one failed.
pub(crate) fn sendmmsg<'m, const N: usize>(
    fd: BorrowedFd<'_>,
    headers: &mut Headers<N>,
    messages: impl Iterator<Item = ToSend<'m>>,
) -> Result<usize, Error> {
    let mut count = 0;
    for (header, message) in headers.0.iter_mut().zip(messages) {
        header.write(header_over(msghdr_to_send(
            message.bufs,
            message.to,
            message.control,
        )));
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    let headers = headers.0.as_mut_ptr().cast();
    retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendmmsg, || {
        // SAFETY: count headers were just written over slices and addresses that live as long as 'm,
        // longer than this call, which only reads them and writes the headers' lengths.
        unsafe { send_many(fd.as_raw_fd(), headers, count, sys::MSG_NOSIGNAL) as isize }
    })
}

/// Room for what comes with a message: its sender and its control messages.
pub(crate) struct Beside<R> {
    addr: MaybeUninit<UnixAddr>,
    control: MaybeUninit<R>,
}

impl<R> Beside<R> {
    pub(crate) const fn new() -> Self {
        Self {
            addr: MaybeUninit::uninit(),
            control: MaybeUninit::uninit(),
        }
    }
}

/// recvmmsg(2): a message into each slice, as many as are there, and one at least. Beside each there
/// are `space` bytes for control messages, in which `most` descriptors may stay, and if `named` the
/// sender's address.
pub(crate) fn recvmmsg<'c, const N: usize, R>(
    fd: BorrowedFd<'_>,
    headers: &'c mut Headers<N>,
    beside: &'c mut [Beside<R>; N],
    bufs: &mut [IoSliceMut<'_>],
    (space, most): (usize, usize),
    named: bool,
    flags: c_int,
) -> Result<ArrivedBatch<'c, R>, Error> {
    let (mut count, space) = (0, space.min(size_of::<R>()));
    let slots = headers.0.iter_mut().zip(beside.iter_mut());
    for ((header, beside), buf) in slots.zip(bufs.iter_mut()) {
        let mut msg = msghdr_over(core::ptr::from_mut(buf).cast(), 1);
        let from = beside.addr.write(UnixAddr::unnamed());
        if named {
            offer_addr(from, &mut msg);
        }
        offer_control(zeroed(&mut beside.control, space), &mut msg);
        header.write(header_over(msg));
        count += 1;
    }
    let flags = flags | CMSG_CLOEXEC | WAIT_FOR_ONE;
    let vector = headers.0.as_mut_ptr().cast();
    let arrived = match count {
        0 => 0,
        _ => retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmmsg, || {
            let timeout = core::ptr::null_mut();
            // SAFETY: count headers were just written over an iovec, an address and control room
            // each, all borrowed during the call.
            unsafe { recv_many(fd.as_raw_fd(), vector, count, flags, timeout) as isize }
        })?,
    };
    Ok(ArrivedBatch {
        headers: headers.0[..arrived].iter(),
        beside: beside[..arrived].iter_mut(),
        space,
        most,
    })
}

fn header_over(msg_hdr: sys::msghdr) -> mmsghdr {
    mmsghdr {
        msg_hdr,
        msg_len: 0,
    }
}

/// The messages that came. It owns the descriptors in all that were not looked at yet.
pub(crate) struct ArrivedBatch<'c, R> {
    /// INVARIANT: each was written, and recvmmsg has filled it and what is beside it.
    headers: slice::Iter<'c, MaybeUninit<mmsghdr>>,
    /// INVARIANT: of each the address was written, and of the control room `space` bytes, no more than
    /// it has.
    beside: slice::IterMut<'c, Beside<R>>,
    space: usize,
    most: usize,
}

impl<'c, R> Iterator for ArrivedBatch<'c, R> {
    /// As `recvmsg_control` gives one, with the sender.
    type Item = (Length, UnixAddr, OwnedControl<'c>, usize);

    #[allow(
        clippy::unnecessary_cast,
        reason = "msg_controllen is 4 bytes outside glibc"
    )]
    fn next(&mut self) -> Option<Self::Item> {
        let (header, beside) = (self.headers.next()?, self.beside.next()?);
        // SAFETY: the header was written before the call.
        let header = unsafe { header.assume_init_ref() };
        // SAFETY: the address was written before the call.
        let mut from = unsafe { beside.addr.assume_init() };
        from.settle_sender(header.msg_hdr.msg_namelen);
        let length = (header.msg_len as usize, header.msg_hdr.msg_flags);
        let written = (header.msg_hdr.msg_controllen as usize).min(self.space);
        let control = beside.control.as_mut_ptr().cast();
        // SAFETY: the first `space` bytes of the room were written before the call, so all of these
        // are initialised; they are borrowed for 'c, and given once.
        let control = unsafe { slice::from_raw_parts_mut(control, written) };
        // SAFETY: recvmmsg has just written so many bytes, and nobody has looked at them.
        let (control, closed) = unsafe { OwnedControl::new(control, self.most) };
        Some((length, from, control, closed))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.headers.size_hint()
    }
}

impl<R> ExactSizeIterator for ArrivedBatch<'_, R> {}

impl<R> Drop for ArrivedBatch<'_, R> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// Both calls where the system has neither: a loop, as in FreeBSD's C library. Tested everywhere.
#[cfg(any(test, not(have_mmsg)))]
mod one_by_one {
    use core::ffi::{c_int, c_void};

    use sunpath_sys as sys;
    #[cfg(have_mmsg)]
    use sunpath_sys::mmsghdr;

    /// As Linux has it.
    #[cfg(not(have_mmsg))]
    #[allow(non_camel_case_types)]
    pub(super) struct mmsghdr {
        pub(super) msg_hdr: sys::msghdr,
        pub(super) msg_len: usize,
    }

    /// sendmmsg(2).
    ///
    /// # Safety
    ///
    /// - As for sendmsg(2), for each of `count` headers.
    pub(super) unsafe fn send_many(
        fd: c_int,
        headers: *mut mmsghdr,
        count: usize,
        flags: c_int,
    ) -> isize {
        let send = |header: &mut mmsghdr, _| {
            // SAFETY: the caller vouches for each header.
            unsafe { sys::sendmsg(fd, &header.msg_hdr, flags) }
        };
        // SAFETY: the caller vouches for the headers.
        unsafe { one_by_one(headers, count, send) }
    }

    /// recvmmsg(2) with `MSG_WAITFORONE`.
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
            // SAFETY: the caller vouches for each header.
            unsafe { sys::recvmsg(fd, &mut header.msg_hdr, flags) }
        };
        // SAFETY: the caller vouches for the headers.
        unsafe { one_by_one(headers, count, receive) }
    }

    /// How many headers `call` was made for before it failed; -1, if that was the first.
    ///
    /// # Safety
    ///
    /// - `headers` points to `count` headers that nobody else looks at.
    unsafe fn one_by_one(
        headers: *mut mmsghdr,
        count: usize,
        mut call: impl FnMut(&mut mmsghdr, bool) -> isize,
    ) -> isize {
        for done in 0..count {
            // SAFETY: done is less than count.
            let header = unsafe { headers.add(done) };
            // SAFETY: the caller vouches that it is a header, and nobody else looks at it.
            let header = unsafe { &mut *header };
            match call(header, done == 0) {
                len @ 0.. => header.msg_len = len as _,
                _ if done == 0 => return -1,
                _ => return done as isize,
            }
        }
        count as isize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::AsFd;
    use crate::syscall;

    /// Two headers over the same pieces.
    fn headers(pieces: [*mut sys::iovec; 2]) -> [mmsghdr; 2] {
        pieces.map(|piece| header_over(msghdr_over(piece, 1)))
    }

    #[test]
    fn batch_one_by_one_takes_what_is_there() {
        let (a, b) = syscall::socketpair(sys::SOCK_DGRAM).unwrap();
        let mut pieces = [IoSlice::new(b"one"), IoSlice::new(b"three")];
        let mut to_send = headers(
            pieces
                .each_mut()
                .map(|piece| core::ptr::from_mut(piece).cast()),
        );
        // SAFETY: both headers are over a live slice.
        let sent = unsafe { one_by_one::send_many(a.as_raw_fd(), to_send.as_mut_ptr(), 2, 0) };
        assert_eq!((sent, to_send[0].msg_len, to_send[1].msg_len), (2, 3, 5));

        let mut room = [[0; 8]; 2];
        let mut pieces = room.each_mut().map(|room| IoSliceMut::new(room));
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
            // SAFETY: both headers are over a live slice that nobody else looks at.
            let count = unsafe { one_by_one::recv_many(b.as_raw_fd(), vector, 2, 0, timeout) };
            assert_eq!(count, came);
        }
        assert_eq!((&room[0], &room[1]), (b"four\0\0\0\0", b"three\0\0\0"));
    }

    #[test]
    fn batch_one_by_one_fails_only_at_the_first() {
        let (a, b) = syscall::socketpair(sys::SOCK_SEQPACKET).unwrap();
        let mut empty = [IoSlice::new(b"x"), IoSlice::new(b"y")];
        let mut to_send = headers(
            empty
                .each_mut()
                .map(|piece| core::ptr::from_mut(piece).cast()),
        );
        drop(b);
        let (vector, flags) = (to_send.as_mut_ptr(), sys::MSG_NOSIGNAL);
        // SAFETY: both headers are over a live slice.
        let sent = unsafe { one_by_one::send_many(a.as_raw_fd(), vector, 2, flags) };
        assert_eq!((sent, sys::errno()), (-1, sys::EPIPE));
    }
}
