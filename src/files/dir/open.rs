//! Opens directories, and makes or verifies private and public directories.

use sunpath_sys as sys;

use super::{Dir, DirError, verify};
use crate::error::{Call, Error};
use crate::fd::{AsFd, CWD};
use crate::files::path::{checked, open_by_path};
use crate::pathname::AsPathname;
use crate::syscall;

impl Dir {
    /// `openat(AT_FDCWD, path, O_PATH | O_DIRECTORY)` — opens a directory of any owner, by a path
    /// of any length. A path over `PATH_MAX` is opened in pieces.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: the directory does not exist, or the path is empty. `EINVAL`: the path has a
    ///   NUL.
    /// - `ENOTDIR`: the path, or a component above it, is not a directory.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `EACCES`: no search permission above it, or, on systems without `O_PATH` (macOS), no
    ///   permission to read it. `ELOOP`: a loop of links.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, UnixStream};
    ///
    /// let dir = Dir::open("/run/app")?;
    /// let stream = UnixStream::connect_at(&dir, "app.sock")?;
    /// # drop(stream);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See openat(2).
    #[doc(alias = "openat")]
    #[doc(alias = "O_DIRECTORY")]
    pub fn open(path: impl AsPathname) -> Result<Self, Error> {
        let path = checked(path.as_pathname()).map_err(|e| Error::refused(Call::Openat, e))?;
        let fd = open_by_path(CWD, path, syscall::O_PATH | sys::O_DIRECTORY)?;
        Ok(Self { fd })
    }

    /// Makes or verifies a directory that nobody else can enter, and opens it. The directory
    /// belongs to this process's effective user, and gives group and others no permission.
    ///
    /// If the directory does not exist, it is made with mode 0700 under every umask. The directory
    /// above must exist. If the directory exists, it is accepted as it is or refused, and never
    /// repaired. Every directory above it, up to the root and also above a relative path, must keep
    /// other users from putting another directory in the place of this directory: it must be owned
    /// by this user or by root, and it must not be writable by group or others unless it is sticky,
    /// as `/tmp` is. A symbolic link above is followed if this user or root owns it, and so is
    /// every further link on the way. Every directory on the way is verified as well. The directory
    /// itself must not be a link.
    ///
    /// In a user namespace that does not map every user, the owners that are not mapped look alike,
    /// and root is often one of them. In a user namespace that does not map every user, an owner
    /// that is not mapped is accepted for `/` and every other directory above that nobody else can
    /// write to (not for a sticky one), and for the links in these directories. A process whose own
    /// user is not mapped owns nothing for certain, and is refused.
    ///
    /// # Errors
    ///
    /// On failure, the directory that this call made is removed.
    ///
    /// - [`DirError`]: the path was refused, and the error has the component of the path and the
    ///   reason.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, UnixListener};
    ///
    /// let dir = Dir::private("/run/app")?;
    /// let listener = UnixListener::bind_at(&dir, "app.sock")?; // no other user can connect
    /// # drop(listener);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See mkdirat(2), unix(7) "Pathname socket ownership and permissions".
    #[doc(alias = "mkdirat")]
    #[doc(alias = "private_dir")]
    pub fn private(path: impl AsPathname) -> Result<Self, DirError> {
        verify::verified(path.as_pathname(), &verify::PRIVATE)
    }

    /// Makes or verifies a directory in which everybody may look up names and this user alone can
    /// make them, and opens it. The directory belongs to this process's effective user, nobody else
    /// can write to it, and everybody can search it.
    ///
    /// The call works as [`private`](Self::private) does, with mode 0755. Everybody can connect if
    /// the socket file has mode 0666 in addition.
    ///
    /// # Errors
    ///
    /// On failure, the directory that this call made is removed.
    ///
    /// - [`DirError`]: the path was refused, and the error has the component of the path and the
    ///   reason.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{BindOptions, Bound, Dir, UnixListener};
    ///
    /// let dir = Dir::public("/run/app")?;
    /// let listener: Bound<UnixListener> = BindOptions::new().mode(0o666).bind_at(&dir, "app.sock")?;
    /// # drop(listener);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See mkdirat(2), unix(7) "Pathname socket ownership and permissions".
    pub fn public(path: impl AsPathname) -> Result<Self, DirError> {
        verify::verified(path.as_pathname(), &verify::PUBLIC)
    }

    /// Writes the absolute path that the directory has now into `buf`, and returns it. The path, a
    /// slash and the name are the true path of a socket that
    /// [`bind_to_at`](crate::Socket::bind_to_at) put here, for which getsockname(2) reports an
    /// alias.
    ///
    /// A directory that was removed has no path. Linux then answers with its last path, followed by
    /// ` (deleted)`.
    ///
    /// # Errors
    ///
    /// - `ERANGE`: the path does not fit into `buf`; 4096 bytes are enough for every path that the
    ///   kernel reports.
    /// - `ENAMETOOLONG`: the path is longer than what the kernel reports (`PATH_MAX`).
    /// - `ENOENT`: /proc is not mounted.
    /// - `EOPNOTSUPP`: the system does not report the path (FreeBSD).
    ///
    /// See proc(5) "/proc/pid/fd", fcntl(2) "F_GETPATH".
    #[doc(alias = "F_GETPATH")]
    #[doc(alias = "readlink")]
    pub fn path<'r>(&self, buf: &'r mut [u8]) -> Result<&'r [u8], Error> {
        syscall::path_of(self.as_fd(), buf)
    }
}
