//! Removes exactly the file that was checked.

use sunpath_sys as sys;

use crate::error::{Errno, Error};
use crate::fd::BorrowedFd;
use crate::files::name::temporary_name;
use crate::syscall::{self, Status};

/// A check of a file: it gets the file's temporary name and its status.
type Check<'a> = dyn Fn(&[u8], &Status) -> Result<bool, Error> + 'a;

/// Gives the file a temporary name, checks the file under that name, and removes it if it is the
/// right one. Otherwise the file gets its name back. The checked file and the removed file are
/// therefore the same. If fstatat(2) and unlinkat(2) used the original name, another file could
/// take its place between the two calls.
pub(super) fn remove_if(
    dir: BorrowedFd<'_>,
    name: &[u8],
    is_expected: &Check<'_>,
) -> Result<bool, Error> {
    let aside = &temporary_name()?;
    syscall::renameat((dir, name), (dir, aside))?;
    let removed = status_of(dir, aside)
        .and_then(|status| is_expected(aside, &status))
        .and_then(|expected| {
            if expected {
                syscall::unlinkat(dir, aside, 0)?;
            }
            Ok(expected)
        });
    if !matches!(removed, Ok(true)) {
        put_back(dir, aside, name);
    }
    removed
}

/// Gives a file its name back. If another file has that name by now, the first file keeps its
/// temporary name.
fn put_back(dir: BorrowedFd<'_>, aside: &[u8], name: &[u8]) {
    let back = syscall::rename_to_new((dir, aside), (dir, name));
    // rename_to_new may need a hard link. Some file systems have none, and the kernel may refuse to
    // link a file of another user.
    if back.is_err_and(|error| error.errno() != Errno::EEXIST)
        && status_of(dir, name).is_err_and(|error| error.errno() == Errno::ENOENT)
    {
        let _ = syscall::renameat((dir, aside), (dir, name));
    }
}

/// Returns the status of the file with this name. If the file is a symbolic link, the function
/// returns the status of the link itself.
#[inline(never)]
pub(super) fn status_of(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Status, Error> {
    syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW)
}
