//! Reads files of /proc to their end, because these files report no size.

use core::ffi::{CStr, c_int};

use sunpath_sys as sys;

use super::retry;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Reads a file in pieces, and calls `take` with each piece.
pub(super) fn read_in_pieces(path: &CStr, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let fd = retry(Call::Openat, || {
        let flags = sys::O_RDONLY | sys::O_CLOEXEC;
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::openat(sys::AT_FDCWD, path.as_ptr(), flags) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    let file = unsafe { OwnedFd::from_raw_fd(fd as c_int) };
    let mut buffer = [0_u8; 512];
    loop {
        let (to, size) = (buffer.as_mut_ptr().cast(), buffer.len());
        let len = retry(Call::Recv, || {
            // SAFETY: `to` is writable for `size` bytes.
            unsafe { sys::read(file.as_raw_fd(), to, size) }
        })?;
        match buffer.get(..len) {
            Some(piece @ [_, ..]) => take(piece),
            _ => return Ok(()),
        }
    }
}
