//! Binds with options for the file: its mode and owner, its removal, and what happens to a file
//! that exists already.

mod access;
mod addr;
mod adopt;
mod bound;
mod file;
mod holder;
mod make;
mod parts;
mod private;
mod remove;
mod sample;
mod stale;
#[cfg(feature = "std")]
mod sweep;
mod turn;
mod why;

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
pub use self::holder::holder;
pub use self::parts::SocketFile;
pub use self::stale::{Liveness, probe};
#[cfg(feature = "std")]
pub use self::sweep::{StaleFile, StaleFiles, stale_in};

/// What `bind` does if a file exists at the path.
///
/// The page `docs/socket-files.md` of the repository lists every system call of the three, and what
/// a crash at each of them leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Existing {
    /// Bind fails with `EADDRINUSE`, exactly as in C.
    #[default]
    Refuse,
    /// A socket file that is proved dead is replaced, and no other file. This is for a daemon that
    /// runs once and may have been killed.
    ///
    /// If several processes start at once, exactly one succeeds, and the others get `EADDRINUSE`.
    /// They compete for a lock file of mode 0600 beside the socket, by flock(2). The lock is held
    /// as long as the socket is open, in forked children too, and the kernel releases it when the
    /// last of them dies, so the lock is never stale. The lock file is removed with the socket
    /// file, and stays if the process was killed, or if another program made it.
    /// [`BindOptions::lock`] can turn the lock off. The lock file's name is `<name>.lock`. For a
    /// name over 250 bytes, which leaves no space for that, it is `.sunpath-`, a hash of the name
    /// in 16 hexadecimal digits, and `.lock`.
    ///
    /// The lock keeps out only processes that ask for it. The proof protects every server, whatever
    /// library it uses: a datagram socket is connected to the file. If any process holds a stream
    /// or seqpacket socket that is bound to the file, the answer is `EPROTOTYPE`, also before
    /// listen(2) and with a full backlog, and the server does not notice. Only `ECONNREFUSED`
    /// proves that the file is dead, and only on a kernel that answers differently for a live
    /// socket. Before a file is removed, this process therefore binds a stream socket of its own
    /// beside it, under a temporary name, and makes the same test with it. If that live socket
    /// looks dead too, nothing is proved, and bind fails with `EADDRINUSE`.
    ///
    /// A file that is not a socket is never touched. Neither is a symbolic link, nor the file that
    /// it points to, nor a file about which the kernel does not answer (`EACCES`, because it gives
    /// no answer without write permission on the file).
    ///
    /// A kernel knows only its own processes. On a file system that several machines, or a guest
    /// and its host, share, a server on the other side looks dead. Through another layer of an
    /// overlay file system a live server looks dead too.
    ReplaceStale,
    /// The path is taken over from the process that has it, without an instant in which nobody
    /// listens. It is for a new version of a running server, for example.
    ///
    /// The socket is bound to a temporary name beside the path, `.sunpath-` and 16 hexadecimal digits,
    /// and listens. Its file is then swapped with the socket file at the path, which may be live or
    /// dead, and which is removed. Clients that connected before stay in the old server's queue. Clients
    /// that look the path up afterwards reach the new server. No client is ever refused because the
    /// socket does not listen yet. The old server, if it uses this crate, leaves the new file alone
    /// when it ends. If the file at the path is not a socket, or is a symbolic link, bind fails with
    /// `EADDRINUSE`, and the file stays. (Where a file system cannot swap files, and on systems other
    /// than Linux and macOS, rename(2) is called instead. A file that another program puts there
    /// between the two calls that look and rename is lost.)
    ///
    /// The old server should keep accepting for a moment, until no client waits, before it closes
    /// its listener. connect(2) first looks the path up and then takes its place in the queue. A
    /// client between the two when the listener is closed is refused (`ECONNREFUSED`), and a client
    /// in the queue is reset. No call tells when the last client has connected; tens of
    /// milliseconds are plenty unless the machine is stalled.
    ///
    /// getsockname(2), getpeername(2) of the clients and `/proc/net/unix` report the temporary name and
    /// not the path: [`Bound::addr`] has the path. A program that removes the sockets in `/tmp` whose
    /// path is not in `/proc/net/unix` therefore removes this one; `ReplaceStale` binds the path itself.
    /// Nothing is locked: if two processes take over at once, the last one has the path.
    Takeover,
}

/// What [`Existing::ReplaceStale`] locks, so that exactly one of several processes that start at
/// once succeeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lock {
    /// The file `<name>.lock` beside the socket file, for as long as the socket is open.
    ///
    /// It has mode 0600 and the sticky bit, by which every process of this crate knows it. A lock
    /// file without that bit belongs to another program. It is locked, but neither changed nor
    /// removed, because that program may wait for the lock of this very file. (Where the sticky bit
    /// is not kept, the process that made the file removes it.)
    #[default]
    Beside,
    /// Nothing. This is for a program that holds a lock of its own, that must not have another file
    /// in the directory, or that may not make regular files there.
    ///
    /// What remains is the proof that a file is dead, which is made twice, and the turns that
    /// processes of this crate take by a lock of the directory. As long as a process can have its
    /// turn, one of several that start at once succeeds. A process cannot have its turn if it may
    /// not read the directory, or if another process keeps the directory locked for over 50 ms.
    /// Then a server that has just bound can lose its file: a second process moves the file aside
    /// to look at it, and a third one binds in that instant.
    None,
}

/// Options for binding a socket to a path. Its file has the right mode from the beginning, is
/// removed at the end, and does not prevent the next start.
///
/// # Examples
///
/// A daemon to which only its user may connect. It starts again after a crash, cannot be started
/// twice, and removes its file:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{BindOptions, UnixStream};
///
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-bind-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("app.sock");
/// let options = BindOptions::singleton();
/// let listener = options.listen(&path)?;
///
/// let client = UnixStream::connect(&path)?;
/// let (server, _) = listener.accept()?;
/// assert!(options.listen(&path).unwrap_err().in_use().is_some()); // one is running
///
/// listener.close_and_unlink()?; // dropping it does the same, in silence
/// assert!(!path.exists());
/// # std::fs::remove_dir(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// # Fork and exec
///
/// Only the process that bound the socket removes the file. A child that continues as the daemon
/// calls [`Bound::adopt`], and the parent must then end by `_exit`: if it returns from `main`, its
/// own value is dropped and removes the file that the child still serves. A program that is
/// executed inherits the socket without a [`Bound`], and [`adopt`](Self::adopt) takes the file
/// over.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    access: Access,
    backlog: c_int,
    unlink_on_drop: bool,
    existing: Existing,
    lock: Lock,
    reachable: bool,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl BindOptions {
    /// Makes options that bind as C does, except that the file is removed when the result is
    /// dropped. Without a mode, an owner or a group, only bind(2) acts on the file.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            access: Access::NONE,
            backlog: UnixListener::BACKLOG,
            unlink_on_drop: true,
            existing: Existing::Refuse,
            lock: Lock::Beside,
            reachable: false,
        }
    }

    /// Makes the options of a daemon that runs once and that only its own user may connect to:
    /// [`ReplaceStale`](Existing::ReplaceStale) with mode 0600. Other options can be set on top.
    ///
    /// If the daemon runs already, [`Error::in_use`] of the error says so.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let listener = BindOptions::singleton().listen("/run/app.sock")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "stale")]
    #[doc(alias = "single instance")]
    #[doc(alias = "already running")]
    pub const fn singleton() -> Self {
        Self::new().mode(0o600).existing(Existing::ReplaceStale)
    }

    /// Sets the mode of the file, at most 0777, whatever the umask is. Without it the mode is 0777 less
    /// the umask.
    ///
    /// At no instant can a process connect if this mode does not permit it. The umask, which
    /// belongs to all threads, is not changed: the socket gets the mode before it is bound, and the
    /// bits that the umask took are given back to the file after that, by a descriptor of the file.
    /// To connect, a process needs write permission on the file on Linux; on other systems only the
    /// permissions of the directory are portable. A default ACL of the directory can name a user
    /// who may connect in addition, with the permissions of the group, and a directory with the
    /// setgid bit passes its group on to the file.
    ///
    /// Until the mode is complete, the file has its sticky bit set, by which it is told from other
    /// files.
    ///
    /// In three cases the socket is bound in a new directory of mode 0700 beside the path, and its
    /// file is moved to the path when it is ready: in a directory where others may rename files (it
    /// is writable by its group or by all and has no sticky bit, or belongs to a user other than
    /// this one and root), if /proc is missing, and on systems where the mode of a file cannot be
    /// changed by a descriptor. getsockname(2) then reports a path that no longer exists, and
    /// [`Bound::addr`] reports the one to connect to.
    ///
    /// If the file system does not store modes, or the sticky bit, bind fails: see
    /// [`listen`](Self::listen). A private directory, [`Dir::private`](crate::Dir::private), on
    /// another file system restricts access instead.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let listener = BindOptions::new().mode(0o660).listen("/run/app.sock")?;
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "chmod")]
    #[doc(alias = "umask")]
    pub const fn mode(mut self, mode: u32) -> Self {
        self.access.mode = Some(mode);
        self
    }

    /// Sets the owner of the file. A user other than this process's needs privileges.
    ///
    /// With a [`mode`](Self::mode), nobody but this process's user may connect until the owner is
    /// right. The number -1 is refused with `EINVAL`, because to chown(2) it means no change.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn owner(mut self, uid: u32) -> Self {
        self.access.owner = Some(uid);
        self
    }

    /// Sets the group of the file. This needs privileges unless this process is in the group.
    ///
    /// With a [`mode`](Self::mode), nobody but this process's user may connect until the group is
    /// right. The number -1 is refused with `EINVAL`, because to chown(2) it means no change.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn group(mut self, gid: u32) -> Self {
        self.access.group = Some(gid);
        self
    }

    /// Sets the backlog that listen(2) takes. Without it the backlog is [`Listener::BACKLOG`]. See
    /// [`Socket::listen`].
    #[must_use]
    #[doc(alias = "listen")]
    pub const fn backlog(mut self, backlog: i32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Sets whether the file is removed when the socket is dropped. Without it the file is removed.
    /// See [`Bound`].
    #[must_use]
    #[doc(alias = "unlink")]
    pub const fn unlink_on_drop(mut self, on: bool) -> Self {
        self.unlink_on_drop = on;
        self
    }

    /// Sets what to do if a file exists at the path. Without it, [`Existing::Refuse`] applies.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{BindOptions, Existing};
    ///
    /// let options = BindOptions::new().existing(Existing::ReplaceStale);
    /// let listener = options.listen("/run/app.sock")?; // also after a crash
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub const fn existing(mut self, existing: Existing) -> Self {
        self.existing = existing;
        self
    }

    /// Sets what [`ReplaceStale`](Existing::ReplaceStale) locks. Without it, [`Lock::Beside`] applies. The
    /// other policies lock nothing.
    #[must_use]
    #[doc(alias = "flock")]
    pub const fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// Sets whether bind refuses a path to which an ordinary client cannot connect, because it does
    /// not fit into `sun_path`. Without it such a path is bound, and only clients that support
    /// longer paths, as [`ConnectOptions`](crate::ConnectOptions) does, can connect.
    ///
    /// For a name in an open directory, the absolute path that the directory has now counts.
    /// [`fits_in`](crate::files::fits_in) checks the names of all sockets of a directory before
    /// anything is made.
    #[must_use]
    #[doc(alias = "ENAMETOOLONG")]
    pub const fn reachable(mut self, on: bool) -> Self {
        self.reachable = on;
        self
    }

    /// Returns whether a lock file is locked.
    fn takes_lock(&self) -> bool {
        self.existing == Existing::ReplaceStale && self.lock == Lock::Beside
    }

    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes a stream socket that listens at a path of
    /// any length.
    ///
    /// The directory is opened first, and everything that happens to the file happens in it. A path
    /// that fits into `sun_path` is bound as it is, so that `local_addr` reports it. If the path
    /// comes to lead to another directory during the call, because a directory was renamed or
    /// another thread changed the working directory, bind fails with `ESTALE` and the file is
    /// removed again. [`bind_at`](Self::bind_at) with a [`Dir`](crate::Dir) does not depend on the
    /// path.
    ///
    /// A longer path is reached as by [`Socket::bind_to_at`]. [`local_addr`](Socket::local_addr) then
    /// reports an alias, and [`Bound::addr`] is `None`. If even the last component does not fit beside
    /// the alias, the socket is bound under a temporary name, `.sunpath-` and 16 hexadecimal digits,
    /// and gets its own name when it listens.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open, and no file stays that was not there before, except for an
    /// empty lock file.
    ///
    /// - `ENOENT`, `EINVAL`: the path is empty, or has a NUL; no call was made.
    /// - `EADDRINUSE`: a file is in the way. With [`ReplaceStale`](Existing::ReplaceStale): a process
    ///   holds its socket, or it is not a socket, or the kernel cannot tell; or another process holds
    ///   the lock; or the lock file is not one of ours, because another user owns it or it is not empty.
    ///   With [`Takeover`](Existing::Takeover): the file is not a socket.
    /// - `EINVAL`: the mode is over 0777.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the directory does not exist, is a file, is a loop of links.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`). With
    ///   [`reachable`](Self::reachable): the path does not fit into `sun_path`, with both numbers
    ///   ([`Cause::Unreachable`](crate::error::Cause::Unreachable)); nothing was made.
    /// - `EACCES`: no permission to write to the directory, or to search one above it; or Landlock does
    ///   not grant it. With `ReplaceStale`: none to write to a file that may be stale, or to open the
    ///   lock file.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EIO`: the file system takes no new file.
    /// - `EPERM`: the file system takes no new file, or no sockets; or this process may not give a file
    ///   to that owner or group, or in a directory with the sticky bit may not remove or replace the
    ///   file of another user. `ENOSYS`: a file system in user space takes no sockets.
    /// - `EOPNOTSUPP`, with a mode, an owner or a group: the file system does not store them, or
    ///   drops the sticky bit, or does not count links. With `Takeover`, or where the file is moved
    ///   to its path: the file system can neither rename without replacing nor link.
    /// - `EBUSY`: something is mounted on the socket file that is to be replaced.
    /// - `ESTALE`: the file that was just bound is not at the path: another program removed it, or
    ///   put another in its place, which stays; or the path leads to another directory by now.
    /// - `ENXIO`, `ELOOP`: a socket, a symbolic link has the lock file's name.
    ///   `EAGAIN`: another process has a lease on the lock file, see fcntl(2).
    /// - `ENOLCK`, `EOPNOTSUPP`: the file system has no locks.
    /// - Where getrandom(2) is denied, its errno: a temporary name was needed.
    /// - Without /proc, `EOPNOTSUPP`: a name in a directory that is open, and has no path; a mode that the
    ///   umask narrows, before Linux 6.6. `EPERM`: nowhere to make the link that a long path needs.
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

    /// `bind(fd, addr, len)` — makes a datagram socket that is bound to a path, which must fit into
    /// `sun_path` because peers send their answers to it. With [`Takeover`](Existing::Takeover),
    /// and where [`mode`](Self::mode) binds in a directory of its own, peers see a name that no
    /// longer exists. Such a socket receives, but cannot be answered.
    ///
    /// # Errors
    ///
    /// - `ENAMETOOLONG`: the path, or the one that is bound in its place, does not fit into `sun_path`; see
    ///   [`Socket::bind_to_at`].
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

    /// `bindat(dir, fd, addr, len)` — makes a socket of the type that the caller names, bound to a
    /// path of any length that begins at an open directory, at [`CWD`], or, if it is absolute, at
    /// the root. A [`UnixListener`] or [`UnixSeqpacketListener`] listens.
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
        if self.reachable {
            path.check_reachable()?;
        }
        let (socket, file) = self.make(&path, S::LISTENS)?;
        Ok(Bound::new(S::from_socket(socket), Some(file), path.addr))
    }
}

/// The types that [`BindOptions::bind_at`] makes: a [`UnixListener`], [`UnixSeqpacketListener`] or
/// [`UnixDatagram`].
pub trait Bindable: sealed::Sealed + Sized {
    /// The socket's kind.
    #[doc(hidden)]
    type Kind: Kind;
    /// `true` if the socket listens.
    #[doc(hidden)]
    const LISTENS: bool;
    /// Returns the socket after bind(2), and after listen(2) if it listens.
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

    /// Implemented only here, because the kernel decides which kinds of socket exist.
    pub trait Sealed {}

    impl<T: Connected> Sealed for Listener<T> {}
    impl Sealed for UnixDatagram {}
}
