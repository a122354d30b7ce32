//! Receives control messages.

use core::ffi::c_int;
use core::fmt;

use sunpath_sys as sys;

use super::buffer::ControlStorage;
use super::contents::Ancillary;
use crate::addr::UnixAddr;
use crate::error::Error;
use crate::fd::{AsFd, IoSliceMut};
use crate::flags::MsgFlags;
use crate::socket::Received;
use crate::socket::{Kind, Socket};
use crate::syscall::{self, Length, OwnedControl, TRUE_LENGTH};

/// A received message whose ancillary data has not been opened yet.
///
/// [`into_control`](Self::into_control) opens that data only if all of it arrived, and
/// [`into_partial_control`](Self::into_partial_control) opens as much as arrived. Dropping the
/// message closes every descriptor that arrived with it.
///
/// `C` is the storage that was passed for the control messages: a
/// [`ControlBuffer`](crate::ancillary::ControlBuffer), which the message then owns, or a reference
/// to a buffer or to bytes, which the message borrows. A function that takes any message takes
/// `Message<impl ControlStorage>`.
#[must_use = "dropping it closes the descriptors that arrived"]
pub struct Message<C: ControlStorage> {
    received: Received,
    from: Option<UnixAddr>,
    control: Ancillary<C>,
}

impl<C: ControlStorage> Message<C> {
    #[inline]
    pub(crate) fn new(
        kind: c_int,
        length: Length,
        from: Option<UnixAddr>,
        control: OwnedControl<C::Bytes>,
        closed: usize,
        size: usize,
    ) -> Self {
        let (result, flags) = length;
        let at_end = result == 0 && is_end(kind, flags, size, control.is_empty());
        // At the end of a stream Linux adds credentials that belong to no process. Nothing is lost
        // if they do not fit, so MSG_CTRUNC is removed.
        let flags = match at_end && cfg!(have_so_passcred) {
            true => flags & !sys::MSG_CTRUNC,
            false => flags,
        };
        let received = Received::new((result, flags), size).and_control_truncated(closed > 0);
        let control = Ancillary {
            control,
            closed,
            truncated: received.is_control_truncated(),
            at_end,
        };
        Self {
            received,
            from,
            control,
        }
    }

    /// Returns whether the receive found the end of the connection instead of a message.
    ///
    /// A stream ends with a receive of no bytes into slices that have space for one. A connection
    /// of sequenced packets ends with a receive of no bytes and no control messages. An empty
    /// record looks the same, unless [`set_pass_credentials`](Socket::set_pass_credentials) is on:
    /// then every record carries credentials, and the end does not. If empty records can arrive,
    /// turn the option on before the first receive. A datagram socket does not notice that its peer
    /// has closed, so for a datagram the answer is always `false`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixSeqpacket;
    /// use sunpath::ancillary::{ControlBuffer, Credentials};
    /// use sunpath::fd::IoSliceMut;
    ///
    /// let (ours, theirs) = UnixSeqpacket::pair()?;
    /// # if theirs.set_pass_credentials(true).is_err() { return Ok(()) }
    /// theirs.set_pass_credentials(true)?;
    /// ours.send(b"")?;
    /// drop(ours);
    ///
    /// let mut control = ControlBuffer::<Credentials>::new();
    /// let mut buf = [0; 64];
    /// for is_end in [false, true] {
    ///     let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    ///     assert_eq!((message.len(), message.is_end()), (0, is_end));
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recv(2), "RETURN VALUE"; unix(7), "SO_PASSCRED".
    #[must_use]
    pub const fn is_end(&self) -> bool {
        self.control.at_end
    }

    /// Returns how much of the message was received.
    pub const fn received(&self) -> Received {
        self.received
    }

    /// Returns how many bytes were received.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "empty messages are messages")]
    pub const fn len(&self) -> usize {
        self.received.len()
    }

    /// Returns `msg_flags` as the kernel wrote them, except that `MSG_CTRUNC` is removed at the end
    /// of a stream, where nothing was lost.
    #[must_use]
    #[doc(alias = "msg_flags")]
    pub const fn flags(&self) -> MsgFlags {
        self.received.flags()
    }

    /// Returns the address of the sender of a datagram. The address is unnamed unless the sender
    /// bound its socket.
    ///
    /// The result is `None` for a connection, where [`peer_addr`](Socket::peer_addr) returns the
    /// address, and in a batch that does not expect the [`Sender`](crate::ancillary::Sender).
    #[must_use]
    pub const fn sender(&self) -> Option<&UnixAddr> {
        self.from.as_ref()
    }

    /// Returns whether the message was longer than the slices. The part that did not fit is lost.
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub const fn is_truncated(&self) -> bool {
        self.received.is_truncated()
    }

    /// Returns whether control messages were lost. Control messages are truncated if the control
    /// buffer is too small, if `RLIMIT_NOFILE` or a security module forbids a descriptor, or if
    /// more descriptors arrived than were expected.
    #[must_use]
    #[doc(alias = "MSG_CTRUNC")]
    pub const fn is_control_truncated(&self) -> bool {
        self.control.truncated
    }

    /// Opens the ancillary data, if all of it arrived.
    ///
    /// # Errors
    ///
    /// On failure every descriptor that arrived is closed.
    ///
    /// - `EMSGSIZE`: the ancillary data was truncated; the error has the number of descriptors that
    ///   were closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{Errno, UnixStream, ancillary::{ControlBuffer, Rights}, fd::{AsFd, IoSliceMut}};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.send_fds(b"two", &[ours.as_fd(), ours.as_fd()])?;
    /// let (mut buf, mut control) = ([0; 16], ControlBuffer::<Rights<1>>::new()); // space for one
    /// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    /// assert_eq!(message.into_control().unwrap_err().errno(), Errno::EMSGSIZE); // both are closed
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recvmsg(2), "MSG_CTRUNC".
    #[inline]
    pub fn into_control(self) -> Result<Ancillary<C>, Error> {
        self.into_whole(Error::control_truncated)
    }

    /// Opens the ancillary data, if all of it arrived, where at most `expected` descriptors are
    /// expected. The error has both counts.
    pub(super) fn into_control_of(self, expected: usize) -> Result<Ancillary<C>, Error> {
        self.into_whole(|received| Error::descriptors_truncated(received, expected))
    }

    /// Opens the ancillary data, if all of it arrived. Otherwise the error is made from the number of
    /// descriptors that arrived.
    #[inline]
    fn into_whole(self, error: impl FnOnce(usize) -> Error) -> Result<Ancillary<C>, Error> {
        let control = self.control;
        match control.truncated {
            true => Err(error(control.closed + control.control.left())),
            false => Ok(control),
        }
    }

    /// Opens as much of the ancillary data as arrived.
    #[must_use]
    #[inline]
    pub fn into_partial_control(self) -> Ancillary<C> {
        self.control
    }
}

impl<C: ControlStorage> fmt::Debug for Message<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("received", &self.received)
            .field("from", &self.from)
            .field("control", &self.control)
            .finish()
    }
}

/// Methods that receive with ancillary data.
impl<T: Kind> Socket<T> {
    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives into several slices, and control messages into
    /// `control`, which is a [`ControlBuffer`](crate::ancillary::ControlBuffer), a mutable
    /// reference to one, or `&mut []` for none. [`Message::is_end`] detects the end of the
    /// connection.
    ///
    /// The [`Message`] owns the descriptors that arrive. A stream delivers descriptors with the
    /// first byte of their message. The call that receives this byte may also return bytes that
    /// were sent earlier.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for `recv` and `read`.
    ///
    /// # Examples
    ///
    /// The following code receives a descriptor and the credentials of its sender:
    ///
    /// ```
    /// use sunpath::UnixStream;
    /// use sunpath::ancillary::{Control, ControlBuffer, Credentials, Rights};
    /// use sunpath::fd::{IoSlice, IoSliceMut};
    /// # use sunpath::fd::AsFd;
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # if theirs.set_pass_credentials(true).is_err() { return Ok(()) }
    /// theirs.set_pass_credentials(true)?;
    /// ours.sendmsg(
    ///     &[IoSlice::new(b"take it")],
    ///     &[Control::Rights(&[ours.as_fd()])],
    /// )?;
    ///
    /// let mut buf = [0; 64];
    /// let mut control = ControlBuffer::<(Rights<1>, Credentials)>::new();
    /// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    /// assert_eq!(message.len(), 7);
    /// let mut control = message.into_control()?;
    /// assert_eq!(control.credentials(), Some(Credentials::own()));
    /// let fd = control.rights().next().expect("one descriptor");
    /// # drop(fd);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recvmsg(2), unix(7).
    #[doc(alias = "MSG_CMSG_CLOEXEC")]
    #[inline]
    pub fn recvmsg<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
    ) -> Result<Message<C>, Error> {
        self.recvmsg_with(bufs, control, MsgFlags::empty())
    }

    /// `recvmsg(fd, msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)` — receives as [`recvmsg`](Self::recvmsg)
    /// does, but fails with `EAGAIN` if it would have to wait. The socket stays blocking for every
    /// process that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: nothing has come.
    /// - `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for `recv` and `read`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, ancillary::{ControlBuffer, Rights}, fd::IoSliceMut};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.send_fds(b"two", &[&ours, &theirs])?;
    /// let mut buf = [0; 64];
    /// let control = ControlBuffer::<Rights<4>>::new();
    /// let message = theirs.try_recvmsg(&mut [IoSliceMut::new(&mut buf)], control)?;
    /// assert_eq!(message.into_control()?.into_rights().count(), 2);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See recvmsg(2).
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn try_recvmsg<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
    ) -> Result<Message<C>, Error> {
        self.recvmsg_with(bufs, control, MsgFlags::DONTWAIT)
    }

    /// `recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC)` — receives as [`recvmsg`](Self::recvmsg) does,
    /// with flags, which make it peek, wait until the slices are full, or receive the byte out of
    /// band. [`MsgFlags`] has an example.
    ///
    /// Each [`PEEK`](MsgFlags::PEEK) at a message with descriptors makes new descriptors, which the
    /// returned message owns.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for `recv` and `read`.
    /// - `EINVAL`, `EOPNOTSUPP`: a flag that this kind of socket or this system does not have.
    ///
    /// See recvmsg(2).
    #[doc(alias = "recvmsg")]
    #[doc(alias = "MSG_PEEK")]
    #[doc(alias = "MSG_WAITALL")]
    #[inline]
    pub fn recvmsg_with<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
        flags: MsgFlags,
    ) -> Result<Message<C>, Error> {
        let mut from = (T::TYPE == sys::SOCK_DGRAM).then(UnixAddr::unnamed);
        let (fd, flags) = (self.as_fd(), flags.bits() | true_length::<T>());
        let (length, control, closed) =
            syscall::recvmsg_control(fd, bufs, from.as_mut(), control.offer(), flags)?;
        let size = syscall::size_of_bufs(bufs);
        Ok(Message::new(T::TYPE, length, from, control, closed, size))
    }
}

/// Returns whether a receive of no bytes is the end of the connection, as [`Message::is_end`]
/// documents.
#[cold]
fn is_end(kind: c_int, flags: c_int, size: usize, without_control: bool) -> bool {
    match kind {
        sys::SOCK_STREAM => size > 0,
        sys::SOCK_SEQPACKET => flags & (sys::MSG_TRUNC | sys::MSG_CTRUNC) == 0 && without_control,
        _ => false,
    }
}

/// Returns the flag with which a receive reports the true length of a message. A stream has no
/// messages, so for it there is none.
#[inline]
pub(crate) fn true_length<T: Kind>() -> c_int {
    match T::TYPE {
        sys::SOCK_STREAM => 0,
        _ => TRUE_LENGTH,
    }
}
