//! Owned and borrowed descriptors: `std::os::fd`'s types where there is `std`, and the same types
//! over `core` where there is not.

#[cfg(feature = "std")]
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

#[cfg(not(feature = "std"))]
pub use polyfill::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// `std::os::fd` over `core`, as far as this crate needs it: the same names and promises.
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
    #[derive(PartialEq, Eq)]
    pub struct OwnedFd {
        /// INVARIANT: an open descriptor that nobody else closes.
        fd: RawFd,
    }

    /// A descriptor that stays open for `'fd`.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct BorrowedFd<'fd> {
        /// INVARIANT: a descriptor that is open during `'fd`.
        fd: RawFd,
        owner: PhantomData<&'fd OwnedFd>,
    }

    impl BorrowedFd<'_> {
        /// Borrows a raw descriptor.
        ///
        /// # Safety
        ///
        /// - `fd` is open, and stays so during the lifetime of what is returned.
        #[must_use]
        pub const unsafe fn borrow_raw(fd: RawFd) -> Self {
            Self {
                fd,
                owner: PhantomData,
            }
        }
    }

    /// What has a descriptor to lend.
    pub trait AsFd {
        /// Borrows the descriptor.
        fn as_fd(&self) -> BorrowedFd<'_>;
    }

    /// What has a descriptor to show.
    pub trait AsRawFd {
        /// The number of the descriptor, which stays the owner's.
        fn as_raw_fd(&self) -> RawFd;
    }

    /// What gives its descriptor away.
    pub trait IntoRawFd {
        /// The number of the descriptor, which the caller has to close.
        fn into_raw_fd(self) -> RawFd;
    }

    /// What can be made from a raw descriptor.
    pub trait FromRawFd {
        /// Takes a raw descriptor over.
        ///
        /// # Safety
        ///
        /// - `fd` is open, and nobody else closes it.
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
            // SAFETY: the descriptor is open and ours alone, and this is the end of its owner. The
            // result says nothing that could be acted on: after EINTR too the number is free.
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

#[cfg(all(test, not(feature = "std")))]
mod tests {
    use super::*;
    use crate::error::Errno;
    use crate::syscall;

    #[test]
    fn fd_is_closed_by_its_owner_alone() {
        let (a, b) = syscall::socketpair(sunpath_sys::SOCK_STREAM).unwrap();
        let raw = a.as_raw_fd();
        let borrowed = a.as_fd();
        assert_eq!(borrowed.as_raw_fd(), raw);
        let copy = syscall::duplicate(borrowed).unwrap();
        assert_ne!(copy.as_raw_fd(), raw);
        drop(copy);
        assert_eq!(
            syscall::send(b.as_fd(), b"x").unwrap(),
            1,
            "a is still open"
        );

        let raw = a.into_raw_fd();
        // SAFETY: into_raw_fd gave the descriptor away, and nobody closed it.
        let a = unsafe { OwnedFd::from_raw_fd(raw) };
        assert_eq!(syscall::recv(a.as_fd(), &mut [0]).unwrap(), 1);
        drop(a);
        assert_eq!(
            syscall::send(b.as_fd(), b"x").unwrap_err().errno(),
            Errno::EPIPE
        );
    }
}
