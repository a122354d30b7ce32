//! Owned and borrowed descriptors, and slices for vectored calls. With `std` they are the types of
//! `std::os::fd` and `std::io`. Without it they are types of this crate with the same names and
//! promises.

use core::mem::ManuallyDrop;

#[cfg(feature = "std")]
#[doc(no_inline)]
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

#[cfg(feature = "std")]
#[doc(no_inline)]
pub use std::io::{IoSlice, IoSliceMut};

#[cfg(not(feature = "std"))]
pub use io_slice::{IoSlice, IoSliceMut};
#[cfg(not(feature = "std"))]
pub use polyfill::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

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
// SAFETY: AT_FDCWD is not a descriptor and is never open. The `at` calls accept it in place of one,
// and every other call reports EBADF. It is not -1, which a BorrowedFd must not be.
#[doc(alias = "AT_FDCWD")]
pub const CWD: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(sunpath_sys::AT_FDCWD) };

/// Returns what `wrap` makes of a borrowed descriptor as if it owned it. The result is never
/// dropped.
pub(crate) fn borrow_as<T>(fd: BorrowedFd<'_>, wrap: impl FnOnce(OwnedFd) -> T) -> ManuallyDrop<T> {
    // SAFETY: the descriptor is open as long as it is borrowed, and the wrapped one never closes
    // it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) };
    ManuallyDrop::new(wrap(fd))
}

/// Implements `FromRawFd` for a socket type. It is the only conversion that checks nothing.
macro_rules! impl_from_raw_fd {
    ($type:ident<$kind:ident: $bound:ident>, $from:expr) => {
        impl<$kind: $bound> FromRawFd for $type<$kind> {
            /// Takes a raw descriptor over without a check. `TryFrom<OwnedFd>` checks it.
            ///
            /// # Safety
            ///
            /// - `fd` is open, and nothing else closes it.
            /// - It is a Unix domain socket of this type, and listens if the type says so.
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: the caller guarantees that fd is open and that nothing else owns it.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                $from(fd)
            }
        }
    };
}
pub(crate) use impl_from_raw_fd;

/// The part of `std::os::fd` that this crate needs, over `core`: the same names and promises.
#[cfg(not(feature = "std"))]
mod polyfill {
    use core::ffi::c_int;
    use core::fmt;
    use core::marker::PhantomData;
    use core::mem::ManuallyDrop;

    use sunpath_sys as sys;

    /// A descriptor as C has it: a number.
    pub type RawFd = c_int;

    /// A descriptor that is closed on drop.
    pub struct OwnedFd {
        /// INVARIANT: the descriptor is open, and nothing else closes it.
        fd: RawFd,
    }

    /// A descriptor that stays open for `'fd`.
    #[derive(Clone, Copy)]
    pub struct BorrowedFd<'fd> {
        /// INVARIANT: the descriptor is open during `'fd`.
        fd: RawFd,
        owner: PhantomData<&'fd OwnedFd>,
    }

    impl BorrowedFd<'_> {
        /// Borrows a raw descriptor.
        ///
        /// # Safety
        ///
        /// - `fd` is open, and stays open during the lifetime of the result.
        #[must_use]
        pub const unsafe fn borrow_raw(fd: RawFd) -> Self {
            Self {
                fd,
                owner: PhantomData,
            }
        }
    }

    /// A type that can lend a descriptor.
    pub trait AsFd {
        /// Borrows the descriptor.
        fn as_fd(&self) -> BorrowedFd<'_>;
    }

    /// A type that can return the number of its descriptor.
    pub trait AsRawFd {
        /// Returns the number of the descriptor, which the owner keeps.
        fn as_raw_fd(&self) -> RawFd;
    }

    /// A type that can give up its descriptor.
    pub trait IntoRawFd {
        /// Returns the number of the descriptor, which the caller has to close.
        fn into_raw_fd(self) -> RawFd;
    }

    /// A type that can be made from a raw descriptor.
    pub trait FromRawFd {
        /// Takes a raw descriptor over.
        ///
        /// # Safety
        ///
        /// - `fd` is open, and nothing else closes it.
        unsafe fn from_raw_fd(fd: RawFd) -> Self;
    }

    impl<T: AsFd + ?Sized> AsFd for &T {
        fn as_fd(&self) -> BorrowedFd<'_> {
            (**self).as_fd()
        }
    }

    impl AsFd for OwnedFd {
        fn as_fd(&self) -> BorrowedFd<'_> {
            BorrowedFd {
                fd: self.fd,
                owner: PhantomData,
            }
        }
    }

    impl AsFd for BorrowedFd<'_> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            *self
        }
    }

    impl AsRawFd for OwnedFd {
        fn as_raw_fd(&self) -> RawFd {
            self.fd
        }
    }

    impl AsRawFd for BorrowedFd<'_> {
        fn as_raw_fd(&self) -> RawFd {
            self.fd
        }
    }

    impl IntoRawFd for OwnedFd {
        fn into_raw_fd(self) -> RawFd {
            ManuallyDrop::new(self).fd
        }
    }

    impl FromRawFd for OwnedFd {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            debug_assert!(fd >= 0, "a descriptor is not negative");
            Self { fd }
        }
    }

    impl Drop for OwnedFd {
        fn drop(&mut self) {
            // SAFETY: the descriptor is open, and only this owner, which ends here, has it. The
            // result is not used, because the number is free even after EINTR.
            unsafe { sys::close(self.fd) };
        }
    }

    impl fmt::Debug for OwnedFd {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("OwnedFd").field("fd", &self.fd).finish()
        }
    }

    impl fmt::Debug for BorrowedFd<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("BorrowedFd").field("fd", &self.fd).finish()
        }
    }
}

/// The slices of `std::io` for vectored calls, over `core`. Each is an `iovec` with the lifetime of
/// its slice.
#[cfg(not(feature = "std"))]
mod io_slice {
    use core::fmt;
    use core::marker::PhantomData;
    use core::mem::take;
    use core::ops::{Deref, DerefMut};
    use core::slice;

    use sunpath_sys as sys;

    /// A slice to write from, with the layout of `struct iovec`.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    #[doc(alias = "iovec")]
    pub struct IoSlice<'a> {
        /// INVARIANT: `iov_base` is readable for `iov_len` bytes during `'a`.
        iovec: sys::iovec,
        slice: PhantomData<&'a [u8]>,
    }

    /// A slice to read into, with the layout of `struct iovec`.
    #[repr(transparent)]
    #[doc(alias = "iovec")]
    pub struct IoSliceMut<'a> {
        /// INVARIANT: `iov_base` is readable and writable for `iov_len` bytes during `'a`, and
        /// nothing else refers to them.
        iovec: sys::iovec,
        slice: PhantomData<&'a mut [u8]>,
    }

    impl<'a> IoSlice<'a> {
        /// Describes a slice.
        #[must_use]
        pub fn new(slice: &'a [u8]) -> Self {
            let iov_base = slice.as_ptr().cast_mut().cast();
            Self {
                iovec: sys::iovec {
                    iov_base,
                    iov_len: slice.len(),
                },
                slice: PhantomData,
            }
        }
    }

    impl<'a> IoSliceMut<'a> {
        /// Describes a slice.
        #[must_use]
        pub fn new(slice: &'a mut [u8]) -> Self {
            let iov_base = slice.as_mut_ptr().cast();
            Self {
                iovec: sys::iovec {
                    iov_base,
                    iov_len: slice.len(),
                },
                slice: PhantomData,
            }
        }
    }

    /// Implements, for both types, what a program does after a short read or write.
    macro_rules! advance {
        ($type:ident) => {
            impl $type<'_> {
                /// Removes `n` bytes from the front.
                ///
                /// # Panics
                ///
                /// It panics if there are fewer bytes.
                pub fn advance(&mut self, n: usize) {
                    assert!(n <= self.len(), "advanced beyond the end of a slice");
                    // INVARIANT: the new pointer and length describe the rest of the same slice.
                    self.iovec.iov_base = self.iovec.iov_base.wrapping_byte_add(n);
                    self.iovec.iov_len -= n;
                }

                /// Removes `n` bytes from the front of several slices. Slices that have none left
                /// are removed.
                ///
                /// # Panics
                ///
                /// It panics if there are fewer bytes.
                pub fn advance_slices(bufs: &mut &mut [Self], mut n: usize) {
                    let whole = |buf: &&Self| {
                        let rest = n.checked_sub(buf.len());
                        rest.inspect(|rest| n = *rest).is_some()
                    };
                    let used = bufs.iter().take_while(whole).count();
                    *bufs = take(bufs).get_mut(used..).unwrap_or_default();
                    match bufs.first_mut() {
                        Some(first) => first.advance(n),
                        None => assert!(n == 0, "advanced beyond the end of the slices"),
                    }
                }
            }
        };
    }
    advance!(IoSlice);
    advance!(IoSliceMut);

    impl Deref for IoSlice<'_> {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            // SAFETY: the field's invariant; nothing writes to the bytes while they are borrowed.
            unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    impl Deref for IoSliceMut<'_> {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            // SAFETY: the field's invariant; `self` is borrowed, so nothing writes to the bytes.
            unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    impl DerefMut for IoSliceMut<'_> {
        fn deref_mut(&mut self) -> &mut [u8] {
            // SAFETY: the field's invariant; `self` is borrowed exclusively.
            unsafe { slice::from_raw_parts_mut(self.iovec.iov_base.cast(), self.iovec.iov_len) }
        }
    }

    // SAFETY: it stands for a shared slice of bytes, which is Send.
    unsafe impl Send for IoSlice<'_> {}
    // SAFETY: it stands for a shared slice of bytes, which is Sync.
    unsafe impl Sync for IoSlice<'_> {}
    // SAFETY: it stands for an exclusive slice of bytes, which is Send.
    unsafe impl Send for IoSliceMut<'_> {}
    // SAFETY: it stands for an exclusive slice of bytes, which is Sync.
    unsafe impl Sync for IoSliceMut<'_> {}

    impl fmt::Debug for IoSlice<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl fmt::Debug for IoSliceMut<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }
}

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
