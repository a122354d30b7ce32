//! The kinds of socket, as types. For socket(2) they are constants such as `SOCK_STREAM`.

use core::ffi::c_int;

use sunpath_sys as sys;

/// A kind of socket: [`Stream`], [`Datagram`] or [`Seqpacket`].
pub trait Kind: sealed::Sealed + Send + Sync + 'static {
    /// The constant of the type, as socket(2) takes it.
    #[doc(hidden)]
    const TYPE: c_int;
    /// The type's name in C.
    #[doc(hidden)]
    const NAME: &'static str;
}

/// A kind whose sockets are connected and can listen for connections: [`Stream`] and [`Seqpacket`].
pub trait Connected: Kind {}

/// A kind that keeps the boundaries between messages: [`Datagram`] and [`Seqpacket`].
pub trait Messages: Kind {}

/// `SOCK_STREAM` — a connected stream of bytes.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SOCK_STREAM")]
pub enum Stream {}

/// `SOCK_DGRAM` — datagrams. Between Unix domain sockets no datagram is lost and their order is
/// kept, because a sender waits if the queue is full.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "SOCK_DGRAM")]
pub enum Datagram {}

/// `SOCK_SEQPACKET` — a connection that keeps record boundaries. macOS does not have it.
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

/// Declares methods that only some kinds have. For the compiler they are methods of `impl<T:
/// $bound> Socket<T>`. rustdoc ignores bounds on the pages of aliases, and would show the methods
/// of `UnixDatagram` on the page of `UnixStream`. For rustdoc there is therefore an impl for each
/// kind.
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
    /// Implemented only here, because the kernel decides which kinds of socket exist.
    pub trait Sealed {}

    impl Sealed for super::Stream {}
    impl Sealed for super::Datagram {}
    impl Sealed for super::Seqpacket {}
}
