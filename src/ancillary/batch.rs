//! Batches: several messages with one call. The caller owns slots for the headers, which are laid
//! out once and used by every call.

use core::ffi::c_int;
use core::fmt;

use super::receive::Message;
use super::send::{Control, Layout};
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::expected::Expected;
use crate::fd::{AsFd, IoSlice};
use crate::flags::MsgFlags;
use crate::socket::Received;
use crate::socket::methods_of;
use crate::syscall::{self, Arrived, ArrivedMessage, RecvHeaders, SendHeaders};

/// One message of a batch to send, with its data, its receiver and its control messages.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    data: &'a [IoSlice<'a>],
    to: Option<&'a UnixAddr>,
    control: &'a [Control<'a>],
}

impl<'a> Outgoing<'a> {
    /// Makes a message of several slices, to the peer, without control messages.
    #[must_use]
    pub const fn new(data: &'a [IoSlice<'a>]) -> Self {
        Self {
            data,
            to: None,
            control: &[],
        }
    }

    /// Returns the same message with the address of its receiver, which a datagram socket needs if
    /// it is not connected.
    #[must_use]
    pub const fn to(self, to: &'a UnixAddr) -> Self {
        Self {
            to: Some(to),
            ..self
        }
    }

    /// Returns the same message with control messages.
    #[must_use]
    pub const fn control(self, control: &'a [Control<'a>]) -> Self {
        Self { control, ..self }
    }
}

/// Slots for the headers of `N` messages to send, each with space for the control messages that `E`
/// expects. They serve any number of batches, one after the other. Nothing is allocated.
#[doc(alias = "mmsghdr")]
pub struct SendSlots<const N: usize, E: Expected = ()>(syscall::SendSlots<N, E>);

impl<const N: usize, E: Expected> SendSlots<N, E> {
    /// Makes slots for `N` messages, at most 1024.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(0 < N && N <= syscall::IOV_MAX) }
        Self(syscall::SendSlots::new())
    }
}

impl<const N: usize, E: Expected> Default for SendSlots<N, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize, E: Expected> fmt::Debug for SendSlots<N, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendSlots").finish_non_exhaustive()
    }
}

/// The messages of a batch that were added and have not been sent yet, in their order.
#[doc(alias = "mmsghdr")]
pub struct SendBatch<'b, E: Expected = ()> {
    messages: SendHeaders<'b, E>,
}

impl<'b, E: Expected> SendBatch<'b, E> {
    /// Makes an empty batch with slots for `N` messages.
    #[must_use]
    pub const fn new<const N: usize>(slots: &'b mut SendSlots<N, E>) -> Self {
        Self {
            messages: SendHeaders::new(&mut slots.0),
        }
    }

    /// Adds a message at the end.
    ///
    /// # Errors
    ///
    /// On failure the batch is not changed.
    ///
    /// - `ENOBUFS`: the batch has `N` messages already.
    /// - `EMSGSIZE`: control messages for which `E` has no space, with the numbers. Each [`Control`]
    ///   takes the space of its own message: two `Rights` of one descriptor fit into
    ///   `(Rights<1>, Rights<1>)` and not into `Rights<2>`.
    /// - `EINVAL`: more than 253 descriptors. Or the address is below `/proc/self` or `/proc/thread-self`,
    ///   and so leads elsewhere in this process.
    /// - `EOPNOTSUPP`: the system has no credentials to send.
    #[inline]
    pub fn push(&mut self, message: Outgoing<'b>) -> Result<(), Error> {
        if let Some(to) = message.to {
            syscall::leads_to_the_peer(Call::Sendmmsg, to)?;
        }
        let layout = Layout::of(Call::Sendmmsg, message.control)?;
        let space = layout.space();
        if layout.descriptors() > E::DESCRIPTORS {
            return Err(Error::batch_space(layout.descriptors(), E::DESCRIPTORS));
        }
        if space > E::SPACE {
            return Err(Error::control_space(Call::Sendmmsg, space, E::SPACE));
        }
        let lay_out = |buf: &mut [u8]| layout.write(buf);
        self.messages.push(message.data, message.to, space, lay_out)
    }

    /// Returns how many messages are still to be sent.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.messages.left()
    }

    /// Returns whether all of them have been sent.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out the next message, if there is one, for example because it is too long.
    pub const fn skip(&mut self) {
        self.messages.skip();
    }

    /// Puts the messages that were sent or left out back into the batch, to send all of them again.
    #[inline]
    pub const fn rewind(&mut self) {
        self.messages.rewind();
    }
}

impl<E: Expected> fmt::Debug for SendBatch<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBatch")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Slots for the headers of `N` messages to receive, each with space for its sender and the control
/// messages that `E` expects. They serve any number of batches, one after the other. Nothing is
/// allocated. A slot has about 200 bytes in addition to those of `E`, so a large number of slots
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
/// What a call receives belongs to the batch until [`arrivals`](Self::arrivals) returns it.
/// Dropping the batch, or receiving again, closes the descriptors that nobody took.
#[doc(alias = "mmsghdr")]
pub struct RecvBatch<'b, const SIZE: usize, E: Expected = ()> {
    messages: RecvHeaders<'b, SIZE, E>,
    /// The type of the socket that received last.
    kind: c_int,
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

    /// Returns the messages of the last call, from the first to the last. Calling this again before
    /// the next receive returns none.
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

methods_of!(Messages [Datagram, Seqpacket], "Methods that send or receive several messages with one call.", {
    /// `sendmmsg(fd, msgs, n, MSG_NOSIGNAL)` — sends the messages of a batch one after the other,
    /// until all have been sent or one fails. Those that were sent are no longer in the batch.
    ///
    /// Use it for messages to different receivers, or with control messages. It saves system calls
    /// and little else: 32 datagrams of 64 bytes, sent and received, take about as long as with 32
    /// single calls of each kind on Linux. Packed into one record of a
    /// [`UnixSeqpacket`](crate::UnixSeqpacket), or one write to a stream, each after its length,
    /// they take 0.04 of that time: `examples/packed.rs`.
    ///
    /// # Errors
    ///
    /// The first message that is still in the batch was not sent; [`skip`](SendBatch::skip) leaves
    /// it out.
    ///
    /// - `EMSGSIZE`: longer than the limit, or more than 1024 slices, as for
    ///   [`send_vectored`](Self::send_vectored).
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `ENOMEM`: as for [`sendmsg`](Self::sendmsg).
    /// - `EAGAIN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, and with an address
    ///   `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EPROTOTYPE`: as for `send` and `send_to`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    /// use sunpath::ancillary::{Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots};
    /// use sunpath::fd::IoSlice;
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let (one, two) = ([IoSlice::new(b"one")], [IoSlice::new(b"two")]);
    /// let mut slots = SendSlots::<8>::new(); // at most 8 messages
    /// let mut batch = SendBatch::new(&mut slots);
    /// batch.push(Outgoing::new(&one))?;
    /// batch.push(Outgoing::new(&two))?;
    /// ours.sendmmsg(&mut batch)?;
    ///
    /// let (mut slots, mut bufs) = (RecvSlots::<8>::new(), [[0; 64]; 8]);
    /// let mut batch = RecvBatch::new(&mut slots, &mut bufs); // serves call after call
    /// theirs.recvmmsg(&mut batch)?;
    /// for message in batch.arrivals() {
    ///     assert!(message.bytes() == b"one" || message.bytes() == b"two");
    ///     assert!(!message.received().is_truncated());
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmmsg(2).
    #[inline]
    pub fn sendmmsg<E: Expected>(&self, batch: &mut SendBatch<'_, E>) -> Result<(), Error> {
        batch.messages.send(self.as_fd(), 0)
    }

    /// `sendmmsg(fd, msgs, n, flags | MSG_NOSIGNAL)` — sends a batch as [`sendmmsg`](Self::sendmmsg), with
    /// flags for every message: [`MsgFlags::DONTWAIT`] sends those that need not wait.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `EMSGSIZE`, `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `ENOMEM`, `ECONNREFUSED`, `EPIPE`,
    ///   `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EPROTOTYPE`: as for
    ///   [`sendmmsg`](Self::sendmmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # use sunpath::ancillary::{MsgFlags, Outgoing, SendBatch, SendSlots};
    /// # use sunpath::fd::IoSlice;
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let message = [IoSlice::new(b"status")];
    /// let mut slots = SendSlots::<8>::new();
    /// let mut batch = SendBatch::new(&mut slots);
    /// batch.push(Outgoing::new(&message))?;
    /// ours.sendmmsg_with(&mut batch, MsgFlags::DONTWAIT)?; // EAGAIN: the rest is still in the batch
    /// # drop(theirs);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmmsg(2).
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn sendmmsg_with<E: Expected>(
        &self,
        batch: &mut SendBatch<'_, E>,
        flags: MsgFlags,
    ) -> Result<(), Error> {
        batch.messages.send(self.as_fd(), flags.bits())
    }

    /// `recvmmsg(fd, msgs, n, MSG_WAITFORONE | MSG_CMSG_CLOEXEC, NULL)` — receives a message into
    /// each buffer. It waits for the first message, and then takes those that are there. It returns
    /// how many arrived, and [`RecvBatch::arrivals`] returns the messages.
    ///
    /// When a connection ends, every buffer after the last message receives an empty one, which
    /// [`Message::is_end`] tells from an empty record. The kernel keeps an error after the first
    /// message for the next receive.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # use sunpath::ancillary::{RecvBatch, RecvSlots};
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// let (mut slots, mut bufs) = (RecvSlots::<8>::new(), [[0; 64]; 8]);
    /// let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    /// assert_eq!(theirs.recvmmsg(&mut batch)?, 1);
    /// assert!(batch.arrivals().all(|message| message.bytes() == b"hello"));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recvmmsg(2).
    #[doc(alias = "MSG_WAITFORONE")]
    #[inline]
    pub fn recvmmsg<const SIZE: usize, E: Expected>(
        &self,
        batch: &mut RecvBatch<'_, SIZE, E>,
    ) -> Result<usize, Error> {
        batch.kind = T::TYPE;
        batch.messages.receive(self.as_fd(), 0)
    }

    /// `recvmmsg(fd, msgs, n, flags | MSG_WAITFORONE | MSG_CMSG_CLOEXEC, NULL)` — receives a batch as
    /// [`recvmmsg`](Self::recvmmsg), with flags: [`MsgFlags::DONTWAIT`] does not wait for the first message.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: no message has come.
    /// - `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # use sunpath::ancillary::{MsgFlags, RecvBatch, RecvSlots};
    /// # let (ours, theirs) = UnixDatagram::pair()?;
    /// let (mut slots, mut bufs) = (RecvSlots::<8>::new(), [[0; 64]; 8]);
    /// let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    /// let nothing = theirs.recvmmsg_with(&mut batch, MsgFlags::DONTWAIT);
    /// assert!(nothing.unwrap_err().is_would_block());
    /// # drop(ours);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recvmmsg(2).
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn recvmmsg_with<const SIZE: usize, E: Expected>(
        &self,
        batch: &mut RecvBatch<'_, SIZE, E>,
        flags: MsgFlags,
    ) -> Result<usize, Error> {
        batch.kind = T::TYPE;
        batch.messages.receive(self.as_fd(), flags.bits())
    }
});
