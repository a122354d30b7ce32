//! Makes a listener from a socket, and returns the socket if that fails.

use core::error;
use core::fmt;

use super::{Connected, Listener, Socket, methods_of};
use crate::error::Error;
use crate::fd::AsFd;
use crate::syscall;

methods_of!(Connected [Stream, Seqpacket], "Methods that listen.", {
    /// `listen(fd, backlog)` — makes a bound socket a listener.
    ///
    /// Linux queues `backlog + 1` connections that are not accepted yet. Linux replaces a backlog
    /// that is negative or over `net.core.somaxconn` by `net.core.somaxconn`.
    ///
    /// # Errors
    ///
    /// The error has the socket, which [`ListenError::into_socket`] gives back. `?` converts it
    /// into an [`Error`] and closes the socket. The file that bind made still exists.
    ///
    /// - `EINVAL`: the socket has no address, or is connected. Other systems report `EDESTADDRREQ`
    ///   if it has no address.
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Socket, Stream, addr};
    ///
    /// let socket = Socket::<Stream>::new()?;
    /// socket.bind_to(&addr!("/run/app.sock"))?;
    /// let listener = socket.listen(16)?;
    /// # drop(listener);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See listen(2).
    pub fn listen(self, backlog: i32) -> Result<Listener<T>, ListenError<T>> {
        match syscall::listen(self.as_fd(), backlog) {
            Ok(()) => Ok(Listener::from_listening(self)),
            Err(error) => Err(ListenError {
                error,
                socket: self,
            }),
        }
    }
});

/// The error of [`Socket::listen`], which contains the socket.
///
/// # Examples
///
/// ```
/// use sunpath::{Socket, Stream};
///
/// let socket = Socket::<Stream>::new()?; // it has no address yet
/// let socket = socket.listen(16).unwrap_err().into_socket();
/// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
/// socket.autobind()?;
/// let listener = socket.listen(16)?;
/// # drop(listener);
/// # Ok::<(), sunpath::Error>(())
/// ```
pub struct ListenError<T: Connected> {
    error: Error,
    socket: Socket<T>,
}

impl<T: Connected> ListenError<T> {
    /// Returns the reason why the socket does not listen.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// Returns the socket as it was.
    #[must_use]
    pub fn into_socket(self) -> Socket<T> {
        self.socket
    }
}

impl<T: Connected> fmt::Debug for ListenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenError")
            .field("error", &self.error)
            .field("socket", &self.socket)
            .finish()
    }
}

impl<T: Connected> fmt::Display for ListenError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: Connected> error::Error for ListenError<T> {}

/// Keeps the error, and closes the socket.
impl<T: Connected> From<ListenError<T>> for Error {
    fn from(error: ListenError<T>) -> Self {
        error.error
    }
}

/// Keeps the error, and closes the socket.
#[cfg(feature = "std")]
impl<T: Connected> From<ListenError<T>> for std::io::Error {
    fn from(error: ListenError<T>) -> Self {
        error.error.into()
    }
}
