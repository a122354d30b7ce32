//! The part of `std::os::fd` that this crate needs, over `core`: the same names and promises.

use core::ffi::c_int;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use sunpath_sys as sys;

/// A descriptor as C has it, an integer.
pub type RawFd = c_int;

/// A descriptor that is closed on drop. It is represented as the integer, which is never -1.
#[repr(transparent)]
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

/// A type that can return its descriptor as an integer.
pub trait AsRawFd {
    /// Returns the descriptor as an integer. The owner keeps the descriptor.
    fn as_raw_fd(&self) -> RawFd;
}

/// A type that can give up its descriptor.
pub trait IntoRawFd {
    /// Returns the descriptor as an integer. The caller has to close it.
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
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the descriptor is open, and only this value owned it. The result is not used,
        // because close(2) frees the descriptor even if it fails with EINTR.
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
