//! The headers of messages to send.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr;
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

/// The data of a message to send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Slices(&'a [IoSlice<'a>]),
    Bytes(&'a [u8]),
}

/// Slots for the headers of `N` messages to send, and for what they point to. The contents have no
/// meaning until [`SendHeaders`] has written them.
pub(crate) struct SendSlots<const N: usize, E: Expected> {
    headers: [MaybeUninit<mmsghdr>; N],
    beside: [Beside<E>; N],
    /// The number of headers, from the first on, that an earlier batch has written for messages
    /// that have one slice and nothing else. Another such message changes only the pointer to the
    /// slice.
    ///
    /// INVARIANT: this many headers are written. Each has a count of one slice and no other
    /// pointer.
    plain: usize,
}

/// The memory for the parts of a message that belong to its slot.
struct Beside<E: Expected> {
    /// The slice of a message that is [`Data::Bytes`].
    piece: MaybeUninit<sys::iovec>,
    control: Space<E>,
}

impl<E: Expected> Beside<E> {
    const fn new() -> Self {
        Self {
            piece: MaybeUninit::uninit(),
            control: Space::<E>::uninit(),
        }
    }
}

// SAFETY: the slots hold pointers, but the code that borrows the slots writes each pointer before
// it follows it.
unsafe impl<const N: usize, E: Expected> Send for SendSlots<N, E> {}
// SAFETY: nothing can be done with a shared reference to the slots.
unsafe impl<const N: usize, E: Expected> Sync for SendSlots<N, E> {}

impl<const N: usize, E: Expected> SendSlots<N, E> {
    pub(crate) const fn new() -> Self {
        const { E::FITS }
        Self {
            headers: [const { MaybeUninit::uninit() }; N],
            beside: [const { Beside::new() }; N],
            plain: 0,
        }
    }
}

/// The headers of messages to send.
pub(crate) struct SendHeaders<'b, E: Expected> {
    /// INVARIANT: the first `len` headers are written, and point to slices, addresses and control
    /// messages that are borrowed for `'b`.
    headers: &'b mut [MaybeUninit<mmsghdr>],
    /// INVARIANT: the pointer leads to one element for each header, borrowed for `'b`. The first
    /// `len` elements belong to the messages of the first `len` headers.
    beside: *mut Beside<E>,
    /// INVARIANT: the invariant of [`SendSlots::plain`] holds.
    plain: &'b mut usize,
    len: usize,
    /// The number of messages that were sent or left out. INVARIANT: `gone` is at most `len`.
    gone: usize,
}

// SAFETY: the memory to which the headers point is borrowed for `'b`, and threads can share it.
unsafe impl<E: Expected> Send for SendHeaders<'_, E> {}
// SAFETY: through a shared reference only a count can be read.
unsafe impl<E: Expected> Sync for SendHeaders<'_, E> {}

impl<'b, E: Expected> SendHeaders<'b, E> {
    pub(crate) const fn new<const N: usize>(slots: &'b mut SendSlots<N, E>) -> Self {
        Self {
            headers: &mut slots.headers,
            beside: slots.beside.as_mut_ptr(),
            plain: &mut slots.plain,
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

    /// Writes one more header, with control messages that `lay_out` writes into `space` bytes. The
    /// caller has checked that `space` is at most `E::SPACE`. Fails with `ENOBUFS` if no slot is
    /// free.
    #[inline]
    pub(crate) fn push(
        &mut self,
        data: Data<'b>,
        to: Option<&'b UnixAddr>,
        space: usize,
        lay_out: impl FnOnce(&mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some((header, beside)) = self.free() else {
            return Err(self.full());
        };
        let control = match space {
            0 => &mut [],
            _ => zeroed(&mut beside.control, space),
        };
        lay_out(control)?;
        let bufs = match data {
            Data::Slices(bufs) => bufs,
            Data::Bytes(bytes) => slice::from_ref(one_slice(&mut beside.piece, bytes)),
        };
        header.write(header_over(msghdr_to_send(bufs, to, control)));
        *self.plain = self.len.min(*self.plain);
        self.len += 1;
        Ok(())
    }

    /// Writes headers of messages that are bytes and nothing else, until `bytes_of` returns `None`
    /// for a message or no slot is free. Returns the message for which no header was written.
    #[inline]
    pub(crate) fn push_while<M>(
        &mut self,
        messages: &mut impl Iterator<Item = M>,
        bytes_of: impl Fn(&M) -> Option<&'b [u8]>,
    ) -> Option<M> {
        let written = self.plain.saturating_sub(self.len);
        let Some(headers) = self.headers.get_mut(self.len..) else {
            return messages.next();
        };
        // SAFETY: by the invariant there is an element for each header, and `len` headers precede.
        let beside = unsafe { self.beside.add(self.len) };
        // SAFETY: the elements from this one on are borrowed for `'b`, and no message has them yet.
        let beside = unsafe { slice::from_raw_parts_mut(beside, headers.len()) };
        let headers = headers.split_at_mut_checked(written);
        let beside = beside.split_at_mut_checked(written);
        let (Some((written, headers)), Some((beside_written, beside))) = (headers, beside) else {
            return messages.next();
        };
        for (header, beside) in written.iter_mut().zip(beside_written) {
            let message = messages.next()?;
            let Some(bytes) = bytes_of(&message) else {
                return Some(message);
            };
            // SAFETY: by the invariant of `plain` the header is written.
            let header = unsafe { header.assume_init_mut() };
            let piece = one_slice(&mut beside.piece, bytes);
            header.msg_hdr.msg_iov = ptr::from_ref(piece).cast_mut().cast();
            self.len += 1;
        }
        let joined = *self.plain >= self.len;
        for (header, beside) in headers.iter_mut().zip(beside) {
            let message = messages.next()?;
            let Some(bytes) = bytes_of(&message) else {
                return Some(message);
            };
            let piece = slice::from_ref(one_slice(&mut beside.piece, bytes));
            header.write(header_over(msghdr_to_send(piece, None, &[])));
            self.len += 1;
            if joined {
                *self.plain = self.len;
            }
        }
        messages.next()
    }

    /// Returns the first free slot.
    #[inline]
    fn free(&mut self) -> Option<(&mut MaybeUninit<mmsghdr>, &mut Beside<E>)> {
        let header = self.headers.get_mut(self.len)?;
        // SAFETY: a header of this number exists, so by the invariant an element does, too.
        let beside = unsafe { self.beside.add(self.len) };
        // SAFETY: by the invariant the element is borrowed for `'b`, and no message has it yet.
        Some((header, unsafe { &mut *beside }))
    }

    #[cold]
    fn full(&self) -> Error {
        Error::batch_full(self.headers.len())
    }

    /// Repeats sendmmsg(2) until no message is left or one fails.
    #[inline]
    pub(crate) fn send(&mut self, fd: BorrowedFd<'_>, flags: c_int) -> Result<(), Error> {
        let vector = self.headers.as_mut_ptr().wrapping_add(self.gone).cast();
        let left = self.left();
        if left == 0 {
            return Ok(());
        }
        // SAFETY: by the invariants the `left` headers at `vector` are written, and point to slices
        // and addresses that are borrowed.
        let sent = unsafe { send_once(fd, vector, left, flags) };
        let sent = sent.map_err(|error| self.with_limit(error, fd))?;
        self.gone += sent;
        if sent == left {
            return Ok(());
        }
        // SAFETY: the headers that are left are written, and point to slices and addresses that are
        // borrowed.
        let (more, outcome) =
            unsafe { send_rest(fd, vector.wrapping_add(sent), left - sent, flags) };
        self.gone += more;
        outcome.map_err(|error| self.with_limit(error, fd))
    }

    /// Returns the error of the first message that is left. If the message exceeded the limit, the
    /// error has the limit.
    #[allow(
        clippy::unnecessary_cast,
        reason = "msg_iovlen is 4 bytes outside glibc"
    )]
    #[cold]
    fn with_limit(&self, error: Error, fd: BorrowedFd<'_>) -> Error {
        let Some(header) = self.headers.get(self.gone) else {
            return error;
        };
        // SAFETY: a message is left, so its header is among the first `len`. By the invariant these
        // headers are written.
        let header = unsafe { header.assume_init_ref() };
        let (iov, pieces) = (header.msg_hdr.msg_iov, header.msg_hdr.msg_iovlen as usize);
        // SAFETY: by the invariant the slices of the header are borrowed for `'b`, and an IoSlice is
        // an iovec.
        let bufs = unsafe { slice::from_raw_parts(iov.cast::<IoSlice<'_>>(), pieces) };
        with_limit_of(error, fd, bufs)
    }
}

/// Writes the bytes into a slot as a slice.
#[inline]
fn one_slice<'a>(slot: &'a mut MaybeUninit<sys::iovec>, bytes: &'a [u8]) -> &'a IoSlice<'a> {
    let piece = slot.write(sys::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    });
    // SAFETY: an IoSlice is an iovec of bytes that are readable and borrowed, as these are.
    unsafe { &*ptr::from_mut(piece).cast() }
}

/// Sends at most `count` messages with one call, and returns how many were sent.
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
            // SAFETY: the caller guarantees the headers. The call reads the headers, and writes
            // `msg_len` of each.
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
        // SAFETY: the caller guarantees `count` headers, of which the first `sent` are done.
        match unsafe { send_once(fd, vector.wrapping_add(sent), count - sent, flags) } {
            Ok(more) => sent += more,
            Err(error) => return (sent, Err(error)),
        }
    }
    (sent, Ok(()))
}
