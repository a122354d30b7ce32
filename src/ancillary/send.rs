//! Sends control messages.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use sunpath_sys as sys;

use super::layout::{Control, Layout, MAX_CONTROL};
use crate::addr::UnixAddr;
use crate::control::Credentials;
use crate::error::{Call, Error};
use crate::expected::{Expected, Rights, Space};
use crate::fd::{AsFd, BorrowedFd, IoSlice};
use crate::flags::MsgFlags;
use crate::socket::{Datagram, Kind, Socket};
use crate::syscall;

/// The size of a buffer that is large enough for most messages, and that a few instructions set to
/// zero.
type Small = (Rights<2>, Credentials);

/// Methods that ask for the ids of this process.
impl Credentials {
    /// `{ getpid(), getuid(), getgid() }` — returns this process's own credentials, as the kernel
    /// would add them itself.
    ///
    /// The uid and gid are the real ids. The credentials of a peer are the effective ones, which
    /// differ from the real ones in a set-user-ID program.
    /// [`PeerCred::is_own_user`](crate::PeerCred::is_own_user) compares the effective users.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::ancillary::Credentials;
    ///
    /// assert_eq!(Credentials::own().pid(), Some(std::process::id() as i32));
    /// ```
    ///
    /// See credentials(7).
    #[must_use]
    #[doc(alias = "getpid")]
    #[doc(alias = "getuid")]
    #[doc(alias = "getgid")]
    pub fn own() -> Self {
        let (uid, gid) = syscall::real_ids();
        Self::new(syscall::getpid(), uid, gid)
    }
}

/// Methods that send with ancillary data.
impl<T: Kind> Socket<T> {
    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices, and control messages with them.
    /// Returns how many bytes were sent.
    ///
    /// A stream may send only a part of the bytes, at most the first 1024 slices. The control
    /// messages have then been sent with the first byte, and must not be sent again.
    /// [`send_all`](Self::send_all) takes care of that.
    ///
    /// # Errors
    ///
    /// On failure nothing was sent. A descriptor that is lent still belongs to the lender.
    ///
    /// - `EINVAL`: there are more than 253 descriptors, and the error has their count; or control
    ///   messages are sent without a byte on a stream, which would drop them. No call was made.
    /// - `EPERM`: the receiver takes no descriptors ([`set_pass_rights`](Self::set_pass_rights));
    ///   or the credentials are those of another process, and this process is not privileged.
    /// - `ESRCH`: the credentials name a process that does not exist.
    /// - `ETOOMANYREFS`: the user has more descriptors in flight than `RLIMIT_NOFILE`.
    /// - `EOPNOTSUPP`: the system cannot send credentials.
    /// - `EINVAL`: [`Control::Other`] with `SCM_RIGHTS`, or with a type of `SOL_SOCKET` that the kernel does
    ///   not take; or a descriptor cannot be passed (io_uring); or the credentials have the user or
    ///   the group -1.
    /// - `ENOMEM`: no memory.
    /// - `EMSGSIZE`: the control messages take more than 8192 bytes, counted as `CMSG_SPACE` does;
    ///   the error has the size. All descriptors that a message can carry fit, even if each is in
    ///   its own `Rights`.
    /// - `EPIPE`, `ECONNRESET`, `EAGAIN`, `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for `send`
    ///   and `write`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, ancillary::Control, fd::{AsFd, IoSlice}};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # let (read, write) = UnixStream::pair()?;
    /// let fds = [read.as_fd(), write.as_fd()];
    /// let sent = ours.sendmsg(&[IoSlice::new(b"take these")], &[Control::Rights(&fds)])?;
    /// assert_eq!(sent, 10);
    /// # theirs.recv_fds::<2>(&mut [0; 16])?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2), unix(7).
    #[inline]
    pub fn sendmsg(&self, bufs: &[IoSlice<'_>], control: &[Control<'_>]) -> Result<usize, Error> {
        self.sendmsg_with(bufs, control, MsgFlags::empty())
    }

    /// `sendmsg(fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL)` — sends as [`sendmsg`](Self::sendmsg) does,
    /// but only as much as can be sent without waiting. The socket stays blocking for every process
    /// that shares it.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: there is no space.
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `EPIPE`, `ECONNRESET`,
    ///   `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for [`sendmsg`](Self::sendmsg).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixStream, ancillary::Control, fd::{AsFd, IoSlice}};
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let (bufs, fds) = ([IoSlice::new(b"here")], [theirs.as_fd()]);
    /// let count = ours.try_sendmsg(&bufs, &[Control::Rights(&fds)])?; // EAGAIN: poll, and try again
    /// assert_eq!(count, 4);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2).
    #[doc(alias = "MSG_DONTWAIT")]
    #[inline]
    pub fn try_sendmsg(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
    ) -> Result<usize, Error> {
        self.sendmsg_with(bufs, control, MsgFlags::DONTWAIT)
    }

    /// `sendmsg(fd, msg, flags | MSG_NOSIGNAL)` — sends as [`sendmsg`](Self::sendmsg) does, with
    /// flags, which can send the last byte out of band or end a record.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `EPIPE`, `ECONNRESET`, `EAGAIN`,
    ///   `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for [`sendmsg`](Self::sendmsg).
    /// - `EOPNOTSUPP`: [`OOB`](MsgFlags::OOB) was passed, but this kind of socket or the system has
    ///   no out-of-band bytes, or there is no byte to send.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    /// use sunpath::ancillary::MsgFlags;
    /// use sunpath::fd::IoSlice;
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// # if ours.send_oob(b"x").is_err() { return Ok(()) }
    /// # theirs.recv_oob()?;
    /// ours.sendmsg_with(&[IoSlice::new(b"stop"), IoSlice::new(b"!")], &[], MsgFlags::OOB)?;
    /// assert_eq!(theirs.recv_oob()?, b'!');
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2).
    #[doc(alias = "sendmsg")]
    #[doc(alias = "MSG_OOB")]
    #[doc(alias = "MSG_EOR")]
    pub fn sendmsg_with(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        flags: MsgFlags,
    ) -> Result<usize, Error> {
        send_with_control::<T>(self.as_fd(), bufs, None, control, flags.bits())
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)`, then send(2) as often as needed — sends all of the bytes,
    /// and the control messages once, with the first byte. On datagram and sequenced-packet sockets
    /// the bytes are one message, which is sent by one call or not at all.
    ///
    /// # Errors
    ///
    /// On a stream, some of the bytes may have been sent, and the control messages with them.
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `EPIPE`, `ECONNRESET`,
    ///   `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for [`sendmsg`](Self::sendmsg).
    /// - `EAGAIN`: the queue is full, and the socket is nonblocking or its write timeout passed.
    ///   Call [`sendmsg`](Self::sendmsg) instead to know how many bytes were sent.
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "sendmsg")]
    pub fn send_all(&self, bytes: &[u8], control: &[Control<'_>]) -> Result<(), Error> {
        let sent = self.sendmsg(&[IoSlice::new(bytes)], control)?;
        send_rest(self.as_fd(), bytes, sent)
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)`, as often as it takes — sends all of the slices, one after
    /// the other, and the control messages once, with the first byte. A message is sent by one
    /// call, and on a stream the number of slices has no limit.
    ///
    /// # Errors
    ///
    /// On a stream, some of the bytes may have been sent, and the control messages with them.
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `EPIPE`, `ECONNRESET`,
    ///   `ENOTCONN`, `ENOBUFS`, `EMSGSIZE`, `ECONNREFUSED`: as for [`sendmsg`](Self::sendmsg).
    /// - `EAGAIN`: the queue is full, and the socket is nonblocking or its write timeout passed.
    ///   Call [`sendmsg`](Self::sendmsg) instead to know how many bytes were sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    /// use sunpath::fd::IoSlice;
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.send_all_vectored(&[IoSlice::new(b"head"), IoSlice::new(b"body")], &[])?;
    /// let mut buf = [0; 8];
    /// theirs.read_exact(&mut buf)?;
    /// assert_eq!(&buf, b"headbody");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "writev")]
    pub fn send_all_vectored(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
    ) -> Result<(), Error> {
        let (mut sent, mut rest) = (self.sendmsg(bufs, control)?, bufs);
        if T::TYPE != sys::SOCK_STREAM {
            return Ok(());
        }
        while let [first, after @ ..] = rest {
            if sent < first.len() {
                send_rest(self.as_fd(), first, sent)?;
            }
            (sent, rest) = (sent.saturating_sub(first.len()), after);
            if sent == 0 && rest.iter().any(|buf| !buf.is_empty()) {
                sent = self.sendmsg(rest, &[])?;
            }
        }
        Ok(())
    }
}

impl Socket<Datagram> {
    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices as one message to an address, and
    /// control messages with them. The socket need not be connected.
    ///
    /// # Errors
    ///
    /// On failure nothing was sent. A descriptor that is lent still belongs to the lender.
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`: as for
    ///   [`sendmsg`](Self::sendmsg).
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EPIPE`,
    ///   `EMSGSIZE`, `EAGAIN`, `EINVAL`, `ENOBUFS`: as for [`send_to`](Self::send_to).
    ///
    /// See sendmsg(2), unix(7).
    pub fn sendmsg_to(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        to: &UnixAddr,
    ) -> Result<(), Error> {
        self.sendmsg_to_with(bufs, control, to, MsgFlags::empty())
    }

    /// `sendmsg(fd, msg, flags | MSG_NOSIGNAL)` — sends as [`sendmsg_to`](Self::sendmsg_to), with flags:
    /// [`MsgFlags::DONTWAIT`] for one call that does not wait.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `ENOMEM`, `ENOENT`, `ENOTDIR`, `ELOOP`,
    ///   `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPIPE`, `EMSGSIZE`, `EAGAIN`, `ENOBUFS`: as for
    ///   [`sendmsg_to`](Self::sendmsg_to).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixDatagram, ancillary::MsgFlags, fd::IoSlice};
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let server = UnixDatagram::new()?;
    /// server.autobind()?;
    /// let (client, bufs) = (UnixDatagram::new()?, [IoSlice::new(b"hello")]);
    /// client.sendmsg_to_with(&bufs, &[], &server.local_addr()?, MsgFlags::DONTWAIT)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See sendmsg(2).
    #[doc(alias = "sendmsg")]
    #[doc(alias = "MSG_DONTWAIT")]
    pub fn sendmsg_to_with(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
        to: &UnixAddr,
        flags: MsgFlags,
    ) -> Result<(), Error> {
        send_with_control::<Datagram>(self.as_fd(), bufs, Some(to), control, flags.bits()).map(drop)
    }
}

/// Sends the rest of these bytes after a call that may have sent only a part.
#[inline]
pub(super) fn send_rest(fd: BorrowedFd<'_>, bytes: &[u8], sent: usize) -> Result<(), Error> {
    match bytes.get(sent..) {
        Some(rest @ [_, ..]) => send_each(fd, rest),
        _ => Ok(()),
    }
}

#[cold]
fn send_each(fd: BorrowedFd<'_>, mut rest: &[u8]) -> Result<(), Error> {
    while !rest.is_empty() {
        let sent = syscall::send(fd, rest, 0)?;
        rest = rest.get(sent..).unwrap_or_default();
    }
    Ok(())
}

fn send_with_control<T: Kind>(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    control: &[Control<'_>],
    flags: c_int,
) -> Result<usize, Error> {
    let layout = Layout::of(Call::Sendmsg, control)?;
    let write = |buf: &mut [u8]| layout.write(buf);
    send_laid_out::<T>(fd, bufs, to, flags, layout.space(), write)
}

/// Sends control messages that `write` lays out in `space` zeroes.
#[inline]
pub(super) fn send_laid_out<T: Kind>(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    flags: c_int,
    space: usize,
    write: impl FnOnce(&mut [u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    let bufs = match T::TYPE {
        sys::SOCK_STREAM => bufs.get(..syscall::IOV_MAX).unwrap_or(bufs),
        _ => bufs,
    };
    if space == 0 {
        return syscall::sendmsg(fd, bufs, to, &[], flags);
    }
    if T::TYPE == sys::SOCK_STREAM && bufs.iter().all(|buf| buf.is_empty()) {
        return Err(Error::empty_payload());
    }
    let mut small = Space::<Small>::uninit();
    if space <= Small::SPACE {
        // The number of zeroes is known here at compile time, so no memset is called.
        let zeroes = syscall::zeroed(&mut small, Small::SPACE);
        let buf = zeroes.get_mut(..space).unwrap_or_default();
        write(buf)?;
        return syscall::sendmsg(fd, bufs, to, buf, flags);
    }
    send_with_much(fd, bufs, to, flags, space, write)
}

/// Does what [`send_laid_out`] does, for control messages that do not fit into its small buffer.
/// The function is out of line, because otherwise every call would touch this large buffer on the
/// stack.
#[inline(never)]
fn send_with_much(
    fd: BorrowedFd<'_>,
    bufs: &[IoSlice<'_>],
    to: Option<&UnixAddr>,
    flags: c_int,
    space: usize,
    write: impl FnOnce(&mut [u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    if space > MAX_CONTROL {
        return Err(Error::control_space(Call::Sendmsg, space, MAX_CONTROL));
    }
    let mut buf = MaybeUninit::<[usize; MAX_CONTROL / size_of::<usize>()]>::uninit();
    let buf = syscall::zeroed(&mut buf, space);
    write(buf)?;
    syscall::sendmsg(fd, bufs, to, buf, flags)
}
