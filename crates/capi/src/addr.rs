//! Makes addresses, and reads them.

use core::ffi::{c_char, c_int, c_void};

use sunpath_rs::sys::{SunPath, sockaddr_un, socklen_t};
use sunpath_rs::{UnixAddr, libsunpath, sys};

use crate::argument::{address, buffer, bytes, required, text};
use crate::explain::as_string;
use crate::failure::{Failure, returned};

/// Makes the address of a path.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_from_path(
    path: *const c_char,
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the string.
    let path = unsafe { text(path, 1) };
    let made = path.and_then(|path| Ok(libsunpath::pathname_addr(path)?));
    // SAFETY: the caller guarantees the pointers.
    let result = unsafe { written(made, ret_addr, ret_len, 2) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(result, ret_error) }
}

/// Makes the address of an abstract name.
///
/// # Safety
///
/// - As the header says: `size` bytes of `name` can be read, and each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_from_abstract(
    name: *const c_void,
    size: usize,
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the bytes.
    let name = unsafe { bytes(name, size, 1) };
    let made = name.and_then(|name| Ok(libsunpath::abstract_addr(name)?));
    // SAFETY: the caller guarantees the pointers.
    let result = unsafe { written(made, ret_addr, ret_len, 3) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(result, ret_error) }
}

/// Reads an address from text.
///
/// # Safety
///
/// - As the header says: `from` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_from_text(
    from: *const c_char,
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the string.
    let from = unsafe { text(from, 1) };
    let made = from.and_then(|from| Ok(UnixAddr::from_text(from)?));
    // SAFETY: the caller guarantees the pointers.
    let result = unsafe { written(made, ret_addr, ret_len, 2) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(result, ret_error) }
}

/// Makes the unnamed address.
///
/// # Safety
///
/// - As the header says: each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_unnamed(
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
) -> c_int {
    let made = Ok(UnixAddr::unnamed());
    // SAFETY: the caller guarantees the pointers.
    let result = unsafe { written(made, ret_addr, ret_len, 1) };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(result, core::ptr::null_mut()) }
}

/// Returns the kind of an address, and its name.
///
/// # Safety
///
/// - As the header says: `len` bytes of `addr` can be read, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_name(
    addr: *const sockaddr_un,
    len: socklen_t,
    ret_name: *mut *const c_char,
    ret_size: *mut usize,
) -> c_int {
    let named = || {
        // SAFETY: the caller guarantees the bytes.
        let read = unsafe { address(addr, len, 1) }?;
        required(ret_name, 3)?;
        required(ret_size, 4)?;
        let (kind, before, size) = match read.name() {
            SunPath::Unnamed => (0, 0, 0),
            SunPath::Pathname(path) => (1, 0, path.len()),
            SunPath::Abstract(name) => (2, 1, name.len()),
        };
        let name = addr
            .cast::<c_char>()
            .wrapping_add(sys::SUN_PATH_OFFSET + before);
        // SAFETY: it is not NULL, and the caller guarantees it.
        unsafe { ret_name.write(name) };
        // SAFETY: as above.
        unsafe { ret_size.write(size) };
        Ok(kind)
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(named(), core::ptr::null_mut()) }
}

/// Writes an address as text.
///
/// # Safety
///
/// - As the header says: `len` bytes of `addr` can be read, and `size` bytes of `buf` be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_addr_to_text(
    addr: *const sockaddr_un,
    len: socklen_t,
    buf: *mut c_char,
    size: usize,
) -> c_int {
    let print = || {
        // SAFETY: the caller guarantees the bytes.
        let addr = unsafe { address(addr, len, 1) }?;
        // SAFETY: the caller guarantees the bytes.
        let buf = unsafe { buffer(buf.cast(), size, 3) }?;
        Ok(as_string(buf, |buf| addr.write_text(buf)))
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(print(), core::ptr::null_mut()) }
}

/// Writes an address, and its length after it.
///
/// # Safety
///
/// - Each pointer is NULL or valid for a write.
#[inline(never)]
pub(crate) unsafe fn written(
    made: Result<UnixAddr, Failure>,
    ret_addr: *mut sockaddr_un,
    ret_len: *mut socklen_t,
    parameter: u8,
) -> Result<c_int, Failure> {
    let made = made?;
    required(ret_addr, parameter)?;
    required(ret_len, parameter + 1)?;
    // SAFETY: it is not NULL, and the caller guarantees it.
    unsafe { ret_addr.write(*made.as_sockaddr_un()) };
    // SAFETY: as above.
    unsafe { ret_len.write(made.len()) };
    Ok(0)
}
