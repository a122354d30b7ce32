//! Conversions from a descriptor to a socket, which check the descriptor, and conversions to and
//! from the types of `std`.

use core::error;
use core::ffi::c_int;
use core::fmt;

use sunpath_sys as sys;

use super::listener::Listener;
use super::{Connected, Kind, Socket};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd, impl_from_raw_fd};
use crate::syscall;

/// The error of a conversion from a descriptor that does not have the expected type. The error
/// contains the descriptor.
///
/// The errno is `ENOTSOCK` for a file that is not a socket, `EAFNOSUPPORT` for a socket of another
/// family, `EPROTOTYPE` for a socket of another type, and `EINVAL` for a socket that should listen
/// and does not.
#[derive(Debug)]
pub struct FromFdError {
    error: Error,
    fd: OwnedFd,
}

impl FromFdError {
    pub(crate) const fn new(error: Error, fd: OwnedFd) -> Self {
        Self { error, fd }
    }

    /// Returns what is wrong with the descriptor.
    #[must_use]
    pub const fn error(&self) -> Error {
        self.error
    }

    /// Returns the descriptor, still open.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl fmt::Display for FromFdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl error::Error for FromFdError {}

/// Checks that a descriptor is a Unix domain socket of the type `kind`.
pub(crate) fn check_kind(fd: BorrowedFd<'_>, kind: c_int) -> Result<(), Error> {
    if !syscall::is_unix(fd)? {
        let errno = Errno::EAFNOSUPPORT;
        return Err(Error::with_cause(
            Call::Getsockname,
            errno,
            Cause::OtherFamily,
        ));
    }
    if syscall::getsockopt::<c_int>(fd, sys::SO_TYPE)? != kind {
        let errno = Errno::EPROTOTYPE;
        return Err(Error::with_cause(Call::Getsockopt, errno, Cause::OtherKind));
    }
    Ok(())
}

/// Checks that a socket listens.
pub(crate) fn check_listening(fd: BorrowedFd<'_>) -> Result<(), Error> {
    match syscall::getsockopt::<c_int>(fd, sys::SO_ACCEPTCONN)? {
        0 => {
            let cause = Cause::NotListening;
            Err(Error::with_cause(Call::Getsockopt, Errno::EINVAL, cause))
        }
        _ => Ok(()),
    }
}

/// Checks that the descriptor is a Unix domain socket of this kind. The conversion does not check
/// whether the socket is bound, connected or listening.
impl<T: Kind> TryFrom<OwnedFd> for Socket<T> {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        match check_kind(fd.as_fd(), T::TYPE) {
            Ok(()) => Ok(Self::from_fd(fd)),
            Err(error) => Err(FromFdError::new(error, fd)),
        }
    }
}

/// Checks that the descriptor is a Unix domain socket of this kind that listens.
impl<T: Connected> TryFrom<OwnedFd> for Listener<T> {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        let socket = Socket::<T>::try_from(fd)?;
        match check_listening(socket.as_fd()) {
            Ok(()) => Ok(Self::from_listening(socket)),
            Err(error) => Err(FromFdError::new(error, socket.into())),
        }
    }
}

impl_from_raw_fd!(Socket<T: Kind>, Self::from_fd);
impl_from_raw_fd!(Listener<T: Connected>, |fd| Self::from_listening(Socket::from_fd(fd)));

/// Conversions from `std`'s types. The sockets of `std` have the right family and type, unless a
/// program made one from another descriptor, which `std` does not check. For the socket of another
/// family, asking for the address fails with `EAFNOSUPPORT`. Only a listener is checked here,
/// because a `Listener` promises that it listens.
#[cfg(feature = "std")]
mod std_types {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::net;

    use sunpath_sys as sys;

    use super::{FromFdError, Socket};
    use crate::addr::UnixAddr;
    use crate::socket::Shutdown;
    use crate::socket::aliases::UnixListener;
    use crate::socket::datagram::UnixDatagram;
    use crate::socket::stream::UnixStream;

    /// Keeps the error, and closes the descriptor.
    impl From<FromFdError> for io::Error {
        fn from(error: FromFdError) -> Self {
            error.error.into()
        }
    }

    impl From<std::net::Shutdown> for Shutdown {
        fn from(how: std::net::Shutdown) -> Self {
            match how {
                std::net::Shutdown::Read => Self::Read,
                std::net::Shutdown::Write => Self::Write,
                std::net::Shutdown::Both => Self::Both,
            }
        }
    }

    impl From<net::UnixStream> for UnixStream {
        fn from(stream: net::UnixStream) -> Self {
            Socket::from_fd(stream.into())
        }
    }

    impl From<UnixStream> for net::UnixStream {
        fn from(stream: UnixStream) -> Self {
            OwnedFd::from(stream).into()
        }
    }

    impl From<net::UnixDatagram> for UnixDatagram {
        fn from(datagram: net::UnixDatagram) -> Self {
            Socket::from_fd(datagram.into())
        }
    }

    impl From<UnixDatagram> for net::UnixDatagram {
        fn from(datagram: UnixDatagram) -> Self {
            OwnedFd::from(datagram).into()
        }
    }

    impl TryFrom<net::UnixListener> for UnixListener {
        type Error = FromFdError;

        fn try_from(listener: net::UnixListener) -> Result<Self, FromFdError> {
            OwnedFd::from(listener).try_into()
        }
    }

    impl From<UnixListener> for net::UnixListener {
        fn from(listener: UnixListener) -> Self {
            OwnedFd::from(listener).into()
        }
    }

    impl From<net::SocketAddr> for UnixAddr {
        fn from(addr: net::SocketAddr) -> Self {
            let (raw, len) = sys::sockaddr_un_from_std(&addr);
            UnixAddr::from_raw(raw, len).unwrap_or(UnixAddr::unnamed())
        }
    }

    /// Converts an address to the type of `std`. This fails for a path that fills `sun_path` and
    /// leaves no byte for a NUL, because `std` cannot hold that address.
    impl TryFrom<UnixAddr> for net::SocketAddr {
        type Error = io::Error;

        fn try_from(addr: UnixAddr) -> io::Result<Self> {
            sys::sockaddr_un_to_std(addr.as_sockaddr_un(), addr.len())
        }
    }
}
