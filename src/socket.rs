//! Sockets: a type for each kind, and the methods that all kinds have.
//!
//! The types that programs name are at the crate's root: [`UnixStream`], [`UnixDatagram`],
//! [`UnixSeqpacket`], [`UnixListener`] and [`UnixSeqpacketListener`]. These types are aliases of
//! [`Socket`] and [`Listener`] with a [`Kind`]. This module has, in addition, the types that appear
//! in their signatures.

// The modules are in the order in which rustdoc shows their methods. Empty lines keep rustfmt from
// sorting them.
mod kind;

mod make;

mod stream;

mod message;

mod datagram;

mod listen;
mod listener;

mod aliases;

mod wait;

mod identity;

mod options;
mod sockopt;

mod borrowed;

mod convert;

use core::fmt;
use core::marker::PhantomData;

use crate::error::Error;
use crate::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, Owned, OwnedFd, RawFd};
use crate::syscall;

pub use self::aliases::{UnixListener, UnixSeqpacketListener};
pub use self::borrowed::{ListenerRef, SocketRef};
pub use self::convert::FromFdError;
#[cfg(feature = "libsunpath")]
pub(crate) use self::convert::{check_kind, check_listening};
pub use self::datagram::UnixDatagram;
pub use self::identity::PeerCred;
pub(crate) use self::kind::methods_of;
pub use self::kind::{Connected, Datagram, Kind, Messages, Seqpacket, Stream};
pub use self::listen::ListenError;
pub use self::listener::{Incoming, Listener};
pub use self::message::{Received, UnixSeqpacket};
pub use self::sockopt::OptionValue;
pub use self::stream::UnixStream;

/// A Unix domain socket of one kind. The value owns its descriptor. Programs name it
/// [`UnixStream`], [`UnixDatagram`] or [`UnixSeqpacket`]. Their pages have a table of the methods,
/// and show only what the kind has.
///
/// The descriptor is close-on-exec. Dropping the socket closes the descriptor and leaves the socket
/// file, as close(2) does.
pub struct Socket<T: Kind> {
    /// INVARIANT: a socket of family `AF_UNIX` and of the kind's type.
    fd: Owned,
    kind: PhantomData<T>,
}

/// The direction of a connection that [`Socket::shutdown`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// `SHUT_RD`: ends receiving. The peer's sends then fail with `EPIPE`.
    #[doc(alias = "SHUT_RD")]
    Read,
    /// `SHUT_WR`: ends sending. The peer then reads the end of file. The peer of a datagram socket
    /// is not informed.
    #[doc(alias = "SHUT_WR")]
    Write,
    /// `SHUT_RDWR`: ends both directions.
    #[doc(alias = "SHUT_RDWR")]
    Both,
}

/// Methods for the descriptor of a socket.
impl<T: Kind> Socket<T> {
    /// `fcntl(fd, F_DUPFD_CLOEXEC, 0)` — makes one more descriptor of the same socket.
    ///
    /// # Errors
    ///
    /// - `EMFILE`: the process has as many descriptors as `RLIMIT_NOFILE` allows.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (stream, peer) = UnixStream::pair()?;
    /// let writer = stream.try_clone()?;
    /// std::thread::spawn(move || writer.write_all(b"hello")).join().unwrap()?;
    /// peer.read_exact(&mut [0; 5])?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2).
    #[doc(alias = "dup")]
    #[doc(alias = "F_DUPFD_CLOEXEC")]
    pub fn try_clone(&self) -> Result<Self, Error> {
        syscall::duplicate(self.as_fd()).map(Self::from_fd)
    }

    /// Makes a socket of kind `T` from a descriptor. The caller has checked the kind.
    #[inline]
    pub(crate) const fn from_fd(fd: OwnedFd) -> Self {
        Self {
            fd: Owned::new(fd),
            kind: PhantomData,
        }
    }
}

impl<T: Kind> AsFd for Socket<T> {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl<T: Kind> AsRawFd for Socket<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl<T: Kind> IntoRawFd for Socket<T> {
    fn into_raw_fd(self) -> RawFd {
        self.fd.into_inner().into_raw_fd()
    }
}

impl<T: Kind> From<Socket<T>> for OwnedFd {
    fn from(socket: Socket<T>) -> Self {
        socket.fd.into_inner()
    }
}

/// Prints the kind, the descriptor, whether it is nonblocking, and both addresses if there are any.
impl<T: Kind> fmt::Debug for Socket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Socket");
        shown
            .field("kind", &format_args!("{}", T::NAME))
            .field("fd", &self.as_raw_fd());
        if let Ok(nonblocking) = syscall::nonblocking(self.as_fd()) {
            shown.field("nonblocking", &nonblocking);
        }
        if let Ok(local) = self.local_addr() {
            shown.field("local", &local);
        }
        if let Ok(peer) = self.peer_addr() {
            shown.field("peer", &peer);
        }
        shown.finish()
    }
}
