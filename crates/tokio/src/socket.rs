//! Sockets of every kind: how they are made, what all of them have, and how they wait.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use sunpath::files::SocketFile;
use sunpath::socket::{FromFdError, Kind};
use sunpath::{Error, PeerCred, UnixAddr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task;

use crate::register::{for_readiness, register, shut_down, still_open};

/// A Unix domain socket of one kind, whose calls are awaited. It is closed on drop.
///
/// [`UnixStream`](crate::UnixStream), [`UnixDatagram`](crate::UnixDatagram) and
/// [`UnixSeqpacket`](crate::UnixSeqpacket) are its names for each kind.
pub struct Socket<T: Kind> {
    // A file is removed before its socket is closed, because the fields are dropped in this order.
    pub(crate) file: Option<Box<SocketFile>>,
    /// The directions in which the first call is made before the runtime reports that the socket is
    /// ready: [`READ`], [`WRITE`].
    untried: AtomicU8,
    pub(crate) io: AsyncFd<sunpath::Socket<T>>,
}

/// A direction of a socket.
#[derive(Clone, Copy)]
pub(crate) struct Direction {
    bit: u8,
    interest: Interest,
}

/// Receiving.
pub(crate) const READ: Direction = Direction {
    bit: 1,
    interest: Interest::READABLE,
};

/// Sending.
pub(crate) const WRITE: Direction = Direction {
    bit: 2,
    interest: Interest::WRITABLE,
};

impl<T: Kind> Socket<T> {
    /// Makes a socket of this runtime from a blocking one, for example one that was inherited or
    /// received. It becomes nonblocking, for every process that shares it.
    ///
    /// A stream or sequenced-packet socket must be connected before, because the runtime remembers
    /// forever that one without a peer was closed.
    ///
    /// # Errors
    ///
    /// The socket is closed.
    ///
    /// - `ENOSPC`, `ENOMEM`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use sunpath_tokio::UnixStream;
    ///
    /// let (ours, theirs) = sunpath::UnixStream::pair()?; // theirs is for a child, for example
    /// let ours = UnixStream::new(ours)?;
    /// # drop((ours, theirs));
    /// # Ok(()) }
    /// ```
    pub fn new(socket: sunpath::Socket<T>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::from_nonblocking(socket, 0)
    }

    /// `socketpair(AF_UNIX, T, 0, fds)` — makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system.
    /// - `ENOMEM`, `ENOBUFS`: no memory.
    /// - `EOPNOTSUPP`, `EPROTONOSUPPORT`, `EAFNOSUPPORT`: the system does not have the kind.
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use sunpath_tokio::UnixSeqpacket;
    ///
    /// let (ours, theirs) = UnixSeqpacket::pair()?;
    /// ours.send(b"hello").await?;
    /// assert_eq!(theirs.recv(&mut [0; 64]).await?.len(), 5);
    /// # Ok(()) }
    /// ```
    ///
    /// See socketpair(2).
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = sunpath::Socket::pair_nonblocking()?;
        let writes = WRITE.bit;
        Ok((
            Self::from_nonblocking(a, writes)?,
            Self::from_nonblocking(b, writes)?,
        ))
    }

    /// Registers a socket that has been connected and has space, so the first send is tried at once.
    pub(crate) fn connected(socket: sunpath::Socket<T>) -> io::Result<Self> {
        Self::from_nonblocking(socket, WRITE.bit)
    }

    /// Registers a socket that has been accepted. Its client has often sent something already, so the
    /// first receive is tried at once, too.
    pub(crate) fn accepted(socket: sunpath::Socket<T>) -> io::Result<Self> {
        Self::from_nonblocking(socket, READ.bit | WRITE.bit)
    }

    fn from_nonblocking(socket: sunpath::Socket<T>, untried: u8) -> io::Result<Self> {
        Ok(Self {
            file: None,
            untried: AtomicU8::new(untried),
            io: register(socket, Interest::READABLE | Interest::WRITABLE)?,
        })
    }

    /// Returns the socket of `sunpath`, for the methods that have no twin here:
    /// [`shutdown`](sunpath::Socket::shutdown), all options, out-of-band bytes and others. It is
    /// nonblocking, so a call that would have to wait fails with `EAGAIN`. To wait for such a call, make
    /// it in [`async_io`](Self::async_io), or the runtime does not learn that the socket is not ready.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (stream, _peer) = sunpath_tokio::UnixStream::pair()?;
    /// stream.as_socket().set_send_buffer_size(1 << 20)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn as_socket(&self) -> &sunpath::Socket<T> {
        self.io.get_ref()
    }

    /// Takes the socket out of the runtime. It stays nonblocking, until
    /// [`set_nonblocking`](sunpath::Socket::set_nonblocking) changes that.
    ///
    /// The file of a datagram socket that [`BindOptions`](sunpath::BindOptions) bound is removed.
    #[must_use]
    pub fn into_socket(self) -> sunpath::Socket<T> {
        self.io.into_inner()
    }

    /// Waits until a receive need not wait: a message, the end or an error is there. It can return too
    /// early, so call a `try_` method afterwards, and wait again if that would block.
    ///
    /// # Errors
    ///
    /// - The runtime is shutting down.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// # ours.try_write(b"hello")?;
    /// let mut buf = [0; 64];
    /// let n = loop {
    ///     theirs.readable().await?;
    ///     match theirs.try_read(&mut buf) {
    ///         Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
    ///         read => break read?,
    ///     }
    /// };
    /// assert_eq!(&buf[..n], b"hello");
    /// # Ok(()) }
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.io.readable().await.map(drop)
    }

    /// Waits until a send need not wait. It can return too early, as [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// - The runtime is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await.map(drop)
    }

    /// Waits as [`readable`](Self::readable) does, in a poll function. Only the last task that polled
    /// is woken.
    ///
    /// # Errors
    ///
    /// - The runtime is shutting down.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_read_ready(cx).map_ok(drop)
    }

    /// Waits as [`writable`](Self::writable) does, in a poll function. Only the last task that polled
    /// is woken.
    ///
    /// # Errors
    ///
    /// - The runtime is shutting down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_write_ready(cx).map_ok(drop)
    }

    /// Makes a call on the socket as soon as it is ready, and again each time that it would have to
    /// wait. It is for calls that have no method here.
    ///
    /// # Errors
    ///
    /// - Those of `call`, except for `EAGAIN`.
    /// - `UnexpectedEof`: a datagram socket that was shut down for receiving has no message, and
    ///   `interest` is not in sending as well. (On a blocking socket, a receive returns an empty
    ///   message then.)
    /// - The runtime is shutting down.
    ///
    /// # Examples
    ///
    /// Several control messages, into a buffer that serves call after call:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use sunpath::ancillary::{ControlBuffer, Rights};
    /// use sunpath::fd::IoSliceMut;
    /// use tokio::io::Interest;
    ///
    /// # let (ours, theirs) = sunpath_tokio::UnixStream::pair()?;
    /// # ours.send_fd(&ours).await?;
    /// let mut control = ControlBuffer::<Rights<8>>::new();
    /// let mut buf = [0; 64];
    /// let fds = theirs
    ///     .async_io(Interest::READABLE, |socket| {
    ///         let message = socket.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut control)?;
    ///         Ok(message.into_control()?.into_rights().collect::<Vec<_>>())
    ///     })
    ///     .await?;
    /// assert_eq!(fds.len(), 1);
    /// # Ok(()) }
    /// ```
    pub async fn async_io<R>(
        &self,
        mut interest: Interest,
        mut call: impl FnMut(&sunpath::Socket<T>) -> Result<R, Error>,
    ) -> io::Result<R> {
        // A loop of calls that need not wait lets other tasks run.
        task::consume_budget().await;
        loop {
            let mut guard = self.io.ready(interest).await?;
            match call(self.as_socket()) {
                Err(error) if error.is_would_block() => {}
                done => return Ok(done?),
            }
            let ready = guard.ready();
            guard.clear_ready();
            drop(guard);
            interest = still_open(ready, interest).await?;
        }
    }

    /// Makes a call on the socket if it is ready, and reports `WouldBlock` otherwise.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: the runtime has not reported that the socket is ready, or the call would have to
    ///   wait.
    /// - Those of `call`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        call: impl FnOnce(&sunpath::Socket<T>) -> Result<R, Error>,
    ) -> io::Result<R> {
        let call = |socket: &sunpath::Socket<T>| call(socket).map_err(for_readiness);
        self.io.try_io(interest, call)
    }

    /// `getsockname(fd, addr, len)` — returns the socket's own address.
    ///
    /// # Errors
    ///
    /// - `ENOBUFS`: no memory; not on Linux.
    pub fn local_addr(&self) -> io::Result<UnixAddr> {
        Ok(self.as_socket().local_addr()?)
    }

    /// `getpeername(fd, addr, len)` — returns the address of the other end, which is unnamed for nearly
    /// all clients.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: not connected.
    pub fn peer_addr(&self) -> io::Result<UnixAddr> {
        Ok(self.as_socket().peer_addr()?)
    }

    /// `SO_PEERCRED` — returns the user, group and process of the peer, as
    /// [`sunpath::Socket::peer_cred`].
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: the socket has no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (ours, _theirs) = sunpath_tokio::UnixStream::pair()?;
    /// assert!(ours.peer_cred()?.is_own_user());
    /// # Ok(()) }
    /// ```
    #[doc(alias = "SO_PEERCRED")]
    pub fn peer_cred(&self) -> io::Result<PeerCred> {
        Ok(self.as_socket().peer_cred()?)
    }

    /// `SO_PEERGROUPS` — returns the supplementary groups of the peer, as
    /// [`sunpath::Socket::peer_groups`].
    ///
    /// # Errors
    ///
    /// - `ERANGE`: `buf` is too small; [`peer_group_count`](sunpath::Socket::peer_group_count) tells the
    ///   number.
    /// - `ENOTCONN`, `ENODATA`, `ENOPROTOOPT`, `EOPNOTSUPP`: there is no peer, or the system does not
    ///   report its groups.
    #[doc(alias = "SO_PEERGROUPS")]
    pub fn peer_groups<'r>(&self, buf: &'r mut [u32]) -> io::Result<&'r mut [u32]> {
        Ok(self.as_socket().peer_groups(buf)?)
    }

    /// `SO_PEERPIDFD` — returns a descriptor of the peer's process, which no other process gets, as
    /// [`sunpath::Socket::peer_pidfd`].
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`, `EOPNOTSUPP`: the kernel or the system does not have it.
    /// - `ENODATA`, `ESRCH`, `EINVAL`: there is no peer, or its process has ended.
    /// - `EMFILE`, `ENFILE`: no descriptor is free.
    #[doc(alias = "SO_PEERPIDFD")]
    pub fn peer_pidfd(&self) -> io::Result<OwnedFd> {
        Ok(self.as_socket().peer_pidfd()?)
    }

    /// Makes a call as soon as the socket is ready, or at once if none was made in this direction yet.
    pub(crate) async fn when<R>(
        &self,
        direction: Direction,
        mut call: impl FnMut(&sunpath::Socket<T>) -> Result<R, Error>,
    ) -> io::Result<R> {
        if self.take_untried(direction) {
            match call(self.as_socket()) {
                Err(error) if error.is_would_block() => {}
                done => return Ok(done?),
            }
        }
        self.async_io(direction.interest, call).await
    }

    /// Makes a call if the socket is ready, or if none was made in this direction yet.
    pub(crate) fn try_when<R>(
        &self,
        direction: Direction,
        call: impl FnOnce(&sunpath::Socket<T>) -> Result<R, Error>,
    ) -> io::Result<R> {
        match self.take_untried(direction) {
            true => call(self.as_socket()).map_err(for_readiness),
            false => self.try_io(direction.interest, call),
        }
    }

    /// Makes a call in a poll function, which returns what it did and whether that shows that the next
    /// call would have to wait. The runtime is then not asked for a call that fails.
    #[inline]
    pub(crate) fn poll_when<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut call: impl FnMut(&sunpath::Socket<T>) -> Result<(R, bool), Error>,
        into_io: fn(Error) -> io::Error,
    ) -> Poll<io::Result<R>> {
        loop {
            let readiness = match direction.bit == READ.bit {
                true => self.io.poll_read_ready(cx),
                false => self.io.poll_write_ready(cx),
            };
            if readiness.is_pending() && self.take_untried(direction) {
                // The task is woken when the socket gets ready, so nothing is lost if this waits.
                return match call(self.as_socket()) {
                    Ok((result, _)) => Poll::Ready(Ok(result)),
                    Err(error) if error.is_would_block() => Poll::Pending,
                    Err(error) => Poll::Ready(Err(into_io(error))),
                };
            }
            let mut guard = ready!(readiness)?;
            match call(self.as_socket()) {
                Ok((result, is_exhausted)) => {
                    if is_exhausted {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(result));
                }
                Err(error) if error.is_would_block() => {
                    if guard.ready().is_read_closed() {
                        return Poll::Ready(Err(shut_down()));
                    }
                    guard.clear_ready();
                }
                Err(error) => return Poll::Ready(Err(into_io(error))),
            }
        }
    }

    /// Returns whether no call was made in this direction yet and one is worth a try.
    #[inline]
    fn take_untried(&self, direction: Direction) -> bool {
        self.untried.load(Ordering::Relaxed) & direction.bit != 0
            && self.untried.fetch_and(!direction.bit, Ordering::Relaxed) & direction.bit != 0
    }
}

/// Makes a socket from a descriptor, after it has been checked that it is a Unix domain socket of this
/// kind.
impl<T: Kind> TryFrom<OwnedFd> for Socket<T> {
    type Error = io::Error;

    fn try_from(fd: OwnedFd) -> io::Result<Self> {
        let socket = sunpath::Socket::try_from(fd).map_err(|error: FromFdError| error.error())?;
        Self::new(socket)
    }
}

impl<T: Kind> TryFrom<sunpath::Socket<T>> for Socket<T> {
    type Error = io::Error;

    fn try_from(socket: sunpath::Socket<T>) -> io::Result<Self> {
        Self::new(socket)
    }
}

impl<T: Kind> From<Socket<T>> for sunpath::Socket<T> {
    fn from(socket: Socket<T>) -> Self {
        socket.into_socket()
    }
}

impl<T: Kind> From<Socket<T>> for OwnedFd {
    fn from(socket: Socket<T>) -> Self {
        socket.into_socket().into()
    }
}

impl<T: Kind> AsFd for Socket<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_socket().as_fd()
    }
}

impl<T: Kind> AsRawFd for Socket<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_socket().as_raw_fd()
    }
}

impl<T: Kind> fmt::Debug for Socket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_socket().fmt(f)
    }
}
