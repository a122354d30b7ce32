//! The kinds of socket, as types. socket(2) takes them as numbers.

use core::ffi::c_int;

use sunpath_sys as sys;

/// A kind of socket: [`Stream`], [`Datagram`] or [`Seqpacket`].
pub trait Kind: sealed::Sealed {
    /// The type that socket(2) takes.
    #[doc(hidden)]
    const TYPE: c_int;
    /// The type's name in C.
    #[doc(hidden)]
    const NAME: &'static str;
}

/// A kind that makes connections, so that one can listen for them: [`Stream`] and [`Seqpacket`].
pub trait Connected: Kind {}

/// A kind that keeps the boundaries of what is sent: [`Datagram`] and [`Seqpacket`].
pub trait Messages: Kind {}

/// `SOCK_STREAM` — a connected stream of bytes.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SOCK_STREAM")]
pub enum Stream {}

/// `SOCK_DGRAM` — datagrams. Between Unix domain sockets none is lost and their order is kept,
/// because a sender waits if the queue is full.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SOCK_DGRAM")]
pub enum Datagram {}

/// `SOCK_SEQPACKET` — a connection that keeps record boundaries. macOS has none.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SOCK_SEQPACKET")]
pub enum Seqpacket {}

impl Kind for Stream {
    const TYPE: c_int = sys::SOCK_STREAM;
    const NAME: &'static str = "SOCK_STREAM";
}

impl Kind for Datagram {
    const TYPE: c_int = sys::SOCK_DGRAM;
    const NAME: &'static str = "SOCK_DGRAM";
}

impl Kind for Seqpacket {
    const TYPE: c_int = sys::SOCK_SEQPACKET;
    const NAME: &'static str = "SOCK_SEQPACKET";
}

/// Writes methods that only some kinds have. For the compiler they are `impl<T: $bound> Socket<T>`. rustdoc gets
/// an impl for each of the kinds instead, because it ignores bounds on the pages of aliases: the page of
/// `UnixStream` would have the methods of `UnixDatagram` too.
macro_rules! methods_of {
    ($bound:ident [$($kind:ident),+], $doc:literal, $methods:tt) => {
        #[cfg(not(doc))]
        #[doc = $doc]
        impl<T: $crate::socket::$bound> $crate::socket::Socket<T> $methods

        $(
            #[cfg(doc)]
            const _: () = {
                type T = $crate::socket::$kind;

                #[doc = $doc]
                impl $crate::socket::Socket<T> $methods
            };
        )+
    };
}
pub(crate) use methods_of;

impl Connected for Stream {}
impl Connected for Seqpacket {}
impl Messages for Datagram {}
impl Messages for Seqpacket {}

mod sealed {
    /// Kinds are the kernel's, and none can be added outside.
    pub trait Sealed {}

    impl Sealed for super::Stream {}
    impl Sealed for super::Datagram {}
    impl Sealed for super::Seqpacket {}
}
