//! The checks of one directory: its owner, its mode, and for a symbolic link its owner.

use core::ffi::c_int;

use sunpath_sys as sys;
use sunpath_sys::mode_t;

use super::Refusal;
use crate::error::Error;
use crate::fd::{AsFd, OwnedFd};
use crate::syscall::{self, Status};

pub(super) const PERMISSIONS: mode_t = 0o777;
const WRITABLE_BY_OTHERS: mode_t = 0o022;

pub(super) const OPEN_NOFOLLOW: c_int = syscall::O_PATH | sys::O_DIRECTORY | sys::O_NOFOLLOW;

// The mode is cast, because mode_t is u16 on some systems.
#[allow(clippy::unnecessary_cast)]
pub(super) fn wrong_mode(status: &Status) -> Refusal {
    Refusal::Mode {
        mode: (status.mode() & (PERMISSIONS | sys::S_ISVTX)) as u32,
        uid: status.owner(),
    }
}

pub(super) fn stat(fd: &OwnedFd) -> Result<Status, Refusal> {
    syscall::fstat(fd.as_fd()).map_err(Refusal::Call)
}

/// Checks that `name` is a symbolic link that this user or root owns. `error` is the error of
/// opening `name` as a directory.
pub(super) fn verify_link(dir: &OwnedFd, name: &[u8], error: Error) -> Result<(), Refusal> {
    let link = symlink_status(dir, name, error)?;
    match verify_owner(&link, true) {
        // Only the owner of the directory can have put the link there.
        Err(_) if is_unmapped(&link) && !is_writable_by_others(&stat(dir)?) => Ok(()),
        verified => verified,
    }
}

/// Returns the status of `name` if it is a symbolic link, and otherwise `error`, the error of
/// opening `name` as a directory.
pub(super) fn symlink_status(dir: &OwnedFd, name: &[u8], error: Error) -> Result<Status, Refusal> {
    let flags = sys::AT_SYMLINK_NOFOLLOW;
    match syscall::fstatat(dir.as_fd(), name, flags) {
        Ok(link) if link.kind() == sys::S_IFLNK => Ok(link),
        Ok(other) if other.kind() != sys::S_IFDIR => Err(Refusal::NotADirectory),
        _ => Err(Refusal::Call(error)),
    }
}

/// Checks that only this user and root can replace what is in this directory.
///
/// In a user namespace where root is not mapped, root looks like every other user that is not
/// mapped. In a user namespace that does not map every user, an owner that is not mapped is
/// accepted for a directory to which no other user can write, such as `/`.
pub(super) fn verify_above(status: &Status) -> Result<(), Refusal> {
    match verify_owner(status, true) {
        Err(_) if is_unmapped(status) && !is_writable_by_others(status) => return Ok(()),
        verified => verified?,
    }
    match is_writable_by_others(status) && status.mode() & sys::S_ISVTX == 0 {
        true => Err(wrong_mode(status)),
        false => Ok(()),
    }
}

pub(super) fn is_writable_by_others(status: &Status) -> bool {
    status.mode() & WRITABLE_BY_OTHERS != 0
}

/// Returns whether the owner is not mapped in the user namespace of this process.
fn is_unmapped(status: &Status) -> bool {
    syscall::stands_for_unmapped(status.owner()) == Some(true)
}

/// Checks that the owner is this user, or root if that is acceptable. Users that are not mapped
/// cannot be distinguished, so a process whose own user is not mapped owns nothing for certain.
pub(super) fn verify_owner(status: &Status, or_root: bool) -> Result<(), Refusal> {
    match status.owner() {
        0 if or_root => Ok(()),
        uid if uid == syscall::geteuid() && !is_unmapped(status) => Ok(()),
        uid => Err(Refusal::Owner { uid }),
    }
}
