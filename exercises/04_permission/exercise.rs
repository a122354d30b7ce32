//! Binds a stream socket to this path, so that only its owner can ever connect.

use std::path::Path;

use sunpath::{Error, Socket, Stream, UnixAddr};

/// The answer to the exercise.
pub(crate) fn bind_private(path: &Path) -> Result<Socket<Stream>, Error> {
    let sock = Socket::new()?;
    sock.bind_to(&UnixAddr::from_pathname(path)?)?;
    Ok(sock)
}
