//! Listens for connections.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};

use sunpath::files::AsPathname;
use sunpath::socket::{Connected, FromFdError};
use sunpath::{Bound, Errno, Error, PeerCred, Seqpacket, Stream, UnixAddr};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::task;

use crate::incoming::Incoming;
use crate::register::{for_readiness, register};
use crate::socket::Socket;

/// A socket that listens for connections of one kind, whose accepts are awaited.
///
/// [`UnixListener`] and [`UnixSeqpacketListener`] are its names for each kind. One that
/// [`BindOptions`](sunpath::BindOptions) bound removes its file when it is dropped.
///
/// # Examples
///
/// A daemon that only one user may reach, and that knows its clients:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use sunpath::BindOptions;
/// use sunpath_tokio::UnixListener;
/// use tokio::io::AsyncWriteExt;
///
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-tokio-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("app.sock");
/// let listener = UnixListener::new(BindOptions::singleton().listen(&path)?)?;
/// # let client = sunpath_tokio::UnixStream::connect(&path).await?;
///
/// let (mut stream, _) = listener.accept().await?;
/// let greeting = format!("hello, user {}\n", stream.peer_cred()?.uid());
/// stream.write_all(greeting.as_bytes()).await?;
///
/// listener.close_and_unlink().await?; // dropping it does the same, in silence
/// # drop(client);
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// ```
pub struct Listener<T: Connected> {
    io: AsyncFd<Bound<sunpath::Listener<T>>>,
}

/// A socket that listens for stream connections.
pub type UnixListener = Listener<Stream>;

/// A socket that listens for sequenced-packet connections.
pub type UnixSeqpacketListener = Listener<Seqpacket>;

impl<T: Connected> Listener<T> {
    /// Makes a listener of this runtime from one that [`BindOptions`](sunpath::BindOptions) bound, or
    /// from one without a file of its own, such as one that a service manager passed. It becomes
    /// nonblocking, for every process that shares it.
    ///
    /// # Errors
    ///
    /// The listener is closed, and its file is removed.
    ///
    /// - `ENOSPC`, `ENOMEM`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    ///
    /// # Examples
    ///
    /// A listener from the service manager:
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::activation::Activation;
    /// use sunpath_tokio::UnixListener;
    ///
    /// // SAFETY: this is the beginning of main, and nothing was opened yet.
    /// let mut passed = unsafe { Activation::take() }?;
    /// let socket = passed.next().ok_or("no socket was passed")?;
    /// let listener = UnixListener::new(socket.into_listener()?)?;
    /// # drop(listener);
    /// # Ok(()) }
    /// ```
    pub fn new(listener: impl Into<Bound<sunpath::Listener<T>>>) -> io::Result<Self> {
        let listener = listener.into();
        listener.set_nonblocking(true)?;
        let io = register(listener, Interest::READABLE)?;
        Ok(Self { io })
    }

    /// `bind(fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at a path. Nothing removes
    /// its file: for that, and for its mode, see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// - `EADDRINUSE`, `ENOENT`, `EACCES`, `ENAMETOOLONG`, `EMFILE` and others: as for
    ///   [`sunpath::Listener::bind`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind(path: impl AsPathname) -> io::Result<Self> {
        Self::new(sunpath::Listener::bind(path)?)
    }

    /// `bind(fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at an address.
    ///
    /// # Errors
    ///
    /// - `EADDRINUSE`, `EINVAL`, `ENOENT`, `EACCES`, `EMFILE` and others: as for
    ///   [`sunpath::Listener::bind_addr`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind_addr(addr: &UnixAddr) -> io::Result<Self> {
        Self::new(sunpath::Listener::bind_addr(addr)?)
    }

    /// `bindat(dir, fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at a path of any
    /// length, which begins at an open directory or at [`CWD`](sunpath::CWD).
    ///
    /// # Errors
    ///
    /// - `EADDRINUSE`, `ENOENT`, `EACCES`, `EMFILE` and others: as for [`sunpath::Listener::bind_at`].
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one without `enable_io`.
    pub fn bind_at(dir: impl AsFd, path: impl AsPathname) -> io::Result<Self> {
        Self::new(sunpath::Listener::bind_at(dir, path)?)
    }

    /// `accept4(fd, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK)` — waits for a client, and returns its
    /// connection and address. Cancelling it loses no client.
    ///
    /// # Errors
    ///
    /// The client stays in the queue, except after the last two.
    ///
    /// - `EMFILE`, `ENFILE`: no descriptor is free. [`incoming`](Self::incoming) continues after it.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    /// - `EINVAL`: the listener was shut down.
    /// - `ECONNABORTED`: the client is gone; not on Linux.
    /// - `ENOSPC`: the runtime cannot watch one more socket. The client is disconnected.
    ///
    /// See accept(2).
    pub async fn accept(&self) -> io::Result<(Socket<T>, UnixAddr)> {
        // A loop that accepts one client after the other lets other tasks run.
        task::consume_budget().await;
        loop {
            let mut guard = self.io.readable().await?;
            if let Some(accepted) = self.accept_ready(&mut guard) {
                return accepted;
            }
        }
    }

    /// `accept4(fd, addr, len, flags)`, `SO_PEERCRED` — waits for a client that `allowed` accepts by its
    /// credentials, and disconnects all others. Cancelling it loses no client.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`, `EINVAL`, `ECONNABORTED`, `ENOSPC`: as for
    ///   [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(listener: sunpath_tokio::UnixListener) -> std::io::Result<()> {
    /// let (stream, _) = listener.accept_if(|peer| peer.is_own_user() || peer.uid() == 0).await?;
    /// # drop(stream);
    /// # Ok(()) }
    /// ```
    ///
    /// See accept(2), unix(7).
    #[doc(alias = "SO_PEERCRED")]
    pub async fn accept_if(
        &self,
        mut allowed: impl FnMut(PeerCred) -> bool,
    ) -> io::Result<(Socket<T>, UnixAddr)> {
        loop {
            let (socket, addr) = self.accept().await?;
            // A client without credentials is not allowed: it cannot be judged.
            if socket.peer_cred().is_ok_and(&mut allowed) {
                return Ok((socket, addr));
            }
        }
    }

    /// Accepts as [`accept`](Self::accept) does, or fails if no client waits.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: no client waits, or the runtime has not reported it yet.
    /// - `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`, `EINVAL`, `ECONNABORTED`, `ENOSPC`: as for
    ///   [`accept`](Self::accept).
    pub fn try_accept(&self) -> io::Result<(Socket<T>, UnixAddr)> {
        let accept = |listener: &Bound<sunpath::Listener<T>>| {
            listener.accept_nonblocking().map_err(for_readiness)
        };
        let (socket, addr) = self.io.try_io(Interest::READABLE, accept)?;
        Ok((Socket::accepted(socket)?, addr))
    }

    /// Accepts as [`accept`](Self::accept) does, in a poll function. Only the last task that polled is
    /// woken.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`, `EINVAL`, `ECONNABORTED`, `ENOSPC`: as for
    ///   [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket<T>, UnixAddr)>> {
        loop {
            let mut guard = ready!(self.io.poll_read_ready(cx))?;
            if let Some(accepted) = self.accept_ready(&mut guard) {
                return Poll::Ready(accepted);
            }
        }
    }

    /// Accepts a client; `None` if none waits.
    fn accept_ready(
        &self,
        guard: &mut AsyncFdReadyGuard<'_, Bound<sunpath::Listener<T>>>,
    ) -> Option<io::Result<(Socket<T>, UnixAddr)>> {
        match self.as_listener().accept_nonblocking() {
            Ok((socket, addr)) => Some(Socket::accepted(socket).map(|socket| (socket, addr))),
            // A nonblocking listener that was shut down reports EAGAIN, too.
            Err(error) if error.is_would_block() && guard.ready().is_read_closed() => {
                Some(Err(Errno::EINVAL.into()))
            }
            Err(error) if error.is_would_block() => {
                guard.clear_ready();
                None
            }
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Returns clients as they connect, and continues after a time when no descriptor was free. `report`
    /// gets the first error after each client.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(listener: sunpath_tokio::UnixListener) {
    /// let mut incoming = listener.incoming(|error| eprintln!("accept: {error}"));
    /// while let Some((stream, _)) = incoming.next().await {
    ///     tokio::spawn(async move { stream.write(b"hello\n").await });
    /// }
    /// # }
    /// ```
    pub const fn incoming<R: FnMut(io::Error)>(&self, report: R) -> Incoming<'_, T, R> {
        Incoming::new(self, report)
    }

    /// Returns the listener of `sunpath`, for the methods that have no twin here:
    /// [`addr`](Bound::addr), [`is_in_place`](Bound::is_in_place),
    /// [`listen_again`](sunpath::Listener::listen_again), and
    /// [`as_socket`](sunpath::Listener::as_socket), whose `shutdown` stops it.
    pub fn as_listener(&self) -> &Bound<sunpath::Listener<T>> {
        self.io.get_ref()
    }

    /// Takes the listener out of the runtime, with its file. It stays nonblocking.
    pub fn into_bound(self) -> Bound<sunpath::Listener<T>> {
        self.io.into_inner()
    }

    /// `getsockname(fd, addr, len)` — returns the address of the socket. For a path that was too long or
    /// was taken over, [`Bound::addr`] of [`as_listener`](Self::as_listener) has the path.
    ///
    /// # Errors
    ///
    /// - `ENOBUFS`: no memory; not on Linux.
    pub fn local_addr(&self) -> io::Result<UnixAddr> {
        Ok(self.as_listener().local_addr()?)
    }

    /// Removes the socket file and closes the listener, and reports a failure that dropping it would
    /// hide. The calls of the file system are made in a thread that may block. Clients in the queue are
    /// reset.
    ///
    /// # Errors
    ///
    /// - `EACCES`, `EPERM`, `EROFS`, `EIO` and others: as for [`Bound::close_and_unlink`].
    ///
    /// If it is cancelled, the file is removed nevertheless.
    pub async fn close_and_unlink(self) -> io::Result<()> {
        let bound = self.into_bound();
        crate::blocking(move || bound.close_and_unlink()).await
    }

    /// Waits until a client may be waiting, or the listener was shut down. Returns whether it was.
    pub(crate) async fn is_shut_down(&self) -> io::Result<bool> {
        Ok(self.io.readable().await?.ready().is_read_closed())
    }
}

impl<T: Connected> TryFrom<Bound<sunpath::Listener<T>>> for Listener<T> {
    type Error = io::Error;

    fn try_from(listener: Bound<sunpath::Listener<T>>) -> io::Result<Self> {
        Self::new(listener)
    }
}

impl<T: Connected> TryFrom<sunpath::Listener<T>> for Listener<T> {
    type Error = io::Error;

    fn try_from(listener: sunpath::Listener<T>) -> io::Result<Self> {
        Self::new(listener)
    }
}

/// Makes a listener from a descriptor, after it has been checked that it is a Unix domain socket of this
/// kind that listens.
impl<T: Connected> TryFrom<OwnedFd> for Listener<T> {
    type Error = io::Error;

    fn try_from(fd: OwnedFd) -> io::Result<Self> {
        let checked = sunpath::Listener::try_from(fd);
        Self::new(checked.map_err(|error: FromFdError| -> Error { error.error() })?)
    }
}

impl<T: Connected> From<Listener<T>> for Bound<sunpath::Listener<T>> {
    fn from(listener: Listener<T>) -> Self {
        listener.into_bound()
    }
}

impl<T: Connected> AsFd for Listener<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_listener().as_fd()
    }
}

impl<T: Connected> AsRawFd for Listener<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_listener().as_raw_fd()
    }
}

impl<T: Connected> fmt::Debug for Listener<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_listener().fmt(f)
    }
}
