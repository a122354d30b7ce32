//! Passes one descriptor, several descriptors, or credentials with one call.

use core::ffi::c_int;
use core::iter;

use sunpath_sys as sys;

use super::buffer::{ControlBuffer, ControlStorage};
use super::fds::Fds;
use super::layout::{Control, write_rights};
use super::receive::{Message, true_length};
use super::send::{send_laid_out, send_rest};
use crate::control::{Credentials, INT, Writer};
use crate::error::{Call, Cause, Errno, Error, MAX_DESCRIPTORS};
use crate::expected::{Expected, Pidfd, QueueLength, Rights, Security, Space};
use crate::fd::{AsFd, AsRawFd, IoSlice, IoSliceMut, OwnedFd};
use crate::socket::{Kind, Received, Socket, Stream};
use crate::syscall::{self, Exactly};

/// Control messages that may arrive unasked, because the process that passed the socket to this one
/// had set options on it. The space for a label also serves for a time stamp.
type Along = (Credentials, Security<96>, Pidfd, QueueLength);

/// Methods that pass descriptors and credentials.
impl<T: Kind> Socket<T> {
    /// `sendmsg` with `SCM_RIGHTS` — sends one descriptor, together with one byte of value 0,
    /// because a stream cannot send a descriptor alone.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the descriptor cannot be passed (io_uring).
    /// - `EPERM`: the receiver takes no descriptors ([`set_pass_rights`](Self::set_pass_rights)).
    /// - `ETOOMANYREFS`: the user has more descriptors in flight than `RLIMIT_NOFILE`.
    /// - `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`, `ECONNREFUSED`: as for
    ///   [`sendmsg`](Self::sendmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let (kept, given) = UnixStream::pair()?;
    /// ours.send_fd(&given)?;
    ///
    /// let received = UnixStream::try_from(theirs.recv_fd()?)?;
    /// received.write(b"hello")?;
    /// assert_eq!(kept.read(&mut [0; 8])?, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn send_fd(&self, fd: impl AsFd) -> Result<(), Error> {
        let mut buf = Space::<Rights<1>>::uninit();
        let buf = syscall::zeroed(&mut buf, Rights::<1>::SPACE);
        let given = fd.as_fd();
        let data = Writer::new(buf).push(sys::SCM_RIGHTS, 1)?;
        syscall::put_ints(data, iter::once(given.as_raw_fd()));
        syscall::sendmsg(self.as_fd(), &[IoSlice::new(&[0])], None, buf, 0).map(drop)
    }

    /// `recvmsg` with `SCM_RIGHTS` — receives one descriptor, which is close-on-exec, and the one
    /// byte that was sent with it.
    ///
    /// The sender must send one byte, as [`send_fd`](Self::send_fd) does. Some senders send more
    /// than one byte: four bytes, or a name. On a stream the bytes after the first stay in the
    /// queue, and the next receive returns them as if they were the next data.
    /// [`recv_fds`](Self::recv_fds) and [`recv_fds_up_to`](Self::recv_fds_up_to) take the message
    /// of such a sender, and [`recv_exact_fds`](crate::UnixStream::recv_exact_fds) takes a known
    /// number of bytes.
    ///
    /// # Errors
    ///
    /// On failure the byte is lost, and all descriptors that arrived are closed.
    ///
    /// - `ENOMSG`: no descriptor arrived with the byte; or a sequenced-packet connection ended,
    ///   which cannot be distinguished from an empty record.
    /// - `EMSGSIZE`: more than one descriptor arrived, this process had no free descriptor
    ///   (`RLIMIT_NOFILE`), or the message has more than one byte.
    /// - `EPIPE`: the stream has ended, which an `io::Error` reports as `UnexpectedEof`.
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`recvmsg`](Self::recvmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # let (kept, given) = UnixStream::pair()?;
    /// ours.send_fd(&given)?;
    /// let fd = theirs.recv_fd()?; // owned, and closed on drop
    /// let stream = UnixStream::try_from(fd)?;
    /// # drop((kept, stream));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn recv_fd(&self) -> Result<OwnedFd, Error> {
        let (received, [fd]) = self.recv_fds(&mut [0])?;
        if T::TYPE != sys::SOCK_STREAM && received.is_truncated() {
            let cause = Cause::LongMessage;
            return Err(Error::with_cause(Call::Recvmsg, Errno::EMSGSIZE, cause));
        }
        Ok(fd)
    }

    /// `sendmsg` with `SCM_RIGHTS` — sends all of the bytes, and the descriptors with the first
    /// byte. The descriptors are a slice of `OwnedFd`, `BorrowedFd`, `File` or any other type that
    /// has a descriptor, or of references to these.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: there are more than 253 descriptors, and the error has their count; or
    ///   descriptors are sent without a byte on a stream; or a descriptor cannot be passed.
    /// - `EPERM`, `ETOOMANYREFS`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`,
    ///   `ENOMEM`, `ECONNREFUSED`: as for [`send_all`](Self::send_all).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, fd::AsFd};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let (a, b) = UnixStream::pair()?;
    /// ours.send_fds(b"two ends", &[a.as_fd(), b.as_fd()])?;
    /// # theirs.recv_fds::<2>(&mut [0; 16])?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    pub fn send_fds<F: AsFd>(&self, bytes: &[u8], fds: &[F]) -> Result<(), Error> {
        if fds.len() > MAX_DESCRIPTORS {
            return Err(Error::too_many_descriptors(Call::Sendmsg, fds.len()));
        }
        let space = match fds.len() {
            0 => 0,
            count => sys::CMSG_SPACE(count * INT),
        };
        let write = |buf: &mut [u8]| write_rights(&mut Writer::new(buf), fds);
        let (fd, bufs) = (self.as_fd(), [IoSlice::new(bytes)]);
        let sent = send_laid_out::<T>(fd, &bufs, None, 0, space, write)?;
        send_rest(fd, bytes, sent)
    }

    /// `recvmsg` with `SCM_RIGHTS` — receives bytes and exactly `N` descriptors, which are
    /// close-on-exec.
    ///
    /// # Errors
    ///
    /// On failure the bytes are in `buf`, and everything else that arrived is closed. Call
    /// [`recvmsg`](Self::recvmsg) instead to know how many bytes there were, or to take any number
    /// of descriptors.
    ///
    /// - `ENOMSG`: fewer descriptors arrived, and the error has both counts; or a sequenced-packet
    ///   connection ended, which cannot be distinguished from an empty record.
    /// - `EMSGSIZE`: more descriptors arrived, or this process had too few free descriptors
    ///   (`RLIMIT_NOFILE`), and the error has both counts.
    /// - `EPIPE`: the stream has ended, which an `io::Error` reports as `UnexpectedEof`.
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`recvmsg`](Self::recvmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, fd::AsFd};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # let (read, write) = UnixStream::pair()?;
    /// ours.send_fds(b"a pipe", &[read.as_fd(), write.as_fd()])?;
    ///
    /// let mut buf = [0; 64];
    /// let (received, [read, write]) = theirs.recv_fds(&mut buf)?;
    /// assert_eq!(&buf[..received.len()], b"a pipe");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    #[inline]
    pub fn recv_fds<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, [OwnedFd; N]), Error> {
        let mut control = ControlBuffer::<(Rights<N>, Along)>::new();
        let (fd, flags) = (self.as_fd(), true_length::<T>());
        let (length, came) = syscall::recvmsg_exactly(fd, buf, (&mut control).offer(), flags)?;
        match came {
            Exactly::Fds(fds) => Ok((Received::new(length, buf.len()), fds)),
            Exactly::Other(control, closed) => {
                let message: Message<&mut [u8]> =
                    Message::new(T::TYPE, length, None, control, closed, buf.len());
                let received = message.received();
                Ok((received, exactly(message, T::TYPE)?))
            }
        }
    }

    /// `recvmsg` with `SCM_RIGHTS` — receives bytes and at most `N` descriptors, which are
    /// close-on-exec. If neither bytes nor descriptors come, the connection has ended, or the
    /// message is empty.
    ///
    /// A stream delivers the descriptors with the first byte that they were sent with. A receive
    /// that takes only bytes that were sent without descriptors returns none.
    ///
    /// # Errors
    ///
    /// On failure the bytes are in `buf`, and every descriptor that came is closed.
    ///
    /// - `EMSGSIZE`: more than `N` descriptors came, or this process had too few free descriptors
    ///   (`RLIMIT_NOFILE`), and the error has both counts.
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`recvmsg`](Self::recvmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.send_fds(b"two", &[&ours, &theirs])?;
    ///
    /// let mut buf = [0; 64];
    /// let (received, fds) = theirs.recv_fds_up_to::<4>(&mut buf)?;
    /// assert_eq!((received.len(), fds.len()), (3, 2));
    /// for fd in fds {
    ///     let socket = UnixStream::try_from(fd)?;
    /// #   drop(socket);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    pub fn recv_fds_up_to<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, Fds<N>), Error> {
        let mut control = ControlBuffer::<(Rights<N>, Along)>::new();
        let message = self.recvmsg(&mut [IoSliceMut::new(buf)], &mut control)?;
        let received = message.received();
        Ok((received, message.into_control_of(N)?.take_rights()))
    }

    /// `sendmsg` with `SCM_CREDENTIALS` — sends all of the bytes, and credentials with the first
    /// byte: [`Credentials::own`], or the credentials of another process if this process is
    /// privileged.
    ///
    /// A receiver that asked for credentials gets the sender's even if the sender does not call
    /// this method.
    ///
    /// # Errors
    ///
    /// - `EPERM`: the credentials are those of another process or user, and this process is not
    ///   privileged.
    /// - `ESRCH`: the credentials name a process that does not exist.
    /// - `EOPNOTSUPP`: the system cannot send credentials.
    /// - `EINVAL`: there is no byte to send, on a stream; or the user or the group is -1.
    /// - `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `ENOMEM`, `ECONNREFUSED`: as
    ///   for [`send_all`](Self::send_all).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixStream;
    /// use sunpath::ancillary::Credentials;
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.send_with_credentials(b"hello", Credentials::own())?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_CREDENTIALS".
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn send_with_credentials(
        &self,
        bytes: &[u8],
        credentials: Credentials,
    ) -> Result<(), Error> {
        self.send_all(bytes, &[Control::Credentials(credentials)])
    }

    /// `recvmsg` with `SCM_CREDENTIALS` — receives bytes and the credentials of their sender. The
    /// credentials arrive if [`set_pass_credentials`](Self::set_pass_credentials) was called before
    /// the bytes were sent. If it was called later, Linux reports the process 0, that is a
    /// [`pid`](Credentials::pid) of `None`, and the user 65534, whoever the sender is.
    ///
    /// Descriptors that arrive without being asked for are closed, which
    /// [`Received::is_control_truncated`] reports.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`recvmsg`](Self::recvmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixDatagram;
    /// # use sunpath::ancillary::Credentials;
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// # if theirs.set_pass_credentials(true).is_err() { return Ok(()) }
    /// theirs.set_pass_credentials(true)?;
    /// ours.send(b"hello")?;
    ///
    /// let mut buf = [0; 64];
    /// let (received, sender) = theirs.recv_with_credentials(&mut buf)?;
    /// assert_eq!(sender, Some(Credentials::own()));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_CREDENTIALS".
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn recv_with_credentials(
        &self,
        buf: &mut [u8],
    ) -> Result<(Received, Option<Credentials>), Error> {
        let mut control = ControlBuffer::<Along>::new();
        let message = self.recvmsg(&mut [IoSliceMut::new(buf)], &mut control)?;
        let received = message.received();
        Ok((received, message.into_partial_control().credentials()))
    }
}

/// Methods that pass descriptors over a stream.
impl Socket<Stream> {
    /// `recvmsg` with `SCM_RIGHTS`, as often as it takes — receives exactly as many bytes as `buf`
    /// has, and exactly `N` descriptors, which may come with any of the bytes.
    ///
    /// # Errors
    ///
    /// On failure, some of the bytes may have been received. Every descriptor that came is closed.
    ///
    /// - `ENOMSG`: fewer descriptors came with the bytes, and the error has both counts.
    /// - `EMSGSIZE`: more descriptors came, or this process had too few free descriptors
    ///   (`RLIMIT_NOFILE`), and the error has both counts.
    /// - `EPIPE`: the stream ended too early, which an `io::Error` reports as `UnexpectedEof`.
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for [`recvmsg`](Self::recvmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.write(b"he")?;
    /// ours.send_fds(b"ad", &[&ours])?;
    ///
    /// let mut head = [0; 4];
    /// let [fd] = theirs.recv_exact_fds(&mut head)?;
    /// assert_eq!(&head, b"head");
    /// # drop(fd);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "SCM_RIGHTS".
    #[doc(alias = "SCM_RIGHTS")]
    pub fn recv_exact_fds<const N: usize>(&self, buf: &mut [u8]) -> Result<[OwnedFd; N], Error> {
        let (mut fds, mut rest) = (Fds::new(), buf);
        while !rest.is_empty() {
            let (received, came) = self.recv_fds_up_to::<N>(rest)?;
            if received.len() == 0 {
                let cause = Cause::StreamEnded;
                return Err(Error::with_cause(Call::Recvmsg, Errno::EPIPE, cause));
            }
            let count = fds.len() + came.len();
            for fd in came {
                if fds.push(fd).is_err() {
                    return Err(Error::descriptors_truncated(count, N));
                }
            }
            rest = rest.get_mut(received.len()..).unwrap_or_default();
        }
        fds.into_array()
            .map_err(|fds| Error::too_few_descriptors(fds.len(), N))
    }
}

/// Returns the descriptors of a message if there are exactly `N`. Other control messages are
/// ignored.
#[cold]
#[inline(never)]
fn exactly<const N: usize>(
    message: Message<&mut [u8]>,
    kind: c_int,
) -> Result<[OwnedFd; N], Error> {
    // Only a stream can end here, because an empty record of a sequenced-packet socket looks like
    // the end.
    let at_end = kind == sys::SOCK_STREAM && message.is_end();
    let mut control = message.into_control_of(N)?;
    let fds = control.take_rights::<N>();
    fds.into_array().map_err(|fds| match at_end {
        true => Error::end_of_file(),
        false => Error::too_few_descriptors(fds.len(), N),
    })
}
