//! The headers of messages to send.

use core::ffi::c_int;
use core::mem::{self, MaybeUninit};
use core::slice;

use sunpath_sys as sys;

use super::{header_over, mmsghdr, send_many};
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::expected::{Expected, Space};
use crate::fd::{AsRawFd, BorrowedFd, IoSlice};
use crate::syscall::control::zeroed;
use crate::syscall::message::{msghdr_to_send, with_limit_of};
use crate::syscall::retry_timed;

/// Slots for the headers of `N` messages to send, and for their control messages. Their contents
/// have no meaning until [`SendHeaders`] has written them.
pub(crate) struct SendSlots<const N: usize, E: Expected> {
    headers: [MaybeUninit<mmsghdr>; N],
    control: [Space<E>; N],
}

// SAFETY: the code that borrows the slots writes each pointer in them before it is followed.
unsafe impl<const N: usize, E: Expected> Send for SendSlots<N, E> {}
// SAFETY: nothing can be done with a shared reference to the slots.
unsafe impl<const N: usize, E: Expected> Sync for SendSlots<N, E> {}

impl<const N: usize, E: Expected> SendSlots<N, E> {
    pub(crate) const fn new() -> Self {
        const { E::FITS }
        Self {
            headers: [const { MaybeUninit::uninit() }; N],
            control: [const { Space::<E>::uninit() }; N],
        }
    }
}

/// The headers of messages to send.
pub(crate) struct SendHeaders<'b, E: Expected> {
    /// INVARIANT: the first `len` headers are written, and point to slices, addresses and control
    /// messages that are borrowed for 'b.
    headers: &'b mut [MaybeUninit<mmsghdr>],
    /// The space for the control messages of headers that are not written yet.
    control: &'b mut [Space<E>],
    len: usize,
    /// The number of messages that were sent or left out. INVARIANT: it is at most `len`.
    gone: usize,
}

// SAFETY: the memory to which the headers point is borrowed for 'b, and threads can share it.
unsafe impl<E: Expected> Send for SendHeaders<'_, E> {}
// SAFETY: a shared reference only returns numbers.
unsafe impl<E: Expected> Sync for SendHeaders<'_, E> {}

impl<'b, E: Expected> SendHeaders<'b, E> {
    pub(crate) const fn new<const N: usize>(slots: &'b mut SendSlots<N, E>) -> Self {
        Self {
            headers: &mut slots.headers,
            control: &mut slots.control,
            len: 0,
            gone: 0,
        }
    }

    /// Returns how many messages are still to be sent.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.len - self.gone
    }

    /// Leaves out the next message.
    pub(crate) const fn skip(&mut self) {
        if self.left() > 0 {
            self.gone += 1;
        }
    }

    /// Puts all messages back, to send them again.
    #[inline]
    pub(crate) const fn rewind(&mut self) {
        self.gone = 0;
    }

    /// Returns how many headers there are, written or not.
    pub(crate) const fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Writes one more header, with control messages that `lay_out` writes into `space` bytes. The
    /// caller has checked that `space` is at most `E::SPACE`. It fails with `ENOBUFS` if no slot is
    /// free.
    #[inline]
    pub(crate) fn push(
        &mut self,
        bufs: &'b [IoSlice<'b>],
        to: Option<&'b UnixAddr>,
        space: usize,
        lay_out: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(header) = self.headers.get_mut(self.len) else {
            return Err(Error::batch_full(self.capacity()));
        };
        let Some((slot, rest)) = mem::take(&mut self.control).split_first_mut() else {
            return Err(Error::batch_full(self.capacity()));
        };
        self.control = rest;
        let control = match space {
            0 => &mut [],
            _ => zeroed(slot, space),
        };
        lay_out(control)?;
        header.write(header_over(msghdr_to_send(bufs, to, control)));
        self.len += 1;
        Ok(())
    }

    /// Repeats sendmmsg(2) until no message is left or one fails.
    #[inline]
    pub(crate) fn send(&mut self, fd: BorrowedFd<'_>, flags: c_int) -> Result<(), Error> {
        let vector = self.headers.as_mut_ptr().wrapping_add(self.gone).cast();
        let left = self.left();
        if left == 0 {
            return Ok(());
        }
        // SAFETY: by the invariants that many headers are written there, and they point to slices
        // and addresses that are borrowed.
        let sent = unsafe { send_once(fd, vector, left, flags) };
        let sent = sent.map_err(|error| self.with_limit(error, fd))?;
        self.gone += sent;
        if sent == left {
            return Ok(());
        }
        // SAFETY: that many headers are left, and they point to slices and addresses that are
        // borrowed.
        let (more, outcome) =
            unsafe { send_rest(fd, vector.wrapping_add(sent), left - sent, flags) };
        self.gone += more;
        outcome.map_err(|error| self.with_limit(error, fd))
    }

    /// Returns the error of the first message that is left, with the limit if the message exceeded
    /// it.
    #[allow(
        clippy::unnecessary_cast,
        reason = "msg_iovlen is 4 bytes outside glibc"
    )]
    #[cold]
    fn with_limit(&self, error: Error, fd: BorrowedFd<'_>) -> Error {
        let Some(header) = self.headers.get(self.gone) else {
            return error;
        };
        // SAFETY: the header is one of the first `len`, because one is left. By the invariant these
        // are written.
        let header = unsafe { header.assume_init_ref() };
        let (iov, pieces) = (header.msg_hdr.msg_iov, header.msg_hdr.msg_iovlen as usize);
        // SAFETY: by the invariant that many slices are borrowed for 'b, and an IoSlice is an iovec.
        let bufs = unsafe { slice::from_raw_parts(iov.cast::<IoSlice<'_>>(), pieces) };
        with_limit_of(error, fd, bufs)
    }
}

/// Sends at most `count` messages with one call, and returns how many it has sent.
///
/// # Safety
///
/// - `vector` points to `count` headers, which point to memory that is readable.
#[inline(always)]
unsafe fn send_once(
    fd: BorrowedFd<'_>,
    vector: *mut mmsghdr,
    count: usize,
    flags: c_int,
) -> Result<usize, Error> {
    let flags = flags | sys::MSG_NOSIGNAL;
    retry_timed(
        fd,
        sys::SO_SNDTIMEO,
        Call::Sendmmsg,
        count..=count,
        move || {
            // SAFETY: the caller guarantees the headers. The call reads them, and writes their
            // lengths.
            unsafe { send_many(fd.as_raw_fd(), vector, count as _, flags) as isize }
        },
    )
}

/// Sends the rest of the messages after a call that has sent only a part. Returns how many were
/// sent, and why the next one was not.
///
/// # Safety
///
/// - As for [`send_once`].
#[cold]
unsafe fn send_rest(
    fd: BorrowedFd<'_>,
    vector: *mut mmsghdr,
    count: usize,
    flags: c_int,
) -> (usize, Result<(), Error>) {
    let mut sent = 0;
    while sent < count {
        // SAFETY: the caller guarantees the headers, and that many of them are left.
        match unsafe { send_once(fd, vector.wrapping_add(sent), count - sent, flags) } {
            Ok(more) => sent += more,
            Err(error) => return (sent, Err(error)),
        }
    }
    (sent, Ok(()))
}
