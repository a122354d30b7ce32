//! The slices of `std::io` for vectored calls, over `core`. Each is an `iovec` with the lifetime of
//! its slice.

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

/// Implements `advance` and `advance_slices` for both types. A program calls these methods after a
/// short read or write.
macro_rules! advance {
    ($type:ident) => {
        impl $type<'_> {
            /// Removes `n` bytes from the front.
            ///
            /// # Panics
            ///
            /// The method panics if there are fewer bytes.
            pub fn advance(&mut self, n: usize) {
                assert!(n <= self.len(), "advanced beyond the end of a slice");
                // INVARIANT: the new pointer and length describe the rest of the same slice.
                self.iovec.iov_base = self.iovec.iov_base.wrapping_byte_add(n);
                self.iovec.iov_len -= n;
            }

            /// Removes `n` bytes from the front of several slices. Slices that have no bytes
            /// left are removed.
            ///
            /// # Panics
            ///
            /// The method panics if there are fewer bytes.
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
        // SAFETY: by the invariant of `iovec` the pointer is readable for the length; nothing
        // writes to the bytes while they are borrowed.
        unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
    }
}

impl Deref for IoSliceMut<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: by the invariant of `iovec` the pointer is readable for the length; `self` is
        // borrowed, so nothing writes to the bytes.
        unsafe { slice::from_raw_parts(self.iovec.iov_base.cast(), self.iovec.iov_len) }
    }
}

impl DerefMut for IoSliceMut<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: by the invariant of `iovec` the pointer is writable for the length; `self` is
        // borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.iovec.iov_base.cast(), self.iovec.iov_len) }
    }
}

// SAFETY: an IoSlice is a shared slice of bytes, which is Send.
unsafe impl Send for IoSlice<'_> {}
// SAFETY: an IoSlice is a shared slice of bytes, which is Sync.
unsafe impl Sync for IoSlice<'_> {}
// SAFETY: an IoSliceMut is an exclusive slice of bytes, which is Send.
unsafe impl Send for IoSliceMut<'_> {}
// SAFETY: an IoSliceMut is an exclusive slice of bytes, which is Sync.
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
