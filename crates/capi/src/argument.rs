//! Checks the arguments that C passes, as far as they can be checked.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::slice;

use sunpath_rs::fd::{AsFd, BorrowedFd};
use sunpath_rs::sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, sockaddr_un, socklen_t};
use sunpath_rs::{CWD, UnixAddr};

use crate::failure::{Failure, Fault};

/// Returns the bytes of a string.
///
/// # Safety
///
/// - `text` is NULL, or a string that ends with a NUL and does not change during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, parameter: u8) -> Result<&'a [u8], Failure> {
    if text.is_null() {
        return Err(Failure::argument(Fault::Null, parameter));
    }
    // SAFETY: it is not NULL, and the caller guarantees the rest.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Returns the bytes of a buffer.
///
/// # Safety
///
/// - `buf` is NULL, or `size` bytes from it on can be read and do not change during `'a`.
pub(crate) unsafe fn bytes<'a>(
    buf: *const c_void,
    size: usize,
    parameter: u8,
) -> Result<&'a [u8], Failure> {
    if size == 0 {
        return Ok(&[]);
    }
    check_buffer(buf, size, parameter)?;
    // SAFETY: it is not NULL, the size is that of an object, and the caller guarantees the rest.
    Ok(unsafe { slice::from_raw_parts(buf.cast(), size) })
}

/// Returns a buffer for results. The library writes into it and does not read it.
///
/// # Safety
///
/// - `buf` is NULL, or `size` bytes from it on can be written, and nothing else uses them during `'a`.
pub(crate) unsafe fn buffer<'a>(
    buf: *mut c_void,
    size: usize,
    parameter: u8,
) -> Result<&'a mut [u8], Failure> {
    if size == 0 {
        return Ok(&mut []);
    }
    check_buffer(buf, size, parameter)?;
    // SAFETY: it is not NULL, the size is that of an object, and the caller guarantees the rest. C's
    // bytes have a value, even an unknown one, because C wrote the memory or got it from the
    // system.
    Ok(unsafe { slice::from_raw_parts_mut(buf.cast(), size) })
}

fn check_buffer(buf: *const c_void, size: usize, parameter: u8) -> Result<(), Failure> {
    if buf.is_null() {
        return Err(Failure::argument(Fault::Null, parameter));
    }
    if isize::try_from(size).is_err() {
        return Err(Failure::argument(Fault::Size, parameter + 1));
    }
    Ok(())
}

/// Rejects NULL as the place of a result that the caller must take.
pub(crate) fn required<T>(place: *const T, parameter: u8) -> Result<(), Failure> {
    match place.is_null() {
        true => Err(Failure::argument(Fault::Null, parameter)),
        false => Ok(()),
    }
}

/// A descriptor that C owns.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Number(c_int);

impl AsFd for Number {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: C owns the descriptor and keeps it open during the call. If it does not, the system
        // call fails with EBADF or reaches another file, as in C; no memory depends on it.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

impl Number {
    pub(crate) fn new(fd: c_int, parameter: u8) -> Result<Self, Failure> {
        match fd {
            0.. => Ok(Self(fd)),
            _ => Err(Failure::argument(Fault::Descriptor, parameter)),
        }
    }
}

/// Returns an array of descriptors.
///
/// # Safety
///
/// - `fds` is NULL, or `count` numbers from it on can be read and do not change during `'a`.
pub(crate) unsafe fn numbers<'a>(
    fds: *const c_int,
    count: usize,
    parameter: u8,
) -> Result<&'a [Number], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    check_buffer(
        fds.cast(),
        count.saturating_mul(size_of::<c_int>()),
        parameter,
    )?;
    // SAFETY: it is not NULL, the size is that of an object, and the caller guarantees the rest. A
    // `Number` is an int.
    let fds: &[Number] = unsafe { slice::from_raw_parts(fds.cast(), count) };
    match fds.iter().any(|fd| fd.0 < 0) {
        true => Err(Failure::argument(Fault::Descriptor, parameter)),
        false => Ok(fds),
    }
}

/// Returns a directory, which may be `AT_FDCWD`.
pub(crate) fn directory(fd: c_int, parameter: u8) -> Result<BorrowedFd<'static>, Failure> {
    match fd {
        libc::AT_FDCWD => Ok(CWD),
        // SAFETY: C keeps the descriptor open during the call, as `Number` explains.
        0.. => Ok(unsafe { BorrowedFd::borrow_raw(fd) }),
        _ => Err(Failure::argument(Fault::Descriptor, parameter)),
    }
}

/// Copies the first `len` bytes of an address out of the memory of C, and checks them.
///
/// # Safety
///
/// - `addr` is NULL, or `len` bytes from it on can be read, or `sizeof(struct sockaddr_un)` if that is
///   less.
pub(crate) unsafe fn address(
    addr: *const sockaddr_un,
    len: socklen_t,
    parameter: u8,
) -> Result<UnixAddr, Failure> {
    required(addr, parameter)?;
    let size = size_of::<sockaddr_un>().min(len as usize);
    let mut copy = *UnixAddr::unnamed().as_sockaddr_un();
    let place = (&raw mut copy).cast::<u8>();
    // SAFETY: the caller guarantees the bytes, and the copy has space for them. Every value of the
    // bytes is a value of the struct.
    unsafe { place.copy_from_nonoverlapping(addr.cast(), size) };
    Ok(UnixAddr::from_raw(copy, len)?)
}

/// The type of a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Stream,
    Seqpacket,
    Datagram,
}

impl Type {
    pub(crate) fn new(number: c_int, parameter: u8) -> Result<Self, Failure> {
        match number {
            SOCK_STREAM => Ok(Self::Stream),
            SOCK_SEQPACKET => Ok(Self::Seqpacket),
            SOCK_DGRAM => Ok(Self::Datagram),
            _ => Err(Failure::argument(Fault::Type, parameter)),
        }
    }

    /// Returns the number of the type in C.
    pub(crate) fn number(self) -> c_int {
        match self {
            Self::Stream => SOCK_STREAM,
            Self::Seqpacket => SOCK_SEQPACKET,
            Self::Datagram => SOCK_DGRAM,
        }
    }

    /// Returns whether a server of this type listens.
    pub(crate) fn listens(self) -> bool {
        self != Self::Datagram
    }

    /// Asks the kernel for the type of a socket that C owns.
    pub(crate) fn of(socket: Number, parameter: u8) -> Result<Self, Failure> {
        use sunpath_rs::{SocketRef, Stream};
        Self::new(SocketRef::<Stream>::from(&socket).socket_type()?, parameter)
    }
}
