//! System calls that the library does not have: pipes, an io_uring, and the status flags of a
//! descriptor.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use libc::c_int;
use sunpath::sys;

use crate::process::check;

/// Makes a pipe with these flags. Returns the end to read from and the end to write to. Both are
/// close-on-exec.
pub(crate) fn new_pipe(flags: c_int) -> [File; 2] {
    let mut pipe = [-1; 2];
    // SAFETY: pipe has space for two descriptors.
    let result = unsafe { libc::pipe2(pipe.as_mut_ptr(), sys::O_CLOEXEC | flags) };
    check("pipe2", result);
    // SAFETY: the descriptor was just made, and nothing else owns it.
    pipe.map(|fd| unsafe { File::from_raw_fd(fd) })
}

/// Returns an io_uring, if the system lets this process have one.
pub(crate) fn io_uring() -> Option<OwnedFd> {
    let mut params = [0u32; 30]; // This array stands for a struct io_uring_params.
    // SAFETY: `params` has space for the struct, and its zeroes ask for no feature.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr()) };
    let fd = c_int::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the descriptor was just made, and nothing else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Returns the status flags of a descriptor, by `fcntl(fd, F_GETFL)`.
pub(crate) fn status_flags(fd: impl AsFd) -> c_int {
    // SAFETY: F_GETFL reads the flags of the descriptor.
    let flags = unsafe { sys::fcntl(fd.as_fd().as_raw_fd(), sys::F_GETFL) };
    check("fcntl", flags)
}
