//! sendmmsg(2) and recvmmsg(2): several messages with one call. The headers are laid out once, and
//! stay as they are from call to call but for what the kernel writes into them.

use core::ffi::c_int;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::ptr;
use core::slice;

use sunpath_sys as sys;
#[cfg(have_mmsg)]
use sunpath_sys::{mmsghdr, recvmmsg as recv_many, sendmmsg as send_many};

#[cfg(not(have_mmsg))]
use self::one_by_one::{mmsghdr, recv_many, send_many};
use super::control::{OwnedControl, zeroed};
use super::message::{CMSG_CLOEXEC, Length, TRUE_LENGTH, msghdr_over, msghdr_to_send};
use super::retry_timed;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::expected::Expected;
use crate::fd::{AsRawFd, BorrowedFd, IoSlice};

/// Takes what is there once a message has come.
#[cfg(have_mmsg)]
const WAIT_FOR_ONE: c_int = sys::MSG_WAITFORONE;
#[cfg(not(have_mmsg))]
const WAIT_FOR_ONE: c_int = 0; // the loop does so by itself

/// Room for the headers of `N` messages to send, and for their control messages. What it holds means
/// nothing until [`SendHeaders`] has written it.
pub(crate) struct SendRoom<const N: usize, E: Expected> {
    headers: [MaybeUninit<mmsghdr>; N],
    control: [MaybeUninit<E::Room>; N],
}

// SAFETY: the pointers in it are written before they are followed, by who has borrowed all of it.
unsafe impl<const N: usize, E: Expected> Send for SendRoom<N, E> {}
// SAFETY: as above; nothing can be done with a shared one.
unsafe impl<const N: usize, E: Expected> Sync for SendRoom<N, E> {}

impl<const N: usize, E: Expected> SendRoom<N, E> {
    pub(crate) const fn new() -> Self {
        const { E::FITS }
        Self {
            headers: [const { MaybeUninit::uninit() }; N],
            control: [const { MaybeUninit::uninit() }; N],
        }
    }
}

/// The headers of messages to send.
pub(crate) struct SendHeaders<'b, E: Expected> {
    /// INVARIANT: the first `len` are written, over slices, addresses and control messages that are
    /// borrowed for 'b.
    headers: &'b mut [MaybeUninit<mmsghdr>],
    /// Of the headers that are not written.
    control: &'b mut [MaybeUninit<E::Room>],
    len: usize,
    /// How many went, or were left out. INVARIANT: at most `len`.
    gone: usize,
}

// SAFETY: what the headers point to is borrowed for 'b, shared between threads as it is.
unsafe impl<E: Expected> Send for SendHeaders<'_, E> {}
// SAFETY: as above; a shared one tells numbers alone.
unsafe impl<E: Expected> Sync for SendHeaders<'_, E> {}

impl<'b, E: Expected> SendHeaders<'b, E> {
    pub(crate) const fn new<const N: usize>(room: &'b mut SendRoom<N, E>) -> Self {
        Self {
            headers: &mut room.headers,
            control: &mut room.control,
            len: 0,
            gone: 0,
        }
    }

    /// How many are to go.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.len - self.gone
    }

    /// The next one is not to go.
    pub(crate) const fn skip(&mut self) {
        if self.left() > 0 {
            self.gone += 1;
        }
    }

    /// All are to go again.
    #[inline]
    pub(crate) const fn rewind(&mut self) {
        self.gone = 0;
    }

    /// How many can be written.
    pub(crate) const fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// Writes one more, with control messages that `lay_out` writes into `space` bytes; of how many
    /// there may be, and of how many bytes they may take, the caller knows. Whether it had room.
    #[inline]
    pub(crate) fn push(
        &mut self,
        bufs: &'b [IoSlice<'b>],
        to: Option<&'b UnixAddr>,
        space: usize,
        lay_out: impl FnOnce(&mut [u8]),
    ) -> bool {
        let Some(header) = self.headers.get_mut(self.len) else {
            return false;
        };
        let Some((room, rest)) = mem::take(&mut self.control).split_first_mut() else {
            return false;
        };
        self.control = rest;
        let control = match space {
            0 => &mut [],
            _ => zeroed(room, space),
        };
        lay_out(control);
        header.write(header_over(msghdr_to_send(bufs, to, control)));
        self.len += 1;
        true
    }

    /// sendmmsg(2), until none is left or the next one fails.
    #[inline]
    pub(crate) fn send(&mut self, fd: BorrowedFd<'_>) -> Result<(), Error> {
        while self.left() > 0 {
            let vector = self.headers.as_mut_ptr().wrapping_add(self.gone);
            let (vector, count) = (vector.cast(), self.left() as _);
            // INVARIANT: of count messages at most count went.
            self.gone += retry_timed(fd, sys::SO_SNDTIMEO, Call::Sendmmsg, move || {
                // SAFETY: by the invariants count headers are written there, over slices and
                // addresses that are borrowed; the call reads them, and writes the headers' lengths.
                unsafe { send_many(fd.as_raw_fd(), vector, count, sys::MSG_NOSIGNAL) as isize }
            })?;
        }
        Ok(())
    }
}

/// Room for the headers of `N` messages to receive, and beside each for its sender and its control
/// messages. What it holds means nothing until [`RecvHeaders`] has written it.
pub(crate) struct RecvRoom<const N: usize, E: Expected> {
    headers: [MaybeUninit<mmsghdr>; N],
    beside: [Beside<E::Room>; N],
}

/// What a header of a message to receive points to, besides the data.
struct Beside<R> {
    piece: MaybeUninit<sys::iovec>,
    sender: MaybeUninit<sys::sockaddr_un>,
    control: MaybeUninit<R>,
}

impl<R> Beside<R> {
    const fn new() -> Self {
        Self {
            piece: MaybeUninit::uninit(),
            sender: MaybeUninit::uninit(),
            control: MaybeUninit::uninit(),
        }
    }
}

// SAFETY: the pointers in it are written before they are followed, by who has borrowed all of it.
unsafe impl<const N: usize, E: Expected> Send for RecvRoom<N, E> {}
// SAFETY: as above; nothing can be done with a shared one.
unsafe impl<const N: usize, E: Expected> Sync for RecvRoom<N, E> {}

impl<const N: usize, E: Expected> RecvRoom<N, E> {
    pub(crate) const fn new() -> Self {
        const { E::FITS }
        Self {
            headers: [const { MaybeUninit::uninit() }; N],
            beside: [const { Beside::new() }; N],
        }
    }
}

/// The headers of messages to receive, each over a buffer of `SIZE` bytes.
pub(crate) struct RecvHeaders<'b, const SIZE: usize, E: Expected> {
    /// INVARIANT: each is over an iovec of SIZE bytes, if the sender is expected over an address, and
    /// over `E::SPACE` bytes for control messages. All of them are initialised, and borrowed for 'b.
    headers: &'b mut [mmsghdr],
    /// How many the last call that succeeded has written to.
    filled: usize,
    expected: PhantomData<E>,
}

// SAFETY: what the headers point to is borrowed for 'b, by nobody else.
unsafe impl<const SIZE: usize, E: Expected> Send for RecvHeaders<'_, SIZE, E> {}
// SAFETY: nothing can be done with a shared one.
unsafe impl<const SIZE: usize, E: Expected> Sync for RecvHeaders<'_, SIZE, E> {}

impl<'b, const SIZE: usize, E: Expected> RecvHeaders<'b, SIZE, E> {
    /// As many as there are buffers, at most `N`.
    pub(crate) fn new<const N: usize>(
        room: &'b mut RecvRoom<N, E>,
        bufs: &'b mut [[u8; SIZE]],
    ) -> Self {
        let len = bufs.len().min(N);
        let slots = room.headers.iter_mut().zip(&mut room.beside);
        for ((header, beside), buf) in slots.zip(bufs) {
            let piece = beside.piece.write(sys::iovec {
                iov_base: buf.as_mut_ptr().cast(),
                iov_len: SIZE,
            });
            let mut msg = msghdr_over(piece, 1);
            if E::SENDER {
                let (sender, _) = sys::sockaddr_un_unnamed();
                msg.msg_name = ptr::from_mut(beside.sender.write(sender)).cast();
            }
            if E::SPACE > 0 {
                msg.msg_control = zeroed(&mut beside.control, E::SPACE).as_mut_ptr().cast();
            }
            offer_rooms::<E>(&mut msg);
            header.write(header_over(msg));
        }
        let headers = room.headers.as_mut_ptr().cast();
        Self {
            // SAFETY: the first len headers have just been written, and are borrowed for 'b.
            headers: unsafe { slice::from_raw_parts_mut(headers, len) },
            filled: 0,
            expected: PhantomData,
        }
    }

    /// recvmmsg(2): as many messages as are there, and one at least.
    #[inline]
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>) -> Result<Arrived<'_, SIZE, E>, Error> {
        if E::SENDER || E::SPACE > 0 {
            for header in &mut self.headers[..self.filled] {
                offer_rooms::<E>(&mut header.msg_hdr);
            }
        }
        let (vector, count) = (self.headers.as_mut_ptr(), self.headers.len() as _);
        let flags = TRUE_LENGTH | CMSG_CLOEXEC | WAIT_FOR_ONE;
        let arrived = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recvmmsg, move || {
            let timeout = ptr::null_mut();
            // SAFETY: by the invariant the headers are over memory that is borrowed and writable, of
            // the lengths that they say.
            unsafe { recv_many(fd.as_raw_fd(), vector, count, flags, timeout) as isize }
        })?;
        if E::SENDER || E::SPACE > 0 {
            self.filled = arrived;
        }
        Ok(Arrived {
            headers: self.headers[..arrived].iter_mut(),
            expected: PhantomData,
        })
    }
}

/// Lends a header its rooms for the sender and for control messages: the kernel writes over their
/// lengths.
#[inline]
fn offer_rooms<E: Expected>(msg: &mut sys::msghdr) {
    if E::SENDER {
        msg.msg_namelen = size_of::<sys::sockaddr_un>() as sys::socklen_t;
    }
    if E::SPACE > 0 {
        msg.msg_controllen = E::SPACE as _;
    }
}

fn header_over(msg_hdr: sys::msghdr) -> mmsghdr {
    mmsghdr {
        msg_hdr,
        msg_len: 0,
    }
}

/// The messages that came. It owns the descriptors in all that were not looked at yet.
pub(crate) struct Arrived<'c, const SIZE: usize, E: Expected> {
    /// INVARIANT: as in [`RecvHeaders`], and recvmmsg has filled each.
    headers: slice::IterMut<'c, mmsghdr>,
    expected: PhantomData<E>,
}

// SAFETY: what the headers point to is borrowed for 'c, by nobody else.
unsafe impl<const SIZE: usize, E: Expected> Send for Arrived<'_, SIZE, E> {}
// SAFETY: a shared one tells numbers alone.
unsafe impl<const SIZE: usize, E: Expected> Sync for Arrived<'_, SIZE, E> {}

impl<'c, const SIZE: usize, E: Expected> Iterator for Arrived<'c, SIZE, E> {
    type Item = ArrivedMessage<'c, SIZE, E>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.headers.next().map(|header| ArrivedMessage {
            header,
            expected: PhantomData,
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.headers.size_hint()
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

/// One message that came, as it lies in its header: what nobody asks for costs nothing. It owns the
/// descriptors until [`open`](Self::open).
pub(crate) struct ArrivedMessage<'c, const SIZE: usize, E: Expected> {
    /// INVARIANT: as in [`RecvHeaders`], and recvmmsg has filled it. `msg_controllen` is 0 once the
    /// control messages were given away.
    header: &'c mut mmsghdr,
    expected: PhantomData<E>,
}

// SAFETY: what the header points to is borrowed for 'c, by nobody else.
unsafe impl<const SIZE: usize, E: Expected> Send for ArrivedMessage<'_, SIZE, E> {}
// SAFETY: through a shared one what the header points to is only read.
unsafe impl<const SIZE: usize, E: Expected> Sync for ArrivedMessage<'_, SIZE, E> {}

impl<'c, const SIZE: usize, E: Expected> ArrivedMessage<'c, SIZE, E> {
    #[inline]
    pub(crate) fn length(&self) -> Length {
        (self.header.msg_len as usize, self.header.msg_hdr.msg_flags)
    }

    /// The whole buffer.
    #[inline]
    pub(crate) fn buf(&self) -> &[u8; SIZE] {
        // SAFETY: it is of SIZE bytes that are borrowed for 'c, and through this alone.
        unsafe { &*self.start() }
    }

    /// The same for longer than this.
    #[inline]
    pub(crate) fn into_buf(self) -> &'c mut [u8; SIZE] {
        // SAFETY: as above, and this is gone.
        unsafe { &mut *self.start() }
    }

    #[inline]
    fn start(&self) -> *mut [u8; SIZE] {
        // SAFETY: by the invariant the header is over an iovec.
        let piece = unsafe { &*self.header.msg_hdr.msg_iov };
        piece.iov_base.cast()
    }

    /// Who sent it, if that is expected.
    #[inline]
    pub(crate) fn from(&self) -> Option<UnixAddr> {
        let msg = &self.header.msg_hdr;
        E::SENDER.then(|| {
            // SAFETY: by the invariant the header is over an address.
            let sender = unsafe { *msg.msg_name.cast() };
            UnixAddr::of_sender(sender, msg.msg_namelen)
        })
    }

    /// Gives the control messages away, and how many descriptors were closed because they are more
    /// than expected.
    #[allow(
        clippy::unnecessary_cast,
        reason = "msg_controllen is 4 bytes outside glibc"
    )]
    #[inline]
    pub(crate) fn open(&mut self) -> (OwnedControl<'c>, usize) {
        let msg = &mut self.header.msg_hdr;
        let control: &mut [u8] = match mem::take(&mut msg.msg_controllen) as usize {
            0 => &mut [],
            written => {
                let (start, written) = (msg.msg_control.cast(), written.min(E::SPACE));
                // SAFETY: by the invariant E::SPACE bytes are initialised and borrowed for 'c, and as
                // there are 0 of them from here on they are given once.
                unsafe { slice::from_raw_parts_mut(start, written) }
            }
        };
        // SAFETY: recvmmsg has just written so many bytes, and nobody has looked at them.
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
    use crate::fd::{AsFd, IoSliceMut};
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
