//! Room for the control messages of a receive.

use core::fmt;
use core::mem::MaybeUninit;

use crate::expected::Expected;
use crate::syscall;

/// Room for control messages, on the stack, as large and as aligned as what is [`Expected`] needs.
///
/// It can be used again and again; what a receive wrote belongs to the [`Ancillary`](crate::ancillary::Ancillary) that it gave.
///
/// # Examples
///
/// ```
/// use sunpath::ancillary::{ControlBuffer, Credentials, Rights};
///
/// let room = ControlBuffer::<Rights<3>>::new(); // at most three descriptors
/// let room = ControlBuffer::<(Rights<1>, Credentials)>::new(); // one, and who sends it
/// ```
///
/// See cmsg(3), "CMSG_SPACE".
#[doc(alias = "CMSG_SPACE")]
#[doc(alias = "msg_control")]
pub struct ControlBuffer<E: Expected> {
    room: MaybeUninit<E::Room>,
}

impl<E: Expected> ControlBuffer<E> {
    /// Room for what is expected.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        const { E::FITS }
        Self {
            room: MaybeUninit::uninit(),
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
/// Into bytes everything goes that fits: all the descriptors, for instance, that the padding behind
/// the last one has room for. A [`ControlBuffer`] takes as many as were expected.
pub trait AsControlBuffer: sealed::Sealed {
    /// The bytes, and how many descriptors may stay in them.
    #[doc(hidden)]
    fn offer(&mut self) -> (&mut [u8], usize);
}

impl<E: Expected> AsControlBuffer for ControlBuffer<E> {
    #[inline]
    fn offer(&mut self) -> (&mut [u8], usize) {
        (syscall::zeroed(&mut self.room, E::SPACE), E::DESCRIPTORS)
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

    /// Rooms are of two kinds, and none can be added outside.
    pub trait Sealed {}

    impl<E: Expected> Sealed for ControlBuffer<E> {}
    impl Sealed for [u8] {}
    impl<const N: usize> Sealed for [u8; N] {}
}
