//! A path of any length, split once into the parts that the calls need.

use core::ffi::c_int;

use sunpath_sys as sys;
use sunpath_sys::{SUN_PATH_MAX, SunPathError};

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, CWD, OwnedFd};
use crate::files::joined::Path;
use crate::search::{last_slash, len_before, len_without_slashes};
use crate::syscall::{self, O_PATH, PATH_MAX};

/// A path, and the directory where it begins if it is not absolute.
pub(crate) struct SplitPath<'a> {
    pub(crate) start: BorrowedFd<'a>,
    /// The path of the directory, including its last slash. The slice is empty if the directory is
    /// `start` itself.
    pub(crate) parent: &'a [u8],
    /// The last component, with the slashes after it.
    pub(crate) last: &'a [u8],
    path: &'a [u8],
    /// The address of the path itself. The field is `None` if the path does not fit into
    /// `sun_path`, or if the kernel would resolve it from another directory.
    pub(crate) addr: Option<UnixAddr>,
}

impl<'a> SplitPath<'a> {
    /// Splits a path. Refuses a path that is empty or has a NUL, with `call` in the error.
    pub(crate) fn new(call: Call, start: BorrowedFd<'a>, path: &'a [u8]) -> Result<Self, Error> {
        let path = checked(path).map_err(|error| Error::refused(call, error))?;
        let (parent, last) = split(path);
        let addr = match begins_alike(start, path) && path.len() <= SUN_PATH_MAX {
            true => Some(UnixAddr::for_call(call, path)?),
            false => None,
        };
        Ok(Self {
            start,
            parent,
            last,
            path,
            addr,
        })
    }

    /// Returns the whole path.
    pub(crate) const fn as_bytes(&self) -> &'a [u8] {
        self.path
    }

    /// Returns the path of the directory in the form that a call takes.
    pub(crate) const fn parent_or_dot(&self) -> &'a [u8] {
        match self.parent {
            [] => b".",
            parent => parent,
        }
    }

    /// Returns the address of another name in the same directory. The result is `None` if the path
    /// does not fit into `sun_path`, or if the kernel would resolve it from another directory.
    pub(crate) fn addr_of(&self, name: &[u8]) -> Option<UnixAddr> {
        let path = Path::<SUN_PATH_MAX>::join(&[self.parent, name]).ok()?;
        match begins_alike(self.start, path.as_bytes()) {
            true => UnixAddr::for_call(Call::Bind, path.as_bytes()).ok(),
            false => None,
        }
    }

    /// Refuses a path that a client cannot name, because it does not fit into an address.
    pub(crate) fn check_reachable(&self) -> Result<(), Error> {
        if self.addr.is_some() {
            return Ok(());
        }
        let below = match begins_alike(self.start, self.path) {
            true => 0,
            false => {
                let mut buffer = [0; PATH_MAX];
                match syscall::path_of(self.start, &mut buffer) {
                    // The path of the root ends with a slash already.
                    Ok(begin) => begin.len() + usize::from(begin.len() > 1),
                    Err(error) if matches!(error.errno(), Errno::ENAMETOOLONG | Errno::ERANGE) => {
                        PATH_MAX
                    }
                    Err(error) if error.errno() == Errno::ENOENT => {
                        return Err(Error::with_cause(
                            Call::Bind,
                            Errno::EOPNOTSUPP,
                            Cause::NoProc,
                        ));
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        match below + self.path.len() {
            len if len <= SUN_PATH_MAX => Ok(()),
            len => {
                let cause = Cause::Unreachable {
                    len: u16::try_from(len).unwrap_or(u16::MAX),
                    max: SUN_PATH_MAX as u16,
                };
                Err(Error::with_cause(Call::Bind, Errno::ENAMETOOLONG, cause))
            }
        }
    }

    /// Opens the directory.
    pub(crate) fn open_parent(&self) -> Result<OwnedFd, Error> {
        open_by_path(self.start, self.parent_or_dot(), O_PATH | sys::O_DIRECTORY)
    }

    /// Opens the file that the path names.
    pub(crate) fn open(&self, flags: c_int) -> Result<OwnedFd, Error> {
        open_by_path(self.start, self.path, flags)
    }

    /// Returns whether the path still leads to this directory.
    pub(crate) fn leads_to(&self, dir: BorrowedFd<'_>) -> Result<bool, Error> {
        let now = self.open_parent()?;
        Ok(syscall::fstat(now.as_fd())?.identity() == syscall::fstat(dir)?.identity())
    }
}

/// Returns whether a call that takes no directory resolves the path from the same directory.
fn begins_alike(start: BorrowedFd<'_>, path: &[u8]) -> bool {
    path.starts_with(b"/") || start.as_raw_fd() == CWD.as_raw_fd()
}

/// Checks that a path is not empty and has no NUL, and returns it. The length of the path does not
/// matter.
pub(crate) fn checked(path: &[u8]) -> Result<&[u8], SunPathError> {
    // `contains` compares many bytes at once, so the position is searched only if there is a NUL.
    if path.contains(&0) {
        let at = len_before(path, 0);
        return Err(SunPathError::InteriorNul { at });
    }
    match path {
        [] => Err(SunPathError::Empty),
        path => Ok(path),
    }
}

/// Opens a path of any length. The kernel resolves it, `..` and symbolic links included: in one
/// call if the path fits, and otherwise in pieces that are as long as one call takes.
pub(crate) fn open_by_path(
    dir: BorrowedFd<'_>,
    path: &[u8],
    flags: c_int,
) -> Result<OwnedFd, Error> {
    let (mut held, mut rest) = (None::<OwnedFd>, path);
    while rest.len() >= PATH_MAX {
        let slash = last_slash(rest, PATH_MAX);
        let pieces = slash.and_then(|slash| rest.split_at_checked(slash));
        let Some((piece @ [_, ..], below)) = pieces else {
            return Err(Error::new(Call::Openat, Errno::ENAMETOOLONG));
        };
        let from = held.as_ref().map_or(dir, AsFd::as_fd);
        held = Some(syscall::openat(from, piece, O_PATH | sys::O_DIRECTORY)?);
        // The remaining path is resolved from that directory. With a leading slash it would be
        // resolved from the root.
        rest = below;
        while let [b'/', after @ ..] = rest {
            rest = after;
        }
    }
    let from = held.as_ref().map_or(dir, AsFd::as_fd);
    syscall::openat(from, if rest.is_empty() { b"." } else { rest }, flags)
}

/// Splits a path into its directory, which may be empty, and its last component with the slashes
/// after it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = last_slash(path, len_without_slashes(path));
    let parts = path.split_at_checked(slash.map_or(0, |slash| slash + 1));
    parts.unwrap_or((b"", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_split_keeps_slashes_where_the_kernel_needs_them() {
        for (path, parent, last) in [
            ("a", "", "a"),
            ("/a", "/", "a"),
            ("a/b", "a/", "b"),
            ("a//b/", "a//", "b/"),
            ("/", "", "/"),
            ("//", "", "//"),
            ("/a//", "/", "a//"),
        ] {
            assert_eq!(
                split(path.as_bytes()),
                (parent.as_bytes(), last.as_bytes()),
                "{path}"
            );
        }
    }

    #[test]
    fn path_has_an_address_where_it_fits_and_begins_alike() {
        let root = syscall::openat(CWD, b"/", O_PATH).unwrap();
        let addr = |start, path: &[u8]| SplitPath::new(Call::Bind, start, path).unwrap().addr;
        let relative = [b'a'; SUN_PATH_MAX + 1];
        for (len, fits) in [
            (SUN_PATH_MAX - 1, true),
            (SUN_PATH_MAX, true),
            (SUN_PATH_MAX + 1, false),
        ] {
            assert_eq!(addr(CWD, &relative[..len]).is_some(), fits, "{len}");
            assert_eq!(addr(root.as_fd(), &relative[..len]), None);
        }
        assert!(addr(root.as_fd(), b"/a").is_some());
        let below = SplitPath::new(Call::Bind, CWD, b"a/b").unwrap();
        assert_eq!(below.addr_of(b"c"), UnixAddr::from_pathname(b"a/c").ok());
    }
}
