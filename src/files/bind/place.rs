//! Where a socket file stands: a directory, held by a descriptor, and a last component.

use sunpath_sys as sys;

use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{BorrowedFd, OwnedFd};
use crate::files::at::Route;
use crate::files::dir::{NAME_MAX, descend, numbered_name, temporary_name, unbounded};
use crate::pathname::Path;
use crate::syscall::{self, O_PATH, Status};

/// A last component: no slash, no NUL.
pub(super) type Name = Path<NAME_MAX>;

/// A name of these pieces.
pub(super) fn name(pieces: &[&[u8]]) -> Result<Name, Error> {
    Path::join(pieces).map_err(|_| Error::new(Call::Bind, Errno::ENAMETOOLONG))
}

/// `<name>.lock`; where that does not fit, `.sunpath-<hash of the name>.lock`.
pub(super) fn lock_name(of: &[u8]) -> Result<Name, Error> {
    const SUFFIX: &[u8] = b".lock";
    // FNV-1a. Two names with one hash keep each other out, which is safe.
    let hash = of.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    name(&[of, SUFFIX]).or_else(|_| name(&[&numbered_name(hash), SUFFIX]))
}

/// A directory and a name in it.
pub(super) struct Place<'a> {
    pub(super) dir: OwnedFd,
    /// How the directory was given.
    pub(super) route: Route<'a>,
    pub(super) name: Name,
}

impl<'a> Place<'a> {
    /// Opens the directory of a path that begins at `begin`.
    pub(super) fn of_path(begin: BorrowedFd<'a>, path: &'a [u8]) -> Result<Self, Error> {
        let path = unbounded(path).map_err(|error| Error::refused(Call::Bind, error))?;
        let slash = path.iter().rposition(|byte| *byte == b'/');
        let (parent, last) = path.split_at(slash.map_or(0, |at| at + 1));
        if matches!(last, b"" | b"." | b"..") {
            // Such a path names a directory: it is in the way, or it is not there.
            descend(begin, path, O_PATH | sys::O_DIRECTORY)?;
            return Err(in_use());
        }
        let name = name(&[last])?;
        let route = Route {
            begin,
            path: parent,
        };
        Ok(Self {
            dir: route.open()?,
            route,
            name,
        })
    }

    /// The address of the path itself; `None` where it does not fit, or begins at an open directory.
    pub(super) fn addr(&self) -> Option<UnixAddr> {
        self.route.straight(self.name.as_bytes())
    }
}

/// Gives the file a name of its own, looks at it there, and removes it if it is the one that is
/// meant; else it gets its name back. What is looked at and what is removed are one file: from
/// fstatat(2) to unlinkat(2) on the name itself, another could have come in its place.
pub(super) fn remove_if(
    dir: BorrowedFd<'_>,
    name: &[u8],
    is_meant: impl FnOnce(&[u8], &Status) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let aside = &temporary_name()?;
    syscall::renameat((dir, name), (dir, aside))?;
    let removed = status_of(dir, aside)
        .and_then(|status| is_meant(aside, &status))
        .and_then(|meant| {
            if meant {
                syscall::unlinkat(dir, aside, 0)?;
            }
            Ok(meant)
        });
    if !matches!(removed, Ok(true)) {
        put_back(dir, aside, name);
    }
    removed
}

/// Gives a file its name back, unless somebody has taken that: then it keeps its own.
fn put_back(dir: BorrowedFd<'_>, aside: &[u8], name: &[u8]) {
    let back = syscall::rename_to_new((dir, aside), (dir, name));
    // Not every file of another user may be linked, nor does every file system link.
    if back.is_err_and(|error| error.errno() != Errno::EEXIST)
        && status_of(dir, name).is_err_and(|error| error.errno() == Errno::ENOENT)
    {
        let _ = syscall::renameat((dir, aside), (dir, name));
    }
}

/// What has a name, a symbolic link itself.
pub(super) fn status_of(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Status, Error> {
    syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW)
}

pub(super) fn in_use() -> Error {
    Error::new(Call::Bind, Errno::EADDRINUSE)
}
