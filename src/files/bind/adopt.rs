//! Takes over the file of a socket that another program bound.

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Error};
#[cfg(feature = "libsunpath")]
use crate::fd::OwnedFd;
use crate::fd::{AsFd, BorrowedFd, CWD};
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::syscall;

use super::bound::Bound;
use super::file::BoundFile;
use super::remove::status_of;
use super::returned::ReturnedError;
use super::{BindOptions, Bindable, errors};

impl BindOptions {
    /// Makes a [`Bound`] again for a socket that is bound already, so that its file is removed at
    /// the end. A program needs this after execve(2), for example: it has inherited the listener as
    /// a descriptor, and the [`Bound`] of the old program no longer exists.
    ///
    /// The kernel is asked whether the socket is bound to the file at the path. With
    /// [`ReplaceStale`](crate::Existing::ReplaceStale) the lock is taken again, because the old
    /// program's lock ended with execve(2). The other options have no effect except for
    /// [`unlink_on_drop`](Self::unlink_on_drop): the file keeps its mode and owner.
    ///
    /// # Errors
    ///
    /// On failure the socket is returned in the error.
    ///
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`: the path leads to no file.
    /// - `ESTALE`: another socket's file is at the path.
    /// - `EADDRINUSE`: the file is not a socket. With `ReplaceStale`: another process holds the lock.
    /// - `EOPNOTSUPP`: the kernel does not report the file of a socket. A kernel reports it in two
    ///   cases: the kernel has sock_diag(7) for Unix domain sockets and the socket is in this
    ///   network namespace, or this process has `CAP_NET_ADMIN`.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{BindOptions, Existing, UnixListener};
    ///
    /// # let path = std::env::temp_dir().join(format!("sunpath-adopt-{}", std::process::id()));
    /// let options = BindOptions::new().existing(Existing::ReplaceStale);
    /// let inherited: UnixListener = options.listen(&path)?.leak(); // as after execve(2)
    ///
    /// let listener = options.adopt(inherited, &path)?;
    /// drop(listener);
    /// assert!(!path.exists());
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See execve(2), sock_diag(7).
    #[doc(alias = "execve")]
    #[doc(alias = "SIOCUNIXFILE")]
    pub fn adopt<S: Bindable + AsFd>(
        &self,
        socket: S,
        path: impl AsPathname,
    ) -> Result<Bound<S>, ReturnedError<S>> {
        match self.file_of(socket.as_fd(), path.as_pathname()) {
            Ok((file, addr)) => Ok(Bound::new(socket, Some(file), addr)),
            Err(error) => Err(ReturnedError::new(error, socket)),
        }
    }

    /// Does what [`adopt`](Self::adopt) does, for a socket of any type.
    #[cfg(feature = "libsunpath")]
    pub(crate) fn adopt_any(
        &self,
        socket: OwnedFd,
        path: &[u8],
    ) -> Result<Bound<OwnedFd>, (Error, OwnedFd)> {
        match self.file_of(socket.as_fd(), path) {
            Ok((file, addr)) => Ok(Bound::new(socket, Some(file), addr)),
            Err(error) => Err((error, socket)),
        }
    }

    fn file_of(
        &self,
        socket: BorrowedFd<'_>,
        path: &[u8],
    ) -> Result<(BoundFile, Option<UnixAddr>), Error> {
        let path = SplitPath::new(Call::Bind, CWD, path)?;
        let mut file = BoundFile::at(&path)?;
        if self.takes_lock() {
            file.lock(&path)?;
        }
        let status = status_of(file.dir.as_fd(), file.name.as_bytes())?;
        if !status.is_socket() {
            return Err(errors::path_in_use(&status));
        }
        if !syscall::is_file_of(socket, &status)? {
            return Err(errors::moved(Cause::FileMoved));
        }
        file.bound = Some(status.identity());
        file.unlink_on_drop = self.unlink_on_drop;
        Ok((file, path.addr))
    }
}
