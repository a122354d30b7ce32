//! Why a socket cannot be bound.

use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::syscall::Status;

/// A file is in the way.
pub(super) fn in_the_way(status: &Status) -> Error {
    match status.is_socket() {
        true => in_use(),
        false if status.is_directory() => Error::address_in_use(InUse::Directory),
        false => Error::address_in_use(InUse::NotSocket),
    }
}

/// A socket file is in the way, and it was not asked whether a process holds it.
pub(super) fn in_use() -> Error {
    Error::new(Call::Bind, Errno::EADDRINUSE)
}

/// The file system does not do what is needed.
pub(super) fn file_system_lacks(cause: Cause) -> Error {
    Error::with_cause(Call::Bind, Errno::EOPNOTSUPP, cause)
}

/// The file that was bound is not at the path, or the path leads to another directory.
pub(super) fn moved(cause: Cause) -> Error {
    Error::with_cause(Call::Bind, Errno::ESTALE, cause)
}
