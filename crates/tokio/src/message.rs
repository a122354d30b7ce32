//! Messages of datagram and sequenced-packet sockets.

use std::io::{self, IoSlice, IoSliceMut};

use sunpath::ancillary::{Expected, RecvBatch, SendBatch};
use sunpath::{Datagram, Received, Seqpacket};

use crate::socket::{READ, Socket, WRITE};

/// A sequenced-packet socket: a connection that keeps the boundaries of its records.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use sunpath_tokio::UnixSeqpacket;
///
/// let (ours, theirs) = UnixSeqpacket::pair()?;
/// ours.send(b"one").await?;
/// ours.send(b"two").await?;
/// assert_eq!(theirs.recv(&mut [0; 64]).await?.len(), 3); // one record, not both
/// # Ok(()) }
/// ```
pub type UnixSeqpacket = Socket<Seqpacket>;

/// Declares methods for each kind that keeps the boundaries of messages, because rustdoc shows all
/// methods of a generic impl on the page of every alias.
macro_rules! messages {
    ($($kind:ident)+) => {$(
        /// Methods that send and receive messages. Several tasks can call them at the same time.
        impl Socket<$kind> {
            /// `send(fd, buf, n, MSG_NOSIGNAL)` — sends one message to the peer, as a whole or not at
            /// all. Cancelling it sends nothing.
            ///
            /// # Errors
            ///
            /// - `EMSGSIZE`: longer than the send buffer allows.
            /// - `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `ENOBUFS`, `ENOMEM`: as for
            ///   the method of the same name in `sunpath`.
            ///
            /// See send(2).
            pub async fn send(&self, message: &[u8]) -> io::Result<()> {
                self.when(WRITE, |socket| socket.send(message)).await
            }

            /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message. Cancelling it
            /// sends nothing.
            ///
            /// # Errors
            ///
            /// - `EMSGSIZE`: as for [`send`](Self::send), or more than 1024 slices.
            /// - `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `ENOBUFS`, `ENOMEM`: as for
            ///   [`send`](Self::send).
            ///
            /// See sendmsg(2).
            pub async fn send_vectored(&self, message: &[IoSlice<'_>]) -> io::Result<()> {
                self.when(WRITE, |socket| socket.send_vectored(message)).await
            }

            /// `recv(fd, buf, n, MSG_TRUNC)` — receives one message, and reports whether it was longer
            /// than the buffer. Cancelling it loses nothing.
            ///
            /// # Errors
            ///
            /// - `ECONNRESET`: the peer closed with messages of ours unread, or connected elsewhere.
            /// - `ENOTCONN`: a sequenced-packet socket that is not connected.
            /// - `ENOBUFS`, `ENOMEM`: no memory.
            /// - `UnexpectedEof`: a datagram socket that was shut down for receiving has no message.
            ///
            /// See recv(2).
            pub async fn recv(&self, buf: &mut [u8]) -> io::Result<Received> {
                self.when(READ, |socket| socket.recv(buf)).await
            }

            /// `recvmsg(fd, msg, 0)` — receives one message into several slices. Cancelling it loses
            /// nothing.
            ///
            /// # Errors
            ///
            /// - `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
            ///
            /// See recv(2).
            pub async fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<Received> {
                self.when(READ, |socket| socket.recv_vectored(bufs)).await
            }

            /// `recv(fd, buf, n, MSG_PEEK | MSG_TRUNC)` — receives one message and leaves it in the
            /// queue.
            ///
            /// # Errors
            ///
            /// - `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
            ///
            /// See recv(2).
            #[doc(alias = "MSG_PEEK")]
            pub async fn peek(&self, buf: &mut [u8]) -> io::Result<Received> {
                self.when(READ, |socket| socket.peek(buf)).await
            }

            /// Sends as [`send`](Self::send) does, or fails if it would have to wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`: the queue is full, or the runtime has not reported that it is not.
            /// - `EMSGSIZE`, `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `ENOBUFS`,
            ///   `ENOMEM`: as for [`send`](Self::send).
            pub fn try_send(&self, message: &[u8]) -> io::Result<()> {
                self.try_when(WRITE, |socket| socket.send(message))
            }

            /// Receives as [`recv`](Self::recv) does, or fails if it would have to wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`: no message has come, or the runtime has not reported it yet.
            /// - `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
            pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<Received> {
                self.try_when(READ, |socket| socket.recv(buf))
            }

            /// Sends as [`send_vectored`](Self::send_vectored) does, or fails if it would have to wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`: as for [`try_send`](Self::try_send).
            /// - `EMSGSIZE`, `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `ENOBUFS`,
            ///   `ENOMEM`: as for [`send_vectored`](Self::send_vectored).
            pub fn try_send_vectored(&self, message: &[IoSlice<'_>]) -> io::Result<()> {
                self.try_when(WRITE, |socket| socket.send_vectored(message))
            }

            /// Receives as [`recv_vectored`](Self::recv_vectored) does, or fails if it would have to
            /// wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for
            ///   [`try_recv`](Self::try_recv).
            pub fn try_recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<Received> {
                self.try_when(READ, |socket| socket.recv_vectored(bufs))
            }

            /// Receives as [`peek`](Self::peek) does, or fails if it would have to wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for
            ///   [`try_recv`](Self::try_recv).
            pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<Received> {
                self.try_when(READ, |socket| socket.peek(buf))
            }

            /// `sendmmsg(fd, msgs, n, MSG_NOSIGNAL)` — sends all messages of a batch.
            ///
            /// Those that were sent are no longer in the batch, also after an error and after it was
            /// cancelled. Call it again with the same batch for the rest.
            ///
            /// A message whose address is that of a socket with a full queue is sent after pauses, as
            /// [`UnixDatagram::send_to`](crate::UnixDatagram::send_to) does.
            ///
            /// # Errors
            ///
            /// The first message that is still in the batch was not sent;
            /// [`skip`](SendBatch::skip) leaves it out.
            ///
            /// - `EMSGSIZE`, `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `ENOMEM`, `ECONNREFUSED`, `EPIPE`,
            ///   `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, and with an address `ENOENT`, `ENOTDIR`, `ELOOP`,
            ///   `EACCES`, `EPROTOTYPE`: as for [`sunpath::Socket::sendmmsg`].
            ///
            /// # Panics
            ///
            /// Panics if it has to pause in a runtime without `enable_time`.
            ///
            /// See sendmmsg(2).
            pub async fn sendmmsg<E: Expected>(&self, batch: &mut SendBatch<'_, E>) -> io::Result<()> {
                self.send_batch(batch).await
            }

            /// `recvmmsg(fd, msgs, n, MSG_CMSG_CLOEXEC, NULL)` — waits for the first message, and
            /// receives it and those that are there. It returns how many arrived, and
            /// [`RecvBatch::arrivals`] returns the messages. Cancelling it loses nothing.
            ///
            /// # Errors
            ///
            /// - `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
            ///
            /// See recvmmsg(2).
            pub async fn recvmmsg<const SIZE: usize, E: Expected>(
                &self,
                batch: &mut RecvBatch<'_, SIZE, E>,
            ) -> io::Result<usize> {
                self.when(READ, |socket| socket.recvmmsg(batch)).await
            }

            /// Sends those messages of a batch that need not wait. The others stay in the batch.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`: the queue is full, or the runtime has not reported that it is not.
            /// - Others: as for [`sendmmsg`](Self::sendmmsg).
            pub fn try_sendmmsg<E: Expected>(&self, batch: &mut SendBatch<'_, E>) -> io::Result<()> {
                self.try_when(WRITE, |socket| socket.sendmmsg(batch))
            }

            /// Receives as [`recvmmsg`](Self::recvmmsg) does, or fails if it would have to wait.
            ///
            /// # Errors
            ///
            /// - `WouldBlock`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for
            ///   [`try_recv`](Self::try_recv).
            pub fn try_recvmmsg<const SIZE: usize, E: Expected>(
                &self,
                batch: &mut RecvBatch<'_, SIZE, E>,
            ) -> io::Result<usize> {
                self.try_when(READ, |socket| socket.recvmmsg(batch))
            }
        }
    )+};
}

messages!(Datagram Seqpacket);

impl Socket<Seqpacket> {
    async fn send_batch<E: Expected>(&self, batch: &mut SendBatch<'_, E>) -> io::Result<()> {
        self.when(WRITE, |socket| socket.sendmmsg(batch)).await
    }
}
