//! Tells whether a server is alive.

use core::ffi::{c_char, c_int};

use sunpath_rs::{Liveness, probe};

use crate::argument::text;
use crate::failure::returned;

/// Asks whether any process holds the socket at a path.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_probe(path: *const c_char, ret_error: *mut u64) -> c_int {
    let ask = || {
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, 1) }?;
        Ok(match probe(path)? {
            Liveness::Absent => 0,
            Liveness::Dead => 1,
            Liveness::Live => 2,
            Liveness::NotSocket => 3,
            _ => 4,
        })
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(ask(), ret_error) }
}
