//! Error numbers and their names.

use core::error;
use core::fmt;

use sunpath_sys as sys;

use crate::text::{self, Out, Text};

/// An error number of the system, for example `EADDRINUSE`.
///
/// The name and the meaning of an errno come from a table of this crate, and are the same in every
/// locale and with every C library.
///
/// # Examples
///
/// ```
/// use sunpath::Errno;
///
/// assert_eq!(Errno::EADDRINUSE.name(), Some("EADDRINUSE"));
/// assert_eq!(Errno::EADDRINUSE.to_string(), "EADDRINUSE (address already in use)");
/// ```
///
/// See errno(3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "errno")]
pub struct Errno(i32);

/// The error numbers that the calls on Unix domain sockets and their files return.
macro_rules! errnos {
    ($($(#[$alias:meta])? $name:ident)*) => {
        /// The error numbers that the calls on Unix domain sockets and their files return.
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`, see errno(3).")]
                $(#[$alias])?
                pub const $name: Self = Self(sys::$name);
            )*
        }
    };
}

errnos! {
    EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT #[doc(alias = "EWOULDBLOCK")] EAGAIN EALREADY EBADF
    EBADMSG EBUSY ECONNABORTED ECONNREFUSED ECONNRESET EDESTADDRREQ EDQUOT EEXIST EFAULT EINPROGRESS
    EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG ENFILE ENOBUFS ENODEV ENOENT
    ENOMEM ENOMSG ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENOTTY ENXIO
    EOPNOTSUPP EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESOCKTNOSUPPORT ESRCH ESTALE
    ETIMEDOUT ETOOMANYREFS EXDEV
}

impl Errno {
    /// Makes the error number from the integer that C's `errno` holds.
    #[must_use]
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// Returns the error number as C's `errno` holds it.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.0
    }

    /// Returns the symbolic name, or `None` if the error number has no meaning on this system.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::Errno;
    ///
    /// assert_eq!(Errno::from_raw(libc::EPIPE).name(), Some("EPIPE"));
    /// assert_eq!(Errno::from_raw(-5).name(), None);
    /// ```
    #[must_use]
    #[doc(alias = "strerrorname_np")]
    pub fn name(self) -> Option<&'static str> {
        sys::errno_name(self.0)
    }

    /// Returns the meaning in a few words, or `None` if the error number has no meaning on this
    /// system.
    #[must_use]
    #[doc(alias = "strerror")]
    pub fn text(self) -> Option<&'static str> {
        sys::errno_text(self.0)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for Errno {
    fn write(&self, out: &mut Out<'_>) {
        let Some((name, text)) = self.name().zip(self.text()) else {
            out("errno ");
            if self.0 < 0 {
                out("-");
            }
            return text::decimal(self.0.unsigned_abs().into(), out);
        };
        for piece in [name, " (", text, ")"] {
            out(piece);
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl error::Error for Errno {}

// EWOULDBLOCK and EAGAIN are equal, so one name is enough.
const _: () = assert!(sys::EWOULDBLOCK == sys::EAGAIN);
