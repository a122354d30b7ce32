//! Connects with conditions: within a time limit, and only to the right server.

use core::ffi::c_int;
use core::time::Duration;

use crate::addr::UnixAddr;
use crate::deadline::{Deadline, sleep};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD, OwnedFd};
use crate::files::alias::USUAL;
use crate::files::at::connect_through;
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::socket::{Connected, Socket, SocketRef, Stream};
use crate::syscall;

/// Options for connecting: with a time limit, to one user's server alone, or to a server that has
/// not started yet.
///
/// # Examples
///
/// The following client connects only to a server of its own user, and not to another server that
/// listens at the path:
///
/// ```no_run
/// use std::time::Duration;
/// use sunpath::{ConnectOptions, UnixStream};
///
/// let stream: UnixStream = ConnectOptions::new()
///     .timeout(Duration::from_secs(5))
///     .require_own_user()
///     .connect("/run/app.sock")?;
/// # Ok::<(), sunpath::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions {
    timeout: Option<Duration>,
    peer: Option<Peer>,
    wait_for_server: bool,
}

/// The user who must run the server.
#[derive(Clone, Copy, Debug)]
enum Peer {
    User(u32),
    /// The effective user of this process when it connects.
    OwnUser,
}

/// The longest time that an attempt waits for a place in the listener's queue.
#[derive(Clone, Copy)]
enum Wait {
    /// The attempt does not wait, because the socket is nonblocking.
    Never,
    /// The attempt waits until the deadline, or forever if there is none. The error is the one to
    /// return if the deadline has passed when the attempt begins.
    Until(Option<Deadline>, Error),
}

impl ConnectOptions {
    /// Makes options without any condition, which connect as C does.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            timeout: None,
            peer: None,
            wait_for_server: false,
        }
    }

    /// Sets how long to wait for a place in the listener's queue. After that time connecting fails
    /// with `ETIMEDOUT`.
    ///
    /// A signal does not extend the wait. With a timeout of zero, `ETIMEDOUT` is reported without
    /// an attempt.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use sunpath::{ConnectOptions, UnixStream};
    ///
    /// let options = ConnectOptions::new().timeout(Duration::from_secs(5));
    /// let stream: UnixStream = options.connect("/run/app.sock")?;
    /// # drop(stream);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets whether to wait for a server that has not started yet. A missing file (`ENOENT`) and a
    /// file at which nobody listens (`ECONNREFUSED`) are then not errors until the
    /// [`timeout`](Self::timeout) has passed. Without a timeout the wait has no end.
    ///
    /// Connecting is tried again after a pause, which grows from 1 to 100 milliseconds and gets
    /// shorter before the timeout. When the timeout has passed, connecting fails with the error of
    /// the last try: `ENOENT` if there is no file, `ECONNREFUSED` if a dead server left one. Every
    /// other error, such as `EACCES`, ends the wait at once, because a server that starts does not
    /// change it.
    ///
    /// # Examples
    ///
    /// A client that is started together with its server:
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use sunpath::{ConnectOptions, UnixStream};
    ///
    /// let stream: UnixStream = ConnectOptions::new()
    ///     .wait_for_server(true)
    ///     .timeout(Duration::from_secs(5))
    ///     .connect("/run/app.sock")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn wait_for_server(mut self, wait: bool) -> Self {
        self.wait_for_server = wait;
        self
    }

    /// Accepts only a server of this user: the effective user of the server's process at its last
    /// listen(2) must be this one. Every user who may write to a directory can listen at a path in
    /// that directory. This check distinguishes the server from an impostor.
    ///
    /// If a service manager made the socket ([`activation`](crate::activation)), the user is the
    /// manager's, often root, because the manager called listen(2). The server can change that by
    /// [`Listener::listen_again`](crate::Listener::listen_again).
    ///
    /// In a user namespace that does not map every user, as in many sandboxes, one uid stands for
    /// all users that are not mapped: 65534, or the number in `/proc/sys/kernel/overflowuid`. In a
    /// user namespace with unmapped users this uid cannot be required, and connecting fails with
    /// `EINVAL` ([`Cause::UnmappedUid`]). In other namespaces the uid is the user `nobody`. Without
    /// /proc the two kinds of namespace cannot be distinguished, and 65534 is refused.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{ConnectOptions, UnixStream};
    ///
    /// let stream: UnixStream = ConnectOptions::new().require_peer(0).connect("/run/app.sock")?;
    /// # drop(stream);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "SO_PEERCRED")]
    pub const fn require_peer(mut self, uid: u32) -> Self {
        self.peer = Some(Peer::User(uid));
        self
    }

    /// Accepts only a server that our own user runs, as [`require_peer`](Self::require_peer) does with the
    /// effective user that this process has when it connects. If both methods are called, the later
    /// call decides.
    ///
    /// In a user namespace in which our own user is not mapped, connecting fails with `EINVAL`
    /// ([`Cause::UnmappedUid`]), because the uid stands for other users too.
    #[must_use]
    #[doc(alias = "geteuid")]
    pub const fn require_own_user(mut self) -> Self {
        self.peer = Some(Peer::OwnUser);
        self
    }

    /// `connect(fd, addr, len)` — makes a socket that is connected to the listener at a path of any
    /// length.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
    ///
    /// - `ENOENT`, `EINVAL`: the path is empty, or has a NUL; no call was made, and
    ///   [`Error::sun_path`] has the sizes.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `ETIMEDOUT`, `EPERM` and others: as for [`connect_addr`](Self::connect_addr).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{ConnectOptions, UnixSeqpacket};
    ///
    /// let socket: UnixSeqpacket = ConnectOptions::new().connect("/run/app.sock")?;
    /// socket.send(b"status")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    pub fn connect<T: Connected>(&self, path: impl AsPathname) -> Result<Socket<T>, Error> {
        self.connect_at(CWD, path)
    }

    /// `connectat(dir, fd, addr, len)` — makes a socket that is connected to the listener at a path
    /// of any length. The path begins at an open directory.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: as for [`connect`](Self::connect).
    /// - `EOPNOTSUPP`: as for [`Socket::connect_to_at`].
    /// - `ETIMEDOUT`, `EPERM` and others: as for [`connect_addr`](Self::connect_addr).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use sunpath::{ConnectOptions, UnixStream};
    /// use sunpath::files::Dir;
    ///
    /// let dir = Dir::open("/run/app")?;
    /// let options = ConnectOptions::new().timeout(Duration::from_secs(1));
    /// let server: UnixStream = options.connect_at(&dir, "control.sock")?;
    /// # drop(server);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connectat")]
    pub fn connect_at<T: Connected>(
        &self,
        dir: impl AsFd,
        path: impl AsPathname,
    ) -> Result<Socket<T>, Error> {
        let connected = self.connect_path(T::TYPE, dir.as_fd(), path.as_pathname());
        connected.map(Socket::from_fd)
    }

    /// `connect(fd, addr, len)` — makes a socket that is connected to the listener at an address.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
    ///
    /// - `ETIMEDOUT`: the queue was full until the timeout had passed.
    /// - `EPERM`: another user runs the server. [`Cause::Peer`] has the uid of that user. Nothing
    ///   was sent to the server.
    /// - `EINVAL`: the uid that is required stands for several users here.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`, `EINVAL`: as for
    ///   [`Socket::connect_to`]. The first two come only after the timeout if
    ///   [`wait_for_server`](Self::wait_for_server) was asked for.
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    pub fn connect_addr<T: Connected>(&self, addr: &UnixAddr) -> Result<Socket<T>, Error> {
        self.connect_address(T::TYPE, addr).map(Socket::from_fd)
    }

    /// `connect(fd, addr, len)`, on a nonblocking socket — connects to a path of any length, or fails if
    /// it would have to wait. The socket is nonblocking.
    ///
    /// The method makes one attempt, whatever [`timeout`](Self::timeout) and
    /// [`wait_for_server`](Self::wait_for_server) say. It is for a loop that waits for many
    /// sockets. If the queue is full there is nothing to poll for, because a connection has not
    /// begun: try again after a pause, or connect in another thread.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: the listener's queue is full.
    /// - `EPERM`, `EINVAL`, `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`, `ENOENT`, `ECONNREFUSED`, `EACCES`,
    ///   `EPROTOTYPE`, `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`, `EOPNOTSUPP`: as for [`connect_at`](Self::connect_at).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{CWD, ConnectOptions, Errno, Stream};
    ///
    /// let path = "/nobody/listens/here";
    /// let error = ConnectOptions::new().try_connect_at::<Stream>(CWD, path).unwrap_err();
    /// assert_eq!(error.errno(), Errno::ENOENT);
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn try_connect_at<T: Connected>(
        &self,
        dir: impl AsFd,
        path: impl AsPathname,
    ) -> Result<Socket<T>, Error> {
        let path = SplitPath::new(Call::Connect, dir.as_fd(), path.as_pathname())?;
        let connected = self.connect_once(T::TYPE, &path, Wait::Never);
        connected.map(Socket::from_fd)
    }

    /// `connect(fd, addr, len)`, on a nonblocking socket — connects to an address, or fails if it would
    /// have to wait, as [`try_connect_at`](Self::try_connect_at) does.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: the listener's queue is full.
    /// - `EPERM`, `EINVAL`, `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`, `ENOENT`, `ECONNREFUSED`, `EACCES`,
    ///   `EPROTOTYPE`, `ENOTDIR`, `ELOOP`: as for [`connect_addr`](Self::connect_addr).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{ConnectOptions, Stream, addr};
    ///
    /// let options = ConnectOptions::new().require_own_user();
    /// let stream = options.try_connect_addr::<Stream>(&addr!("/run/app.sock"))?;
    /// # drop(stream);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connect")]
    #[doc(alias = "SOCK_NONBLOCK")]
    pub fn try_connect_addr<T: Connected>(&self, addr: &UnixAddr) -> Result<Socket<T>, Error> {
        let connected = self.connect_by(T::TYPE, CWD, addr, Wait::Never);
        connected.map(Socket::from_fd)
    }

    /// Returns the [`timeout`](Self::timeout), if one was set.
    #[must_use]
    pub const fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns whether to [wait for a server](Self::wait_for_server) that has not started yet.
    #[must_use]
    pub const fn waits_for_server(&self) -> bool {
        self.wait_for_server
    }

    /// Does what [`connect_addr`](Self::connect_addr) does, for a socket of any type. The function
    /// is not generic, so the compiler generates this code once.
    fn connect_address(&self, kind: c_int, addr: &UnixAddr) -> Result<OwnedFd, Error> {
        let deadline = self.deadline();
        self.retry_until_served(deadline, &mut |late| {
            self.connect_by(kind, CWD, addr, Wait::Until(deadline, late))
        })
    }

    /// Does what [`connect_at`](Self::connect_at) does, for a socket of any type.
    fn connect_path(
        &self,
        kind: c_int,
        dir: BorrowedFd<'_>,
        path: &[u8],
    ) -> Result<OwnedFd, Error> {
        let path = SplitPath::new(Call::Connect, dir, path)?;
        let deadline = self.deadline();
        self.retry_until_served(deadline, &mut |late| {
            self.connect_once(kind, &path, Wait::Until(deadline, late))
        })
    }

    /// Makes one attempt to connect a socket of any type to a path.
    fn connect_once(
        &self,
        kind: c_int,
        path: &SplitPath<'_>,
        wait: Wait,
    ) -> Result<OwnedFd, Error> {
        let mut connected = Err(TIMED_OUT);
        let attempted = connect_through(path, USUAL, &mut |start, addr| {
            connected = self.connect_by(kind, start, addr, wait);
            connected.as_ref().map(drop).map_err(|error| *error)
        });
        // If an attempt succeeded, the last one did, and `connected` is its socket.
        attempted.and(connected)
    }

    /// Calls `attempt`, and if [`wait_for_server`](Self::wait_for_server) was asked for, calls it
    /// again until there is a server. The argument of `attempt` is the error to return if the
    /// deadline has passed already: the error of the previous try, if there was one.
    fn retry_until_served(
        &self,
        deadline: Option<Deadline>,
        attempt: &mut dyn FnMut(Error) -> Result<OwnedFd, Error>,
    ) -> Result<OwnedFd, Error> {
        let mut late = TIMED_OUT;
        let mut pause = 1;
        loop {
            match attempt(late) {
                Err(error) if self.wait_for_server && is_absent(error) => late = error,
                connected => return connected,
            }
            let left = deadline.map_or(c_int::MAX, Deadline::left_milliseconds);
            if left == 0 {
                return Err(late);
            }
            // A pause lasts at most half of the time that is left, so the last attempt is made just
            // before the end.
            sleep(u16::try_from((left / 2).max(1)).map_or(pause, |half| half.min(pause)));
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        self.timeout.map(Deadline::after)
    }

    /// Connects once. The address begins at `dir`.
    fn connect_by(
        &self,
        kind: c_int,
        dir: BorrowedFd<'_>,
        addr: &UnixAddr,
        wait: Wait,
    ) -> Result<OwnedFd, Error> {
        let required = self.peer.map(|peer| match peer {
            Peer::User(uid) => uid,
            Peer::OwnUser => syscall::geteuid(),
        });
        let ambiguous = |uid: &u32| syscall::stands_for_unmapped(*uid) != Some(false);
        if let Some(uid) = required.filter(ambiguous) {
            let cause = Cause::UnmappedUid { uid };
            return Err(Error::with_cause(Call::Connect, Errno::EINVAL, cause));
        }
        let owned = syscall::socket(kind, matches!(wait, Wait::Never))?;
        // The type makes no difference to the next calls.
        let socket = SocketRef::<Stream>::from(&owned);
        match wait {
            Wait::Never | Wait::Until(None, _) => syscall::connect_at(dir, owned.as_fd(), addr)?,
            Wait::Until(Some(deadline), late) => connect_until(&socket, dir, addr, deadline, late)?,
        }
        if let Some(required) = required {
            let uid = socket.peer_cred()?.uid();
            if uid != required {
                let cause = Cause::Peer { uid };
                return Err(Error::with_cause(Call::Connect, Errno::EPERM, cause));
            }
        }
        Ok(owned)
    }
}

/// The longest pause between two tries, in milliseconds.
const LONGEST_PAUSE: u16 = 100;

const TIMED_OUT: Error = Error::new(Call::Connect, Errno::ETIMEDOUT);

/// Returns whether there is no server: no socket file, or no process that listens. The result is
/// `false` for an empty path, which has the errno `ENOENT`, too.
fn is_absent(error: Error) -> bool {
    error.sun_path().is_none() && matches!(error.errno(), Errno::ENOENT | Errno::ECONNREFUSED)
}

/// Connects a blocking socket, and waits for a place in the queue until the deadline at most.
/// `SO_SNDTIMEO` limits the wait, and is reset afterwards. A nonblocking connect(2) with poll(2) is
/// not possible, because at a full queue it fails and leaves nothing to wait for.
fn connect_until(
    socket: &Socket<Stream>,
    dir: BorrowedFd<'_>,
    addr: &UnixAddr,
    deadline: Deadline,
    mut late: Error,
) -> Result<(), Error> {
    loop {
        let left = deadline.left().ok_or(late)?;
        socket.set_write_timeout(Some(left))?;
        match syscall::connect_once(dir, socket.as_fd(), addr) {
            // The client has waited for a place in the queue, so a server exists.
            Err(error) if error.errno() == Errno::EINTR => late = TIMED_OUT,
            Err(error) if error.errno() == Errno::EAGAIN => return Err(TIMED_OUT),
            Err(error) => return Err(error),
            Ok(()) => return socket.set_write_timeout(None),
        }
    }
}
