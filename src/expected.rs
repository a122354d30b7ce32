//! What a control buffer expects, as a type, which gives its size.

use core::ffi::c_int;

use sunpath_sys::{CMSG_LEN, CMSG_SPACE, cmsghdr};

use crate::control::{Credentials, INT};

/// What a control buffer expects: [`Rights`], [`Credentials`], [`Pidfd`], [`Security`],
/// [`QueueLength`], or several of them as a tuple. `()` expects nothing. A batch can expect the
/// [`Sender`] in addition.
///
/// See [`ControlBuffer`](crate::ancillary::ControlBuffer), [`RecvSlots`](crate::ancillary::RecvSlots).
pub trait Expected: sealed::Sealed {
    /// A buffer for it, with the alignment that control messages need.
    #[doc(hidden)]
    type Buffer;
    /// The number of bytes of the control buffer that it takes, as `CMSG_SPACE` adds them up.
    const SPACE: usize;
    /// The greatest number of descriptors that it takes.
    const DESCRIPTORS: usize;
    /// Whether it takes the sender's address.
    #[doc(hidden)]
    const SENDER: bool = false;
    /// Does not compile if the buffer is too small.
    #[doc(hidden)]
    const FITS: () = assert!(size_of::<Self::Buffer>() >= Self::SPACE);
}

/// `SCM_RIGHTS` — at most `N` descriptors. Any more are closed, and the message is reported as truncated.
///
/// macOS installs every descriptor that was sent in the process, and returns only the numbers for
/// which the buffer has space. Expect as many as the sender may send.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_RIGHTS")]
pub enum Rights<const N: usize> {}

/// `SCM_PIDFD` — a pidfd of the sender, which
/// [`set_pass_pidfd`](crate::Socket::set_pass_pidfd) asks for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_PIDFD")]
pub enum Pidfd {}

/// `SCM_SECURITY` — the sender's security label of at most `N` bytes, which
/// [`set_pass_security`](crate::Socket::set_pass_security) asks for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_SECURITY")]
pub enum Security<const N: usize> {}

/// `SCM_INQ` — the number of bytes left in the queue, which
/// [`set_pass_queue_length`](crate::UnixStream::set_pass_queue_length) asks for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_INQ")]
pub enum QueueLength {}

/// The sender's address, which is not a control message.
/// [`Message::sender`](crate::ancillary::Message::sender) returns it in a batch of datagrams that
/// expects it. A single datagram always has it.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "msg_name")]
pub enum Sender {}

/// A control message with data of type `T`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MessageBuffer<T> {
    /// `CMSG_LEN(0)` bytes or a few more; the type gives the alignment.
    header: [usize; CMSG_LEN(0).div_ceil(size_of::<usize>())],
    data: T,
}

const _: () = assert!(align_of::<cmsghdr>() <= align_of::<usize>());

impl<const N: usize> Expected for Rights<N> {
    type Buffer = MessageBuffer<[c_int; N]>;
    const SPACE: usize = CMSG_SPACE(N * INT);
    const DESCRIPTORS: usize = N;
}

impl Expected for Credentials {
    type Buffer = MessageBuffer<[c_int; 3]>;
    const SPACE: usize = CMSG_SPACE(3 * INT);
    const DESCRIPTORS: usize = 0;
}

impl Expected for Pidfd {
    type Buffer = MessageBuffer<c_int>;
    const SPACE: usize = CMSG_SPACE(INT);
    const DESCRIPTORS: usize = 0;
}

impl<const N: usize> Expected for Security<N> {
    type Buffer = MessageBuffer<[u8; N]>;
    const SPACE: usize = CMSG_SPACE(N);
    const DESCRIPTORS: usize = 0;
}

impl Expected for QueueLength {
    type Buffer = MessageBuffer<c_int>;
    const SPACE: usize = CMSG_SPACE(INT);
    const DESCRIPTORS: usize = 0;
}

impl Expected for Sender {
    type Buffer = ();
    const SPACE: usize = 0;
    const DESCRIPTORS: usize = 0;
    const SENDER: bool = true;
}

macro_rules! expected_together {
    ($($($part:ident)*;)*) => {$(
        impl<$($part: Expected),*> Expected for ($($part,)*) {
            type Buffer = ($($part::Buffer,)*);
            const SPACE: usize = 0 $(+ $part::SPACE)*;
            const DESCRIPTORS: usize = 0 $(+ $part::DESCRIPTORS)*;
            const SENDER: bool = false $(|| $part::SENDER)*;
        }

        impl<$($part: Expected),*> sealed::Sealed for ($($part,)*) {}
    )*};
}

expected_together! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
}

mod sealed {
    /// The kernel decides what a message can carry, so nothing can be added outside this crate.
    pub trait Sealed {}

    impl<const N: usize> Sealed for super::Rights<N> {}
    impl Sealed for super::Credentials {}
    impl Sealed for super::Pidfd {}
    impl<const N: usize> Sealed for super::Security<N> {}
    impl Sealed for super::QueueLength {}
    impl Sealed for super::Sender {}
}
