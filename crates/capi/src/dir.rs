//! Opens directories, some of which nobody else can enter or change.

use core::ffi::{c_char, c_int};

use sunpath_rs::Dir;
use sunpath_rs::fd::IntoRawFd;

use crate::argument::text;
use crate::failure::{Failure, returned};

/// Makes or verifies a directory that nobody else can enter, and opens it.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_private_dir(path: *const c_char, ret_error: *mut u64) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { opened(path, |path| Ok(Dir::private(path)?), ret_error) }
}

/// Makes or verifies a directory that nobody else can change, and opens it.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_public_dir(path: *const c_char, ret_error: *mut u64) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { opened(path, |path| Ok(Dir::public(path)?), ret_error) }
}

/// Opens a directory.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_open_dir(path: *const c_char, ret_error: *mut u64) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { opened(path, |path| Ok(Dir::open(path)?), ret_error) }
}

/// Opens a directory by `open`, and returns its descriptor to C. It is out of line, so that three
/// functions have this code in common.
///
/// # Safety
///
/// - `path` is NULL or a string, and `ret_error` is NULL or valid.
#[inline(never)]
unsafe fn opened(
    path: *const c_char,
    open: fn(&[u8]) -> Result<Dir, Failure>,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the string.
    let path = unsafe { text(path, 1) };
    let opened = path.and_then(open).map(IntoRawFd::into_raw_fd);
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(opened, ret_error) }
}
