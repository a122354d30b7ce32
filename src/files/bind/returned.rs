//! The error of a call that takes a value over, and returns the value if it fails.

use core::error;
use core::fmt;

use crate::error::Error;

/// The error of a call that takes a value over, together with the unchanged value: a socket from
/// [`BindOptions::adopt`](crate::BindOptions::adopt), or a [`Bound`](crate::Bound) from
/// [`Bound::into_parts`](crate::Bound::into_parts).
///
/// `?` converts it into an [`Error`] and drops the value.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{BindOptions, UnixListener};
///
/// # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-returned-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let listener = UnixListener::bind(dir.join("a.sock"))?;
/// let error = BindOptions::new().adopt(listener, dir.join("b.sock")).unwrap_err();
/// println!("{error}"); // there is no such file
/// let listener = error.into_inner();
/// # drop(listener);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
pub struct ReturnedError<T> {
    error: Error,
    value: T,
}

impl<T> ReturnedError<T> {
    pub(super) const fn new(error: Error, value: T) -> Self {
        Self { error, value }
    }

    /// Returns the reason why the call failed.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// Returns the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> fmt::Debug for ReturnedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReturnedError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for ReturnedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> error::Error for ReturnedError<T> {}

/// Keeps the error, and drops the value.
impl<T> From<ReturnedError<T>> for Error {
    fn from(error: ReturnedError<T>) -> Self {
        error.error
    }
}

/// Keeps the error, and drops the value.
#[cfg(feature = "std")]
impl<T> From<ReturnedError<T>> for std::io::Error {
    fn from(error: ReturnedError<T>) -> Self {
        error.error.into()
    }
}
