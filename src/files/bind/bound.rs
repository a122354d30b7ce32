//! A socket together with the file that it is bound to.

use core::fmt;
use core::mem;
use core::ops::Deref;

use sunpath_sys::SunPath;

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, CWD, IntoRawFd, OwnedFd, RawFd};
use crate::files::path::SplitPath;
use crate::socket::{Connected, Incoming, Kind, Listener, Socket};
use crate::syscall::Process;

use super::file::BoundFile;
use super::parts::SocketFile;
use super::returned::ReturnedError;
use super::{BindOptions, Bindable};

/// A [`Listener`] or a [`UnixDatagram`](crate::UnixDatagram) with the file that it is bound to,
/// made by [`BindOptions`]. A `Bound` has all methods of the socket.
///
/// A daemon can use this one type for all of its sockets, because a socket without a file, or with
/// a file that other code made, becomes a `Bound` as well: [`BindOptions::bind_addr`] makes one
/// from an abstract name, and `From` converts a socket that a service manager passed. For these,
/// nothing is removed.
///
/// Dropping the value removes the file, unless
/// [`unlink_on_drop`](crate::BindOptions::unlink_on_drop) is off, and closes the socket. The file
/// is removed only
///
/// - if it is still the file that was bound: the same device and inode, which no other file can
///   have while the socket is open. A file that another program put in its place stays, and so does
///   the file under another name;
/// - in the process that bound the file, but not in a forked child, unless that child called
///   [`adopt`](Self::adopt). A child is recognized by its pid, and since Linux 4.14 even if it has
///   the same pid in a pid namespace of its own. A process that ends without dropping the value
///   leaves the file, as in C;
/// - in the directory that it was bound in, whatever the working directory and the directory's path
///   are by then.
///
/// Between the call that compares the file and the call that removes it, another program can put
/// its own file in the place of the compared file. The other program's file is then lost. Processes
/// that use this crate lose no files in this way, because they lock the directory for these calls.
/// If the lock cannot be taken (the directory may not be read, another process keeps it locked for
/// over 50 ms, or very many processes wait for it), the file is first renamed to `.sunpath-` and 16
/// hexadecimal digits, a name that no other process uses. The file is compared under that name, and
/// a file that is not the bound file is renamed back. A process that is killed in between leaves
/// the file under that name.
///
/// Right after bind(2) the file is recognized by its sticky bit if a mode, an owner or a group was
/// asked for. Otherwise it is recognized by its name: if another program removes our file and binds
/// there before the next system call, that program's file is taken for ours.
///
/// A clone of the socket alone, by `try_clone`, does not keep the file from being removed.
#[must_use = "dropping it removes the socket file"]
pub struct Bound<S> {
    // The field is `None` if the socket has no file, or if other code made the file. The file is
    // dropped before the socket, because its inode is not reused as long as the socket is open.
    file: Option<BoundFile>,
    socket: S,
    addr: Option<UnixAddr>,
}

impl<S> Bound<S> {
    pub(super) fn new(socket: S, file: Option<BoundFile>, addr: Option<UnixAddr>) -> Self {
        Self { file, socket, addr }
    }

    /// Replaces the type of the socket.
    pub(super) fn map<T>(self, wrap: impl FnOnce(S) -> T) -> Bound<T> {
        let Self { file, socket, addr } = self;
        Bound::new(wrap(socket), file, addr)
    }

    /// Returns the path or the abstract name that was given to bind, at which clients connect. With
    /// [`Takeover`](crate::Existing::Takeover), and in some directories with
    /// [`mode`](crate::BindOptions::mode), `local_addr` reports another address. A relative path
    /// stays relative.
    ///
    /// The result is `None` if the path is too long for `sun_path`, or begins at an open directory,
    /// or if other code bound the socket. `local_addr` then returns the address.
    #[must_use]
    pub const fn addr(&self) -> Option<&UnixAddr> {
        self.addr.as_ref()
    }

    /// `unlink(path)`, `close(fd)` — removes the file, closes the socket, and reports an error that
    /// dropping the value would hide. The socket is closed in any case.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: the file was removed earlier, or has another name.
    /// - `ESTALE`: another file is at the path; it stays.
    /// - `EPERM`: another process bound the socket, and the file stays; or the directory has the
    ///   sticky bit, and neither the directory nor the file belongs to our user any more.
    /// - `EBUSY`: something is mounted on the file.
    /// - `EACCES`, `EROFS`: no permission to write to the directory any more; a read-only file
    ///   system.
    /// - `EIO`, `ENOMEM`: the file system failed; no memory.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::BindOptions;
    ///
    /// let listener = BindOptions::new().listen("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// client.write_all(b"hello\n")?;
    /// listener.close_and_unlink()?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unlink(2).
    #[doc(alias = "unlink")]
    pub fn close_and_unlink(mut self) -> Result<(), Error> {
        self.file.take().map_or(Ok(()), BoundFile::unlink)
    }

    /// Returns whether the file is still in the directory where it was bound, under its name. The
    /// result is `false` if another program, such as a cleaner of `/tmp`, removed or replaced the
    /// file, or removed the directory with it.
    ///
    /// [`bind_again`](Self::bind_again) makes the file again. For an abstract name, and for a
    /// socket that other code bound, the answer is always `true`, because there is no file to make
    /// again.
    ///
    /// # Errors
    ///
    /// - `EACCES`: no search permission on the directory any more.
    /// - `EIO`, `ENOMEM`: the file system failed; no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use sunpath::BindOptions;
    /// # let path = format!("/tmp/sunpath-place-{}.sock", std::process::id());
    /// let listener = BindOptions::new().listen(&path)?;
    /// assert!(listener.is_in_place()?);
    /// std::fs::remove_file(&path)?; // as a cleaner of /tmp does
    /// assert!(!listener.is_in_place()?);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See stat(2).
    #[doc(alias = "fstatat")]
    pub fn is_in_place(&self) -> Result<bool, Error> {
        self.file.as_ref().map_or(Ok(true), BoundFile::is_in_place)
    }

    /// `bind(fd, addr, len)`, `listen(fd, backlog)` — makes the file again after another program
    /// removed it, and returns the old socket.
    ///
    /// No system call gives a bound socket a second file. A new socket is therefore bound, with the
    /// given options. The lock of [`ReplaceStale`](crate::Existing::ReplaceStale) is kept, and no
    /// other process takes the path in between. If the lock file was removed as well, it is made
    /// and locked again.
    ///
    /// Clients that connected before the file was removed are in the queue of the old socket.
    /// Accept these clients from the old socket, without waiting, before you drop the old socket.
    ///
    /// # Errors
    ///
    /// On failure nothing has changed.
    ///
    /// - `EADDRINUSE`: the file is still there, or another file is there, as for
    ///   [`BindOptions::listen`](crate::BindOptions::listen); or the socket has an abstract name.
    /// - `EPERM`: another process bound the socket.
    /// - `ENOENT`: the directory was removed, too. If the directory was made again, the file is
    ///   made there, unless the path does not fit into `sun_path` or begins at an open directory.
    /// - `EMFILE`, `EACCES` and others: as for [`BindOptions::listen`](crate::BindOptions::listen).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{BindOptions, Existing, UnixStream};
    ///
    /// # let path = std::path::PathBuf::from(format!("/tmp/sunpath-again-{}", std::process::id()));
    /// let options = BindOptions::new().existing(Existing::ReplaceStale);
    /// let mut listener = options.listen(&path)?;
    /// std::fs::remove_file(&path)?;
    ///
    /// if !listener.is_in_place()? {
    ///     let old = listener.bind_again(&options)?;
    ///     old.set_nonblocking(true)?;
    ///     while let Ok((_stream, _)) = old.accept() {} // serve those that had connected
    /// }
    /// UnixStream::connect(&path)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See bind(2), listen(2).
    #[doc(alias = "bind")]
    pub fn bind_again(&mut self, options: &BindOptions) -> Result<S, Error>
    where
        S: Bindable,
    {
        let old = match &mut self.file {
            Some(file) if file.process.is_current() => file,
            None if self.addr.is_some() => return Err(Error::address_in_use(InUse::Server)),
            _ => {
                let cause = Cause::BoundElsewhere;
                return Err(Error::with_cause(Call::Bind, Errno::EPERM, cause));
            }
        };
        let own_path = self.addr.as_ref().map(UnixAddr::name);
        let path = match own_path {
            Some(SunPath::Pathname(path)) => SplitPath::new(Call::Bind, CWD, path),
            _ => SplitPath::new(Call::Bind, old.dir.as_fd(), old.name.as_bytes()),
        }?;
        let file = BoundFile::at(&path)?;
        let has_lock = old.holds_lock_of(&file)?;
        let (socket, file) = options.make(S::Kind::TYPE, file, &path, S::LISTENS, has_lock)?;
        file.replace(old, has_lock);
        let socket = S::from_socket(Socket::from_fd(socket));
        Ok(mem::replace(&mut self.socket, socket))
    }

    /// Separates the socket, which a runtime such as tokio may own, from the file. Dropping the
    /// second half removes the file. The halves can be dropped in any order.
    ///
    /// The lock of [`ReplaceStale`](crate::Existing::ReplaceStale) stays with the file. As long as
    /// the [`SocketFile`] exists, no other process can bind with that policy, even if the socket is
    /// closed by then.
    ///
    /// # Errors
    ///
    /// On failure the whole value is returned in the error.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    /// - `EACCES`: no search permission on the directory any more.
    /// - `EOPNOTSUPP`: the system cannot hold the file of a socket by a descriptor (macOS).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::BindOptions;
    ///
    /// # let path = std::env::temp_dir().join(format!("sunpath-parts-{}", std::process::id()));
    /// let bound = BindOptions::new().mode(0o600).listen(&path)?;
    /// let (listener, file) = bound.into_parts()?;
    ///
    /// let listener = std::os::unix::net::UnixListener::from(listener); // or tokio's
    /// drop(listener);
    /// assert!(path.exists());
    /// drop(file);
    /// assert!(!path.exists());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See open(2) "O_PATH", unlink(2).
    #[allow(
        clippy::result_large_err,
        reason = "the error gives back what was taken, which is as large as the result"
    )]
    pub fn into_parts(self) -> Result<(S, SocketFile), ReturnedError<Self>> {
        let pinned = self.file.as_ref().map(BoundFile::pin);
        let pin = match pinned.transpose() {
            Ok(pin) => pin.flatten(),
            Err(error) => return Err(ReturnedError::new(error, self)),
        };
        let Self { file, socket, .. } = self;
        Ok((socket, SocketFile::new(file, pin)))
    }

    /// Gives up the file and the lock, and returns the socket alone. The file stays when the socket
    /// is closed. The lock of [`ReplaceStale`](crate::Existing::ReplaceStale) is released, but as
    /// long as the socket is open, the file is not stale, and no other process replaces it.
    ///
    /// [`into_parts`](Self::into_parts) keeps the file and the lock.
    #[must_use]
    pub fn leak(self) -> S {
        if let Some(mut file) = self.file {
            file.unlink_on_drop = false;
        }
        self.socket
    }

    /// Makes this process responsible for the file: the file is removed when the value is dropped
    /// here. Call it in a child that was forked and continues as the daemon.
    ///
    /// The parent is not informed. If the parent returns from `main`, its own `Bound` is dropped
    /// and removes the file that the child still serves. The parent must therefore end by `_exit`,
    /// or release its `Bound` by [`core::mem::forget`]. The parent must not call
    /// [`leak`](Self::leak), which removes the lock.
    ///
    /// A program that is executed has no `Bound`, and nothing removes the file when it ends:
    /// [`BindOptions::adopt`](crate::BindOptions::adopt) takes the file over.
    #[doc(alias = "fork")]
    pub fn adopt(&mut self) {
        if let Some(file) = &mut self.file {
            file.process = Process::current();
        }
    }
}

impl<S> Deref for Bound<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.socket
    }
}

/// Returns connections as they arrive: see [`Listener::incoming`].
impl<'a, T: Connected> IntoIterator for &'a Bound<Listener<T>> {
    type Item = Result<Socket<T>, Error>;
    type IntoIter = Incoming<'a, T>;

    fn into_iter(self) -> Incoming<'a, T> {
        self.socket.incoming()
    }
}

impl<S: AsFd> AsFd for Bound<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<S: AsRawFd> AsRawFd for Bound<S> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Returns the socket and leaves the file, as [`Bound::leak`] does.
impl<S: IntoRawFd> IntoRawFd for Bound<S> {
    fn into_raw_fd(self) -> RawFd {
        self.leak().into_raw_fd()
    }
}

/// Returns the socket and leaves the file, as [`Bound::leak`] does.
impl<S: Into<Self>> From<Bound<S>> for OwnedFd {
    fn from(bound: Bound<S>) -> Self {
        bound.leak().into()
    }
}

impl<S: fmt::Debug> fmt::Debug for Bound<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("socket", &self.socket)
            .field("addr", &self.addr)
            .field(
                "unlink_on_drop",
                &self.file.as_ref().is_some_and(|file| file.unlink_on_drop),
            )
            .finish()
    }
}
