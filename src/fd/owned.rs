//! The owner of a socket's descriptor.

use core::mem::ManuallyDrop;

use super::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The owner of a socket's descriptor. If the calls of `sunpath-sys` are inline, it closes the descriptor
/// by such a call, and not by `std`.
pub(crate) struct Owned {
    /// INVARIANT: the value is taken only when this owner ends.
    fd: ManuallyDrop<OwnedFd>,
}

impl Owned {
    pub(crate) const fn new(fd: OwnedFd) -> Self {
        Self {
            fd: ManuallyDrop::new(fd),
        }
    }

    /// Returns the descriptor, which the caller then owns.
    #[inline]
    pub(crate) fn into_inner(self) -> OwnedFd {
        let mut owner = ManuallyDrop::new(self);
        // SAFETY: `owner` is never dropped and not used again, so the value is taken once.
        unsafe { ManuallyDrop::take(&mut owner.fd) }
    }
}

impl AsFd for Owned {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Owned {
    #[inline]
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl Drop for Owned {
    #[inline]
    fn drop(&mut self) {
        if sunpath_sys::INLINE_SYSCALLS {
            // SAFETY: the descriptor is open, and only this value owned it. The result is not used,
            // because close(2) frees the descriptor even if it fails with EINTR.
            unsafe { sunpath_sys::close(self.fd.as_raw_fd()) };
        } else {
            // SAFETY: this owner ends here, so the value is dropped once.
            unsafe { ManuallyDrop::drop(&mut self.fd) };
        }
    }
}
