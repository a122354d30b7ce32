//! Conversions to and from the types of tokio and std.

use std::io;
use std::os::unix::net;

use sunpath::{UnixAddr, files::SocketFile};

use crate::datagram::UnixDatagram;
use crate::listener::UnixListener;
use crate::stream::UnixStream;

/// Makes conversions of a socket in both directions, which change the type and keep the descriptor.
macro_rules! sockets {
    ($($name:ident)+) => {$(
        impl TryFrom<tokio::net::$name> for $name {
            type Error = io::Error;

            fn try_from(socket: tokio::net::$name) -> io::Result<Self> {
                socket.into_std()?.try_into()
            }
        }

        impl TryFrom<net::$name> for $name {
            type Error = io::Error;

            fn try_from(socket: net::$name) -> io::Result<Self> {
                Self::new(sunpath::$name::from(socket))
            }
        }

        /// A file that the socket owns is removed.
        impl TryFrom<$name> for tokio::net::$name {
            type Error = io::Error;

            fn try_from(socket: $name) -> io::Result<Self> {
                Self::from_std(socket.into())
            }
        }

        /// The socket stays nonblocking. A file that it owns is removed.
        impl From<$name> for net::$name {
            fn from(socket: $name) -> Self {
                socket.into_socket().into()
            }
        }
    )+};
}

sockets!(UnixStream UnixDatagram);

impl TryFrom<tokio::net::UnixListener> for UnixListener {
    type Error = io::Error;

    fn try_from(listener: tokio::net::UnixListener) -> io::Result<Self> {
        listener.into_std()?.try_into()
    }
}

impl TryFrom<net::UnixListener> for UnixListener {
    type Error = io::Error;

    fn try_from(listener: net::UnixListener) -> io::Result<Self> {
        Self::new(sunpath::UnixListener::try_from(listener)?)
    }
}

impl UnixListener {
    /// Takes the listener apart: tokio's own, for a library that insists on its type, and the file,
    /// which is removed when it is dropped.
    ///
    /// # Errors
    ///
    /// The listener is closed, and its file is removed.
    ///
    /// - `EMFILE`, `ENFILE`: no descriptor is free to hold the file.
    /// - `ENOSPC`: the runtime cannot watch one more socket.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// use sunpath::BindOptions;
    /// use sunpath_tokio::UnixListener;
    ///
    /// # let path = format!("/tmp/sunpath-tokio-parts-{}.sock", std::process::id());
    /// let listener = UnixListener::new(BindOptions::new().mode(0o600).listen(&path)?)?;
    /// let (listener, file) = listener.into_tokio()?;
    /// let listener: tokio::net::UnixListener = listener;
    /// # drop(listener);
    /// file.unlink()?;
    /// # Ok(()) }
    /// ```
    pub fn into_tokio(self) -> io::Result<(tokio::net::UnixListener, SocketFile)> {
        let (listener, file) = self.into_bound().into_parts()?;
        Ok((tokio::net::UnixListener::from_std(listener.into())?, file))
    }
}

/// Converts an address of tokio, which is one of std.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (stream, _peer) = tokio::net::UnixStream::pair()?;
/// assert!(sunpath_tokio::addr(stream.local_addr()?).is_unnamed());
/// # Ok(()) }
/// ```
#[must_use]
pub fn addr(addr: tokio::net::unix::SocketAddr) -> UnixAddr {
    net::SocketAddr::from(addr).into()
}
