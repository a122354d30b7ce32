//! Receiving control messages.

use core::ffi::c_int;
use core::fmt;
use core::iter::FusedIterator;

use sunpath_sys as sys;

use super::buffer::ControlStorage;
use crate::addr::UnixAddr;
use crate::control::{
    ControlMessage, ControlMessages, Credentials, SCM_CREDENTIALS, SCM_INQ, SCM_SECURITY,
};
use crate::error::{Call, Error};
use crate::fd::{AsFd, IoSliceMut, OwnedFd};
use crate::socket::Received;
use crate::socket::{Kind, Socket};
use crate::syscall::{self, Length, OwnedControl, TRUE_LENGTH};

/// A received message whose ancillary data has not been opened yet.
///
/// [`into_control`](Self::into_control) opens it only if all of it arrived, and
/// [`into_partial_control`](Self::into_partial_control) as it arrived. Dropping it closes every
/// descriptor that arrived with it.
///
/// `C` is the storage that was passed for the control messages: a
/// [`ControlBuffer`](crate::ancillary::ControlBuffer), which the message then owns, or a reference
/// to one or to bytes, which it borrows. A function that takes any message takes `Message<impl
/// ControlStorage>`.
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
        // What Linux adds at the end of a stream belongs to no process, and nothing is lost if it
        // does not fit.
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

    /// Whether this is the end of the connection, and not a message.
    ///
    /// A stream ends with a receive of no bytes into slices that have space for one. A connection
    /// of sequenced packets ends with a receive of no bytes and no control messages. An empty
    /// record looks like that too, unless [`set_pass_credentials`](Socket::set_pass_credentials) is
    /// on: then every record carries credentials, and the end does not. Turn it on before the first
    /// receive if empty records can arrive. A datagram socket does not see that its peer has
    /// closed, and this is false.
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

    /// Returns the address of the sender of a datagram. It is unnamed unless the sender bound its
    /// socket.
    ///
    /// It is `None` for a connection, where [`peer_addr`](Socket::peer_addr) returns it, and in a
    /// batch that does not expect the [`Sender`](crate::ancillary::Sender).
    #[must_use]
    pub const fn sender(&self) -> Option<&UnixAddr> {
        self.from.as_ref()
    }

    /// Whether a message was longer than the slices; what did not fit is lost.
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub const fn is_truncated(&self) -> bool {
        self.received.is_truncated()
    }

    /// Whether control messages were lost: because the control buffer is too small, because of
    /// `RLIMIT_NOFILE` or a security module, or because more descriptors arrived than were
    /// expected.
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
    /// - `EMSGSIZE`: it was truncated; the error has the number of descriptors that were closed.
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
    pub fn into_control(self) -> Result<Ancillary<C>, Error> {
        let control = self.control;
        if control.truncated {
            return Err(Error::control_truncated(
                control.closed + control.control.left(),
            ));
        }
        Ok(control)
    }

    /// Opens the ancillary data, as much of it as arrived.
    #[must_use]
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

/// Received ancillary data. It owns the descriptors in it, and closes on drop those that nobody
/// took.
pub struct Ancillary<C: ControlStorage> {
    control: OwnedControl<C::Bytes>,
    closed: usize,
    truncated: bool,
    /// The connection has ended. What the kernel adds at the end of a stream belongs to no process.
    at_end: bool,
}

impl<C: ControlStorage> Ancillary<C> {
    /// `SCM_RIGHTS` — takes the descriptors, one after the other as they were sent. All of them are
    /// close-on-exec. Those that are not taken stay in this value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, ancillary::{ControlBuffer, Rights}, fd::{AsFd, IoSliceMut}};
    /// # let (ours, theirs) = UnixStream::pair()?;
    /// # ours.send_fds(b"two", &[ours.as_fd(), ours.as_fd()])?;
    /// let (mut buf, mut control) = ([0; 16], ControlBuffer::<Rights<8>>::new());
    /// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    /// for fd in message.into_control()?.rights() {
    ///     println!("received {fd:?}");
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn rights(&mut self) -> Descriptors<'_, C> {
        Descriptors {
            control: &mut self.control,
        }
    }

    /// `SCM_RIGHTS` — turns the ancillary data into an iterator that owns the descriptors, as
    /// [`rights`](Self::rights) takes them. It can leave the function that received the message.
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn into_rights(self) -> IntoDescriptors<C> {
        IntoDescriptors {
            control: self.control,
        }
    }

    /// `SCM_CREDENTIALS` — returns the credentials of the sender, which the kernel has checked.
    /// They are `None` if [`pass_credentials`](Socket::pass_credentials) is off or the buffer is
    /// too small for them, and at the end of a stream, where Linux adds some that read as root's.
    #[must_use]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn credentials(&self) -> Option<Credentials> {
        if self.at_end {
            return None;
        }
        Credentials::from_data(self.data(SCM_CREDENTIALS)?)
    }

    /// `SCM_PIDFD` — takes the pidfd of the process that sent. It is `None` if
    /// [`pass_pidfd`](Socket::pass_pidfd) is off, or if it was taken.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`: there was no descriptor for it. The kernel put this errno in its
    ///   place.
    /// - `ESRCH`, `EINVAL`: the process has ended. The kernel put this errno in its place.
    ///
    /// See unix(7).
    #[doc(alias = "SCM_PIDFD")]
    pub fn pidfd(&mut self) -> Result<Option<OwnedFd>, Error> {
        let pidfd = self.control.pidfd().transpose();
        pidfd.map_err(|errno| Error::new(Call::Recvmsg, errno))
    }

    /// `SCM_SECURITY` — returns the sender's security label, without a NUL at its end.
    #[must_use]
    #[doc(alias = "SCM_SECURITY")]
    pub fn security(&self) -> Option<&[u8]> {
        match self.data(SCM_SECURITY)? {
            [label @ .., 0] => Some(label),
            label => Some(label),
        }
    }

    /// `SCM_INQ` — returns how many bytes are left in the queue of a stream.
    #[must_use]
    #[doc(alias = "SCM_INQ")]
    pub fn queue_length(&self) -> Option<usize> {
        let bytes = self.data(SCM_INQ)?.first_chunk()?;
        usize::try_from(c_int::from_ne_bytes(*bytes)).ok()
    }

    /// Returns all control messages in the buffer, also those of unknown levels and types. The
    /// numbers of descriptors can be seen in them, also of those that were taken or closed.
    #[must_use]
    pub fn messages(&self) -> ControlMessages<'_> {
        self.control.messages()
    }

    /// Whether control messages were lost: because the control buffer is too small, because of
    /// `RLIMIT_NOFILE` or a security module, or because more descriptors arrived than were
    /// expected.
    #[must_use]
    #[doc(alias = "MSG_CTRUNC")]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns how many descriptors arrived beyond those that were expected, and were closed.
    /// Nothing counts those that the kernel itself dropped.
    #[must_use]
    pub const fn closed(&self) -> usize {
        self.closed
    }

    /// Returns the data of the first message of a type at level `SOL_SOCKET`.
    fn data(&self, kind: c_int) -> Option<&[u8]> {
        let of_kind = |message: &ControlMessage<'_>| {
            message.level() == sys::SOL_SOCKET && message.cmsg_type() == kind
        };
        self.messages().find(of_kind).map(|message| message.data())
    }
}

impl<C: ControlStorage> fmt::Debug for Ancillary<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ancillary")
            .field("messages", &self.messages().count())
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}

/// The descriptors of [`Ancillary::rights`], each owned as it is taken.
#[derive(Debug)]
pub struct Descriptors<'a, C: ControlStorage> {
    control: &'a mut OwnedControl<C::Bytes>,
}

/// The descriptors of [`Ancillary::into_rights`]. Dropping it closes those that are left.
#[derive(Debug)]
#[must_use = "dropping it closes the descriptors that arrived"]
pub struct IntoDescriptors<C: ControlStorage> {
    control: OwnedControl<C::Bytes>,
}

/// Takes descriptors out of control data.
macro_rules! descriptors {
    ($name:ident<$($lifetime:lifetime,)? C>) => {
        impl<C: ControlStorage> Iterator for $name<$($lifetime,)? C> {
            type Item = OwnedFd;

            #[inline]
            fn next(&mut self) -> Option<OwnedFd> {
                self.control.take()
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.control.rights_left(), Some(self.control.rights_left()))
            }
        }

        impl<C: ControlStorage> ExactSizeIterator for $name<$($lifetime,)? C> {}
        impl<C: ControlStorage> FusedIterator for $name<$($lifetime,)? C> {}
    };
}

descriptors!(Descriptors<'_, C>);
descriptors!(IntoDescriptors<C>);

/// Receiving with ancillary data.
impl<T: Kind> Socket<T> {
    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives into several slices, and control messages into
    /// `control`, which is a [`ControlBuffer`](crate::ancillary::ControlBuffer) or `&mut` one, or
    /// `&mut []` for none. [`Message::is_end`] tells the end of the connection.
    ///
    /// Descriptors that arrive are owned by the [`Message`] from here on. A stream delivers them
    /// with the first byte that they were sent with, and with the bytes that were sent before.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for `recv` and `read`.
    ///
    /// # Examples
    ///
    /// A descriptor, and the credentials of its sender:
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
    pub fn recvmsg<C: ControlStorage>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        control: C,
    ) -> Result<Message<C>, Error> {
        let mut from = (T::TYPE == sys::SOCK_DGRAM).then(UnixAddr::unnamed);
        let (fd, flags) = (self.as_fd(), flags::<T>());
        let (length, control, closed) =
            syscall::recvmsg_control(fd, bufs, from.as_mut(), control.offer(), flags)?;
        let size = syscall::size_of_bufs(bufs);
        Ok(Message::new(T::TYPE, length, from, control, closed, size))
    }
}

/// Whether a receive of no bytes is the end of the connection, as [`Message::is_end`] documents it.
#[cold]
fn is_end(kind: c_int, flags: c_int, size: usize, without_control: bool) -> bool {
    match kind {
        sys::SOCK_STREAM => size > 0,
        sys::SOCK_SEQPACKET => flags & (sys::MSG_TRUNC | sys::MSG_CTRUNC) == 0 && without_control,
        _ => false,
    }
}

/// A message has a true length; a stream has none.
#[inline]
pub(crate) fn flags<T: Kind>() -> c_int {
    match T::TYPE {
        sys::SOCK_STREAM => 0,
        _ => TRUE_LENGTH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{INT, Writer};
    use crate::syscall::without_descriptors;

    fn ancillary(bytes: &mut [u8]) -> Ancillary<&mut [u8]> {
        Ancillary {
            control: without_descriptors(bytes),
            closed: 0,
            truncated: false,
            at_end: false,
        }
    }

    /// No security module labels sockets here, so that the test writes what the kernel would.
    #[test]
    fn ancillary_label_is_given_without_its_nul() {
        for (data, label) in [
            (*b"unconfined_u", &b"unconfined_u"[..]),
            (*b"unconfined\0\0", b"unconfined\0"),
        ] {
            let mut buf = [0; sys::CMSG_SPACE(12)];
            let places = Writer::new(&mut buf).push(SCM_SECURITY, 3);
            for (place, bytes) in places.zip(data.chunks_exact(INT)) {
                place.copy_from_slice(bytes);
            }
            assert_eq!(ancillary(&mut buf).security(), Some(label));
        }
        assert_eq!(ancillary(&mut [0; 64]).security(), None);
    }

    #[test]
    fn ancillary_credentials_that_were_cut_are_none() {
        for ints in 0..=3 {
            let mut buf = [0; sys::CMSG_SPACE(12)];
            for place in Writer::new(&mut buf).push(SCM_CREDENTIALS, ints) {
                place.copy_from_slice(&7_i32.to_ne_bytes());
            }
            let whole = (ints == 3).then_some(Credentials::new(7, 7, 7));
            assert_eq!(
                ancillary(&mut buf).credentials(),
                whole,
                "{ints} of 3 fields"
            );
        }
    }
}
