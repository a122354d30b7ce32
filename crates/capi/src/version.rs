//! The version.

use core::ffi::c_uint;

const fn number(text: &str) -> c_uint {
    let (bytes, mut at, mut number) = (text.as_bytes(), 0, 0);
    while at < bytes.len() {
        number = number * 10 + (bytes[at] - b'0') as c_uint;
        at += 1;
    }
    number
}

const VERSION: c_uint = number(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | number(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | number(env!("CARGO_PKG_VERSION_PATCH"));

/// Returns the version of the library.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_version() -> c_uint {
    VERSION
}
