//! Conversions from a descriptor to a socket, which are checked, and to and from the types of
//! `std`.

use core::error;
use core::fmt;

use sunpath_sys as sys;

use super::listener::Listener;
use super::{Connected, Kind, Socket};
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, FromRawFd, OwnedFd, RawFd, impl_from_raw_fd};
use crate::syscall;

/// The error of a conversion from a descriptor that does not have the expected type. It contains
/// the descriptor.
///
/// The errno is `ENOTSOCK` for a file that is not a socket, `EAFNOSUPPORT` for a socket of another
/// family, `EPROTOTYPE` for one of another type, and `EINVAL` for one that should listen and does
/// not.
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

/// Checks that family and type of a descriptor are those of a `Socket<T>`.
fn check<T: Kind>(fd: &OwnedFd) -> Result<(), Error> {
    if !syscall::is_unix(fd.as_fd())? {
        let errno = Errno::EAFNOSUPPORT;
        return Err(Error::with_cause(
            Call::Getsockname,
            errno,
            Cause::OtherFamily,
        ));
    }
    if syscall::getsockopt::<i32>(fd.as_fd(), sys::SO_TYPE)? != T::TYPE {
        let errno = Errno::EPROTOTYPE;
        return Err(Error::with_cause(Call::Getsockopt, errno, Cause::OtherKind));
    }
    Ok(())
}

/// Checks that the descriptor is a Unix domain socket of this kind. It does not check whether the
/// socket is bound, connected or listening.
impl<T: Kind> TryFrom<OwnedFd> for Socket<T> {
    type Error = FromFdError;

    fn try_from(fd: OwnedFd) -> Result<Self, FromFdError> {
        match check::<T>(&fd) {
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
        let not_listening = Error::with_cause(Call::Getsockopt, Errno::EINVAL, Cause::NotListening);
        match socket
            .is_listening()
            .and_then(|listens| listens.then_some(()).ok_or(not_listening))
        {
            Ok(()) => Ok(Self::from_listening(socket)),
            Err(error) => Err(FromFdError::new(error, socket.into())),
        }
    }
}

impl_from_raw_fd!(Socket<T: Kind>, Self::from_fd);
impl_from_raw_fd!(Listener<T: Connected>, |fd| Self::from_listening(Socket::from_fd(fd)));

/// `std`'s types are sockets of the right family and type unless they were made from another
/// descriptor, which `std` does not check. Such a socket fails with `EAFNOSUPPORT` when its address
/// is asked for. Only a listener is checked here, because a `Listener` promises that it listens.
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

    /// The conversion fails for a path that fills `sun_path` and leaves no byte for a NUL, because
    /// std has no address for it.
    impl TryFrom<UnixAddr> for net::SocketAddr {
        type Error = io::Error;

        fn try_from(addr: UnixAddr) -> io::Result<Self> {
            sys::sockaddr_un_to_std(addr.as_sockaddr_un(), addr.len())
        }
    }
}
