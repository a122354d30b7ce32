//! Explains errors in words.

use core::ffi::{c_char, c_int};

use sunpath_rs::error::InUse;

use crate::argument::buffer;
use crate::failure::{Failure, returned};

/// Writes what an error means.
///
/// # Safety
///
/// - As the header says: `size` bytes of `buf` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_explain(error: u64, buf: *mut c_char, size: usize) -> c_int {
    let explain = || {
        // SAFETY: the caller guarantees the bytes.
        let buf = unsafe { buffer(buf.cast(), size, 2) }?;
        Ok(as_string(buf, |buf| {
            match (error, Failure::from_bits(error)) {
                (0, _) => copied(b"no error", buf),
                (_, Some(failure)) => failure.write_text(buf),
                (_, None) => copied(b"not an error of this version of libsunpath", buf),
            }
        }))
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(explain(), core::ptr::null_mut()) }
}

/// Returns the errno of an error.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_error_errno(error: u64) -> c_int {
    Failure::from_bits(error).map_or(0, |failure| failure.errno().raw())
}

/// Returns whether a bind failed because a server runs, or is starting, at the path.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_error_is_running(error: u64) -> c_int {
    match Failure::from_bits(error) {
        Some(Failure::Call(error)) => {
            matches!(error.in_use(), Some(InUse::Server | InUse::Lock)).into()
        }
        _ => 0,
    }
}

/// Lets `write` fill a buffer except for its last byte, and ends the text with a NUL. Returns the length
/// of the whole text even if only a part fits, as snprintf does.
pub(crate) fn as_string(buf: &mut [u8], write: impl FnOnce(&mut [u8]) -> usize) -> c_int {
    let space = buf.len().saturating_sub(1);
    let len = write(buf.get_mut(..space).unwrap_or_default());
    if let Some(end) = buf.get_mut(len.min(space)) {
        *end = 0;
    }
    c_int::try_from(len).unwrap_or(c_int::MAX)
}

/// Copies as much of a text as fits, and returns its length. It is out of line, because it is called
/// for each part of a text.
#[inline(never)]
pub(crate) fn copied(text: &[u8], buf: &mut [u8]) -> usize {
    for (place, byte) in buf.iter_mut().zip(text) {
        *place = *byte;
    }
    text.len()
}
