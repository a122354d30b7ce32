//! The errors of a socket that cannot be bound.

use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::syscall::Status;

/// Makes the error for a file that is in the way.
pub(super) fn path_in_use(status: &Status) -> Error {
    match status.is_socket() {
        true => Error::address_in_use(InUse::SocketFile),
        false if status.is_directory() => Error::address_in_use(InUse::Directory),
        false => Error::address_in_use(InUse::NotSocket),
    }
}

/// Makes the error for a name that another process has taken in the meantime.
pub(super) fn in_use() -> Error {
    Error::new(Call::Bind, Errno::EADDRINUSE)
}

/// Makes the error for a file system that lacks a feature that the options need.
pub(super) fn file_system_lacks(cause: Cause) -> Error {
    Error::with_cause(Call::Bind, Errno::EOPNOTSUPP, cause)
}

/// Makes the error for a file that is no longer at the path, or for a path that leads to another
/// directory.
pub(super) fn moved(cause: Cause) -> Error {
    Error::with_cause(Call::Bind, Errno::ESTALE, cause)
}
