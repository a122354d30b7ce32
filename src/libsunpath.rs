//! The functions that libsunpath, the C library, takes from this crate in addition to the public
//! API. Some take the type of a socket as an integer, so that their code exists once. Others make
//! errors from their parts.
//!
//! This module exists with the feature `libsunpath` alone, and may change with every version.

use core::ffi::c_int;

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::files::{BindOptions, Bound, DirError, Refusal};
use crate::socket::{check_kind, check_listening};

/// Makes the failure of a call.
#[must_use]
pub const fn error(call: Call, errno: Errno) -> Error {
    Error::new(call, errno)
}

/// Makes the failure of a call with its cause.
#[must_use]
pub fn error_with_cause(call: Call, errno: Errno, cause: Cause) -> Error {
    Error::with_cause(call, errno, cause)
}

/// Makes the error for more descriptors than `expected`, or for fewer where control messages were
/// truncated.
#[must_use]
pub fn descriptors_truncated(received: usize, expected: usize) -> Error {
    Error::descriptors_truncated(received, expected)
}

/// Makes the error for fewer descriptors than expected.
#[must_use]
pub fn too_few_descriptors(received: usize, expected: usize) -> Error {
    Error::too_few_descriptors(received, expected)
}

/// Makes the error for a stream that ended where a descriptor was expected.
#[must_use]
pub fn end_of_file() -> Error {
    Error::end_of_file()
}

/// Makes the error of a directory.
#[must_use]
pub const fn dir_error(prefix_len: usize, refusal: Refusal) -> DirError {
    DirError::new(prefix_len, refusal)
}

/// Makes the address of a path.
///
/// # Errors
///
/// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`: as for [`UnixAddr::from_pathname`].
pub fn pathname_addr(path: &[u8]) -> Result<UnixAddr, Error> {
    UnixAddr::for_call(Call::SockaddrUn, path)
}

/// Makes the address of an abstract name.
///
/// # Errors
///
/// - `ENAMETOOLONG`, `EOPNOTSUPP`: as for [`UnixAddr::from_abstract`].
pub fn abstract_addr(name: &[u8]) -> Result<UnixAddr, Error> {
    UnixAddr::of_abstract(name)
}

/// Does what [`BindOptions::bind_at`] does for a socket of the type `kind`.
///
/// # Errors
///
/// - `EINVAL`, `EADDRINUSE` and others: as for [`BindOptions::listen`].
pub fn bind_at(
    options: &BindOptions,
    kind: c_int,
    listens: bool,
    dir: BorrowedFd<'_>,
    path: &[u8],
) -> Result<Bound<OwnedFd>, Error> {
    options.bind_path(kind, listens, dir, path)
}

/// Does what [`BindOptions::bind_addr`] does for a socket of the type `kind`.
///
/// # Errors
///
/// - `EINVAL`, `EADDRINUSE` and others: as for [`BindOptions::bind_addr`].
pub fn bind_addr(
    options: &BindOptions,
    kind: c_int,
    listens: bool,
    addr: &UnixAddr,
) -> Result<Bound<OwnedFd>, Error> {
    options.bind_address(kind, listens, addr)
}

/// Does what [`BindOptions::adopt`] does for a socket of the type `kind`. On failure the descriptor is
/// returned in the error.
///
/// # Errors
///
/// - `EAFNOSUPPORT`: it is a socket of another family. `EINVAL`: it does not listen.
/// - `ESTALE`, `ENOENT` and others: as for [`BindOptions::adopt`].
pub fn adopt(
    options: &BindOptions,
    kind: c_int,
    listens: bool,
    socket: OwnedFd,
    path: &[u8],
) -> Result<Bound<OwnedFd>, (Error, OwnedFd)> {
    let fd = socket.as_fd();
    let checked = check_kind(fd, kind).and_then(|()| match listens {
        true => check_listening(fd),
        false => Ok(()),
    });
    match checked {
        Ok(()) => options.adopt_any(socket, path),
        Err(error) => Err((error, socket)),
    }
}
