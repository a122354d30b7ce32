//! Listens for connections.

use core::ffi::c_int;
use core::fmt;
use core::time::Duration;

use super::identity::PeerCred;
use super::{Connected, Socket};
use crate::addr::UnixAddr;
use crate::deadline::Deadline;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use crate::pathname::AsPathname;
use crate::syscall;

/// A socket that listens for connections of one kind, owned and closed on drop.
///
/// It is close-on-exec when it is made. Dropping it leaves its socket file, as close(2) does. The
/// next bind to that path therefore fails with `EADDRINUSE` until the file is removed.
///
/// # Examples
///
/// A server and its client:
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
    /// INVARIANT: it listens.
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
    /// The path must not exist. Its file gets mode 0777 less the umask; [`Socket::set_mode`] before
    /// [`Socket::bind_to`] sets another.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open, and no file stays that was not there before.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or is too long. No call was
    ///   made, and [`Error::sun_path`] has the numbers. For a longer path, see the example of
    ///   [`CWD`](crate::CWD#a-path-of-any-length).
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
    /// On failure nothing stays open, and no file stays that was not there before.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `EADDRINUSE`: the address is taken. `EINVAL`: it is unnamed. `ENOENT`, `ENOTDIR`, `ELOOP`,
    ///   `EACCES`, `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: as for [`Socket::bind_to`].
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
    /// abstract name which Linux chooses, and which [`local_addr`](Self::local_addr) returns.
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

    /// `accept4(fd, addr, len, SOCK_CLOEXEC)` — takes the next connection, with the address of the
    /// client, which is nearly always unnamed.
    ///
    /// The new socket is blocking, whatever the listener is.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: no connection waits, and the listener is nonblocking or its read timeout passed.
    ///   On macOS and FreeBSD accept(2) ignores the read timeout and waits forever;
    ///   [`accept_timeout`](Self::accept_timeout) works on every system.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system. The connection
    ///   stays in the queue.
    /// - `EINVAL`: the listener was [shut down](Self::as_socket) and the queue is empty
    ///   ([`Cause::ShutDown`]). If it is nonblocking, Linux reports `EAGAIN` even so, while poll(2)
    ///   reports `POLLIN`: stop at `POLLRDHUP`, or call [`accept_timeout`](Self::accept_timeout), which
    ///   reports `EINVAL`.
    /// - `ECONNABORTED`: the client has closed already; not on Linux, where its connection is
    ///   accepted.
    /// - `ENOBUFS`, `ENOMEM`: no memory.
    /// - `EAFNOSUPPORT`: a listener of another family was taken over unchecked. The connection is
    ///   closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixListener, UnixStream};
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let listener = UnixListener::autobind()?;
    /// # let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// let (server, addr) = listener.accept()?;
    /// println!("{addr} connected, of user {}", server.peer_cred()?.uid());
    /// # drop(client);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2).
    #[doc(alias = "accept4")]
    pub fn accept(&self) -> Result<(Socket<T>, UnixAddr), Error> {
        let mut peer = UnixAddr::unnamed();
        let fd = syscall::accept(self.as_fd(), Some(&mut peer), false)?;
        Ok((Socket::from_fd(fd), peer))
    }

    /// `accept4(fd, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK)` — takes the next connection as a
    /// nonblocking socket, which saves [`Socket::set_nonblocking`]. The listener decides whether
    /// this call waits.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `EMFILE`, `ENFILE`, `EINVAL`, `ECONNABORTED`, `ENOBUFS`, `ENOMEM`, `EAFNOSUPPORT`: as
    ///   for [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::{UnixListener, UnixStream};
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// # let listener = UnixListener::autobind()?;
    /// # let client = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// let (server, _) = listener.accept_nonblocking()?;
    /// let error = server.read(&mut [0; 16]).unwrap_err();
    /// assert!(error.is_would_block()); // nothing has arrived
    /// # drop(client);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2).
    #[doc(alias = "accept4")]
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn accept_nonblocking(&self) -> Result<(Socket<T>, UnixAddr), Error> {
        let mut peer = UnixAddr::unnamed();
        let fd = syscall::accept(self.as_fd(), Some(&mut peer), true)?;
        Ok((Socket::from_fd(fd), peer))
    }

    /// poll(2) and accept4(2) — takes the next connection if one arrives within `timeout`.
    ///
    /// If several threads or processes accept from one queue, make the listener
    /// [nonblocking](Self::set_nonblocking). Otherwise the call can wait for longer than `timeout`,
    /// because another can take the connection that poll(2) announced.
    ///
    /// # Errors
    ///
    /// - `ETIMEDOUT`: no client connected.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system. The call does not
    ///   wait for one, and a loop around it must: the connection stays in the queue, so the next
    ///   call fails at once, too.
    /// - `EINVAL`: the listener was [shut down](Self::as_socket) and the queue is empty. This is
    ///   reported at once, for a nonblocking listener too.
    /// - `ECONNABORTED`, `ENOBUFS`, `ENOMEM`: as for [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// A loop that tests a flag twice a second, which a signal handler may set:
    ///
    /// ```no_run
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::time::Duration;
    /// use sunpath::{Errno, UnixListener};
    ///
    /// static STOP: AtomicBool = AtomicBool::new(false);
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// while !STOP.load(Ordering::Relaxed) {
    ///     match listener.accept_timeout(Duration::from_millis(500)) {
    ///         Ok((client, _)) => drop(client.write(b"hello\n")),
    ///         Err(error) if error.errno() == Errno::ETIMEDOUT => {}
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See poll(2), accept(2).
    #[doc(alias = "poll")]
    pub fn accept_timeout(&self, timeout: Duration) -> Result<(Socket<T>, UnixAddr), Error> {
        let deadline = Deadline::after(timeout);
        loop {
            // poll(2) is called at least once, even if the time is zero.
            let ready = match syscall::poll_in(self.as_fd(), deadline.left_milliseconds()) {
                Err(error) if error.errno() == Errno::EINTR => None,
                ready => ready?,
            };
            if let Some(ready) = ready {
                match self.accept() {
                    // No connection arrives after the shutdown, and those before it have been
                    // accepted.
                    Err(error) if error.errno() == Errno::EAGAIN && ready.shut_down => {
                        return Err(Error::with_cause(
                            Call::Accept,
                            Errno::EINVAL,
                            Cause::ShutDown,
                        ));
                    }
                    Err(error) if error.errno() == Errno::EAGAIN => {}
                    accepted => return accepted,
                }
            }
            if deadline.left().is_none() {
                return Err(Error::new(Call::Accept, Errno::ETIMEDOUT));
            }
        }
    }

    /// Takes the next connection whose peer is permitted. Other connections are closed, and so are
    /// those whose peer is not known, for example because the client has closed already on some
    /// systems.
    ///
    /// The modes of the file and of its directory decide who can connect at all. This function decides by
    /// the credentials of those who did.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`, `EMFILE`, `ENFILE`, `EINVAL`, `ECONNABORTED`, `ENOBUFS`, `ENOMEM`: as for
    ///   [`accept`](Self::accept).
    ///
    /// # Examples
    ///
    /// Accept only clients of this process's own user:
    ///
    /// ```no_run
    /// use sunpath::{PeerCred, UnixListener};
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// let (client, _) = listener.accept_if(PeerCred::is_own_user)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See accept(2), unix(7) "SO_PEERCRED".
    #[doc(alias = "SO_PEERCRED")]
    pub fn accept_if(
        &self,
        mut allowed: impl FnMut(PeerCred) -> bool,
    ) -> Result<(Socket<T>, UnixAddr), Error> {
        loop {
            let (socket, addr) = self.accept()?;
            if socket.peer_cred().is_ok_and(&mut allowed) {
                return Ok((socket, addr));
            }
        }
    }

    /// Makes a listener of a socket. The caller has checked that it listens.
    pub(crate) const fn from_listening(socket: Socket<T>) -> Self {
        Self { socket }
    }

    /// Returns the socket itself, for its options. Methods that need a connection fail on it,
    /// except for [`peer_cred`](Socket::peer_cred): a listener is its own peer, so the result is
    /// what clients will see.
    ///
    /// [`shutdown`](Socket::shutdown) stops the listener: threads that wait in
    /// [`accept`](Self::accept) get the connections that are in the queue and then `EINVAL`,
    /// [`incoming`](Self::incoming) ends, and new clients get `ECONNREFUSED`. This cannot be undone.
    ///
    /// # Examples
    ///
    /// One thread stops another:
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

    /// `listen(fd, backlog)`, once more — changes the backlog, and makes clients that connect from
    /// now on see the credentials that this process has now: after it has dropped its privileges,
    /// for example.
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
    /// - `ENOBUFS`: no memory; not on Linux.
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

    /// `fcntl(fd, F_SETFD, FD_CLOEXEC)` — sets whether execve(2) closes this descriptor, which it
    /// does by default. `false` passes the listener on to the program that this process executes:
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
    /// accept from one queue.
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
