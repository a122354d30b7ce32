//! Batches: several messages with one call. The caller owns slots for the message headers, which
//! are initialised once and used by every call.

mod receive;
mod send;

use crate::error::Error;
use crate::expected::Expected;
use crate::fd::AsFd;
use crate::flags::MsgFlags;
use crate::socket::methods_of;

pub use self::receive::{Arrival, Arrivals, RecvBatch, RecvSlots};
pub use self::send::{Outgoing, SendBatch, SendSlots};

methods_of!(Messages [Datagram, Seqpacket], "Methods that send or receive several messages with one call.", {
    /// `sendmmsg(fd, msgs, n, MSG_NOSIGNAL)` — sends the messages of a batch one after the other,
    /// until all have been sent or one fails. The messages that were sent are no longer in the
    /// batch.
    ///
    /// Use it for messages to different receivers, or with control messages. The call saves system
    /// calls and little else: 32 datagrams of 64 bytes, sent and received, take about as long as
    /// with 32 single calls of each kind on Linux. If the messages are packed into one record of a
    /// [`UnixSeqpacket`](crate::UnixSeqpacket), or into one write to a stream, each after its
    /// length, they take 0.04 of that time, as `examples/packed.rs` shows.
    ///
    /// # Errors
    ///
    /// The first message that is still in the batch was not sent; [`skip`](SendBatch::skip) leaves
    /// it out.
    ///
    /// - `EMSGSIZE`: the message is longer than the limit, or has more than 1024 slices, as for
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
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let messages = [b"one", b"two"];
    /// let mut slots = SendSlots::<8>::new(); // at most 8 messages
    /// let mut batch = SendBatch::new(&mut slots);
    /// batch.push_all(messages.iter().map(|bytes| Outgoing::from_bytes(*bytes)))?;
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
    /// each buffer. The call waits for the first message, and then takes those that are there. The
    /// call returns how many messages arrived, and [`RecvBatch::arrivals`] returns the messages.
    ///
    /// When a connection ends, every buffer after the last message receives an empty message, which
    /// [`Message::is_end`](crate::ancillary::Message::is_end) distinguishes from an empty record.
    /// The kernel keeps an error after the first message for the next receive.
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
