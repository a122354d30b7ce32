//! Makes one directory with an exact mode.

use sunpath_sys as sys;
use sunpath_sys::mode_t;

use super::check::{OPEN_NOFOLLOW, PERMISSIONS};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::syscall;

/// The mark of a directory that was just made: the sticky bit, which the umask does not change.
/// When the directory is opened, the mark shows that it is the new directory.
const MARK: mode_t = sys::S_ISVTX;

/// Makes a directory with this mode, whatever the umask is, and opens it. The caller verifies the owner.
///
/// A user who may rename in the parent can put another directory of this user in its place before
/// it is opened. That other directory has no mark, so its mode is not changed, and the call fails
/// with `ESTALE` unless the mode is the right one. (Some file systems do not keep the mark.)
pub(crate) fn make_directory(
    parent: BorrowedFd<'_>,
    name: &[u8],
    mode: mode_t,
) -> Result<OwnedFd, Error> {
    syscall::mkdirat(parent, name, mode | MARK)?;
    open_made(parent, name, mode).inspect_err(|_| {
        // The first error is reported, and an error of unlinkat(2) is ignored. Only an empty
        // directory can be removed.
        let _ = syscall::unlinkat(parent, name, sys::AT_REMOVEDIR);
    })
}

fn open_made(parent: BorrowedFd<'_>, name: &[u8], mode: mode_t) -> Result<OwnedFd, Error> {
    let dir = syscall::openat(parent, name, OPEN_NOFOLLOW)?;
    let status = syscall::fstat(dir.as_fd())?;
    let made_with = status.mode();
    if made_with & MARK == 0 {
        // Some file systems do not keep the mark, and neither do systems other than Linux.
        return match made_with & PERMISSIONS == mode {
            true => Ok(dir),
            false => Err(Error::new(Call::Mkdirat, Errno::ESTALE)),
        };
    }
    let is_ours = status.owner() == syscall::geteuid() && made_with & PERMISSIONS & !mode == 0;
    if !is_ours {
        return Err(Error::new(Call::Mkdirat, Errno::ESTALE));
    }
    // The parent directory may have passed on its setgid bit.
    let changed = syscall::change_mode(dir.as_fd(), made_with & !(MARK | PERMISSIONS) | mode);
    match made_with & PERMISSIONS == mode {
        // The mark does no harm if it cannot be removed.
        true => Ok(dir),
        false => changed.map(|()| dir),
    }
}
