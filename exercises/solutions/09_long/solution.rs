//! Connects a stream socket to the socket file at this path, which may have any length.

use std::path::Path;

use sunpath::{CWD, Error, UnixStream};

/// The answer to the exercise.
pub(crate) fn connect_long(path: &Path) -> Result<UnixStream, Error> {
    UnixStream::connect_at(CWD, path)
}
