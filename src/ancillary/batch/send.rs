//! Batches to send.

use core::fmt;

use crate::addr::UnixAddr;
use crate::ancillary::layout::{Control, Layout};
use crate::error::{Call, Error};
use crate::expected::Expected;
use crate::fd::IoSlice;
use crate::syscall::{self, Data, SendHeaders};

/// One message of a batch to send, with its data, its receiver and its control messages.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    data: Data<'a>,
    to: Option<&'a UnixAddr>,
    control: &'a [Control<'a>],
}

impl<'a> Outgoing<'a> {
    /// Makes a message of several slices, to the peer, without control messages.
    #[must_use]
    #[inline]
    pub const fn new(data: &'a [IoSlice<'a>]) -> Self {
        Self::of(Data::Slices(data))
    }

    /// Makes a message of these bytes, to the peer, without control messages. The slot of the message
    /// has the slice that sendmmsg(2) needs, so the program keeps none.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    /// use sunpath::ancillary::{Outgoing, SendBatch, SendSlots};
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let mut slots = SendSlots::<8>::new();
    /// let mut batch = SendBatch::new(&mut slots);
    /// for line in ["one", "two"] {
    ///     batch.push(Outgoing::from_bytes(line.as_bytes()))?;
    /// }
    /// ours.sendmmsg(&mut batch)?;
    /// # let mut buf = [0; 8];
    /// # assert_eq!((theirs.recv(&mut buf)?.len(), &buf[..3]), (3, &b"one"[..]));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        Self::of(Data::Bytes(bytes))
    }

    #[inline]
    const fn of(data: Data<'a>) -> Self {
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
/// expects. The slots serve any number of batches, one after the other. Nothing is allocated.
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
    pub(super) messages: SendHeaders<'b, E>,
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
    /// - `EMSGSIZE`: `E` has no space for the control messages, and the error has both sizes. Each
    ///   [`Control`] takes the space of its own message: two `Rights` of one descriptor fit into
    ///   `(Rights<1>, Rights<1>)` and not into `Rights<2>`.
    /// - `EINVAL`: there are more than 253 descriptors; or the address is below `/proc/self` or
    ///   `/proc/thread-self`, where a name leads to another file in each process.
    /// - `EOPNOTSUPP`: the system cannot send credentials.
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

    /// Adds messages at the end until one cannot be added. This takes fewer instructions than a
    /// [`push`](Self::push) for each message, above all if an earlier batch has used the slots for
    /// messages [of bytes](Outgoing::from_bytes), too: then only the slices are written.
    ///
    /// # Errors
    ///
    /// The messages before the one that failed are in the batch.
    ///
    /// - `ENOBUFS`, `EMSGSIZE`, `EINVAL`, `EOPNOTSUPP`: as for [`push`](Self::push).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    /// use sunpath::ancillary::{Outgoing, SendBatch, SendSlots};
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let mut slots = SendSlots::<8>::new();
    /// let mut batch = SendBatch::new(&mut slots);
    /// batch.push_all([b"one", b"two"].map(|bytes| Outgoing::from_bytes(bytes)))?;
    /// ours.sendmmsg(&mut batch)?;
    /// # let mut buf = [0; 8];
    /// # assert_eq!((theirs.recv(&mut buf)?.len(), &buf[..3]), (3, &b"one"[..]));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[inline]
    pub fn push_all<I>(&mut self, messages: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = Outgoing<'b>>,
    {
        let mut messages = messages.into_iter();
        let bytes_of = |message: &Outgoing<'b>| match message {
            Outgoing {
                data: Data::Bytes(bytes),
                to: None,
                control: [],
            } => Some(*bytes),
            _ => None,
        };
        while let Some(message) = self.messages.push_while(&mut messages, bytes_of) {
            self.push(message)?;
        }
        Ok(())
    }

    /// Returns how many messages are still to be sent.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.messages.left()
    }

    /// Returns whether all messages of the batch have been sent or left out.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out the next message, if there is one. A program does this if the message is too
    /// long, for example.
    pub const fn skip(&mut self) {
        self.messages.skip();
    }

    /// Puts the messages that were sent or left out back into the batch, so that the next call
    /// sends all of them again.
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
