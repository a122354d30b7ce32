//! The options of bind, and the calls that bind with them.

use core::ffi::c_int;

use super::access::Access;
use super::file::BoundFile;
use super::{BindOptions, Bindable, Bound, Existing, Lock};
use crate::error::{Call, Error};
use crate::fd::{AsFd, BorrowedFd, CWD, OwnedFd};
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::socket::{
    Kind, Socket, SocketRef, Stream, UnixDatagram, UnixListener, UnixSeqpacketListener,
};
use crate::syscall;

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
            pass_credentials: false,
        }
    }

    /// Makes the options of a daemon that runs once and that only its own user may connect to:
    /// [`ReplaceStale`](Existing::ReplaceStale) with mode 0600. Other options can be set in
    /// addition.
    ///
    /// If the daemon is running already, binding fails, and [`Error::in_use`] of the error is
    /// [`InUse::Lock`](crate::error::InUse::Lock) or
    /// [`InUse::Server`](crate::error::InUse::Server).
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

    /// Sets the mode of the file, at most 0777, whatever the umask is. Without this option the mode
    /// is 0777 less the umask.
    ///
    /// At no instant can a process connect if this mode does not permit it. The umask, which
    /// belongs to all threads, is not changed: the socket gets the mode before it is bound. Bits
    /// that the umask removed are set after that, by a descriptor of the file. To connect, a
    /// process needs write permission on the file on Linux; on other systems only the permissions
    /// of the directory are portable. A default ACL of the directory can name a user who may
    /// connect in addition, with the permissions of the group, and a directory with the setgid bit
    /// passes its group on to the file.
    ///
    /// Until the mode is complete, the file has its sticky bit set, which distinguishes it from
    /// other files.
    ///
    /// In three cases the socket is bound in a new directory of mode 0700 beside the path, and its
    /// file is moved to the path when it is ready: in a directory where others may rename files, if
    /// /proc is missing, and on systems where the mode of a file cannot be changed by a descriptor.
    /// (Others may rename files in a directory that is writable by its group or by all and has no
    /// sticky bit, or that belongs to a user other than this user and root.) getsockname(2) then
    /// reports a path that no longer exists, and [`Bound::addr`] reports the one to connect to.
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
    /// right. The value -1 is refused with `EINVAL`, because for chown(2) it means no change.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn owner(mut self, uid: u32) -> Self {
        self.access.owner = Some(uid);
        self
    }

    /// Sets the group of the file. Changing the group needs privileges unless this process is in
    /// the group.
    ///
    /// With a [`mode`](Self::mode), nobody but this process's user may connect until the group is
    /// right. The value -1 is refused with `EINVAL`, because for chown(2) it means no change.
    #[must_use]
    #[doc(alias = "chown")]
    pub const fn group(mut self, gid: u32) -> Self {
        self.access.group = Some(gid);
        self
    }

    /// Sets the backlog that listen(2) takes. Without this option the backlog is
    /// [`Listener::BACKLOG`](crate::Listener::BACKLOG). See
    /// [`Socket::listen`](crate::Socket::listen).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// // At most 17 clients wait, and connect(2) of a further client waits.
    /// let listener = BindOptions::new().backlog(16).listen("/run/app.sock")?;
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "listen")]
    pub const fn backlog(mut self, backlog: i32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Sets whether the file is removed when the socket is dropped. Without this option the file is
    /// removed. See [`Bound`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::BindOptions;
    ///
    /// # let path = format!("/tmp/sunpath-stays-{}.sock", std::process::id());
    /// let listener = BindOptions::new().unlink_on_drop(false).listen(&path)?;
    /// drop(listener);
    /// std::fs::remove_file(&path)?; // the file was still there
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    #[must_use]
    #[doc(alias = "unlink")]
    pub const fn unlink_on_drop(mut self, on: bool) -> Self {
        self.unlink_on_drop = on;
        self
    }

    /// Sets what to do if a file exists at the path. Without this option, [`Existing::Refuse`]
    /// applies.
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

    /// Sets what [`ReplaceStale`](Existing::ReplaceStale) locks. Without this option,
    /// [`Lock::Beside`] applies. The other policies lock nothing.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    /// use sunpath::files::Lock;
    ///
    /// // No file but the socket is made in /run.
    /// let listener = BindOptions::singleton().lock(Lock::None).listen("/run/app.sock")?;
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "flock")]
    pub const fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// Sets whether bind refuses a path that does not fit into `sun_path`, because an ordinary
    /// client cannot connect to a longer path. Without this option the path is bound, and only
    /// clients that support longer paths, as [`ConnectOptions`](crate::ConnectOptions) does, can
    /// connect.
    ///
    /// A name in an open directory is measured together with the directory's present absolute path.
    /// [`fits_in`](crate::files::fits_in) checks the names of all sockets of a directory before
    /// anything is made.
    #[must_use]
    #[doc(alias = "ENAMETOOLONG")]
    pub const fn reachable(mut self, on: bool) -> Self {
        self.reachable = on;
        self
    }

    /// Sets whether the sender's credentials come with each message, from the first message on: the
    /// option `SO_PASSCRED` is set before bind(2). Without this option it is off. A listener's
    /// connections have the option, too.
    ///
    /// [`set_pass_credentials`](Socket::set_pass_credentials) of the bound socket is too late for the
    /// messages that arrive before it is called: Linux reports them as sent by the process 0 of the user
    /// 65534, whoever the sender is.
    ///
    /// # Errors
    ///
    /// The calls that bind have one more error.
    ///
    /// - `ENOPROTOOPT`: the system does not have the option.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let log = BindOptions::new().pass_credentials(true).bind_datagram("/run/log.sock")?;
    /// let mut buf = [0; 4096];
    /// let (received, sender) = log.recv_with_credentials(&mut buf)?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7).
    #[must_use]
    #[doc(alias = "SO_PASSCRED")]
    pub const fn pass_credentials(mut self, on: bool) -> Self {
        self.pass_credentials = on;
        self
    }

    /// Makes the socket that is going to be bound.
    pub(super) fn socket(&self, kind: c_int) -> Result<OwnedFd, Error> {
        let socket = syscall::socket(kind, false)?;
        if self.pass_credentials {
            SocketRef::<Stream>::from(&socket).set_pass_credentials(true)?;
        }
        Ok(socket)
    }

    /// Returns whether a lock file is locked.
    pub(super) fn takes_lock(&self) -> bool {
        self.existing == Existing::ReplaceStale && self.lock == Lock::Beside
    }

    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes a stream socket that listens at a path of
    /// any length.
    ///
    /// The directory is opened first, and every later step on the file uses the open directory. A
    /// path that fits into `sun_path` is bound as it is, so that `local_addr` reports it. If the
    /// path starts to lead to another directory during the call, because a directory is renamed or
    /// another thread changes the working directory, bind fails with `ESTALE` and the file is
    /// removed. [`bind_at`](Self::bind_at) with a [`Dir`](crate::Dir) does not depend on the path.
    ///
    /// A longer path is reached in the same way as by
    /// [`Socket::bind_to_at`](crate::Socket::bind_to_at). [`local_addr`](crate::Socket::local_addr)
    /// then reports an alias, and [`Bound::addr`] is `None`. If even the last component does not
    /// fit after the alias, the socket is bound under a temporary name, `.sunpath-` and 16
    /// hexadecimal digits, and gets its own name when it listens.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed, except
    /// for an empty lock file.
    ///
    /// - `ENOENT`, `EINVAL`: the path is empty, or has a NUL; no call was made.
    /// - `EADDRINUSE`: a file is in the way. With [`ReplaceStale`](Existing::ReplaceStale): a
    ///   process holds the socket of the file, the kernel cannot tell whether a process holds it,
    ///   the file is not a socket, another process holds the lock, or the file with the lock file's
    ///   name belongs to another user or is not empty. With [`Takeover`](Existing::Takeover): the
    ///   file is not a socket.
    /// - `EINVAL`: the mode is over 0777.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`](crate::Socket::new).
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the directory does not exist, is a file, or is a loop of
    ///   links.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`). With
    ///   [`reachable`](Self::reachable): the path does not fit into `sun_path`; the error has both
    ///   lengths ([`Cause::Unreachable`](crate::error::Cause::Unreachable)), and nothing was made.
    /// - `EACCES`: no permission to write to the directory, or to search one above it; or Landlock
    ///   does not grant it. With `ReplaceStale`: no permission to write to a file that may be
    ///   stale, or to open the lock file.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EIO`: the file system takes no new file.
    /// - `EPERM`: the file system takes no new file, or no sockets; this process may not give a
    ///   file to the requested owner or group; or the directory has the sticky bit, and this
    ///   process may not remove or replace a file of another user in it. `ENOSYS`: a file system in
    ///   user space takes no sockets.
    /// - `EOPNOTSUPP`, with a mode, an owner or a group: the file system does not store them, or
    ///   drops the sticky bit, or does not count links. With `Takeover`, or where the file is moved
    ///   to its path: the file system can neither rename without replacing nor link.
    /// - `EBUSY`: something is mounted on the socket file that is to be replaced.
    /// - `ESTALE`: the file that was just bound is not at the path: another program removed it, or
    ///   put another in its place, which stays; or the path leads to another directory by now.
    /// - `ENXIO`, `ELOOP`: a socket or a symbolic link has the lock file's name.
    ///   `EAGAIN`: another process has a lease on the lock file, see fcntl(2).
    /// - `ENOLCK`, `EOPNOTSUPP`: the file system has no locks.
    /// - The errno of getrandom(2), where that call is denied: a temporary name was needed.
    /// - Without /proc, `EOPNOTSUPP`: the directory is open and has no path; or, before Linux 6.6,
    ///   the umask narrows the mode. `EPERM`: there is nowhere to make the link that a long path
    ///   needs.
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
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let listener = BindOptions::singleton().listen_seqpacket("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// client.send(b"one record")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
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
    /// `sun_path`, because peers send their answers to that path. With
    /// [`Takeover`](Existing::Takeover), and where [`mode`](Self::mode) binds in a directory of its
    /// own, peers see a name that no longer exists. A socket with a lost name receives, but cannot
    /// be answered.
    ///
    /// # Errors
    ///
    /// - `ENAMETOOLONG`: the path, or the path that is bound in its place, does not fit into
    ///   `sun_path`; see [`Socket::bind_to_at`](crate::Socket::bind_to_at).
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
        let (dir, path) = (dir.as_fd(), path.as_pathname());
        let bound = self.bind_path(S::Kind::TYPE, S::LISTENS, dir, path)?;
        Ok(bound.map(|fd| S::from_socket(Socket::from_fd(fd))))
    }

    /// Does what [`bind_at`](Self::bind_at) does, for a socket of any type, so that the compiler
    /// makes this code once.
    pub(crate) fn bind_path(
        &self,
        kind: c_int,
        listens: bool,
        dir: BorrowedFd<'_>,
        path: &[u8],
    ) -> Result<Bound<OwnedFd>, Error> {
        let path = SplitPath::new(Call::Bind, dir, path)?;
        if self.reachable {
            path.check_reachable()?;
        }
        let (socket, file) = self.make(kind, BoundFile::at(&path)?, &path, listens, false)?;
        Ok(Bound::new(socket, Some(file), path.addr))
    }
}
