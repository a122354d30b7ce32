//! Batches to receive.

use core::ffi::c_int;
use core::fmt;

use crate::ancillary::receive::Message;
use crate::expected::Expected;
use crate::socket::Received;
use crate::syscall::{self, Arrived, ArrivedMessage, RecvHeaders};

/// Slots for the headers of `N` messages to receive, each with space for its sender and the control
/// messages that `E` expects. The slots serve any number of batches, one after the other. Nothing
/// is allocated. A slot has about 200 bytes in addition to those of `E`, so a large number of slots
/// belongs in a `static` or a box.
#[doc(alias = "mmsghdr")]
pub struct RecvSlots<const N: usize, E: Expected = ()>(syscall::RecvSlots<N, E>);

impl<const N: usize, E: Expected> RecvSlots<N, E> {
    /// Makes slots for `N` messages, at most 1024.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(0 < N && N <= syscall::IOV_MAX) }
        Self(syscall::RecvSlots::new())
    }
}

impl<const N: usize, E: Expected> Default for RecvSlots<N, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, E: Expected> fmt::Debug for RecvSlots<N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvSlots").finish_non_exhaustive()
    }
}

/// Buffers to receive messages into, of `SIZE` bytes each, with their headers.
///
/// The messages that a call receives belong to the batch until [`arrivals`](Self::arrivals) returns
/// them. Dropping the batch, or receiving again, closes the descriptors that nobody took.
#[doc(alias = "mmsghdr")]
pub struct RecvBatch<'b, const SIZE: usize, E: Expected = ()> {
    pub(super) messages: RecvHeaders<'b, SIZE, E>,
    /// The type of the socket that received last.
    pub(super) kind: c_int,
}

impl<'b, const SIZE: usize, E: Expected> RecvBatch<'b, SIZE, E> {
    /// Makes a batch of the buffers that a call fills, the first `N` of them.
    #[must_use]
    pub fn new<const N: usize>(slots: &'b mut RecvSlots<N, E>, bufs: &'b mut [[u8; SIZE]]) -> Self {
        Self {
            messages: RecvHeaders::new(&mut slots.0, bufs),
            kind: 0,
        }
    }

    /// Returns the messages of the last call, from the first to the last. A second call before the
    /// next receive returns none.
    #[inline]
    pub fn arrivals(&mut self) -> Arrivals<'_, SIZE, E> {
        Arrivals {
            kind: self.kind,
            messages: self.messages.arrived(),
        }
    }
}

impl<const SIZE: usize, E: Expected> fmt::Debug for RecvBatch<'_, SIZE, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBatch").finish_non_exhaustive()
    }
}

/// The received messages of a batch, from the first to the last. Descriptors that nobody takes are
/// closed on drop.
#[must_use = "dropping it closes the descriptors that arrived"]
pub struct Arrivals<'c, const SIZE: usize, E: Expected> {
    messages: Arrived<'c, SIZE, E>,
    kind: c_int,
}

impl<'c, const SIZE: usize, E: Expected> Iterator for Arrivals<'c, SIZE, E> {
    type Item = Arrival<'c, SIZE, E>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.messages.next().map(|message| Arrival {
            message,
            kind: self.kind,
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.messages.size_hint()
    }
}

impl<const SIZE: usize, E: Expected> ExactSizeIterator for Arrivals<'_, SIZE, E> {}

impl<const SIZE: usize, E: Expected> fmt::Debug for Arrivals<'_, SIZE, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals")
            .field("left", &self.len())
            .finish_non_exhaustive()
    }
}

/// One received message of a batch, in the buffers that the kernel filled. Dropping it closes every
/// descriptor that arrived with it.
pub struct Arrival<'c, const SIZE: usize, E: Expected> {
    message: ArrivedMessage<'c, SIZE, E>,
    kind: c_int,
}

impl<'c, const SIZE: usize, E: Expected> Arrival<'c, SIZE, E> {
    /// Returns how much of the message was received.
    #[inline]
    pub fn received(&self) -> Received {
        Received::new(self.message.length(), SIZE)
    }

    /// Returns the bytes that were received.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.message.buf()[..self.received().len()]
    }

    /// Returns the bytes, which stay valid until the batch is used again, and what arrived with
    /// them.
    #[inline]
    pub fn into_message(mut self) -> (&'c mut [u8], Message<&'c mut [u8]>) {
        let (length, from) = (self.message.length(), self.message.from());
        let (control, closed) = self.message.open();
        let message = Message::new(self.kind, length, from, control, closed, SIZE);
        (&mut self.message.into_buf()[..message.len()], message)
    }
}

impl<const SIZE: usize, E: Expected> fmt::Debug for Arrival<'_, SIZE, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}
