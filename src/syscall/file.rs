//! The calls on a socket's file that every socket needs.

use sunpath_sys as sys;

use super::retry;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd};

/// Changes the mode of an open file, by fchmod(2).
pub(crate) fn fchmod(fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    retry(Call::Fchmod, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::fchmod(fd.as_raw_fd(), mode) as isize }
    })?;
    Ok(())
}

/// Unlinks the path of a pathname address, by unlink(2). Other addresses have no file.
pub(crate) fn unlink(addr: &UnixAddr) {
    // The path is copied to add a NUL, because a path that fills `sun_path` has none. Addresses
    // that are not paths are left out.
    let mut path = [0; sys::SUN_PATH_CAPACITY + 1];
    let used = addr.len() as usize - sys::SUN_PATH_OFFSET;
    let bytes = addr.as_sockaddr_un().sun_path.iter().take(used);
    for (place, byte) in path.iter_mut().zip(bytes) {
        *place = *byte;
    }
    // SAFETY: `path` is live, and ends with a NUL, because its last byte is never written.
    unsafe { sys::unlink(path.as_ptr()) };
}
