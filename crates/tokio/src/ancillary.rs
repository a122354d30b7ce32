//! Descriptors and credentials.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sunpath::ancillary::{Control, ControlBuffer, Credentials, Expected, Fds, Message};
use sunpath::socket::Kind;
use sunpath::{Error, Received};

use crate::socket::{READ, Socket, WRITE};

/// Methods that send and receive with ancillary data. Each makes one system call, so cancelling it
/// sends nothing and loses nothing. Several tasks can call them at the same time. A receive on a datagram
/// socket that was shut down for receiving fails with `UnexpectedEof` when no message is left.
impl<T: Kind> Socket<T> {
    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends one descriptor, with one byte of zero. It is lent: the
    /// receiver gets a copy.
    ///
    /// # Errors
    ///
    /// - `EPERM`, `ETOOMANYREFS`, `EINVAL`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `ECONNREFUSED`, `ENOBUFS`,
    ///   `ENOMEM`: as for [`sunpath::Socket::send_fd`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// let file = std::fs::File::open("/dev/null")?;
    /// ours.send_fd(&file).await?;
    /// let file = std::fs::File::from(theirs.recv_fd().await?);
    /// # drop(file);
    /// # Ok(()) }
    /// ```
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn send_fd(&self, fd: impl AsFd) -> io::Result<()> {
        self.when(WRITE, |socket| socket.send_fd(&fd)).await
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives one descriptor and one byte, which is dropped.
    ///
    /// # Errors
    ///
    /// - `ENOMSG`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`sunpath::Socket::recv_fd`].
    ///
    /// See recvmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn recv_fd(&self) -> io::Result<OwnedFd> {
        self.when(READ, |socket| socket.recv_fd()).await
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends bytes and descriptors by one call, and returns how many
    /// bytes were sent.
    ///
    /// The descriptors were sent if and only if it returns `Ok`. A stream may send only a part of the
    /// bytes. The rest must be sent without the descriptors, which a
    /// [`SendAll`](crate::SendAll) does.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EPERM`, `ETOOMANYREFS`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `ENOTCONN`,
    ///   `ECONNREFUSED`, `ENOBUFS`, `ENOMEM`: as for [`sunpath::Socket::sendmsg`].
    ///
    /// See sendmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn send_fds<F: AsFd>(&self, bytes: &[u8], fds: &[F]) -> io::Result<usize> {
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let send = |socket: &sunpath::Socket<T>| send_with_fds(socket, bytes, &fds);
        self.when(WRITE, send).await
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives bytes and exactly `N` descriptors.
    ///
    /// # Errors
    ///
    /// - `ENOMSG`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`sunpath::Socket::recv_fds`].
    ///
    /// See recvmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn recv_fds<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, [OwnedFd; N])> {
        self.when(READ, |socket| socket.recv_fds(buf)).await
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives bytes and at most `N` descriptors, which are
    /// closed if nobody takes them.
    ///
    /// # Errors
    ///
    /// - `EMSGSIZE`, `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`sunpath::Socket::recv_fds_up_to`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// ours.send_fds(b"two", &[&ours, &theirs]).await?;
    /// let mut buf = [0; 64];
    /// let (received, fds) = theirs.recv_fds_up_to::<8>(&mut buf).await?;
    /// assert_eq!((&buf[..received.len()], fds.len()), (&b"two"[..], 2));
    /// # Ok(()) }
    /// ```
    ///
    /// See recvmsg(2), unix(7).
    #[doc(alias = "SCM_RIGHTS")]
    pub async fn recv_fds_up_to<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, Fds<N>)> {
        self.when(READ, |socket| socket.recv_fds_up_to(buf)).await
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends bytes and credentials by one call, and returns how many
    /// bytes were sent.
    ///
    /// # Errors
    ///
    /// - `EPERM`, `ESRCH`, `EINVAL`, `EOPNOTSUPP`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`, `ENOTCONN`,
    ///   `ECONNREFUSED`, `ENOBUFS`, `ENOMEM`: as for [`sunpath::Socket::sendmsg`].
    ///
    /// See unix(7).
    #[doc(alias = "SCM_CREDENTIALS")]
    pub async fn send_with_credentials(
        &self,
        bytes: &[u8],
        credentials: Credentials,
    ) -> io::Result<usize> {
        let control = [Control::Credentials(credentials)];
        self.sendmsg(&[IoSlice::new(bytes)], &control).await
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives bytes and the credentials of their sender, if
    /// [`set_pass_credentials`](sunpath::Socket::set_pass_credentials) is on.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`sunpath::Socket::recv_with_credentials`].
    ///
    /// See unix(7).
    #[doc(alias = "SCM_CREDENTIALS")]
    pub async fn recv_with_credentials(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, Option<Credentials>)> {
        self.when(READ, |socket| socket.recv_with_credentials(buf))
            .await
    }

    /// `sendmsg(fd, msg, MSG_NOSIGNAL)` — sends several slices and any control messages, and returns how
    /// many bytes were sent. The control messages were sent if and only if it returns `Ok`.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EPERM`, `ESRCH`, `ETOOMANYREFS`, `EOPNOTSUPP`, `EMSGSIZE`, `EPIPE`, `ECONNRESET`,
    ///   `ENOTCONN`, `ECONNREFUSED`, `ENOBUFS`, `ENOMEM`: as for [`sunpath::Socket::sendmsg`].
    ///
    /// See sendmsg(2).
    pub async fn sendmsg(
        &self,
        bufs: &[IoSlice<'_>],
        control: &[Control<'_>],
    ) -> io::Result<usize> {
        self.when(WRITE, |socket| socket.sendmsg(bufs, control))
            .await
    }

    /// `recvmsg(fd, msg, MSG_CMSG_CLOEXEC)` — receives bytes and the control messages that `E` expects.
    ///
    /// # Errors
    ///
    /// - `ECONNRESET`, `ENOTCONN`, `EINVAL`, `ENOBUFS`, `ENOMEM`: as for [`sunpath::Socket::recvmsg`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use std::io::IoSliceMut;
    /// use sunpath::ancillary::{Credentials, Rights};
    ///
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// # ours.send_fd(&ours).await?;
    /// let mut buf = [0; 64];
    /// let mut bufs = [IoSliceMut::new(&mut buf)];
    /// let message = theirs.recvmsg::<(Rights<4>, Credentials)>(&mut bufs).await?;
    /// let mut control = message.into_control()?;
    /// println!("{:?} sent {} descriptors", control.credentials(), control.rights().len());
    /// # Ok(()) }
    /// ```
    ///
    /// See recvmsg(2).
    pub async fn recvmsg<E: Expected>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
    ) -> io::Result<Message<ControlBuffer<E>>> {
        let receive = |socket: &sunpath::Socket<T>| socket.recvmsg(bufs, ControlBuffer::new());
        self.when(READ, receive).await
    }

    /// Sends as [`send_fd`](Self::send_fd) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: there is no space, or the runtime has not reported it yet.
    /// - Others: as for [`send_fd`](Self::send_fd).
    pub fn try_send_fd(&self, fd: impl AsFd) -> io::Result<()> {
        self.try_when(WRITE, |socket| socket.send_fd(&fd))
    }

    /// Receives as [`recv_fd`](Self::recv_fd) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet.
    /// - Others: as for [`recv_fd`](Self::recv_fd).
    pub fn try_recv_fd(&self) -> io::Result<OwnedFd> {
        self.try_when(READ, |socket| socket.recv_fd())
    }

    /// Sends as [`send_fds`](Self::send_fds) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: there is no space, or the runtime has not reported it yet.
    /// - Others: as for [`send_fds`](Self::send_fds).
    pub fn try_send_fds<F: AsFd>(&self, bytes: &[u8], fds: &[F]) -> io::Result<usize> {
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        self.try_when(WRITE, |socket| send_with_fds(socket, bytes, &fds))
    }

    /// Receives as [`recv_fds`](Self::recv_fds) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet.
    /// - Others: as for [`recv_fds`](Self::recv_fds).
    pub fn try_recv_fds<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, [OwnedFd; N])> {
        self.try_when(READ, |socket| socket.recv_fds(buf))
    }

    /// Receives as [`recv_fds_up_to`](Self::recv_fds_up_to) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet.
    /// - Others: as for [`recv_fds_up_to`](Self::recv_fds_up_to).
    pub fn try_recv_fds_up_to<const N: usize>(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, Fds<N>)> {
        self.try_when(READ, |socket| socket.recv_fds_up_to(buf))
    }

    /// Sends as [`send_with_credentials`](Self::send_with_credentials) does, or fails if it would have to
    /// wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: there is no space, or the runtime has not reported it yet.
    /// - Others: as for [`send_with_credentials`](Self::send_with_credentials).
    pub fn try_send_with_credentials(
        &self,
        bytes: &[u8],
        credentials: Credentials,
    ) -> io::Result<usize> {
        let control = [Control::Credentials(credentials)];
        self.try_sendmsg(&[IoSlice::new(bytes)], &control)
    }

    /// Receives as [`recv_with_credentials`](Self::recv_with_credentials) does, or fails if it would have
    /// to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet.
    /// - Others: as for [`recv_with_credentials`](Self::recv_with_credentials).
    pub fn try_recv_with_credentials(
        &self,
        buf: &mut [u8],
    ) -> io::Result<(Received, Option<Credentials>)> {
        self.try_when(READ, |socket| socket.recv_with_credentials(buf))
    }

    /// Sends as [`sendmsg`](Self::sendmsg) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: there is no space, or the runtime has not reported it yet.
    /// - Others: as for [`sendmsg`](Self::sendmsg).
    pub fn try_sendmsg(&self, bufs: &[IoSlice<'_>], control: &[Control<'_>]) -> io::Result<usize> {
        self.try_when(WRITE, |socket| socket.sendmsg(bufs, control))
    }

    /// Receives as [`recvmsg`](Self::recvmsg) does, or fails if it would have to wait.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come, or the runtime has not reported it yet.
    /// - Others: as for [`recvmsg`](Self::recvmsg).
    pub fn try_recvmsg<E: Expected>(
        &self,
        bufs: &mut [IoSliceMut<'_>],
    ) -> io::Result<Message<ControlBuffer<E>>> {
        self.try_when(READ, |socket| socket.recvmsg(bufs, ControlBuffer::new()))
    }
}

/// Sends bytes and descriptors by one call. (`sunpath::Socket::send_fds` makes several on a stream.)
pub(crate) fn send_with_fds<T: Kind>(
    socket: &sunpath::Socket<T>,
    bytes: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<usize, Error> {
    socket.sendmsg(&[IoSlice::new(bytes)], &[Control::Rights(fds)])
}
