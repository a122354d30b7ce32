//! Takes over descriptors that a service manager passed.

use core::ffi::{CStr, c_char, c_int};

use sunpath_rs::activation::{Activation, Variables};
use sunpath_rs::fd::IntoRawFd;
use sunpath_rs::{Errno, SocketRef, Stream, libsunpath};

use crate::argument::{Number, Type, buffer};
use crate::explain::{as_string, copied};
use crate::failure::{Failure, Fault, give, returned};

/// The first descriptor that a service manager passes, `SUNPATH_FIRST_PASSED`.
const FIRST: c_int = 3;

/// Takes over the descriptors that were passed to this process.
///
/// # Safety
///
/// - As the header says: `ret_error` is NULL or valid, nothing in this process owns one of the
///   descriptors, and no other thread changes the environment meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_take_passed(ret_error: *mut u64) -> c_int {
    let take = || {
        let mut variables = Variables::new();
        // SAFETY: the caller guarantees that nothing changes the environment.
        variables.pid = unsafe { variable(c"LISTEN_PID") };
        // SAFETY: as above.
        variables.pidfd_id = unsafe { variable(c"LISTEN_PIDFDID") };
        // SAFETY: as above.
        variables.fds = unsafe { variable(c"LISTEN_FDS") };
        // SAFETY: as above.
        variables.names = unsafe { variable(c"LISTEN_FDNAMES") };
        // SAFETY: the caller guarantees that nothing owns the descriptors.
        let passed = unsafe { Activation::take_from(variables) }?;
        if let Some(reason) = passed.not_passed() {
            // SAFETY: the caller guarantees the pointer.
            unsafe { give(ret_error, Failure::NotPassed(reason).to_bits()) };
            return Ok(0);
        }
        let mut count = 0;
        for passed in passed {
            // From here on the caller in C owns the descriptor, and knows it by its number.
            let _ = passed.into_fd().into_raw_fd();
            count += 1;
        }
        Ok(count)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(take(), ret_error) }
}

/// Writes the name of a descriptor that was passed.
///
/// # Safety
///
/// - As the header says: `size` bytes of `buf` can be written, and no other thread changes the
///   environment meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_passed_name(fd: c_int, buf: *mut c_char, size: usize) -> c_int {
    let name = || {
        // SAFETY: the caller guarantees the bytes.
        let buf = unsafe { buffer(buf.cast(), size, 2) }?;
        let place = usize::try_from(fd.wrapping_sub(FIRST));
        let place = place.map_err(|_| Failure::argument(Fault::Descriptor, 1))?;
        // SAFETY: the caller guarantees that nothing changes the environment.
        let names = unsafe { variable(c"LISTEN_FDNAMES") }.unwrap_or_default();
        let name = names.split(|byte| *byte == b':').nth(place);
        Ok(as_string(buf, |buf| copied(name.unwrap_or_default(), buf)))
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(name(), core::ptr::null_mut()) }
}

/// Checks what a descriptor is.
///
/// # Safety
///
/// - `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_check_socket(
    fd: c_int,
    type_: c_int,
    listens: c_int,
    ret_error: *mut u64,
) -> c_int {
    use sunpath_rs::error::{Call, Cause};

    let check = || {
        let number = Number::new(fd, 1)?;
        let kind = Type::new(type_, 2)?;
        let socket = SocketRef::<Stream>::from(&number);
        let wrong = |errno, cause| {
            Failure::Call(libsunpath::error_with_cause(Call::Getsockopt, errno, cause))
        };
        if socket.domain()? != libc::AF_UNIX {
            return Err(wrong(Errno::EAFNOSUPPORT, Cause::OtherFamily));
        }
        if Type::of(number, 1)? != kind {
            return Err(wrong(Errno::EPROTOTYPE, Cause::OtherKind));
        }
        match (socket.is_listening()?, listens) {
            (true, 0) => Err(wrong(Errno::EINVAL, Cause::Listening)),
            (false, 1..) => Err(wrong(Errno::EINVAL, Cause::NotListening)),
            _ => Ok(0),
        }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(check(), ret_error) }
}

/// Returns the value of a variable of the environment.
///
/// # Safety
///
/// - Nothing changes the environment while the value is used.
unsafe fn variable(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: the name is a string, and the caller guarantees the rest.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: getenv returns NULL or a string, and the caller guarantees that the string stays.
    (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}
