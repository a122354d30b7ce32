//! Buffers for the control messages of a receive.

use core::fmt;
use core::mem::MaybeUninit;

use crate::expected::Expected;
use crate::syscall;

/// A buffer for control messages, on the stack, with the size and the alignment that what is
/// [`Expected`] needs.
///
/// It serves any number of receives, one after the other. What a receive wrote belongs to the
/// [`Ancillary`](crate::ancillary::Ancillary) that it returned.
///
/// # Examples
///
/// ```
/// use sunpath::ancillary::{ControlBuffer, Credentials, Rights};
///
/// let control = ControlBuffer::<Rights<3>>::new(); // at most three descriptors
/// let control = ControlBuffer::<(Rights<1>, Credentials)>::new(); // one, and its sender
/// ```
///
/// See cmsg(3), "CMSG_SPACE".
#[doc(alias = "CMSG_SPACE")]
#[doc(alias = "msg_control")]
pub struct ControlBuffer<E: Expected> {
    buf: MaybeUninit<E::Buffer>,
}

impl<E: Expected> ControlBuffer<E> {
    /// A buffer for what is expected.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        const { E::FITS }
        Self {
            buf: MaybeUninit::uninit(),
        }
    }
}

impl<E: Expected> Default for ControlBuffer<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Expected> fmt::Debug for ControlBuffer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlBuffer")
            .field("space", &E::SPACE)
            .finish_non_exhaustive()
    }
}

/// Where received control messages can be put: a [`ControlBuffer`], or bytes of any number and
/// alignment.
///
/// Bytes take everything that fits, including one more descriptor if the padding after the last one
/// has space for it. A [`ControlBuffer`] takes as many as were expected.
pub trait AsControlBuffer: sealed::Sealed {
    /// The bytes, and how many descriptors may stay in them.
    #[doc(hidden)]
    fn offer(&mut self) -> (&mut [u8], usize);
}

impl<E: Expected> AsControlBuffer for ControlBuffer<E> {
    #[inline]
    fn offer(&mut self) -> (&mut [u8], usize) {
        (syscall::zeroed(&mut self.buf, E::SPACE), E::DESCRIPTORS)
    }
}

impl AsControlBuffer for [u8] {
    fn offer(&mut self) -> (&mut [u8], usize) {
        (self, usize::MAX)
    }
}

impl<const N: usize> AsControlBuffer for [u8; N] {
    fn offer(&mut self) -> (&mut [u8], usize) {
        (self, usize::MAX)
    }
}

mod sealed {
    use super::{ControlBuffer, Expected};

    /// There are these buffers, and none can be added outside this crate.
    pub trait Sealed {}

    impl<E: Expected> Sealed for ControlBuffer<E> {}
    impl Sealed for [u8] {}
    impl<const N: usize> Sealed for [u8; N] {}
}
