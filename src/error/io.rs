//! Converts errors to and from `std::io::Error`.

use std::io::{self, ErrorKind};
use std::mem::ManuallyDrop;

use sunpath_sys::SunPathError;

use super::cause::Cause;
use super::{Errno, Error};

impl Error {
    /// Returns the kind that std has for the errno. The kind is `Unsupported` wherever
    /// [`is_unsupported`](Self::is_unsupported) is true, and `UnexpectedEof` for a stream that
    /// ended where a descriptor was expected.
    #[must_use]
    pub fn kind(self) -> ErrorKind {
        match self.cause() {
            _ if self.is_unsupported() => ErrorKind::Unsupported,
            Some(Cause::EndOfFile | Cause::StreamEnded) => ErrorKind::UnexpectedEof,
            _ => self.errno().kind(),
        }
    }
}

impl Errno {
    /// Returns the errno of an `std::io::Error`: the errno of the system call, or of the [`Error`]
    /// or [`SunPathError`] inside. The result is `None` if the error contains no errno.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use sunpath::{Errno, UnixStream};
    ///
    /// let ours = io::Error::from(UnixStream::connect("/nobody/listens/here").unwrap_err());
    /// assert_eq!(ours.raw_os_error(), None);
    /// assert_eq!(Errno::from_io_error(&ours), Some(Errno::ENOENT));
    ///
    /// let theirs = io::Error::from_raw_os_error(Errno::ENOENT.raw());
    /// assert_eq!(Errno::from_io_error(&theirs), Some(Errno::ENOENT));
    /// ```
    #[must_use]
    pub fn from_io_error(error: &io::Error) -> Option<Self> {
        if let Some(number) = error.raw_os_error() {
            return Some(Self::from_raw(number));
        }
        let inner = error.get_ref()?;
        match inner.downcast_ref::<Error>() {
            Some(error) => Some(error.errno()),
            None => {
                let path: &SunPathError = inner.downcast_ref()?;
                Some(Self::from_raw(path.errno()))
            }
        }
    }

    /// Returns the kind that std has for the errno.
    pub(crate) fn kind(self) -> ErrorKind {
        // An `io::Error` of an errno owns nothing, so it need not be dropped. Without the drop, the
        // compiler generates no code to run it after a panic.
        let error = ManuallyDrop::new(io::Error::from(self));
        error.kind()
    }
}

/// Converts the errno, which becomes `raw_os_error`. Nothing is allocated.
impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.raw())
    }
}

/// Keeps the call, the errno and the cause, because this error becomes the inner error.
/// [`kind`](Error::kind) returns the same kind.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}
