//! Binding with a say in the file: its mode and owner, its end, and what stood there before.

mod access;
mod bound;
mod file;
mod make;
mod private;
mod remove;
mod stale;
mod turn;

use core::ffi::c_int;

use crate::error::{Call, Error};
use crate::fd::{AsFd, CWD};
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::socket::{
    Connected, Datagram, Kind, Listener, Socket, UnixDatagram, UnixListener, UnixSeqpacketListener,
};

use self::access::Access;
pub use self::bound::Bound;
pub use self::stale::{Liveness, probe};

/// What to do where a file stands at the path already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Existing {
    /// `EADDRINUSE`, exactly as in C.
    #[default]
    Refuse,
    /// Removes a socket file that is proved dead, and nothing else: for a daemon of which there
    /// shall be one, and which may have been killed.
    ///
    /// Of all that start at once, in whatever process, one wins; the others get `EADDRINUSE`. A lock
    /// file of mode 0600 beside the socket decides it, by flock(2), held as long as the socket is, by
    /// children that were forked too; the kernel lets go of it when the last of them dies, so that it
    /// is never stale. It is removed with the socket file, and stays where the process was killed. Its
    /// name is `<name>.lock`; of a name over 250 bytes, which leaves that no room, `.sunpath-`, a hash
    /// of the name in 16 hexadecimal digits, and `.lock`.
    ///
    /// The lock is for those who ask for it. The proof is for all: a datagram socket is connected
    /// to the file, which to a stream or seqpacket socket is `EPROTOTYPE` as long as any process has
    /// it, also before listen(2) and with a full backlog, and of which the server notices nothing.
    /// Only `ECONNREFUSED` of a socket file proves that it is dead. What is no socket is never
    /// touched, nor is a symbolic link or what it points to, nor a file of which the kernel does not
    /// say (`EACCES`: without write permission on a file there is no answer).
    ///
    /// The kernel knows its own processes: on a file system that several machines or a guest and
    /// its host share, a server on the other side looks dead.
    ReplaceStale,
    /// Takes the path over from whoever has it, without an instant in which nobody listens: a new
    /// version of a running server, say.
    ///
    /// The socket is bound to a name of its own beside the path, `.sunpath-` and 16 hexadecimal
    /// digits, listens, and is swapped with the socket file that is there, be it live or dead, which
    /// is then removed. Who connected before stays in the old server's queue; whoever looks the path up
    /// from then on reaches the new one. The old server, if it is of this crate, leaves the new file
    /// alone when it ends. What is no socket, or a symbolic link, is `EADDRINUSE` and stays. (Where a
    /// file system cannot swap, and elsewhere than on Linux, rename(2) does it: a file that somebody
    /// puts there within the two calls that look and rename is lost.)
    ///
    /// The old server should go on accepting for a moment, and until nobody waits, before it closes
    /// its listener. connect(2) looks the path up first and takes its place in the queue then: whom a
    /// close meets between the two is refused (`ECONNREFUSED`), and whom it meets in the queue is
    /// reset. No call tells when the last of them has come; tens of milliseconds are plenty unless the
    /// machine is stalled.
    ///
    /// getsockname(2), and getpeername(2) of the clients, tell the name that was bound and not the
    /// path: [`Bound::addr`] has the path. Nobody is locked out: of two that take over at once, the
    /// last one has the path.
    Takeover,
}

/// How to bind a socket to a path, so that its file has the right mode from the beginning, is
/// removed at the end, and does not stand in the way of the next start.
///
/// # Examples
///
/// A daemon that only its user and group may connect to, that starts again after a crash, that is
/// not started twice, and that cleans up:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{BindOptions, Existing, UnixStream};
///
/// # let dir = std::env::temp_dir().join(format!("sunpath-bind-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("app.sock");
/// let options = BindOptions::new().mode(0o660).existing(Existing::ReplaceStale);
/// let listener = options.listen(&path)?;
///
/// let client = UnixStream::connect(&path)?;
/// let (server, _) = listener.accept()?;
/// assert!(options.listen(&path).is_err()); // one is running
///
/// listener.close_and_unlink()?; // dropping it does the same, in silence
/// assert!(!path.exists());
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    access: Access,
    backlog: c_int,
    unlink_on_drop: bool,
    existing: Existing,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl BindOptions {
    /// As C binds, but that the file is removed on drop.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            access: Access::NONE,
            backlog: UnixListener::BACKLOG,
            unlink_on_drop: true,
            existing: Existing::Refuse,
        }
    }

    /// The mode of the file, exactly, whatever the umask is; at most 0777. Without it, 0777 less the
    /// umask.
    ///
    /// No process may connect at any instant that this mode would not let in, and the umask, which
    /// belongs to all threads, is not touched: the socket has the mode before it is bound, and what
    /// the umask took is given back to the file that was bound, by a descriptor of it. To
    /// connect, a process needs write permission on Linux; elsewhere only the directory's permissions
    /// are portable.
    ///
    /// Until then the file has its sticky bit set, which is how it is told from another. In a
    /// directory where others may rename (writable by its group or by all, without the sticky bit; or
    /// owned by somebody else than us and root), where /proc is missing, and on systems where
    /// descriptors cannot do this, the socket is bound in a new directory of mode 0700 beside the path
    /// and moved to it when it is ready; getsockname(2) then tells a path that is gone, and
    /// [`Bound::addr`] the one to connect to.
    #[must_use]
    #[doc(alias = "chmod")]
    #[doc(alias = "umask")]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.access.mode = Some(mode);
        self
    }

    /// The user whom the file belongs to. Needs privileges if it is another.
    ///
    /// With a [`mode`](Self::mode), nobody but this process's user may connect until the owner is
    /// right.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn owner(mut self, uid: u32) -> Self {
        self.access.owner = Some(uid);
        self
    }

    /// The group that the file belongs to. Needs privileges unless this process is in it.
    ///
    /// With a [`mode`](Self::mode), nobody but this process's user may connect until the group is
    /// right.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn group(mut self, gid: u32) -> Self {
        self.access.group = Some(gid);
        self
    }

    /// The backlog that listen(2) takes; [`Listener::BACKLOG`] without it. See [`Socket::listen`].
    #[must_use]
    #[doc(alias = "listen")]
    pub const fn backlog(mut self, backlog: i32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Whether the file is removed when the socket is dropped, see [`Bound`]; it is without this.
    #[must_use]
    #[doc(alias = "unlink")]
    pub const fn unlink_on_drop(mut self, on: bool) -> Self {
        self.unlink_on_drop = on;
        self
    }

    /// What to do where a file stands at the path already; without it, [`Existing::Refuse`].
    #[must_use]
    pub const fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes a stream socket that listens at a path of
    /// any length.
    ///
    /// The directory is opened first, and everything that happens to the file happens there. A path
    /// that fits into `sun_path` is bound as it is, so that `local_addr` tells it. If that path comes
    /// to lead to another directory during the call, because a directory was renamed or another thread
    /// changed the working directory, this fails with `ESTALE` and the file is removed again.
    /// [`bind_at`](Self::bind_at) with a [`Dir`](crate::Dir) does not depend on it.
    ///
    /// A longer path is reached as by [`Socket::bind_to_at`]. [`local_addr`](Socket::local_addr) then
    /// tells an alias, and [`Bound::addr`] is `None`. If even the last component does not fit beside
    /// the alias, the socket is bound under a temporary name, `.sunpath-` and 16 hexadecimal digits,
    /// and gets its own name when it listens.
    ///
    /// # Errors
    ///
    /// Nothing stays open, and no file stays that was not there before, except for an empty lock file.
    ///
    /// - `ENOENT`, `EINVAL`: the path is empty, has a NUL; no call was made.
    /// - `EADDRINUSE`: a file is in the way. With [`ReplaceStale`](Existing::ReplaceStale): it is a
    ///   live server's, or not a socket; or another process holds the lock, or the lock file is not
    ///   one of ours, because another user owns it or it is not empty. With
    ///   [`Takeover`](Existing::Takeover): it is not a socket.
    /// - `EINVAL`: the mode is over 0777.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the directory does not exist, is a file, is a loop of links.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `EACCES`: no permission to write to the directory, or to search one above it. With
    ///   `ReplaceStale`: none to write to a file that may be stale, or to the lock file.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EIO`: the file system takes no new file.
    /// - `EPERM`: the file system takes no new file; or this process may not give a file to that
    ///   owner or group, or in a sticky directory may not remove or replace the file of another user.
    /// - `ESTALE`: the file that was just bound is not at the path: somebody removed it, or put another
    ///   in its place, which stays; or the path leads to another directory by now.
    /// - `EISDIR`, `ENXIO`, `ELOOP`: a directory, a socket, a symbolic link has the lock file's name.
    /// - `ENOLCK`, `EOPNOTSUPP`: the file system has no locks.
    /// - Without /proc, `EOPNOTSUPP`: a name in a directory that is open, and has no path. `EPERM`:
    ///   nowhere to make the link that a long path needs.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let listener = BindOptions::new().mode(0o660).listen("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), listen(2), unix(7), chmod(2), chown(2), flock(2), rename(2).
    #[doc(alias = "bind")]
    pub fn listen(&self, path: impl AsPathname) -> Result<Bound<UnixListener>, Error> {
        self.bind_at(CWD, path)
    }

    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes a sequenced-packet socket that listens at a
    /// path of any length.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EADDRINUSE` and others: as for [`listen`](Self::listen).
    /// - `EPROTONOSUPPORT`: the system has no sequenced packets (macOS).
    ///
    /// See bind(2), listen(2), unix(7).
    #[doc(alias = "bind")]
    pub fn listen_seqpacket(
        &self,
        path: impl AsPathname,
    ) -> Result<Bound<UnixSeqpacketListener>, Error> {
        self.bind_at(CWD, path)
    }

    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to a path.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EADDRINUSE` and others: as for [`listen`](Self::listen).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let log = BindOptions::new().mode(0o666).bind_datagram("/run/log.sock")?;
    /// let received = log.recv(&mut [0; 4096])?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), unix(7).
    #[doc(alias = "bind")]
    pub fn bind_datagram(&self, path: impl AsPathname) -> Result<Bound<UnixDatagram>, Error> {
        self.bind_at(CWD, path)
    }

    /// `bindat(dir, fd, addr, len)` — makes a socket of the type that the caller names, bound to a path
    /// of any length that begins at an open directory; or at [`CWD`], or at the root if it is absolute.
    /// A [`UnixListener`] or [`UnixSeqpacketListener`] listens.
    ///
    /// # Errors
    ///
    /// - `EINVAL`, `EADDRINUSE` and others: as for [`listen`](Self::listen).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{BindOptions, Bound, Dir, UnixDatagram, UnixListener};
    ///
    /// let dir = Dir::private("/run/app")?;
    /// let control: Bound<UnixListener> = BindOptions::new().bind_at(&dir, "control")?;
    /// let log: Bound<UnixDatagram> = BindOptions::new().bind_at(&dir, "log")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See bind(2), openat(2).
    #[doc(alias = "bind")]
    #[doc(alias = "bindat")]
    pub fn bind_at<S: Bindable>(
        &self,
        dir: impl AsFd,
        path: impl AsPathname,
    ) -> Result<Bound<S>, Error> {
        let path = SplitPath::new(Call::Bind, dir.as_fd(), path.as_pathname())?;
        let (socket, file) = self.make(&path, S::LISTENS)?;
        Ok(Bound::new(S::from_socket(socket), file, path.addr))
    }
}

/// What [`BindOptions::bind_at`] makes: a [`UnixListener`], [`UnixSeqpacketListener`] or
/// [`UnixDatagram`].
pub trait Bindable: sealed::Sealed + Sized {
    /// The socket's kind.
    #[doc(hidden)]
    type Kind: Kind;
    /// Whether it listens.
    #[doc(hidden)]
    const LISTENS: bool;
    /// The socket after bind(2), and after listen(2) if it listens.
    #[doc(hidden)]
    fn from_socket(socket: Socket<Self::Kind>) -> Self;
}

impl<T: Connected> Bindable for Listener<T> {
    type Kind = T;
    const LISTENS: bool = true;

    fn from_socket(socket: Socket<T>) -> Self {
        Self::from_listening(socket)
    }
}

impl Bindable for UnixDatagram {
    type Kind = Datagram;
    const LISTENS: bool = false;

    fn from_socket(socket: Self) -> Self {
        socket
    }
}

mod sealed {
    use super::{Connected, Listener, UnixDatagram};

    /// The kinds are the kernel's, and none can be added outside.
    pub trait Sealed {}

    impl<T: Connected> Sealed for Listener<T> {}
    impl Sealed for UnixDatagram {}
}
