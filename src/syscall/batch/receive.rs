//! The headers of messages to receive, and the received messages.

use core::ffi::c_int;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::slice;

use sunpath_sys as sys;

use super::{header_over, mmsghdr, one_by_one, recv_many};
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::expected::{Expected, Space};
use crate::fd::{AsRawFd, BorrowedFd};
use crate::syscall::control::{OwnedControl, zeroed};
use crate::syscall::message::{CMSG_CLOEXEC, Length, OFFER_NO_BYTES, TRUE_LENGTH, msghdr_over};
use crate::syscall::retry_timed;

/// The flag to wait for one message and then take the others that are there.
#[cfg(have_mmsg)]
const WAIT_FOR_ONE: c_int = sys::MSG_WAITFORONE;
#[cfg(not(have_mmsg))]
const WAIT_FOR_ONE: c_int = 0; // The loop of `one_by_one` waits for one message without a flag.

/// Slots for the headers of `N` messages to receive, each with space for its sender and its control
/// messages. The contents have no meaning until [`RecvHeaders`] has written them.
pub(crate) struct RecvSlots<const N: usize, E: Expected> {
    headers: [MaybeUninit<mmsghdr>; N],
    beside: [Beside<E>; N],
}

/// The memory for the parts of a message other than its data, to which the header of a message
/// points.
struct Beside<E: Expected> {
    piece: MaybeUninit<sys::iovec>,
    sender: MaybeUninit<sys::sockaddr_un>,
    control: Space<E>,
}

impl<E: Expected> Beside<E> {
    const fn new() -> Self {
        Self {
            piece: MaybeUninit::uninit(),
            sender: MaybeUninit::uninit(),
            control: MaybeUninit::uninit(),
        }
    }
}

// SAFETY: the slots hold pointers, but the code that borrows the slots writes each pointer before
// following the pointer.
unsafe impl<const N: usize, E: Expected> Send for RecvSlots<N, E> {}
// SAFETY: nothing can be done with a shared reference to the slots.
unsafe impl<const N: usize, E: Expected> Sync for RecvSlots<N, E> {}

impl<const N: usize, E: Expected> RecvSlots<N, E> {
    pub(crate) const fn new() -> Self {
        const { E::FITS }
        Self {
            headers: [const { MaybeUninit::uninit() }; N],
            beside: [const { Beside::new() }; N],
        }
    }
}

/// The headers of messages to receive, each with a buffer of `SIZE` bytes.
pub(crate) struct RecvHeaders<'b, const SIZE: usize, E: Expected> {
    /// INVARIANT: each header points to an iovec of SIZE bytes, to an address if the sender is
    /// expected, and to `E::SPACE` bytes for control messages. All memory behind the headers is
    /// initialised, and borrowed for `'b`.
    headers: &'b mut [mmsghdr],
    /// The number of headers that the last call has filled. INVARIANT: at least `filled` headers
    /// exist, and the headers after these contain the full lengths of their memory.
    filled: usize,
    /// The number of filled headers that [`arrived`](Self::arrived) has returned. INVARIANT:
    /// `given` is at most `filled`, and this value owns the descriptors in the filled headers from
    /// `given` on.
    given: usize,
    expected: PhantomData<E>,
}

// SAFETY: the memory to which the headers point is borrowed for 'b by this value alone.
unsafe impl<const SIZE: usize, E: Expected> Send for RecvHeaders<'_, SIZE, E> {}
// SAFETY: nothing can be done with a shared reference to the headers.
unsafe impl<const SIZE: usize, E: Expected> Sync for RecvHeaders<'_, SIZE, E> {}

impl<'b, const SIZE: usize, E: Expected> RecvHeaders<'b, SIZE, E> {
    /// Makes one header for each buffer, at most `N`.
    pub(crate) fn new<const N: usize>(
        slots: &'b mut RecvSlots<N, E>,
        bufs: &'b mut [[u8; SIZE]],
    ) -> Self {
        let len = bufs.len().min(N);
        let pairs = slots.headers.iter_mut().zip(&mut slots.beside);
        for ((header, beside), buf) in pairs.zip(bufs) {
            let piece = beside.piece.write(sys::iovec {
                iov_base: buf.as_mut_ptr().cast(),
                iov_len: SIZE,
            });
            let mut msg = msghdr_over(piece, 1);
            if E::SENDER {
                let (sender, _) = sys::sockaddr_un_unnamed();
                msg.msg_name = ptr::from_mut(beside.sender.write(sender)).cast();
            }
            if OFFER_NO_BYTES || E::SPACE > 0 {
                msg.msg_control = zeroed(&mut beside.control, E::SPACE).as_mut_ptr().cast();
            }
            offer_space::<E>(&mut msg);
            header.write(header_over(msg));
        }
        let headers = slots.headers.as_mut_ptr().cast();
        Self {
            // SAFETY: the first len headers have just been written, and are borrowed for `'b`.
            headers: unsafe { slice::from_raw_parts_mut(headers, len) },
            filled: 0,
            given: 0,
            expected: PhantomData,
        }
    }

    /// Receives at least one message, and as many as are there, by recvmmsg(2). Returns how many
    /// arrived. The descriptors of the previous call that nobody took are closed.
    #[inline]
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>, flags: c_int) -> Result<usize, Error> {
        self.receive_by(fd, flags, |vector, count, flags| {
            let timeout = ptr::null_mut();
            // SAFETY: by the invariant the headers describe memory that is borrowed and writable,
            // with the lengths that they contain.
            unsafe { recv_many(fd.as_raw_fd(), vector, count as _, flags, timeout) as isize }
        })
    }

    #[inline(always)]
    fn receive_by(
        &mut self,
        fd: BorrowedFd<'_>,
        flags: c_int,
        recvmmsg: impl Fn(*mut mmsghdr, usize, c_int) -> isize,
    ) -> Result<usize, Error> {
        if E::SPACE > 0 {
            drop(self.arrived());
        }
        if E::SENDER || E::SPACE > 0 {
            for header in self.headers.iter_mut().take(self.filled) {
                offer_space::<E>(&mut header.msg_hdr);
            }
        }
        let (vector, count) = (self.headers.as_mut_ptr(), self.headers.len());
        let flags = flags | TRUE_LENGTH | CMSG_CLOEXEC;
        let arrived = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmmsg, 1..=count, move || {
            recvmmsg(vector, count, flags | WAIT_FOR_ONE)
        });
        let arrived = match arrived {
            Ok(arrived) => arrived,
            // SAFETY: by the invariant the headers describe memory that is borrowed and writable,
            // with the lengths that they contain.
            Err(error) => match unsafe { receive_one_by_one(fd, vector, count, flags, error) } {
                Ok(arrived) => arrived,
                Err(error) => {
                    self.given = self.filled; // The messages of the previous call no longer exist.
                    return Err(error);
                }
            },
        };
        (self.filled, self.given) = (arrived, 0);
        Ok(arrived)
    }

    /// Returns those messages of the last call that were not returned yet.
    #[inline]
    pub(crate) fn arrived(&mut self) -> Arrived<'_, SIZE, E> {
        let given = mem::replace(&mut self.given, self.filled);
        let (first, left) = (self.headers.as_mut_ptr(), self.filled - given);
        // SAFETY: by the invariants `given` is at most `filled`, and there are at least `filled`
        // headers.
        let first = unsafe { first.add(given) };
        Arrived {
            // SAFETY: there are `left` headers from `first` on, and they are borrowed as long as
            // `self` is.
            headers: unsafe { slice::from_raw_parts_mut(first, left) },
            expected: PhantomData,
        }
    }
}

impl<const SIZE: usize, E: Expected> Drop for RecvHeaders<'_, SIZE, E> {
    #[inline]
    fn drop(&mut self) {
        if E::SPACE > 0 {
            drop(self.arrived());
        }
    }
}

/// Receives the messages with one call for each, if recvmmsg(2) failed because the kernel does not
/// have it or refuses `MSG_WAITFORONE`. Returns how many arrived. If recvmmsg(2) failed with
/// `EINVAL` for another reason, the single receive fails in the same way.
///
/// The function takes no reference to a [`RecvHeaders`], so the compiler can keep that value in
/// registers.
///
/// # Safety
///
/// - `vector` points to `count` headers, which point to memory that is writable.
#[cold]
#[inline(never)]
unsafe fn receive_one_by_one(
    fd: BorrowedFd<'_>,
    vector: *mut mmsghdr,
    count: usize,
    flags: c_int,
    error: Error,
) -> Result<usize, Error> {
    if !matches!(error.errno(), Errno::EINVAL | Errno::ENOSYS) {
        return Err(error);
    }
    retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmmsg, 1..=count, move || {
        // SAFETY: the caller guarantees the headers.
        unsafe { one_by_one::recv_many(fd.as_raw_fd(), vector, count, flags, ptr::null_mut()) }
    })
}

/// Gives a header its space for the sender and for control messages. The lengths are set before
/// each call, because the kernel overwrites them.
#[inline]
fn offer_space<E: Expected>(msg: &mut sys::msghdr) {
    if E::SENDER {
        msg.msg_namelen = size_of::<sys::sockaddr_un>() as sys::socklen_t;
    }
    if E::SPACE > 0 {
        msg.msg_controllen = E::SPACE as _;
    }
}

/// The received messages. The value owns the descriptors in all messages that were not taken yet.
pub(crate) struct Arrived<'c, const SIZE: usize, E: Expected> {
    /// INVARIANT: the invariant of `RecvHeaders::headers` holds, and recvmmsg has filled each
    /// header.
    headers: &'c mut [mmsghdr],
    expected: PhantomData<E>,
}

// SAFETY: the memory to which the headers point is borrowed for 'c by this value alone.
unsafe impl<const SIZE: usize, E: Expected> Send for Arrived<'_, SIZE, E> {}
// SAFETY: through a shared reference only a count can be read.
unsafe impl<const SIZE: usize, E: Expected> Sync for Arrived<'_, SIZE, E> {}

impl<'c, const SIZE: usize, E: Expected> Iterator for Arrived<'c, SIZE, E> {
    type Item = ArrivedMessage<'c, SIZE, E>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = mem::take(&mut self.headers).split_first_mut()?;
        self.headers = rest;
        Some(ArrivedMessage {
            header,
            expected: PhantomData,
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.headers.len(), Some(self.headers.len()))
    }
}

impl<const SIZE: usize, E: Expected> ExactSizeIterator for Arrived<'_, SIZE, E> {}

impl<const SIZE: usize, E: Expected> Drop for Arrived<'_, SIZE, E> {
    #[inline]
    fn drop(&mut self) {
        if E::SPACE > 0 {
            self.for_each(drop);
        }
    }
}

/// One received message. The message stays in its header, because parts that nobody reads then cost
/// nothing. The value owns the descriptors until [`open`](Self::open) is called.
pub(crate) struct ArrivedMessage<'c, const SIZE: usize, E: Expected> {
    /// INVARIANT: the invariant of `RecvHeaders::headers` holds, and recvmmsg has filled the
    /// header. `msg_controllen` is 0 after the control messages were given up.
    header: &'c mut mmsghdr,
    expected: PhantomData<E>,
}

// SAFETY: this value alone borrows, for 'c, the memory to which the header points.
unsafe impl<const SIZE: usize, E: Expected> Send for ArrivedMessage<'_, SIZE, E> {}
// SAFETY: through a shared reference the memory to which the header points is only read.
unsafe impl<const SIZE: usize, E: Expected> Sync for ArrivedMessage<'_, SIZE, E> {}

impl<'c, const SIZE: usize, E: Expected> ArrivedMessage<'c, SIZE, E> {
    #[inline]
    pub(crate) fn length(&self) -> Length {
        (self.header.msg_len as usize, self.header.msg_hdr.msg_flags)
    }

    /// Returns the whole buffer.
    #[inline]
    pub(crate) fn buf(&self) -> &[u8; SIZE] {
        // SAFETY: the buffer has SIZE bytes, which are borrowed for 'c and only through this value.
        unsafe { &*self.start() }
    }

    /// Returns the whole buffer, which stays borrowed after this value is gone.
    #[inline]
    pub(crate) fn into_buf(self) -> &'c mut [u8; SIZE] {
        // SAFETY: the buffer has SIZE bytes, which are borrowed for 'c, and this value no longer
        // exists.
        unsafe { &mut *self.start() }
    }

    #[inline]
    fn start(&self) -> *mut [u8; SIZE] {
        // SAFETY: by the invariant the header points to a live iovec.
        let piece = unsafe { &*self.header.msg_hdr.msg_iov };
        piece.iov_base.cast()
    }

    /// Returns the sender's address, if `E` expects it.
    #[inline]
    pub(crate) fn from(&self) -> Option<UnixAddr> {
        let msg = &self.header.msg_hdr;
        E::SENDER.then(|| {
            // SAFETY: by the invariant the header points to a live address.
            let sender = unsafe { *msg.msg_name.cast() };
            UnixAddr::of_sender(sender, msg.msg_namelen)
        })
    }

    /// Gives up the control messages, and returns how many descriptors were closed because they
    /// exceed the expected number.
    #[allow(
        clippy::unnecessary_cast,
        reason = "msg_controllen is 4 bytes outside glibc"
    )]
    #[inline]
    pub(crate) fn open(&mut self) -> (OwnedControl<&'c mut [u8]>, usize) {
        let msg = &mut self.header.msg_hdr;
        let control: &mut [u8] = match mem::take(&mut msg.msg_controllen) as usize {
            0 => &mut [],
            written => {
                let (start, written) = (msg.msg_control.cast(), written.min(E::SPACE));
                // SAFETY: by the invariant `E::SPACE` bytes are initialised and borrowed for `'c`. The
                // bytes are returned only once, because the header's length is 0 from here on.
                unsafe { slice::from_raw_parts_mut(start, written) }
            }
        };
        // SAFETY: recvmmsg has just written all bytes of `control`, and nothing has taken the
        // descriptors in them.
        unsafe { OwnedControl::new(control, E::DESCRIPTORS) }
    }
}

impl<const SIZE: usize, E: Expected> Drop for ArrivedMessage<'_, SIZE, E> {
    #[inline]
    fn drop(&mut self) {
        if E::SPACE > 0 {
            drop(self.open());
        }
    }
}

#[cfg(all(test, have_mmsg))]
mod tests {
    use super::*;
    use crate::expected::Rights;
    use crate::fd::AsFd;
    use crate::syscall::{send, socketpair};
    use std::cell::Cell;

    /// Fails as on a kernel that lacks the call or its flag.
    fn refuse(errno: c_int) -> isize {
        sys::set_errno(errno);
        -1
    }

    #[test]
    fn batch_is_received_one_by_one_where_the_kernel_refuses_it() {
        let (a, b) = socketpair(sys::SOCK_DGRAM, false).unwrap();
        let mut slots = RecvSlots::<3, Rights<1>>::new();
        let mut bufs = [[0; 8]; 3];
        let mut headers = RecvHeaders::new(&mut slots, &mut bufs);
        for errno in [sys::EINVAL, sys::ENOSYS] {
            send(a.as_fd(), b"one", 0).unwrap();
            send(a.as_fd(), b"three", 0).unwrap();
            let refused = Cell::new(0);
            let arrived = headers.receive_by(b.as_fd(), 0, |_, count, flags| {
                assert_eq!(
                    (count, flags & sys::MSG_WAITFORONE),
                    (3, sys::MSG_WAITFORONE)
                );
                refused.set(refused.get() + 1);
                refuse(errno)
            });
            assert_eq!(arrived, Ok(2));
            let messages = headers.arrived();
            let lengths: std::vec::Vec<_> = messages.map(|message| message.length().0).collect();
            assert_eq!((lengths, refused.get()), (std::vec![3, 5], 1));
        }
    }

    #[test]
    fn batch_that_fails_is_not_received_one_by_one() {
        let (a, b) = socketpair(sys::SOCK_DGRAM, false).unwrap();
        send(a.as_fd(), b"one", 0).unwrap();
        let mut slots = RecvSlots::<1, ()>::new();
        let mut bufs = [[0; 8]];
        let mut headers = RecvHeaders::new(&mut slots, &mut bufs);
        let failed = headers.receive_by(b.as_fd(), 0, |_, _, _| refuse(sys::ECONNRESET));
        assert_eq!(
            failed.err().map(|error| error.errno().raw()),
            Some(sys::ECONNRESET)
        );
    }
}
