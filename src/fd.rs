//! Owned and borrowed descriptors, and slices for vectored calls. With `std` these are the types of
//! `std::os::fd` and `std::io`. Without `std` they are types of this crate with the same names and
//! promises.

#[cfg(not(feature = "std"))]
mod io_slice;
mod owned;
#[cfg(not(feature = "std"))]
mod polyfill;

use core::mem::ManuallyDrop;

#[cfg(feature = "std")]
#[doc(no_inline)]
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

#[cfg(feature = "std")]
#[doc(no_inline)]
pub use std::io::{IoSlice, IoSliceMut};

#[cfg(not(feature = "std"))]
pub use self::io_slice::{IoSlice, IoSliceMut};
#[cfg(not(feature = "std"))]
pub use self::polyfill::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

pub(crate) use self::owned::Owned;

/// `AT_FDCWD` — the working directory, in place of a directory's descriptor. Relative paths of
/// [`bind_at`](crate::Listener::bind_at), [`connect_at`](crate::Socket::connect_at) and similar
/// functions begin there.
///
/// # A path of any length
///
/// `bind` and `connect` take at most 107 bytes (103 on the BSDs and macOS), because an address has
/// no space for more. `bind_at` and `connect_at` with `CWD` take a path of any length, relative or
/// absolute:
///
/// ```
/// # #[cfg(all(feature = "std", feature = "files"))] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{CWD, UnixListener, UnixStream};
///
/// # let top = std::env::temp_dir().join(format!("sunpath-long-{}", std::process::id()));
/// # let dir = top.join("d".repeat(200));
/// # std::fs::create_dir_all(&dir)?;
/// let path = dir.join("app.sock"); // over 200 bytes
/// let listener = UnixListener::bind_at(CWD, &path)?;
/// let client = UnixStream::connect_at(CWD, &path)?;
/// let (server, _) = listener.accept()?;
/// # assert!(UnixListener::bind(&path).is_err() && UnixStream::connect(&path).is_err());
/// # drop((client, server));
/// # std::fs::remove_dir_all(&top)?;
/// # Ok(()) }
/// # #[cfg(not(all(feature = "std", feature = "files")))] fn main() {}
/// ```
///
/// For a daemon, [`BindOptions`](crate::BindOptions) takes paths of any length as well, and so does
/// [`ConnectOptions`](crate::ConnectOptions) for a client.
// SAFETY: AT_FDCWD is not a descriptor and is never open. The `at` calls accept AT_FDCWD in place
// of a descriptor, and every other call reports EBADF. A BorrowedFd must not be -1, and AT_FDCWD is
// not -1.
#[doc(alias = "AT_FDCWD")]
pub const CWD: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(sunpath_sys::AT_FDCWD) };

/// Calls `wrap` with an owned descriptor that is the borrowed one, and never drops the result.
pub(crate) fn borrow_as<T>(fd: BorrowedFd<'_>, wrap: impl FnOnce(OwnedFd) -> T) -> ManuallyDrop<T> {
    // SAFETY: the descriptor is open as long as it is borrowed, and ManuallyDrop never closes it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) };
    ManuallyDrop::new(wrap(fd))
}

/// Implements `FromRawFd` for a socket type. `FromRawFd` is the only conversion that checks
/// nothing.
macro_rules! impl_from_raw_fd {
    ($type:ident<$kind:ident: $bound:ident>, $from:expr) => {
        impl<$kind: $bound> FromRawFd for $type<$kind> {
            /// Takes a raw descriptor over without a check. `TryFrom<OwnedFd>` checks the
            /// descriptor.
            ///
            /// # Safety
            ///
            /// - `fd` is open, and nothing else closes it.
            /// - `fd` is a Unix domain socket of this type, and listens if the type is a listener.
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: the caller guarantees that `fd` is open and that nothing else owns it.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                $from(fd)
            }
        }
    };
}
pub(crate) use impl_from_raw_fd;

#[cfg(all(test, not(feature = "std")))]
mod tests {
    use super::*;
    use crate::error::Errno;
    use crate::syscall;

    #[test]
    fn fd_is_closed_by_its_owner_alone() {
        let (a, b) = syscall::socketpair(sunpath_sys::SOCK_STREAM, false).unwrap();
        let raw = a.as_raw_fd();
        let borrowed = a.as_fd();
        assert_eq!(borrowed.as_raw_fd(), raw);
        let copy = syscall::duplicate(borrowed).unwrap();
        assert_ne!(copy.as_raw_fd(), raw);
        drop(copy);
        assert_eq!(
            syscall::send(b.as_fd(), b"x", 0).unwrap(),
            1,
            "a is still open"
        );

        let raw = a.into_raw_fd();
        // SAFETY: into_raw_fd gave the descriptor up, and nothing has closed it.
        let a = unsafe { OwnedFd::from_raw_fd(raw) };
        assert_eq!(syscall::recv(a.as_fd(), &mut [0], 0).unwrap(), 1);
        drop(a);
        assert_eq!(
            syscall::send(b.as_fd(), b"x", 0).unwrap_err().errno(),
            Errno::EPIPE
        );
    }

    #[test]
    fn io_slice_is_an_iovec() {
        let (a, b) = syscall::socketpair(sunpath_sys::SOCK_STREAM, false).unwrap();
        let pieces = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(&*pieces[2], b"cde");
        assert_eq!(
            syscall::sendmsg(a.as_fd(), &pieces, None, &[], 0).unwrap(),
            5
        );

        let (mut first, mut second) = ([0; 3], [0; 3]);
        let mut pieces = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(syscall::readv(b.as_fd(), &mut pieces).unwrap(), 5);
        assert_eq!(&*pieces[0], b"abc");
        pieces[1][2] = b'!';
        assert_eq!(&second, b"de!");
    }

    #[test]
    fn io_slices_advance_past_those_that_are_used_up() {
        let mut pieces = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        let copy = pieces[0];
        let mut rest = &mut pieces[..];
        IoSlice::advance_slices(&mut rest, 1);
        assert_eq!((rest.len(), &*rest[0]), (3, &b"b"[..]));
        IoSlice::advance_slices(&mut rest, 2);
        assert_eq!((rest.len(), &*rest[0]), (1, &b"de"[..]));
        IoSlice::advance_slices(&mut rest, 2);
        assert!(rest.is_empty());
        assert_eq!(&*copy, b"ab");

        let mut bytes = *b"abc";
        let mut piece = IoSliceMut::new(&mut bytes);
        piece.advance(2);
        piece[0] = b'!';
        assert_eq!(&bytes, b"ab!");
    }

    #[test]
    #[should_panic(expected = "beyond the end of the slices")]
    fn io_slices_advance_beyond_the_end_panics() {
        let mut pieces = [IoSlice::new(b"ab")];
        IoSlice::advance_slices(&mut &mut pieces[..], 3);
    }

    #[test]
    #[should_panic(expected = "beyond the end of a slice")]
    fn io_slice_advances_beyond_the_end_panics() {
        IoSliceMut::new(&mut [0; 2]).advance(3);
    }
}
