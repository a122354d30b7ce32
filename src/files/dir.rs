//! Directories that are opened once, and used by their descriptor from then on.

// rustdoc shows the methods in the order of these lines, so this one comes first.
mod open;

mod check;
mod make;
mod options;
#[cfg(feature = "std")]
mod runtime;
mod symlink;
mod verify;

use core::error;
use core::fmt;

use sunpath_sys::SunPathError;

use crate::error::{Cause, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use crate::text::{self, Out, Text};

pub(crate) use self::make::make_directory;
pub use self::options::DirOptions;
#[cfg(feature = "std")]
pub use self::runtime::RuntimeError;

/// An open directory. Even if its path leads to another directory later,
/// [`bind_to_at`](crate::Socket::bind_to_at) still puts a socket into this directory.
///
/// [`private`](Self::private) is the portable way to restrict a server to one user, because not
/// every system checks the mode of a socket file, and every system checks the modes of the
/// directories above it.
///
/// The descriptor is close-on-exec. On systems with `O_PATH` it only refers to the directory:
/// reading or locking the directory needs another descriptor. Dropping a `Dir` does not remove the
/// directory.
///
/// # Examples
///
/// A server that only its own user can reach:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{Dir, UnixListener};
///
/// # let run = std::env::temp_dir().join(format!("sunpath-dir-{}", std::process::id()));
/// let dir = Dir::private(&run)?; // made, or verified
/// let listener = UnixListener::bind_at(&dir, "app.sock")?;
/// # std::fs::remove_dir_all(&run)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// See openat(2), unix(7) "Pathname socket ownership and permissions".
#[derive(Debug)]
#[must_use = "only the open directory is known to be the one that was looked at, not its path"]
pub struct Dir {
    fd: OwnedFd,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Dir {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl IntoRawFd for Dir {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_raw_fd()
    }
}

/// Takes the descriptor over without a check. If the descriptor is not a directory, every call
/// below it fails with `ENOTDIR`.
impl From<OwnedFd> for Dir {
    fn from(fd: OwnedFd) -> Self {
        Self { fd }
    }
}

impl From<Dir> for OwnedFd {
    fn from(dir: Dir) -> Self {
        dir.fd
    }
}

/// The reason why [`Dir::private`] or [`Dir::public`] refused a path, and the part of the path that
/// the reason is about.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::Dir;
/// use sunpath::files::Refusal;
///
/// # let base = std::env::temp_dir().join(format!("sunpath-refusal-{}", std::process::id()));
/// # use std::os::unix::fs::DirBuilderExt; // so that the umask does not matter
/// # std::fs::DirBuilder::new().mode(0o700).create(&base)?;
/// let file = base.join("file");
/// std::fs::write(&file, "")?;
/// let error = Dir::private(file.join("run")).unwrap_err();
/// assert_eq!(error.refusal(), Refusal::NotADirectory);
/// assert_eq!(error.prefix_len(), file.as_os_str().len());
/// # std::fs::remove_dir_all(&base)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirError {
    prefix_len: usize,
    refusal: Refusal,
}

/// The reason why a directory, or a directory above it, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The path is not valid, because it is empty or has a NUL.
    Path(SunPathError),
    /// A call failed.
    Call(Error),
    /// The directory itself is a symbolic link.
    Symlink,
    /// The path exists, and is not a directory.
    NotADirectory,
    /// The owner is neither this process's effective user nor, where root is accepted, root.
    Owner {
        /// The user that owns the directory.
        uid: u32,
    },
    /// The mode of a private directory lets other users enter, or the mode of a public directory
    /// keeps them out. The mode of a directory above lets other users replace what is in it.
    Mode {
        /// The permission bits, the sticky bit included.
        mode: u32,
        /// The user that owns the directory.
        uid: u32,
    },
}

impl DirError {
    /// Makes the error from its parts.
    pub(crate) const fn new(prefix_len: usize, refusal: Refusal) -> Self {
        Self {
            prefix_len,
            refusal,
        }
    }

    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length of the
    /// whole text, as [`Error::write_text`] does.
    pub fn write_text(self, buf: &mut [u8]) -> usize {
        text::copy(&self, buf)
    }

    /// Returns how many bytes of the path name the directory at fault, up to the end of a
    /// component. The result is 0 for the working directory of a relative path, and for a directory
    /// above that.
    #[must_use]
    pub const fn prefix_len(self) -> usize {
        self.prefix_len
    }

    /// Returns what is wrong with the directory at fault.
    #[must_use]
    pub const fn refusal(self) -> Refusal {
        self.refusal
    }

    /// Returns the errno for this error: the errno of the call or the path, `ELOOP` for a symbolic
    /// link, `ENOTDIR` for another file, `EPERM` for an owner or a mode.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self.refusal {
            Refusal::Path(error) => Errno::from_raw(error.errno()),
            Refusal::Call(error) => error.errno(),
            Refusal::Symlink => Errno::ELOOP,
            Refusal::NotADirectory => Errno::ENOTDIR,
            Refusal::Owner { .. } | Refusal::Mode { .. } => Errno::EPERM,
        }
    }
}

impl DirError {
    /// Writes what is wrong with a directory. `dir` writes the name of the directory.
    pub(super) fn write_about(self, dir: &dyn Fn(&mut Out<'_>), out: &mut Out<'_>) {
        match self.refusal {
            Refusal::Path(error) => return Cause::Path(error).write(out),
            Refusal::Call(error) => {
                error.write(out);
                out(": ");
            }
            _ => {}
        }
        dir(out);
        match self.refusal {
            Refusal::Path(_) | Refusal::Call(_) => {}
            Refusal::Symlink => out(" is a symbolic link"),
            Refusal::NotADirectory => out(" is not a directory"),
            Refusal::Owner { uid } => {
                out(" belongs to user ");
                text::decimal(uid.into(), out);
            }
            Refusal::Mode { mode, uid } => {
                out(" has the wrong mode ");
                text::octal(mode.into(), 4, out);
                out(" and belongs to user ");
                text::decimal(uid.into(), out);
            }
        }
    }
}

impl Text for DirError {
    fn write(&self, out: &mut Out<'_>) {
        let dir = |out: &mut Out<'_>| match self.prefix_len {
            0 => out("the working directory or one above it"),
            len => {
                out("the directory named by the first ");
                text::decimal(len as u64, out);
                out(" bytes of the path");
            }
        };
        self.write_about(&dir, out);
    }
}

impl fmt::Display for DirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl error::Error for DirError {}

/// The `io::Error` has the kind of the errno, and this error as its inner error.
#[cfg(feature = "std")]
impl From<DirError> for std::io::Error {
    fn from(error: DirError) -> Self {
        Self::new(error.errno().kind(), error)
    }
}
