//! Unix domain sockets: addresses that cannot overflow, descriptors that do not leak, and the C API
//! in plain sight.
//!
//! A Unix domain socket is a socket whose address is a path. Three calls make a server, two a
//! client, and each of them has a trap that C leaves to the program: the path that is cut at 108
//! bytes, the address that is longer than its struct, the file that nobody removes, the signal that
//! ends the process. This crate is those calls without the traps.
//!
//! # A server and a client
//!
//! ```
//! use sunpath::{UnixListener, UnixStream};
//!
//! # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-lib-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("app.sock");
//! let listener = UnixListener::bind(&path)?; // close-on-exec, listening
//! let client = UnixStream::connect(&path)?; // waits in the queue until it is accepted
//!
//! let (server, _) = listener.accept()?;
//! println!("a client of user {}", server.peer_cred()?.uid());
//! server.write(b"hello")?; // never SIGPIPE
//!
//! let mut buf = [0; 16];
//! let n = client.read(&mut buf)?; // never EINTR
//! assert_eq!(&buf[..n], b"hello");
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok(()) }
//! # #[cfg(not(feature = "std"))] fn main() {}
//! ```
//!
//! # A daemon in ten lines
//!
//! Only its user and group may connect, from the first instant and under every umask. A socket file
//! that a crash left is replaced, a running daemon's never. A second start is `EADDRINUSE`, of any
//! number at once. At the end the file is removed, if it is still ours.
//!
//! ```
//! # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sunpath::{BindOptions, Existing, Stream};
//!
//! # let dir = std::env::temp_dir().join(format!("sunpath-daemon-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("app.sock");
//! # let client = std::thread::spawn({
//! #     let path = path.clone();
//! #     move || while sunpath::UnixStream::connect(&path).is_err() { std::thread::yield_now() }
//! # });
//! let listener = BindOptions::new()
//!     .mode(0o660)
//!     .existing(Existing::ReplaceStale)
//!     .bind::<Stream>(&path)?;
//!
//! for client in listener.incoming() {
//!     let client = client?;
//!     let _ = client.write(b"hello\n"); // a client may be gone already
//! #     break;
//! }
//! # client.join().unwrap();
//! # drop(listener);
//! # std::fs::remove_dir(&dir)?; // nothing is left
//! # Ok(()) }
//! # #[cfg(not(feature = "std"))] fn main() {}
//! ```
//!
//! # Where to look
//!
//! | in C | here |
//! |---|---|
//! | `struct sockaddr_un` and its length | [`UnixAddr`], [`addr!`], [`SunPath`] |
//! | `socket`, `socketpair`, `bind`, `connect`, `shutdown` | [`Socket`], of a kind: [`Stream`], [`Datagram`], [`Seqpacket`] |
//! | `send`, `recv`, `readv`, `sendmsg` for `writev` | [`UnixStream`] |
//! | `sendto`, `recvfrom` | [`UnixDatagram`], [`UnixSeqpacket`], [`Received`] |
//! | `aligned_alloc` for what is received | [`RecvBuffer`] |
//! | passing a descriptor | [`Socket::send_fd`], [`Socket::recv_fd`]; several: [`Socket::send_fds`], [`Socket::recv_fds`] |
//! | `sendmsg`, `recvmsg`, `SCM_RIGHTS`, `SCM_CREDENTIALS`, `SCM_PIDFD`, `SCM_SECURITY`, `SCM_INQ` | [`Socket::sendmsg`] of [`Control`], [`Socket::recvmsg`] into a [`ControlBuffer`], [`Message`], [`Ancillary`] |
//! | `CMSG_FIRSTHDR`, `CMSG_NXTHDR`, `CMSG_DATA` | [`ControlMessages`] |
//! | `sendmmsg`, `recvmmsg` | [`Socket::sendmmsg`], [`Socket::recvmmsg`] |
//! | `listen`, `accept4` | [`Listener`], [`UnixListener`], [`UnixSeqpacketListener`] |
//! | `bindat`, `connectat`, a path that `sun_path` has no room for | [`Socket::bind_at`], [`Socket::connect_at`], [`CWD`] |
//! | `openat`, `mkdirat` for a directory that nobody else can enter | [`Dir`] |
//! | `fchmod`, `chown`, `unlink`, `flock` and `rename` around a `bind` | [`BindOptions`], [`Bound`] |
//! | is anyone there? | [`probe`], which a server does not notice |
//! | `connect` with a time limit, or to one user's server alone | [`ConnectOptions`] |
//! | `SO_PEERCRED`, `SO_PEERGROUPS`, `SO_PEERPIDFD`, `SO_PEERSEC` | [`Socket::peer_cred`] and its neighbours |
//! | `getsockopt`, `setsockopt`, `FIONREAD`, `FIONBIO` | methods of [`Socket`], by the option's name |
//! | `sd_listen_fds` | `Activation` (with `std`), [`Variables`] |
//! | `errno`, `perror` | [`Errno`], [`Error`] |
//! | everything as it is | [`sys`], the crate `sunpath-sys` |
//!
//! Searching these pages for a name of C, `SO_RCVTIMEO` or `getpeername`, finds its method.
//!
//! # What differs from C
//!
//! - A path that is empty, has a NUL or does not fit is refused before any call, with its numbers:
//!   [`SunPathError`]. For one that does not fit there is [`bind_at`](Socket::bind_at).
//! - Binding the unnamed address is refused; in C it means [autobind](Socket::autobind).
//! - Every descriptor is close-on-exec from birth (right after birth on macOS, which has no such
//!   call), every send carries `MSG_NOSIGNAL`, and a call that a signal interrupts is made again. A
//!   timeout ends all the same, after three times its length at the latest.
//! - A peer that does not exist has no credentials: [`peer_cred`](Socket::peer_cred) says
//!   `ENOTCONN`, where Linux answers with uid and gid -1.
//! - A timeout of zero is refused; in C it means to wait for ever.
//! - A datagram or record that did not fit says so, with its true length: [`Received`].
//! - Descriptors that are received belong to a value from the instant that they arrive, and those
//!   that nobody takes are closed. Ancillary data that was truncated is refused, unless what came of
//!   it is asked for by name: [`Message`].
//! - Control messages that come with no byte on a stream, which drops them, and more than 253
//!   descriptors in a message are refused before the call.
//! - An option that the kernel or the system lacks is an error for which
//!   [`Error::is_unsupported`] is true.
//!
//! What does not differ: nothing removes a socket file unless [`BindOptions`] made it. Closing leaves
//! it, so does dying, and the next bind to its path is `EADDRINUSE`.
//!
//! # Rules that hold everywhere
//!
//! No global state is touched: no umask, no working directory, no signal handler, no environment.
//! What fails closes what it opened, and removes the file that it made. Nothing allocates but the
//! conversion of some errors into `std::io::Error`, and reading the environment for `Activation`.
//!
//! # Without std
//!
//! `default-features = false` leaves everything over `core` and the C library, but for `Path`
//! arguments, `io::Read` and `io::Write`, `io::Error`, `Activation`, and conversions with `std`'s
//! types. The module [`fd`] then has descriptor types with the names and promises of `std::os::fd`.

#![no_std]

#[cfg(any(feature = "std", test))]
extern crate std;

mod activation;
mod addr;
mod ancillary;
mod at;
mod batch;
mod bind;
mod buffer;
mod connect;
mod control;
mod convert;
mod datagram;
mod deadline;
mod dir;
mod error;
mod expected;
pub mod fd;
mod identity;
mod listener;
mod message;
mod options;
mod passing;
mod pathname;
mod socket;
mod stream;
mod syscall;

pub use sunpath_sys as sys;
pub use sunpath_sys::{SunPath, SunPathError};

#[cfg(feature = "std")]
pub use crate::activation::{Activation, Passed};
pub use crate::activation::{ActivationError, Variables};
pub use crate::addr::UnixAddr;
#[doc(hidden)]
pub use crate::addr::addr_of_literal;
pub use crate::ancillary::{Ancillary, Control, ControlBuffer, ControlRoom, Message};
pub use crate::batch::{Arrival, Arrivals, Outgoing, RecvBatch, RecvRoom, SendBatch, SendRoom};
pub use crate::bind::{BindOptions, Bound, Existing, Liveness, probe};
pub use crate::buffer::RecvBuffer;
pub use crate::connect::ConnectOptions;
pub use crate::control::{ControlMessage, ControlMessages, Credentials};
pub use crate::convert::FromFdError;
pub use crate::datagram::UnixDatagram;
pub use crate::dir::{Dir, DirError, Refusal};
pub use crate::error::{Call, Errno, Error};
pub use crate::expected::{Expected, Pidfd, QueueLength, Rights, Security, Sender};
pub use crate::fd::{CWD, IoSlice, IoSliceMut};
pub use crate::identity::PeerCred;
pub use crate::listener::{Incoming, Listener, UnixListener, UnixSeqpacketListener};
pub use crate::message::{Received, UnixSeqpacket};
pub use crate::pathname::AsPathname;
pub use crate::socket::{Connected, Datagram, Kind, Messages, Seqpacket, Shutdown, Socket, Stream};
pub use crate::stream::UnixStream;
pub use crate::syscall::Descriptors;
#[cfg(feature = "std")]
pub use crate::syscall::Unclaimed;

/// The README's programs, compiled and run.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
