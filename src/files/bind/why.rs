//! Why a socket cannot be bound, one function for each cause.

use crate::error::{Call, Errno, Error};

/// A file is in the way that may not be removed.
pub(super) fn in_use() -> Error {
    Error::new(Call::Bind, Errno::EADDRINUSE)
}

/// A file is in the way that is not a socket.
pub(super) fn not_a_socket() -> Error {
    in_use()
}

/// A process holds the socket of the file that is in the way.
pub(super) fn live_server() -> Error {
    in_use()
}

/// The kernel answers for a living socket as for a dead one.
pub(super) fn cannot_tell() -> Error {
    in_use()
}

/// Another process holds the lock.
pub(super) fn lock_is_held() -> Error {
    in_use()
}

/// The file that has the lock file's name belongs to another user, is not empty or has a second name.
pub(super) fn lock_file_is_not_ours() -> Error {
    in_use()
}

/// A call on the lock file failed.
pub(super) fn of_lock_file(error: Error) -> Error {
    error
}

/// The file system keeps no modes, or its own.
pub(super) fn no_modes() -> Error {
    Error::new(Call::Fchmodat, Errno::EOPNOTSUPP)
}

/// The file system keeps no owners, or its own.
pub(super) fn no_owners() -> Error {
    Error::new(Call::Fchownat, Errno::EOPNOTSUPP)
}

/// The file system does not count links.
pub(super) fn no_link_counts() -> Error {
    Error::new(Call::Fstat, Errno::EOPNOTSUPP)
}

/// The file that was bound is not at the path.
pub(super) fn moved() -> Error {
    Error::new(Call::Bind, Errno::ESTALE)
}
