//! Connecting, and binding sockets that C made.

use core::ffi::{c_char, c_int};

use sunpath_rs::fd::{IntoRawFd, OwnedFd};
use sunpath_rs::sys::{sockaddr_un, socklen_t};
use sunpath_rs::{Seqpacket, SocketRef, Stream, UnixDatagram};

use crate::argument::{Number, Type, address, directory, text};
use crate::failure::{Failure, Fault, returned};
use crate::options::{read, sunpath_connect_options};

/// Connects to a path.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_connect(
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_connect_options,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { connect_below(libc::AT_FDCWD, type_, path, options, ret_error, 1) }
}

/// Connects to a path that begins at a directory.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and each other pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_connect_at(
    dirfd: c_int,
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_connect_options,
    ret_error: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees the pointers.
    unsafe { connect_below(dirfd, type_, path, options, ret_error, 2) }
}

/// Connects to an address.
///
/// # Safety
///
/// - As the header says: `len` bytes of `addr` can be read, and each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_connect_addr(
    type_: c_int,
    addr: *const sockaddr_un,
    len: socklen_t,
    options: *const sunpath_connect_options,
    ret_error: *mut u64,
) -> c_int {
    let connect = || {
        let kind = Type::new(type_, 1)?;
        // SAFETY: the caller guarantees the bytes.
        let addr = unsafe { address(addr, len, 2) }?;
        // SAFETY: the caller guarantees the options.
        let given = unsafe { read(options, 4) }?;
        let options = given.to_options(4)?;
        match kind {
            Type::Stream => number(options.connect_addr::<Stream>(&addr)?, &given),
            Type::Seqpacket => number(options.connect_addr::<Seqpacket>(&addr)?, &given),
            Type::Datagram => {
                let socket = datagram(&given, 4)?;
                socket.connect_to(&addr)?;
                number(socket, &given)
            }
        }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(connect(), ret_error) }
}

/// Binds a socket that C made to a path of any length.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_bind_to_at(
    socket: c_int,
    dirfd: c_int,
    path: *const c_char,
    ret_error: *mut u64,
) -> c_int {
    let bind = || {
        let socket = Number::new(socket, 1)?;
        let dir = directory(dirfd, 2)?;
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, 3) }?;
        Type::of(socket, 1)?; // rejects sockets of other types
        // `bind_to_at` is the same for each type, because it asks the kernel itself whether peers will
        // answer to the address, as those of a datagram socket do.
        SocketRef::<Stream>::from(&socket).bind_to_at(dir, path)?;
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(bind(), ret_error) }
}

/// Connects a socket that C made to a path of any length.
///
/// # Safety
///
/// - As the header says: `path` is NULL or a string, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_connect_to_at(
    socket: c_int,
    dirfd: c_int,
    path: *const c_char,
    ret_error: *mut u64,
) -> c_int {
    let connect = || {
        let socket = Number::new(socket, 1)?;
        let dir = directory(dirfd, 2)?;
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, 3) }?;
        // `Stream` stands for every type here, because connect(2) is called in the same way for all.
        SocketRef::<Stream>::from(&socket).connect_to_at(dir, path)?;
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(connect(), ret_error) }
}

/// Connects to a path. `parameter` is the place of the type among the parameters.
///
/// # Safety
///
/// - As for `sunpath_connect_at`.
unsafe fn connect_below(
    dirfd: c_int,
    type_: c_int,
    path: *const c_char,
    options: *const sunpath_connect_options,
    ret_error: *mut u64,
    parameter: u8,
) -> c_int {
    let connect = || {
        let dir = directory(dirfd, 1)?;
        let kind = Type::new(type_, parameter)?;
        // SAFETY: the caller guarantees the string.
        let path = unsafe { text(path, parameter + 1) }?;
        // SAFETY: the caller guarantees the options.
        let given = unsafe { read(options, parameter + 2) }?;
        let options = given.to_options(parameter + 2)?;
        match kind {
            Type::Stream => number(options.connect_at::<Stream>(dir, path)?, &given),
            Type::Seqpacket => number(options.connect_at::<Seqpacket>(dir, path)?, &given),
            Type::Datagram => {
                let socket = datagram(&given, parameter + 2)?;
                // Connecting is the same for each type, so that this call uses the code of streams.
                SocketRef::<Stream>::from(&socket).connect_to_at(dir, path)?;
                number(socket, &given)
            }
        }
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(connect(), ret_error) }
}

/// Makes the socket of a datagram client. Options other than `SUNPATH_NONBLOCK` are rejected: a
/// datagram socket neither waits for a server nor learns which user runs it.
fn datagram(given: &sunpath_connect_options, parameter: u8) -> Result<UnixDatagram, Failure> {
    match given.has_conditions() {
        true => Err(Failure::argument(Fault::Datagram, parameter)),
        false => Ok(UnixDatagram::unbound()?),
    }
}

/// Makes the socket nonblocking if the options say so, and gives its descriptor to C.
fn number(socket: impl Into<OwnedFd>, given: &sunpath_connect_options) -> Result<c_int, Failure> {
    let socket: OwnedFd = socket.into();
    if given.nonblocking() {
        SocketRef::<Stream>::from(&socket).set_nonblocking(true)?;
    }
    Ok(socket.into_raw_fd())
}
