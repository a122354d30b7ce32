//! Options that have no method of their own.

use super::{Kind, Socket};
use crate::error::Error;
use crate::fd::AsFd;
use crate::syscall;

pub use crate::syscall::OptionValue;

/// Methods that take an option by its constant of C.
///
/// The level is always `SOL_SOCKET`, because Unix domain sockets have their options there.
impl<T: Kind> Socket<T> {
    /// `getsockopt(fd, SOL_SOCKET, name, &value, &len)` — returns the value of any option. Use it
    /// for options without a method.
    ///
    /// The value is an integer, or bytes for a struct. If the value is a descriptor, the caller
    /// owns it and has to close it.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the kernel, or the system, does not have the option, or the value is
    ///   shorter than `V`.
    /// - `EINVAL`, `ERANGE`, `ENODATA`, `EPERM`: the man page of the option describes them.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{UnixStream, sys};
    ///
    /// let (socket, _peer) = UnixStream::pair()?;
    /// assert_eq!(socket.getsockopt::<i32>(sys::SO_TYPE)?, sys::SOCK_STREAM);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See getsockopt(2), socket(7).
    #[doc(alias = "SO_RCVLOWAT")]
    pub fn getsockopt<V: OptionValue>(&self, name: i32) -> Result<V, Error> {
        syscall::getsockopt(self.as_fd(), name)
    }

    /// `setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value))` — sets any option. Use it for
    /// options without a method, such as `SO_RCVLOWAT`, or `SO_SNDBUFFORCE` for a queue over the
    /// limit of the system.
    ///
    /// # Errors
    ///
    /// - `ENOPROTOOPT`: the kernel, or the system, does not have the option, or the option cannot
    ///   be set.
    /// - `EINVAL`: the value is too short, or out of range.
    /// - `EPERM`: the option is for privileged processes.
    ///
    /// # Examples
    ///
    /// A read that waits for a record of 16 bytes:
    ///
    /// ```
    /// use sunpath::{UnixStream, sys};
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// theirs.setsockopt(sys::SO_RCVLOWAT, &16_i32)?;
    /// ours.write(&[7; 10])?;
    /// ours.write(&[7; 6])?;
    /// assert_eq!(theirs.read(&mut [0; 16])?, 16);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See setsockopt(2), socket(7).
    #[doc(alias = "SO_RCVLOWAT")]
    #[doc(alias = "SO_SNDBUFFORCE")]
    pub fn setsockopt<V: OptionValue>(&self, name: i32, value: &V) -> Result<(), Error> {
        syscall::setsockopt(self.as_fd(), name, value)
    }
}
