//! Connecting with conditions: not longer than a timeout, and only to the server that is meant.

use core::time::Duration;

use crate::addr::UnixAddr;
use crate::deadline::Deadline;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD};
use crate::files::alias::USUAL;
use crate::files::at::connect_through;
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::socket::{Connected, Socket};
use crate::syscall;

/// How to connect.
///
/// # Examples
///
/// To root's server, and not to whoever took its path:
///
/// ```no_run
/// use std::time::Duration;
/// use sunpath::{ConnectOptions, UnixStream};
///
/// let stream: UnixStream = ConnectOptions::new()
///     .timeout(Duration::from_secs(5))
///     .require_peer(0)
///     .connect("/run/app.sock")?;
/// # Ok::<(), sunpath::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions {
    timeout: Option<Duration>,
    peer: Option<u32>,
}

impl ConnectOptions {
    /// No conditions.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            timeout: None,
            peer: None,
        }
    }

    /// Waits no longer than this for room in the listener's queue; then `ETIMEDOUT`.
    ///
    /// A signal does not make the wait longer. Without any time, `ETIMEDOUT` comes before a try.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Accepts only a server that this user runs: whose effective user was this one at its last
    /// listen(2). Everybody who may write to a directory can listen at a path there; this tells a
    /// server from an impostor.
    #[must_use]
    #[doc(alias = "SO_PEERCRED")]
    pub const fn require_peer(mut self, uid: u32) -> Self {
        self.peer = Some(uid);
        self
    }

    /// `connect(fd, addr, len)` — a new socket, connected to the one that listens at a path of any
    /// length.
    ///
    /// # Errors
    ///
    /// Nothing stays open.
    ///
    /// - `ENOENT`, `EINVAL`: the path is empty, has a NUL; no call was made, and
    ///   [`Error::sun_path`] has the numbers.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `ETIMEDOUT`, `EPERM` and others: as for [`connect_addr`](Self::connect_addr).
    ///
    /// See connect(2), unix(7).
    pub fn connect<T: Connected>(&self, path: impl AsPathname) -> Result<Socket<T>, Error> {
        self.connect_at(CWD, path)
    }

    /// `connectat(dir, fd, addr, len)` — a new socket, connected to the one that listens at a path of
    /// any length, which begins at an open directory.
    ///
    /// # Errors
    ///
    /// Nothing stays open.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: as for [`connect`](Self::connect).
    /// - `EOPNOTSUPP`: as for [`Socket::connect_to_at`].
    /// - `ETIMEDOUT`, `EPERM` and others: as for [`connect_addr`](Self::connect_addr).
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connectat")]
    pub fn connect_at<T: Connected>(
        &self,
        dir: impl AsFd,
        path: impl AsPathname,
    ) -> Result<Socket<T>, Error> {
        let path = SplitPath::new(Call::Connect, dir.as_fd(), path.as_pathname())?;
        let deadline = self.deadline();
        connect_through(&path, USUAL, |start, addr| {
            self.connect_by(start, addr, deadline)
        })
    }

    /// `connect(fd, addr, len)` — a new socket, connected to the one that listens at an address.
    ///
    /// # Errors
    ///
    /// Nothing stays open.
    ///
    /// - `ETIMEDOUT`: the queue was full until the timeout had passed.
    /// - `EPERM`: another user runs the server. Nothing was sent to it.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`, `EINVAL`: as for
    ///   [`Socket::connect_to`].
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    pub fn connect_addr<T: Connected>(&self, addr: &UnixAddr) -> Result<Socket<T>, Error> {
        self.connect_by(CWD, addr, self.deadline())
    }

    fn deadline(&self) -> Option<Deadline> {
        self.timeout.map(Deadline::after)
    }

    /// `dir` is where the address begins.
    fn connect_by<T: Connected>(
        &self,
        dir: BorrowedFd<'_>,
        addr: &UnixAddr,
        deadline: Option<Deadline>,
    ) -> Result<Socket<T>, Error> {
        let socket = Socket::new()?;
        match deadline {
            None => syscall::connect_at(dir, socket.as_fd(), addr)?,
            Some(deadline) => connect_until(&socket, dir, addr, deadline)?,
        }
        match self.peer {
            Some(uid) if socket.peer_cred()?.uid() != uid => {
                Err(Error::new(Call::Connect, Errno::EPERM))
            }
            _ => Ok(socket),
        }
    }
}

/// Blocking, since a nonblocking connect(2) to a full queue begins nothing that poll(2) could wait
/// for; `SO_SNDTIMEO` bounds it, and is taken back.
fn connect_until<T: Connected>(
    socket: &Socket<T>,
    dir: BorrowedFd<'_>,
    addr: &UnixAddr,
    deadline: Deadline,
) -> Result<(), Error> {
    let timed_out = Error::new(Call::Connect, Errno::ETIMEDOUT);
    loop {
        let left = deadline.left().ok_or(timed_out)?;
        socket.set_write_timeout(Some(left))?;
        match syscall::connect_once(dir, socket.as_fd(), addr) {
            Err(error) if error.errno() == Errno::EINTR => {}
            Err(error) if error.errno() == Errno::EAGAIN => return Err(timed_out),
            Err(error) => return Err(error),
            Ok(()) => return socket.set_write_timeout(None),
        }
    }
}
