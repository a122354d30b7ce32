//! Makes a short path by a symbolic link in a private directory.

use sunpath_sys as sys;
use sunpath_sys::SUN_PATH_MAX;

use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, CWD};
use crate::files::dir::{Dir, Refusal};
use crate::files::joined::Path;
use crate::files::name::temporary_name;
use crate::syscall::{self, PATH_MAX};

/// A symbolic link in a private directory. Dropping this value removes both.
pub(crate) struct Link {
    /// The path of the directory, followed by [`Self::NAME`].
    path: Path<SUN_PATH_MAX>,
    dir: Dir,
}

impl Link {
    const NAME: &[u8] = b"l";
    /// Directories with short paths, in which other directories can be made.
    pub(crate) const BASES: [&[u8]; 3] = [b"/tmp/", b"/var/tmp/", b"/run/"];

    /// Makes a link to the file that `path` names below `dir`. The link holds the path from the
    /// root, because the kernel follows it from another directory.
    pub(crate) fn to(dir: BorrowedFd<'_>, path: &[u8]) -> Result<Self, Error> {
        let mut buf = [0; PATH_MAX];
        let [begin, slash]: [&[u8]; 2] = match path {
            [b'/', ..] => [b"", b""],
            _ => [path_of_begin(dir, &mut buf)?, b"/"],
        };
        let too_long = Error::new(Call::Symlinkat, Errno::ENAMETOOLONG);
        let target = Path::<{ PATH_MAX - 1 }>::join(&[begin, slash, path]);
        let link = Self::in_new_directory()?;
        let target = target.map_err(|_| too_long)?;
        syscall::symlinkat(target.as_bytes(), link.dir.as_fd(), Self::NAME)?;
        Ok(link)
    }

    /// Makes a link to a directory. `opened` is the same directory, opened by `path`.
    pub(crate) fn to_directory(
        dir: BorrowedFd<'_>,
        path: &[u8],
        opened: BorrowedFd<'_>,
    ) -> Result<Self, Error> {
        let link = Self::to(dir, path)?;
        match syscall::leads_to(link.path(), opened)? {
            true => Ok(link),
            // Another process has put another directory at the path since `opened` was opened.
            false => {
                let cause = Cause::DirectoryMoved;
                Err(Error::with_cause(Call::Symlinkat, Errno::ESTALE, cause))
            }
        }
    }

    pub(crate) fn path(&self) -> &[u8] {
        self.path.as_bytes()
    }

    /// Makes a private directory for the link, below the first of `BASES` where this process may
    /// make one.
    fn in_new_directory() -> Result<Self, Error> {
        let mut first = None;
        for base in Self::BASES {
            match Self::in_new_directory_of(base) {
                Ok(link) => return Ok(link),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(Error::new(Call::Mkdirat, Errno::ENOENT)))
    }

    #[inline(never)]
    fn in_new_directory_of(base: &[u8]) -> Result<Self, Error> {
        let too_long = |_| Error::new(Call::Symlinkat, Errno::ENAMETOOLONG);
        let name = temporary_name()?;
        let path = Path::join(&[base, &name, b"/", Self::NAME]).map_err(too_long)?;
        let dir = Path::<SUN_PATH_MAX>::join(&[base, &name]).map_err(too_long)?;
        match Dir::private(dir.as_bytes()) {
            Ok(dir) => Ok(Self { path, dir }),
            Err(error) => Err(match error.refusal() {
                Refusal::Call(call) => call,
                _ => Error::new(Call::Mkdirat, error.errno()),
            }),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // No other user can write here, so if one of these calls fails, nothing can be done about
        // it.
        let _ = syscall::unlinkat(self.dir.as_fd(), Self::NAME, 0);
        let path = self.path();
        let dir = path.strip_suffix(Self::NAME).unwrap_or(path);
        let _ = syscall::unlinkat(CWD, dir, sys::AT_REMOVEDIR);
    }
}

/// Returns the path of the directory where a relative path begins.
fn path_of_begin<'b>(dir: BorrowedFd<'_>, buf: &'b mut [u8]) -> Result<&'b [u8], Error> {
    if dir.as_raw_fd() == CWD.as_raw_fd() {
        return syscall::getcwd(buf);
    }
    syscall::path_of(dir, buf).map_err(|error| match error.errno() {
        Errno::ENOENT => Error::with_cause(error.call(), Errno::EOPNOTSUPP, Cause::NoProc),
        _ => error,
    })
}
