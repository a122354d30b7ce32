//! The contents of a received message in addition to its bytes: descriptors, credentials, labels
//! and time stamps.

use core::ffi::c_int;
use core::fmt;
use core::iter::FusedIterator;
use core::time::Duration;

use sunpath_sys as sys;

use super::buffer::ControlStorage;
use super::fds::Fds;
use crate::control::{
    ControlMessage, ControlMessages, Credentials, SCM_CREDENTIALS, SCM_INQ, SCM_SECURITY, SCM_TIME,
};
use crate::error::{Call, Error};
use crate::fd::OwnedFd;
use crate::syscall::OwnedControl;

/// Received ancillary data. An `Ancillary` owns the descriptors of the message, and on drop closes
/// the descriptors that nobody took.
pub struct Ancillary<C: ControlStorage> {
    pub(super) control: OwnedControl<C::Bytes>,
    pub(super) closed: usize,
    pub(super) truncated: bool,
    /// `true` if the connection has ended. The kernel adds credentials at the end of a stream that
    /// belong to no process, and they are not returned.
    pub(super) at_end: bool,
}

impl<C: ControlStorage> Ancillary<C> {
    /// `SCM_RIGHTS` — takes the descriptors, one after the other as they were sent. All of them are
    /// close-on-exec. Descriptors that are not taken stay in this value.
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

    /// `SCM_RIGHTS` — turns the ancillary data into an iterator that owns the descriptors, in the
    /// order of [`rights`](Self::rights). The iterator can leave the function that received the
    /// message.
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn into_rights(self) -> IntoDescriptors<C> {
        IntoDescriptors {
            control: self.control,
        }
    }

    /// `SCM_RIGHTS` — takes at most `N` descriptors into a collection, which closes consecutive
    /// descriptors by one call when it is dropped. Descriptors over `N` stay in this value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, ancillary::{ControlBuffer, Rights}, fd::IoSliceMut};
    /// # let (ours, theirs) = UnixStream::pair()?;
    /// # ours.send_fds(b"two", &[&ours, &theirs])?;
    /// let (mut buf, mut control) = ([0; 16], ControlBuffer::<Rights<8>>::new());
    /// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    /// let fds = message.into_control()?.take_rights::<8>();
    /// assert_eq!(fds.as_slice().len(), 2);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS"; close_range(2).
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn take_rights<const N: usize>(&mut self) -> Fds<N> {
        Fds {
            array: self.control.take_array(),
        }
    }

    /// `SCM_CREDENTIALS` — returns the credentials of the sender, which the kernel has checked.
    /// Returns `None` if [`pass_credentials`](crate::Socket::pass_credentials) is off, or if the
    /// buffer is too small for them. The method also returns `None` at the end of a stream, because
    /// the credentials that Linux adds there look like those of root.
    #[must_use]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn credentials(&self) -> Option<Credentials> {
        if self.at_end {
            return None;
        }
        Credentials::from_data(self.data(SCM_CREDENTIALS)?)
    }

    /// `SCM_PIDFD` — takes the pidfd of the process that sent the message. Returns `None` if
    /// [`pass_pidfd`](crate::Socket::pass_pidfd) is off, or if the pidfd was already taken.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`: no descriptor was free for the pidfd. The kernel sent this errno in
    ///   its place.
    /// - `ESRCH`, `EINVAL`: the process has ended. The kernel sent this errno in place of the
    ///   pidfd.
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

    /// `SCM_TIMESTAMPNS`, or `SCM_TIMESTAMP` — returns the time at which the message was sent,
    /// since 1970 by the clock of the system. Returns `None` if
    /// [`pass_timestamps`](crate::Socket::pass_timestamps) is off, the buffer is too small for a
    /// time stamp, or the system has no time stamps. A stream has no time stamps.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixDatagram;
    /// use sunpath::ancillary::{ControlBuffer, Timestamp};
    /// use sunpath::fd::IoSliceMut;
    ///
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// # if theirs.set_pass_timestamps(true).is_err() { return Ok(()) }
    /// theirs.set_pass_timestamps(true)?;
    /// ours.send(b"now")?;
    /// let (mut buf, control) = ([0; 8], ControlBuffer::<Timestamp>::new());
    /// let message = theirs.recvmsg(&mut [IoSliceMut::new(&mut buf)], control)?;
    /// assert!(message.into_control()?.timestamp().is_some());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "SCM_TIMESTAMP")]
    #[doc(alias = "SCM_TIMESTAMPNS")]
    pub fn timestamp(&self) -> Option<Duration> {
        let (cmsg_type, nanoseconds) = SCM_TIME;
        time(self.data(cmsg_type)?, nanoseconds)
    }

    /// Returns all control messages in the buffer, including those of unknown levels and types. The
    /// data of a control message shows the integers of all descriptors, even if a descriptor was
    /// taken or closed.
    #[must_use]
    pub fn messages(&self) -> ControlMessages<'_> {
        self.control.messages()
    }

    /// Returns whether control messages were lost. Control messages are truncated if the control
    /// buffer is too small, if `RLIMIT_NOFILE` or a security module forbids a descriptor, or if
    /// more descriptors arrived than were expected.
    #[must_use]
    #[doc(alias = "MSG_CTRUNC")]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Returns how many descriptors arrived in addition to those that were expected, and were
    /// closed. Descriptors that the kernel itself dropped are not counted.
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

/// An iterator over the descriptors of [`Ancillary::rights`], which returns each as an owned
/// descriptor.
#[derive(Debug)]
pub struct Descriptors<'a, C: ControlStorage> {
    control: &'a mut OwnedControl<C::Bytes>,
}

/// An iterator over the descriptors of [`Ancillary::into_rights`]. Dropping it closes the
/// descriptors that are left.
#[derive(Debug)]
#[must_use = "dropping it closes the descriptors that arrived"]
pub struct IntoDescriptors<C: ControlStorage> {
    control: OwnedControl<C::Bytes>,
}

/// Implements an iterator that takes descriptors out of control data.
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

            #[inline]
            fn collect<T: FromIterator<OwnedFd>>(self) -> T {
                let control = &mut { self }.control;
                control.collect()
            }
        }

        impl<C: ControlStorage> ExactSizeIterator for $name<$($lifetime,)? C> {}
        impl<C: ControlStorage> FusedIterator for $name<$($lifetime,)? C> {}
    };
}

descriptors!(Descriptors<'_, C>);
descriptors!(IntoDescriptors<C>);

/// Reads a time from two integers of 8 or of 4 bytes. The first counts seconds, and the second
/// counts parts of a second, each of `nanoseconds` nanoseconds.
fn time(data: &[u8], nanoseconds: u32) -> Option<Duration> {
    let (seconds, parts) = match (data.first_chunk::<8>(), data.get(8..16)) {
        (Some(seconds), Some(parts)) => (
            i64::from_ne_bytes(*seconds),
            i64::from_ne_bytes(*parts.first_chunk()?),
        ),
        _ => (
            i32::from_ne_bytes(*data.first_chunk()?).into(),
            i32::from_ne_bytes(*data.get(4..)?.first_chunk()?).into(),
        ),
    };
    let parts = u64::try_from(parts).ok()?.checked_mul(nanoseconds.into())?;
    Duration::from_secs(u64::try_from(seconds).ok()?).checked_add(Duration::from_nanos(parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Writer;
    use crate::syscall::without_descriptors;

    fn ancillary(bytes: &mut [u8]) -> Ancillary<&mut [u8]> {
        Ancillary {
            control: without_descriptors(bytes),
            closed: 0,
            truncated: false,
            at_end: false,
        }
    }

    /// The test writes the bytes that the kernel would write, because no security module labels
    /// sockets here.
    #[test]
    fn ancillary_label_is_given_without_its_nul() {
        for (data, label) in [
            (*b"unconfined_u", &b"unconfined_u"[..]),
            (*b"unconfined\0\0", b"unconfined\0"),
        ] {
            let mut buf = [0; sys::CMSG_SPACE(12)];
            let place = Writer::new(&mut buf).push(SCM_SECURITY, 3).unwrap();
            place.copy_from_slice(&data);
            assert_eq!(ancillary(&mut buf).security(), Some(label));
        }
        assert_eq!(ancillary(&mut [0; 64]).security(), None);
    }

    #[test]
    fn ancillary_credentials_that_were_cut_are_none() {
        for ints in 0..=3 {
            let mut buf = [0; sys::CMSG_SPACE(12)];
            let place = Writer::new(&mut buf).push(SCM_CREDENTIALS, ints).unwrap();
            place.copy_from_slice(&7_i32.to_ne_bytes().repeat(ints));
            let whole = (ints == 3).then_some(Credentials::new(7, 7, 7));
            assert_eq!(
                ancillary(&mut buf).credentials(),
                whole,
                "{ints} of 3 fields"
            );
        }
    }

    #[test]
    fn ancillary_time_has_numbers_of_8_bytes_or_of_4() {
        let wide = [7_i64.to_ne_bytes(), 500_i64.to_ne_bytes()].concat();
        let narrow = [7_i32.to_ne_bytes(), 500_i32.to_ne_bytes()].concat();
        for data in [&wide, &narrow] {
            assert_eq!(time(data, 1), Some(Duration::new(7, 500)));
            assert_eq!(time(data, 1000), Some(Duration::new(7, 500_000)));
        }
        assert_eq!(time(&narrow[..7], 1), None);
        let before = [(-1_i64).to_ne_bytes(), 0_i64.to_ne_bytes()].concat();
        let never = [i64::MAX.to_ne_bytes(), i64::MAX.to_ne_bytes()].concat();
        assert_eq!((time(&before, 1), time(&never, 1000)), (None, None));
    }
}
