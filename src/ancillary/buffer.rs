//! Buffers for the control messages of a receive.

use core::fmt;

use crate::expected::{Expected, Space};
use crate::syscall::{self, ControlData, ExpectedBytes};

/// A buffer on the stack for control messages. The type of the buffer lists what is [`Expected`],
/// and size and alignment follow from that list.
///
/// A buffer that is passed as `&mut` serves any number of receives, one after the other. The data
/// of a receive belongs to the [`Message`](crate::ancillary::Message) that it returned. A buffer
/// that is passed by value moves into the message, which can then leave a [readiness
/// loop](crate::ancillary#in-a-readiness-loop).
///
/// # Examples
///
/// ```
/// use sunpath::ancillary::{ControlBuffer, Credentials, Rights};
///
/// let control = ControlBuffer::<Rights<3>>::new(); // at most three descriptors
/// let control = ControlBuffer::<(Rights<1>, Credentials)>::new(); // one, and its sender
/// ```
///
/// See cmsg(3), "CMSG_SPACE".
#[doc(alias = "CMSG_SPACE")]
#[doc(alias = "msg_control")]
pub struct ControlBuffer<E: Expected> {
    buf: Space<E>,
}

impl<E: Expected> ControlBuffer<E> {
    /// Makes a buffer for what is expected.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        const { E::FITS }
        Self {
            buf: Space::<E>::uninit(),
        }
    }
}

impl<E: Expected> Default for ControlBuffer<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Expected> fmt::Debug for ControlBuffer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlBuffer")
            .field("space", &E::SPACE)
            .finish_non_exhaustive()
    }
}

/// Bytes for control messages, and the greatest number of descriptors that may stay in them.
/// Descriptors over that number are closed, and the message is reported as truncated.
///
/// The size of the bytes does not show how many descriptors were meant, because the padding after
/// the last one has space for another: bytes for one descriptor hold two.
///
/// # Examples
///
/// ```
/// use sunpath::ancillary::ControlBytes;
/// use sunpath::{UnixStream, fd::IoSliceMut, sys};
///
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.send_fds(b"x", &[&ours, &theirs])?;
/// let (mut buf, mut bytes) = ([0; 8], [0; sys::CMSG_SPACE(4)]);
/// let control = ControlBytes { bytes: &mut bytes, descriptors: 1 };
/// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], control)?;
/// assert!(message.is_control_truncated());
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// See cmsg(3).
#[derive(Debug)]
pub struct ControlBytes<'c> {
    /// The buffer for the control messages, which need not be aligned.
    pub bytes: &'c mut [u8],
    /// The greatest number of descriptors that may stay in the buffer.
    pub descriptors: usize,
}

/// A place for received control messages, which the [`Message`](crate::ancillary::Message) then
/// holds: a [`ControlBuffer`] by value or by reference, or bytes of any length and alignment.
///
/// Bytes take everything that fits, and the padding after the last descriptor may have space for
/// one more. A [`ControlBuffer`] takes as many descriptors as were expected.
pub trait ControlStorage: sealed::Sealed {
    /// The bytes in which the control messages are stored. Only this crate uses this type. It
    /// decides whether the [`Message`](crate::ancillary::Message) is `Send` and `Sync`.
    type Bytes: ControlData;

    /// Returns the bytes, and how many descriptors may stay in them.
    #[doc(hidden)]
    fn offer(self) -> (Self::Bytes, usize);
}

impl<E: Expected> ControlStorage for ControlBuffer<E> {
    type Bytes = ExpectedBytes<E>;

    #[inline]
    fn offer(self) -> (ExpectedBytes<E>, usize) {
        (ExpectedBytes::zeroed(), E::DESCRIPTORS)
    }
}

impl<'c, E: Expected> ControlStorage for &'c mut ControlBuffer<E> {
    type Bytes = &'c mut [u8];

    #[inline]
    fn offer(self) -> (&'c mut [u8], usize) {
        (syscall::zeroed(&mut self.buf, E::SPACE), E::DESCRIPTORS)
    }
}

impl<'c> ControlStorage for ControlBytes<'c> {
    type Bytes = &'c mut [u8];

    fn offer(self) -> (&'c mut [u8], usize) {
        (self.bytes, self.descriptors)
    }
}

impl<'c> ControlStorage for &'c mut [u8] {
    type Bytes = &'c mut [u8];

    fn offer(self) -> (&'c mut [u8], usize) {
        (self, usize::MAX)
    }
}

impl<'c, const N: usize> ControlStorage for &'c mut [u8; N] {
    type Bytes = &'c mut [u8];

    fn offer(self) -> (&'c mut [u8], usize) {
        (self, usize::MAX)
    }
}

mod sealed {
    use super::{ControlBuffer, ControlBytes, Expected};

    /// Implemented only here, so no type outside of this crate can be a buffer.
    pub trait Sealed {}

    impl<E: Expected> Sealed for ControlBuffer<E> {}
    impl<E: Expected> Sealed for &mut ControlBuffer<E> {}
    impl Sealed for ControlBytes<'_> {}
    impl Sealed for &mut [u8] {}
    impl<const N: usize> Sealed for &mut [u8; N] {}
}
