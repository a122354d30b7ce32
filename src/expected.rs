//! The types that list what a control buffer expects. The types determine the size of the buffer.

use core::mem::MaybeUninit;

use sunpath_sys::{CMSG_ALIGN, CMSG_LEN, CMSG_SPACE, cmsghdr};

use crate::control::{Credentials, INT};

/// A type that names what a control buffer expects: [`Rights`], [`Credentials`], [`Pidfd`],
/// [`Security`], [`QueueLength`], [`Timestamp`], or several of them as a tuple. `()` expects
/// nothing. A batch can expect the [`Sender`] in addition.
///
/// See [`ControlBuffer`](crate::ancillary::ControlBuffer), [`RecvSlots`](crate::ancillary::RecvSlots).
pub trait Expected: sealed::Sealed {
    /// An array of at least [`SPACE`](Self::SPACE) bytes, without padding between them. Only this
    /// crate uses this type. It decides whether the buffer is `Send` and `Sync`.
    type Bytes;
    /// The size in bytes of the control buffer for what this type expects, as `CMSG_SPACE` adds it
    /// up.
    const SPACE: usize;
    /// The greatest number of descriptors that may stay in the buffer.
    const DESCRIPTORS: usize;
    /// `true` if this type expects the sender's address.
    #[doc(hidden)]
    const SENDER: bool = false;
    /// A check at compile time that the buffer is large enough.
    #[doc(hidden)]
    const FITS: () = assert!(size_of::<Self::Bytes>() >= Self::SPACE);
}

/// `SCM_RIGHTS` — at most `N` descriptors. Descriptors over that number are closed, and the message
/// is reported as truncated.
///
/// macOS gives the process every descriptor that was sent, but reports only those for which the
/// buffer has space. Expect as many as the sender may send.
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

/// `SCM_INQ` — how many bytes are left in the queue, which
/// [`set_pass_queue_length`](crate::UnixStream::set_pass_queue_length) asks for.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_INQ")]
pub enum QueueLength {}

/// `SCM_TIMESTAMPNS`, or `SCM_TIMESTAMP` — the time at which the message was sent.
/// [`set_pass_timestamps`](crate::Socket::set_pass_timestamps) asks for it.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SCM_TIMESTAMP")]
#[doc(alias = "SCM_TIMESTAMPNS")]
pub enum Timestamp {}

/// The sender's address, which is not a control message.
/// [`Message::sender`](crate::ancillary::Message::sender) returns it in a batch of datagrams that
/// expects it. A single datagram always has it.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "msg_name")]
pub enum Sender {}

/// A buffer for what `E` expects, with the alignment that control messages need.
///
/// In the buffer, control messages follow each other without regard to the parts of its type.
/// `E::Bytes` has no padding, because moving a value does not copy its padding.
pub(crate) type Space<E> = MaybeUninit<Aligned<<E as Expected>::Bytes>>;

/// Bytes with the alignment of a control message.
#[repr(C)]
pub(crate) struct Aligned<B> {
    alignment: [usize; 0],
    bytes: B,
}

const _: () = assert!(align_of::<cmsghdr>() <= align_of::<usize>());

/// The most bytes that `CMSG_SPACE` adds to data of `int`s, and to data of bytes.
const AROUND_INTS: usize = CMSG_LEN(0) + CMSG_ALIGN(1).saturating_sub(INT);
const AROUND_BYTES: usize = CMSG_LEN(0) + CMSG_ALIGN(1) - 1;

impl<const N: usize> Expected for Rights<N> {
    type Bytes = ([u8; AROUND_INTS], [[u8; INT]; N]);
    const SPACE: usize = CMSG_SPACE(N * INT);
    const DESCRIPTORS: usize = N;
}

impl Expected for Credentials {
    type Bytes = [u8; CMSG_SPACE(3 * INT)];
    const SPACE: usize = CMSG_SPACE(3 * INT);
    const DESCRIPTORS: usize = 0;
}

impl Expected for Pidfd {
    type Bytes = [u8; CMSG_SPACE(INT)];
    const SPACE: usize = CMSG_SPACE(INT);
    const DESCRIPTORS: usize = 0;
}

impl<const N: usize> Expected for Security<N> {
    type Bytes = ([u8; AROUND_BYTES], [u8; N]);
    const SPACE: usize = CMSG_SPACE(N);
    const DESCRIPTORS: usize = 0;
}

impl Expected for QueueLength {
    type Bytes = [u8; CMSG_SPACE(INT)];
    const SPACE: usize = CMSG_SPACE(INT);
    const DESCRIPTORS: usize = 0;
}

/// `struct timespec` or `struct timeval`: two integers of 8 bytes at most.
const TIME: usize = 16;

impl Expected for Timestamp {
    type Bytes = [u8; CMSG_SPACE(TIME)];
    const SPACE: usize = CMSG_SPACE(TIME);
    const DESCRIPTORS: usize = 0;
}

impl Expected for Sender {
    type Bytes = ();
    const SPACE: usize = 0;
    const DESCRIPTORS: usize = 0;
    const SENDER: bool = true;
}

macro_rules! expected_together {
    ($($($part:ident)*;)*) => {$(
        impl<$($part: Expected),*> Expected for ($($part,)*) {
            type Bytes = ($($part::Bytes,)*);
            const SPACE: usize = 0 $(+ $part::SPACE)*;
            const DESCRIPTORS: usize = 0 $(+ $part::DESCRIPTORS)*;
            const SENDER: bool = false $(|| $part::SENDER)*;
            const FITS: () = {
                $(let () = $part::FITS;)*
                assert!(size_of::<Self::Bytes>() == 0 $(+ size_of::<$part::Bytes>())*);
            };
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
    impl Sealed for super::Timestamp {}
    impl Sealed for super::Sender {}
}
