//! Sends and receives messages, as datagram and sequenced-packet sockets do. Each send is one
//! message, and each receive takes one message. A message that does not fit is truncated, and the
//! receive always reports that.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use sunpath_sys as sys;

use super::{Seqpacket, Socket, methods_of};
use crate::addr::UnixAddr;
use crate::error::Error;
use crate::fd::{AsFd, IoSlice, IoSliceMut};
use crate::flags::MsgFlags;
use crate::syscall::{self, Length, TRUE_LENGTH};

/// A sequenced-packet socket: a connection like a stream's that keeps record boundaries.
///
/// ```
/// # use sunpath::UnixSeqpacket;
/// # if UnixSeqpacket::pair().is_err() { return Ok(()) } // macOS has none
/// // Or one end: UnixSeqpacket::connect("/run/app.sock")?
/// let (ours, theirs) = UnixSeqpacket::pair()?;
/// ours.send(b"one")?;
/// ours.send(b"two")?;
/// let mut buf = [0; 16];
/// assert_eq!(theirs.recv(&mut buf)?.len(), 3); // one record, and not six bytes
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// | to do this | methods |
/// |---|---|
/// | make a connection | [`connect`](UnixSeqpacket::connect), [`connect_addr`](UnixSeqpacket::connect_addr), [`connect_at`](UnixSeqpacket::connect_at), [`pair`](UnixSeqpacket::pair) |
/// | make a socket in steps | [`new`](UnixSeqpacket::new), [`set_mode`](UnixSeqpacket::set_mode), [`bind_to`](UnixSeqpacket::bind_to), [`bind_to_at`](UnixSeqpacket::bind_to_at), [`connect_to`](UnixSeqpacket::connect_to), [`connect_to_at`](UnixSeqpacket::connect_to_at), [`listen`](UnixSeqpacket::listen) |
/// | send a record | [`send`](UnixSeqpacket::send), [`try_send`](UnixSeqpacket::try_send), [`send_vectored`](UnixSeqpacket::send_vectored) |
/// | receive a record | [`recv`](UnixSeqpacket::recv), [`try_recv`](UnixSeqpacket::try_recv), [`recv_vectored`](UnixSeqpacket::recv_vectored), [`recv_uninit`](UnixSeqpacket::recv_uninit), [`peek`](UnixSeqpacket::peek) |
/// | end one direction | [`shutdown`](UnixSeqpacket::shutdown) |
/// | ask who the peer is | [`peer_cred`](UnixSeqpacket::peer_cred), [`peer_groups`](UnixSeqpacket::peer_groups), [`peer_pidfd`](UnixSeqpacket::peer_pidfd), [`peer_security`](UnixSeqpacket::peer_security), [`peer_addr`](UnixSeqpacket::peer_addr), [`local_addr`](UnixSeqpacket::local_addr) |
/// | pass descriptors | [`send_fd`](UnixSeqpacket::send_fd), [`recv_fd`](UnixSeqpacket::recv_fd), [`send_fds`](UnixSeqpacket::send_fds), [`recv_fds`](UnixSeqpacket::recv_fds) |
/// | pass any control message | [`sendmsg`](UnixSeqpacket::sendmsg), [`recvmsg`](UnixSeqpacket::recvmsg), [`send_all`](UnixSeqpacket::send_all) |
/// | send or receive many at once | [`sendmmsg`](UnixSeqpacket::sendmmsg), [`recvmmsg`](UnixSeqpacket::recvmmsg) |
/// | wait | [`wait_readable`](UnixSeqpacket::wait_readable), [`wait_writable`](UnixSeqpacket::wait_writable), [`set_read_timeout`](UnixSeqpacket::set_read_timeout), [`set_write_timeout`](UnixSeqpacket::set_write_timeout), [`set_nonblocking`](UnixSeqpacket::set_nonblocking) |
///
/// A record of no bytes and the end of the connection are both received as 0 bytes. If empty
/// records can arrive, turn [`set_pass_credentials`](Socket::set_pass_credentials) on and receive
/// with [`recvmsg`](Socket::recvmsg): a record then carries credentials and the end does not, which
/// [`Message::is_end`](crate::ancillary::Message::is_end) detects. The other receives cannot tell
/// an empty record from the end.
pub type UnixSeqpacket = Socket<Seqpacket>;

/// The outcome of a receive: how many bytes of a message arrived, and whether it was truncated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a message that was truncated has lost its end"]
pub struct Received {
    len: usize,
    /// The result of the call. The result exceeds `len` if the message was truncated and the call
    /// returned its true length.
    result: usize,
    flags: c_int,
    truncated: bool,
    control_truncated: bool,
}

impl Received {
    /// Makes the outcome of a receive into a buffer of `buffer` bytes.
    #[inline(always)]
    pub(crate) fn new((result, flags): Length, buffer: usize) -> Self {
        Self {
            len: result.min(buffer),
            result,
            flags,
            truncated: flags & sys::MSG_TRUNC != 0,
            control_truncated: flags & sys::MSG_CTRUNC != 0,
        }
    }

    /// Returns how many bytes of the buffer were filled.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// let mut buf = [0; 16];
    /// let received = theirs.recv(&mut buf)?;
    /// assert_eq!(&buf[..received.len()], b"hello");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "empty messages are messages")]
    pub const fn len(self) -> usize {
        self.len
    }

    /// Returns whether the message was longer than the buffer. The part that did not fit is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"more than four bytes")?;
    /// let received = theirs.recv(&mut [0; 4])?;
    /// assert_eq!((received.len(), received.is_truncated()), (4, true));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub const fn is_truncated(self) -> bool {
        self.truncated
    }

    /// Returns whether control messages arrived that did not fit, for example descriptors, which
    /// are then closed. To receive them, call [`recvmsg`](Socket::recvmsg). Only the methods that
    /// take slices or uninitialised bytes report lost control messages, because recv(2) and
    /// recvfrom(2) do not.
    #[must_use]
    #[doc(alias = "MSG_CTRUNC")]
    pub const fn is_control_truncated(self) -> bool {
        self.control_truncated
    }

    /// Returns `msg_flags` as the kernel wrote them. recv(2) and recvfrom(2) do not return flags,
    /// so after these only [`TRUNC`](MsgFlags::TRUNC) can be set.
    #[must_use]
    #[doc(alias = "msg_flags")]
    pub const fn flags(self) -> MsgFlags {
        MsgFlags::from_bits(self.flags)
    }

    /// Returns the same outcome, marked to say that control messages were dropped.
    pub(crate) const fn and_control_truncated(self, truncated: bool) -> Self {
        Self {
            control_truncated: self.control_truncated | truncated,
            ..self
        }
    }

    /// Returns the length of the message as it was sent. The result is `None` if the message was
    /// truncated and the receive does not report its true length:
    /// [`recv_uninit`](Socket::recv_uninit) never reports it, and the other methods report it on
    /// Linux alone.
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub const fn true_len(self) -> Option<usize> {
        match !self.truncated || self.result > self.len {
            true => Some(self.result),
            false => None,
        }
    }
}

methods_of!(Messages [Datagram, Seqpacket], "Methods that send and receive messages.", {
    /// `send(fd, buf, n, MSG_NOSIGNAL)` — sends one message to the peer. The message is sent as a
    /// whole or not at all. The record may be empty.
    ///
    /// # Errors
    ///
    /// - `EMSGSIZE`: the message is longer than [`send_buffer_size`](Self::send_buffer_size) allows
    ///   (on Linux 32 bytes less than that size).
    ///   [`Cause::MessageTooLong`](crate::error::Cause::MessageTooLong) has the limit and names two
    ///   solutions: a larger buffer, or a memory file whose descriptor is sent.
    /// - `ENOTCONN`: the socket is not connected. A datagram socket whose peer has closed reports
    ///   this from the second send on.
    /// - `ECONNREFUSED`: the peer of a datagram socket has closed, which dissolves the connection.
    /// - `EPIPE`: the peer closed or reads no more, or this end was shut down for writing.
    /// - `ECONNRESET`: the peer closed before it had read all of our messages, or connected
    ///   elsewhere.
    /// - `EPERM`: the peer of a datagram socket is connected to another socket.
    /// - `EAGAIN`: the queue is full, and the socket is nonblocking or its write timeout passed.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixSeqpacket;
    ///
    /// let (ours, theirs) = UnixSeqpacket::pair()?;
    /// ours.send(b"one")?;
    /// ours.send(b"two")?;
    /// assert_eq!(theirs.recv(&mut [0; 64])?.len(), 3); // one record, not both
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[inline(always)]
    pub fn send(&self, message: &[u8]) -> Result<(), Error> {
        syscall::send(self.as_fd(), message, 0).map(drop)
    }

    /// `send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL)` — sends one message, or fails if it would
    /// have to wait, as [`send`](Self::send) does on a nonblocking socket. The socket stays
    /// blocking for every process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: the queue is full.
    /// - `EMSGSIZE`, `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixSeqpacket;
    /// # let Ok((ours, theirs)) = UnixSeqpacket::pair() else { return Ok(()) };
    /// while ours.try_send(b"status").is_ok() {} // until the queue is full
    /// assert!(ours.try_send(b"more").unwrap_err().is_would_block());
    /// # drop(theirs);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See send(2).
    #[inline(always)]
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn try_send(&self, message: &[u8]) -> Result<(), Error> {
        syscall::send(self.as_fd(), message, sys::MSG_DONTWAIT).map(drop)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message.
    ///
    /// # Errors
    ///
    /// - `EMSGSIZE`: as for [`send`](Self::send), or more than 1024 slices.
    /// - `ENOTCONN`, `ECONNREFUSED`, `EPIPE`, `ECONNRESET`, `EPERM`, `EAGAIN`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixDatagram, fd::IoSlice};
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send_vectored(&[IoSlice::new(b"head"), IoSlice::new(b"body")])?;
    /// assert_eq!(theirs.recv(&mut [0; 64])?.len(), 8);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2).
    #[doc(alias = "sendmsg")]
    pub fn send_vectored(&self, message: &[IoSlice<'_>]) -> Result<(), Error> {
        syscall::sendmsg(self.as_fd(), message, None, &[], 0).map(drop)
    }

    /// `recv(fd, buf, n, MSG_TRUNC)` — receives one message.
    ///
    /// The conversions from std's types do not check the descriptor. If it is a TCP socket,
    /// `MSG_TRUNC` makes the kernel count bytes that it does not write, and those bytes of `buf`
    /// are unchanged. [`recv_uninit`](Self::recv_uninit) does not pass `MSG_TRUNC`.
    ///
    /// After `shutdown(Shutdown::Read)` a receive that would wait returns an empty message.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: no message has arrived, and the socket is nonblocking or its read timeout
    ///   passed. A datagram socket does not notice that its peer has closed, so the call waits for
    ///   another message.
    /// - `ECONNRESET`: the peer of a sequenced-packet socket closed before it had read all of our
    ///   messages; the peer of a datagram socket connected elsewhere. The error is reported once.
    /// - `ENOTCONN`: the socket is a sequenced-packet socket and is not connected.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// let mut buf = [0; 64];
    /// let received = theirs.recv(&mut buf)?;
    /// assert_eq!(&buf[..received.len()], b"hello");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline(always)]
    pub fn recv(&self, buf: &mut [u8]) -> Result<Received, Error> {
        self.receive(buf, 0)
    }

    /// `recv(fd, buf, n, MSG_DONTWAIT | MSG_TRUNC)` — receives one message, or fails if it would
    /// have to wait, as [`recv`](Self::recv) does on a nonblocking socket. The socket stays
    /// blocking for every process that shares it.
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
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// let mut buf = [0; 64];
    /// assert!(theirs.try_recv(&mut buf).unwrap_err().is_would_block());
    /// ours.try_send(b"hello")?;
    /// assert_eq!(theirs.try_recv(&mut buf)?.len(), 5);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[inline(always)]
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn try_recv(&self, buf: &mut [u8]) -> Result<Received, Error> {
        self.receive(buf, sys::MSG_DONTWAIT)
    }

    /// `recvmsg(fd, msg, 0)` — receives one message into several slices, one after the other. At
    /// most 1024 slices are filled.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// See recv(2).
    #[doc(alias = "recvmsg")]
    pub fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<Received, Error> {
        self.receive_vectored(bufs, None)
    }

    /// `recvmsg(fd, msg, 0)` — receives one message into bytes that need not be initialised, and
    /// returns the bytes that were filled.
    ///
    /// The kernel wrote the returned bytes, even if the descriptor is not a Unix domain socket. A
    /// message that was truncated has no [`true_len`](Received::true_len) here, because the call
    /// does not pass `MSG_TRUNC`. With that flag TCP counts bytes that it does not write.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// use std::mem::MaybeUninit;
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// ours.send(b"hello")?;
    /// let mut buf = [MaybeUninit::uninit(); 64];
    /// let (bytes, _received) = theirs.recv_uninit(&mut buf)?;
    /// assert_eq!(bytes, b"hello");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "recvmsg")]
    pub fn recv_uninit<'b>(
        &self,
        buf: &'b mut [MaybeUninit<u8>],
    ) -> Result<(&'b mut [u8], Received), Error> {
        let size = buf.len();
        let (filled, length) = syscall::recvmsg_uninit(self.as_fd(), buf, None)?;
        Ok((filled, Received::new(length, size)))
    }

    /// `recv(fd, buf, n, MSG_PEEK | MSG_TRUNC)` — receives one message and leaves it in the queue.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`: as for [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// The following code asks for the length of the next message, on Linux:
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// let (a, b) = UnixDatagram::pair()?;
    /// a.send(b"hello")?;
    /// let length = b.peek(&mut [])?.true_len();
    /// assert!(matches!(length, Some(5) | None)); // None where the system does not say
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2).
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&self, buf: &mut [u8]) -> Result<Received, Error> {
        self.receive(buf, sys::MSG_PEEK)
    }

    #[inline(always)]
    fn receive(&self, buf: &mut [u8], flags: c_int) -> Result<Received, Error> {
        let length = syscall::recv_message(self.as_fd(), buf, flags)?;
        Ok(Received::new(length, buf.len()))
    }

    pub(crate) fn receive_vectored(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        ret_from: Option<&mut UnixAddr>,
    ) -> Result<Received, Error> {
        let length = syscall::recvmsg(self.as_fd(), bufs, ret_from, TRUE_LENGTH)?;
        Ok(Received::new(length, syscall::size_of_bufs(bufs)))
    }
});
