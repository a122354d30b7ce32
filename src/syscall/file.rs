//! The file of a socket.

use sunpath_sys as sys;

use super::retry;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd};

pub(crate) fn fchmod(fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    retry(Call::Fchmod, || {
        // SAFETY: takes numbers alone.
        unsafe { sys::fchmod(fd.as_raw_fd(), mode) as isize }
    })?;
    Ok(())
}

/// unlink(2) of the path of a pathname address; nothing for the others.
pub(crate) fn unlink(addr: &UnixAddr) {
    if let sys::SunPath::Pathname(path) = addr.name() {
        let mut terminated = [0; sys::SUN_PATH_CAPACITY + 1];
        terminated[..path.len()].copy_from_slice(path);
        // SAFETY: the path ends with a NUL, since it is shorter than its room.
        unsafe { sys::unlink(terminated.as_ptr().cast()) };
    }
}
