//! Borrowed sockets, which other code owns.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;

use super::listener::Listener;
use super::{Connected, Kind, Socket};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, RawFd, borrow_as};

/// A borrowed socket: every method of [`Socket`] on a descriptor that other code owns, such as a
/// socket of `std`, tokio or async-io, or a descriptor that C code passed.
///
/// A `SocketRef` consists of the descriptor alone, which its owner closes. Making one does not call
/// the kernel. If the descriptor is not a Unix domain socket of this kind, the methods fail with
/// the errno that the calls have in C: `ENOTSOCK`, `EOPNOTSUPP`, `EAFNOSUPPORT` or another one.
///
/// # Examples
///
/// A descriptor is passed over a stream of `std`, which stays the owner of its socket:
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::os::unix::net::UnixStream;
/// use sunpath::{SocketRef, Stream};
///
/// let (ours, theirs) = UnixStream::pair()?;
/// let file = std::fs::File::open("/dev/null")?;
/// SocketRef::<Stream>::from(&ours).send_fd(&file)?;
/// let received = SocketRef::<Stream>::from(&theirs).recv_fd()?;
/// # let _ = received;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// If C code passed the descriptor, the caller of `BorrowedFd::borrow_raw` guarantees that it is
/// open:
///
/// ```
/// use sunpath::fd::BorrowedFd;
/// use sunpath::{SocketRef, Stream};
///
/// fn greet(fd: BorrowedFd<'_>) -> Result<usize, sunpath::Error> {
///     SocketRef::<Stream>::from(&fd).write(b"hello")
/// }
/// ```
pub struct SocketRef<'fd, T: Kind> {
    /// INVARIANT: the socket is never dropped, because the descriptor belongs to its owner.
    socket: ManuallyDrop<Socket<T>>,
    owner: PhantomData<BorrowedFd<'fd>>,
}

/// A borrowed listener: every method of [`Listener`] on a descriptor that other code owns.
///
/// Making a `ListenerRef` does not call the kernel. If the descriptor does not listen, `accept`
/// fails with `EINVAL`.
///
/// # Examples
///
/// A listener of `std` accepts only the clients of one user:
///
/// ```no_run
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::os::unix::net::UnixListener;
/// use sunpath::Stream;
/// use sunpath::socket::ListenerRef;
///
/// let listener = UnixListener::bind("/run/app.sock")?;
/// let (client, _) = ListenerRef::<Stream>::from(&listener).accept_if(|peer| peer.uid() == 0)?;
/// # let _ = client;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
pub struct ListenerRef<'fd, T: Connected> {
    /// INVARIANT: the socket is never dropped, because the descriptor belongs to its owner.
    listener: ManuallyDrop<Listener<T>>,
    owner: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd, T: Kind, F: AsFd + ?Sized> From<&'fd F> for SocketRef<'fd, T> {
    fn from(owner: &'fd F) -> Self {
        Self {
            socket: borrow_as(owner.as_fd(), Socket::from_fd),
            owner: PhantomData,
        }
    }
}

impl<'fd, T: Connected, F: AsFd + ?Sized> From<&'fd F> for ListenerRef<'fd, T> {
    fn from(owner: &'fd F) -> Self {
        let wrap = |fd| Listener::from_listening(Socket::from_fd(fd));
        Self {
            listener: borrow_as(owner.as_fd(), wrap),
            owner: PhantomData,
        }
    }
}

impl<T: Kind> Deref for SocketRef<'_, T> {
    type Target = Socket<T>;

    #[inline]
    fn deref(&self) -> &Socket<T> {
        &self.socket
    }
}

impl<T: Connected> Deref for ListenerRef<'_, T> {
    type Target = Listener<T>;

    #[inline]
    fn deref(&self) -> &Listener<T> {
        &self.listener
    }
}

impl<T: Kind> AsFd for SocketRef<'_, T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<T: Connected> AsFd for ListenerRef<'_, T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl<T: Kind> AsRawFd for SocketRef<'_, T> {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl<T: Connected> AsRawFd for ListenerRef<'_, T> {
    fn as_raw_fd(&self) -> RawFd {
        self.listener.as_raw_fd()
    }
}

impl<T: Kind> fmt::Debug for SocketRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketRef").field(&*self.socket).finish()
    }
}

impl<T: Connected> fmt::Debug for ListenerRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ListenerRef").field(&*self.listener).finish()
    }
}
