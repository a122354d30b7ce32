//! Makes a socket, its address and its connection.

use sunpath_sys as sys;
use sunpath_sys::SunPathError;

use super::{Kind, Shutdown, Socket, methods_of};
use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::AsFd;
use crate::pathname::AsPathname;
use crate::syscall;

/// Methods that make a socket step by step, as in C.
impl<T: Kind> Socket<T> {
    /// `socket(AF_UNIX, type, 0)` — makes a socket that is neither bound nor connected.
    ///
    /// # Errors
    ///
    /// - `EMFILE`: the process has as many descriptors as `RLIMIT_NOFILE` allows.
    /// - `ENFILE`: the system has as many open files as it allows.
    /// - `ENOMEM`, `ENOBUFS`: no memory.
    /// - `EAFNOSUPPORT`: the kernel was built without Unix domain sockets.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Socket, Stream, UnixListener, addr};
    ///
    /// # let addr = sunpath::UnixAddr::from_pathname(&*format!("/tmp/sunpath-new-{}", std::process::id()))?;
    /// let socket = Socket::<Stream>::new()?;
    /// socket.bind_to(&addr)?;
    /// let listener = socket.listen(UnixListener::BACKLOG)?;
    /// # drop(listener);
    /// # std::fs::remove_file(addr.to_string())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See socket(2).
    #[doc(alias = "socket")]
    #[inline]
    pub fn new() -> Result<Self, Error> {
        syscall::socket(T::TYPE, false).map(Self::from_fd)
    }

    /// `socket(AF_UNIX, type | SOCK_NONBLOCK, 0)` — makes a nonblocking socket, which saves the
    /// call of [`set_nonblocking`](Self::set_nonblocking).
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Socket, Stream};
    ///
    /// let socket = Socket::<Stream>::new_nonblocking()?;
    /// assert!(socket.nonblocking()?);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(2).
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn new_nonblocking() -> Result<Self, Error> {
        syscall::socket(T::TYPE, true).map(Self::from_fd)
    }

    /// `socketpair(AF_UNIX, type, 0, sv)` — makes two unnamed sockets connected to each other.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (parent, child) = UnixStream::pair()?;
    /// parent.write_all(b"hello")?;
    /// let mut buf = [0; 5];
    /// child.read_exact(&mut buf)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socketpair(2).
    #[doc(alias = "socketpair")]
    pub fn pair() -> Result<(Self, Self), Error> {
        let (a, b) = syscall::socketpair(T::TYPE, false)?;
        Ok((Self::from_fd(a), Self::from_fd(b)))
    }

    /// `socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, sv)` — makes a [`pair`](Self::pair) of two
    /// nonblocking sockets.
    ///
    /// # Errors
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (ours, _theirs) = UnixStream::pair_nonblocking()?;
    /// assert!(ours.read(&mut [0; 16]).unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socketpair(2).
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn pair_nonblocking() -> Result<(Self, Self), Error> {
        let (a, b) = syscall::socketpair(T::TYPE, true)?;
        Ok((Self::from_fd(a), Self::from_fd(b)))
    }

    /// `fchmod(fd, mode)` — sets the mode that the socket's file will have. Call it before bind, so
    /// that at no instant the file has more permissions.
    ///
    /// The umask still applies: with `0o666` under umask `022` the file gets mode 0644. After bind
    /// this call changes nothing on Linux. To connect, a process needs write permission on the file
    /// on Linux. On other systems only the permissions of the directory are portable.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the mode is over 0777, and the error has the mode. For example, 660 in decimal
    ///   is 01224. No call was made.
    /// - `EINVAL`: the system does not know the mode of a socket: macOS, FreeBSD after bind, and
    ///   older releases of FreeBSD before bind, too.
    /// - `EPERM`: another user made the socket.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Socket, Stream, UnixListener, addr};
    ///
    /// let socket = Socket::<Stream>::new()?;
    /// socket.set_mode(0o600)?; // only this user may connect
    /// socket.bind_to(&addr!("/run/app.sock"))?;
    /// let listener = socket.listen(UnixListener::BACKLOG)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See chmod(2), unix(7) "Pathname socket ownership and permissions".
    #[doc(alias = "fchmod")]
    pub fn set_mode(&self, mode: u32) -> Result<(), Error> {
        if mode > 0o777 {
            let cause = Cause::Mode { mode };
            return Err(Error::with_cause(Call::Fchmod, Errno::EINVAL, cause));
        }
        syscall::fchmod(self.as_fd(), mode as sys::mode_t)
    }

    /// `bind(fd, addr, len)` — gives the socket its address.
    ///
    /// For a pathname, a socket file is made, with mode 0777 less the umask unless
    /// [`set_mode`](Self::set_mode) was called. The file must not exist yet, and nothing removes it
    /// afterwards. The unnamed address is refused, because in C it means
    /// [`autobind`](Self::autobind).
    ///
    /// # Errors
    ///
    /// - `EADDRINUSE`: the path exists, whether it is a live socket, a dead one or not a socket; or
    ///   the abstract name is taken. On macOS bind follows a symbolic link that leads to nothing,
    ///   and makes the file there. [`BindOptions`](crate::BindOptions) fails in that case.
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the directory does not exist, is a file, or is a loop of
    ///   links.
    /// - `EACCES`: no permission to write to the directory, or to search one above it.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: the file system takes no new file.
    /// - `EINVAL`: the socket has an address already (and the path is free), or `addr` is unnamed.
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Seqpacket, Socket, addr};
    ///
    /// let socket = Socket::<Seqpacket>::new()?;
    /// socket.bind_to(&addr!("/run/app.sock"))?;
    /// assert_eq!(socket.local_addr()?.to_string(), "/run/app.sock");
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), unix(7).
    #[doc(alias = "bind")]
    pub fn bind_to(&self, addr: &UnixAddr) -> Result<(), Error> {
        if addr.is_unnamed() {
            let cause = Cause::UnnamedAddress;
            return Err(Error::with_cause(Call::Bind, Errno::EINVAL, cause));
        }
        syscall::bind(self.as_fd(), addr)
    }

    /// `bind(fd, addr, sizeof(sa_family_t))` — binds the socket to a free abstract name of five
    /// hexadecimal digits. Linux chooses the name, and [`local_addr`](Self::local_addr) returns it.
    ///
    /// A socket that has a name keeps it. Abstract names have no permissions: every process of the
    /// network namespace can connect.
    ///
    /// # Errors
    ///
    /// - `EOPNOTSUPP`: the system has no abstract names.
    /// - `ENOSPC`: all 2^20 names are taken.
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Datagram, Socket};
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let socket = Socket::<Datagram>::new()?;
    /// socket.autobind()?; // peers can answer to this name
    /// assert!(socket.local_addr()?.to_string().starts_with('@'));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "Autobind feature".
    pub fn autobind(&self) -> Result<(), Error> {
        if !sys::HAVE_ABSTRACT {
            return Err(Error::refused(Call::Bind, SunPathError::Unsupported));
        }
        syscall::bind(self.as_fd(), &UnixAddr::unnamed())
    }

    /// `connect(fd, addr, len)` — connects to the socket that listens at an address.
    ///
    /// The call returns as soon as the connection waits in the listener's queue, before it is
    /// accepted. After a failure the same socket can be used again.
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the path does not exist.
    /// - `ECONNREFUSED`: nobody listens at the address: the socket is dead or not yet listening, or
    ///   the file is not a socket.
    /// - `EACCES`: no write permission on the socket file, or no search permission above it.
    /// - `EPROTOTYPE`: a socket of another kind is bound there.
    /// - `EPERM`: a datagram socket is bound there, and is connected to a third socket.
    /// - `EAGAIN`: the queue is full, and the socket is nonblocking or its write timeout passed. No
    ///   connection was begun.
    /// - `EISCONN`: the socket is or was connected.
    /// - `EINVAL`: `addr` is unnamed, or the socket listens.
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Errno, Socket, Stream, addr};
    ///
    /// let socket = Socket::<Stream>::new()?;
    /// let error = socket.connect_to(&addr!("/nobody/listens/here")).unwrap_err();
    /// assert_eq!(error.errno(), Errno::ENOENT);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    #[inline]
    pub fn connect_to(&self, addr: &UnixAddr) -> Result<(), Error> {
        syscall::connect(self.as_fd(), addr)
    }

    /// `getsockname(fd, addr, len)` — returns the socket's own address, as it was given to bind. A
    /// relative path stays relative. If the file was renamed afterwards, the address still has the
    /// old name.
    ///
    /// # Errors
    ///
    /// - `ENOBUFS`: no memory. Linux does not report this error.
    /// - `EAFNOSUPPORT`: a socket of another family was taken over unchecked.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixListener;
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let listener = UnixListener::autobind()?;
    /// println!("listening at {}", listener.local_addr()?);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See getsockname(2).
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> Result<UnixAddr, Error> {
        syscall::getsockname(self.as_fd())
    }

    /// `getpeername(fd, addr, len)` — returns the address of the other end.
    ///
    /// A client is unnamed unless it bound its own socket, which few clients do.
    /// [`peer_cred`](Self::peer_cred) identifies the client.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: the socket is not connected.
    /// - `EAFNOSUPPORT`: a socket of another family was taken over unchecked.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPath, UnixStream};
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// assert_eq!(ours.peer_addr()?.name(), SunPath::Unnamed);
    /// # drop(theirs);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See getpeername(2).
    #[doc(alias = "getpeername")]
    pub fn peer_addr(&self) -> Result<UnixAddr, Error> {
        syscall::getpeername(self.as_fd())
    }

    /// `shutdown(fd, how)` — ends one or both directions of the connection, for every descriptor of
    /// this socket in every process.
    ///
    /// # Errors
    ///
    /// - `ENOTCONN`: the socket is not connected. Linux does not report this.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Shutdown, UnixStream};
    ///
    /// let (client, server) = UnixStream::pair()?;
    /// client.write_all(b"request")?;
    /// client.shutdown(Shutdown::Write)?; // the server reads the request, and then the end
    /// let mut buf = [0; 16];
    /// assert_eq!((server.read(&mut buf)?, server.read(&mut buf)?), (7, 0));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See shutdown(2).
    pub fn shutdown(&self, how: impl Into<Shutdown>) -> Result<(), Error> {
        let how = match how.into() {
            Shutdown::Read => sys::SHUT_RD,
            Shutdown::Write => sys::SHUT_WR,
            Shutdown::Both => sys::SHUT_RDWR,
        };
        syscall::shutdown(self.as_fd(), how)
    }
}

methods_of!(Connected [Stream, Seqpacket], "Methods that connect.", {
    /// `connect(fd, addr, len)` — makes a socket that is connected to the listener at a path.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: the path is empty, has a NUL, or is too long. No call
    ///   was made, and [`Error::sun_path`] has the offset or the lengths. For a longer path, see
    ///   the example of [`CWD`](crate::CWD#a-path-of-any-length).
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`: as for
    ///   [`connect_to`](Self::connect_to).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::UnixStream;
    ///
    /// let stream = UnixStream::connect("/run/app.sock")?;
    /// stream.write(b"status\n")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[inline]
    pub fn connect(path: impl AsPathname) -> Result<Self, Error> {
        let mut addr = UnixAddr::unnamed();
        let made = addr.set_pathname(path);
        made.map_err(|e| Error::refused(Call::Connect, e))?;
        Self::connect_addr(&addr)
    }

    /// `connect(fd, addr, len)` — makes a socket that is connected to the listener at an address.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`, `EINVAL`: as for
    ///   [`connect_to`](Self::connect_to).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{UnixStream, addr};
    ///
    /// let stream = UnixStream::connect_addr(&addr!("/run/app.sock"))?;
    /// stream.write_all(b"status\n")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    #[inline]
    pub fn connect_addr(addr: &UnixAddr) -> Result<Self, Error> {
        let socket = Self::new()?;
        socket.connect_to(addr)?;
        Ok(socket)
    }
});
