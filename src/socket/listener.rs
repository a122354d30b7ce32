//! Makes sockets that listen, and sets their options.

mod accept;
mod incoming;

use core::ffi::c_int;
use core::fmt;

use super::{Connected, Socket};
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use crate::pathname::AsPathname;
use crate::syscall;

pub use self::incoming::Incoming;

/// A socket that listens for connections of one kind, and owns its descriptor. Programs name it
/// [`UnixListener`](crate::UnixListener) or
/// [`UnixSeqpacketListener`](crate::UnixSeqpacketListener).
///
/// The descriptor is close-on-exec. Dropping the listener closes the descriptor and leaves the
/// socket file, as close(2) does. The next bind to that path therefore fails with `EADDRINUSE`
/// until the file is removed.
///
/// # Examples
///
/// The following code is a server and its client:
///
/// ```
/// use std::io::{Read, Write};
/// use sunpath::{UnixListener, UnixStream};
///
/// # #[cfg(feature = "std")] fn main() -> Result<(), std::io::Error> {
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let path = dir.join("greeter.sock");
/// let listener = UnixListener::bind(&path)?;
///
/// let mut client = UnixStream::connect(&path)?; // queued, not yet accepted
/// let (mut server, _) = listener.accept()?;
/// server.write_all(b"hello")?;
/// drop(server);
///
/// let mut greeting = String::new();
/// client.read_to_string(&mut greeting)?;
/// assert_eq!(greeting, "hello");
///
/// std::fs::remove_file(&path)?; // nobody else does
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
pub struct Listener<T: Connected> {
    /// INVARIANT: the socket listens.
    socket: Socket<T>,
}

impl<T: Connected> Listener<T> {
    /// The backlog of [`bind`](Self::bind), [`bind_addr`](Self::bind_addr) and
    /// [`autobind`](Self::autobind): -1, which every system replaces by the greatest backlog that
    /// it allows (`net.core.somaxconn` on Linux, 4096 unless it was set). C's `SOMAXCONN` can be
    /// less: it is 128 in some C libraries. [`Socket::listen`] takes any backlog.
    #[doc(alias = "SOMAXCONN")]
    pub const BACKLOG: c_int = -1;

    /// `bind(fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at a path.
    ///
    /// The path must not exist. The socket file gets mode 0777 less the umask. To get another mode,
    /// call [`Socket::set_mode`] before [`Socket::bind_to`], or use
    /// [`BindOptions`](crate::BindOptions).
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or is too long. No call
    ///   was made, and [`Error::sun_path`] has the offset or the lengths. For a longer path, see
    ///   the example of [`CWD`](crate::CWD#a-path-of-any-length).
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `EADDRINUSE`: the path exists. `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `EROFS`, `ENOSPC`,
    ///   `EDQUOT`, `EPERM`: as for [`Socket::bind_to`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixListener;
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// client.write_all(b"hello\n")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), listen(2), unix(7).
    pub fn bind(path: impl AsPathname) -> Result<Self, Error> {
        Self::bind_addr(&UnixAddr::for_call(Call::Bind, path.as_pathname())?)
    }

    /// `bind(fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at an address.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `EADDRINUSE`: the address is taken. `EINVAL`: the address is unnamed. `ENOENT`, `ENOTDIR`,
    ///   `ELOOP`, `EACCES`, `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: as for [`Socket::bind_to`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{UnixAddr, UnixListener};
    ///
    /// let addr = UnixAddr::from_abstract("app")?; // or a path: from_pathname
    /// let listener = UnixListener::bind_addr(&addr)?;
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), listen(2), unix(7).
    #[doc(alias = "bind")]
    pub fn bind_addr(addr: &UnixAddr) -> Result<Self, Error> {
        let socket = Socket::new()?;
        socket.bind_to(addr)?;
        // The file is unlinked while the socket still holds it, because a socket that is closed
        // first leaves a stale file, which another process could replace before the unlink.
        syscall::listen(socket.as_fd(), Self::BACKLOG).inspect_err(|_| syscall::unlink(addr))?;
        Ok(Self { socket })
    }

    /// `bind(fd, addr, sizeof(sa_family_t))`, `listen(fd, -1)` — makes a socket that listens at an
    /// abstract name. Linux chooses the name, and [`local_addr`](Self::local_addr) returns it.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `EOPNOTSUPP`, `ENOSPC`: as for [`Socket::autobind`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{UnixListener, UnixStream};
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let listener = UnixListener::autobind()?;
    /// let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// # drop(client);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "Autobind feature".
    pub fn autobind() -> Result<Self, Error> {
        let socket = Socket::new()?;
        socket.autobind()?;
        Ok(socket.listen(Self::BACKLOG)?)
    }

    /// Makes a listener from a socket. The caller has checked that the socket listens.
    pub(crate) const fn from_listening(socket: Socket<T>) -> Self {
        Self { socket }
    }

    /// Returns the listening socket, on which options can be set. Methods that need a connection
    /// fail on this socket, except for [`peer_cred`](Socket::peer_cred): a listener is its own
    /// peer, so the result is what clients will see.
    ///
    /// [`shutdown`](Socket::shutdown) stops the listener: threads that wait in
    /// [`accept`](Self::accept) get the connections that are in the queue and then `EINVAL`,
    /// [`incoming`](Self::incoming) ends, and new clients get `ECONNREFUSED`. A shutdown cannot be
    /// undone.
    ///
    /// # Examples
    ///
    /// The following thread stops another thread:
    ///
    /// ```
    /// use sunpath::{Shutdown, UnixListener};
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let listener = UnixListener::autobind()?;
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         for client in &listener {
    ///             println!("{client:?}");
    ///         }
    ///     });
    ///     listener.as_socket().shutdown(Shutdown::Both)
    /// })?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn as_socket(&self) -> &Socket<T> {
        &self.socket
    }

    /// `listen(fd, backlog)`, once more — changes the backlog, and records the credentials that
    /// this process has now. Clients that connect from now on see these credentials. A process
    /// calls this after it has dropped its privileges, for example.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: no memory.
    ///
    /// See listen(2).
    #[doc(alias = "listen")]
    pub fn listen_again(&self, backlog: i32) -> Result<(), Error> {
        syscall::listen(self.as_fd(), backlog)
    }

    /// `getsockname(fd, addr, len)` — returns the address that was bound.
    ///
    /// # Errors
    ///
    /// - `ENOBUFS`: no memory. Linux does not report this error.
    /// - `EAFNOSUPPORT`: a listener of another family was taken over unchecked.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sunpath::UnixListener;
    /// # let path = format!("/tmp/sunpath-local-{}.sock", std::process::id());
    /// let listener = UnixListener::bind(&path)?;
    /// assert_eq!(listener.local_addr()?.to_string(), path);
    /// # std::fs::remove_file(&path)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See getsockname(2).
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> Result<UnixAddr, Error> {
        self.socket.local_addr()
    }

    /// `ioctl(fd, FIONBIO, &on)` — sets whether [`accept`](Self::accept) fails with `EAGAIN` if no
    /// connection waits.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the listener owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixListener;
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let listener = UnixListener::autobind()?;
    /// listener.set_nonblocking(true)?;
    /// assert!(listener.accept().unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2), "O_NONBLOCK".
    #[doc(alias = "FIONBIO")]
    #[doc(alias = "O_NONBLOCK")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        self.socket.set_nonblocking(nonblocking)
    }

    /// `fcntl(fd, F_SETFD, FD_CLOEXEC)` — sets whether execve(2) closes this descriptor. The
    /// default is `true`. `false` passes the listener on to the program that this process executes:
    /// see [`Activation`](crate::activation::Activation#executing-a-new-version).
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the listener owned it.
    ///
    /// See fcntl(2), "File descriptor flags".
    #[doc(alias = "FD_CLOEXEC")]
    #[doc(alias = "F_SETFD")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), Error> {
        self.socket.set_cloexec(cloexec)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_ERROR, ...)` — returns the pending error, and clears it.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the listener owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_ERROR")]
    pub fn take_error(&self) -> Result<Option<Errno>, Error> {
        self.socket.take_error()
    }

    /// `fcntl(fd, F_DUPFD_CLOEXEC, 0)` — makes one more descriptor of the same listener. Both
    /// descriptors accept from the same queue.
    ///
    /// # Errors
    ///
    /// - `EMFILE`: the process has as many descriptors as `RLIMIT_NOFILE` allows.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sunpath::{UnixListener, UnixStream};
    /// # let path = format!("/tmp/sunpath-clone-{}.sock", std::process::id());
    /// let listener = UnixListener::bind(&path)?;
    /// let second = listener.try_clone()?; // for a second thread
    /// let client = UnixStream::connect(&path)?;
    /// let (server, _) = second.accept()?;
    /// # drop((client, server));
    /// # std::fs::remove_file(&path)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See fcntl(2).
    #[doc(alias = "dup")]
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self {
            socket: self.socket.try_clone()?,
        })
    }
}

impl<T: Connected> AsFd for Listener<T> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<T: Connected> AsRawFd for Listener<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl<T: Connected> IntoRawFd for Listener<T> {
    fn into_raw_fd(self) -> RawFd {
        self.socket.into_raw_fd()
    }
}

impl<T: Connected> From<Listener<T>> for OwnedFd {
    fn from(listener: Listener<T>) -> Self {
        listener.socket.into()
    }
}

impl<T: Connected> fmt::Debug for Listener<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.socket).finish()
    }
}
