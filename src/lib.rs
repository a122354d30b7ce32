//! Unix domain sockets without the traps of the C API: [`UnixStream`] and [`UnixListener`],
//! [`UnixDatagram`] and [`UnixSeqpacket`], [`UnixAddr`] for addresses that cannot overflow, and
//! [`BindOptions`] for a daemon's socket.
//!
//! Most programs need a stream and a listener. Datagrams and sequenced packets keep the boundaries
//! between messages. `BindOptions` gives the socket file the right mode, replaces a file that a
//! crash left behind, and removes the file at the end.
//!
//! ```toml
//! [dependencies]
//! sunpath = "0.1"
//! ```
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
//! let client = UnixStream::connect(&path)?; // waits in the queue
//!
//! let (server, _) = listener.accept()?;
//! println!("a client of user {}", server.peer_cred()?.uid());
//! server.write_all(b"hello")?; // never SIGPIPE
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
//! that a crash left behind is replaced; if a daemon is running, the second start fails with
//! `EADDRINUSE`. At the end the file is removed if it is still ours.
//!
//! ```
//! # #[cfg(all(feature = "std", feature = "files"))] fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sunpath::{BindOptions, serve};
//!
//! # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-daemon-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("app.sock");
//! # let client = std::thread::spawn({
//! #     let path = path.clone();
//! #     move || while sunpath::UnixStream::connect(&path).is_err() { std::thread::yield_now() }
//! # });
//! let listener = BindOptions::singleton().mode(0o660).listen(&path)?;
//!
//! for client in serve::incoming(&listener, |error| eprintln!("{error}")) {
//!     let _ = client.write_all(b"hello\n"); // the client may be gone
//! #     break;
//! }
//! # client.join().unwrap();
//! # drop(listener);
//! # std::fs::remove_dir(&dir)?; // nothing is left
//! # Ok(()) }
//! # #[cfg(not(all(feature = "std", feature = "files")))] fn main() {}
//! ```
//!
//! # Guide
//!
//! - [A daemon with everything that it needs](guide::a_daemon_whole): activation, a takeover, a signal
//!   that ends it.
//! - [Coming from std](guide::coming_from_std): what changes for a program that uses std's Unix sockets.
//! - [Signals, threads and fork](guide::signals_threads_fork): what a signal handler, a forked child and
//!   a second thread may do.
//! - [A path of any length](CWD#a-path-of-any-length): bind to and connect to a path that does not fit
//!   into `sun_path`.
//! - [Windows](guide::on_windows): what Windows has, and what to use there.
//! - [Socket files](https://github.com/sunpath/sunpath/blob/main/docs/socket-files.md): what happens to a
//!   socket file, call by call, and what a crash leaves.
//! - [Stopping and waiting](https://github.com/sunpath/sunpath/blob/main/docs/stopping.md): how to stop a
//!   daemon, what to do when no descriptor is free, and how a client waits for its server.
//! - [What goes wrong with Unix sockets](https://github.com/sunpath/sunpath/blob/main/docs/what-goes-wrong.md):
//!   each trap, and what this crate does about it.
//!
//! # The verbs
//!
//! A function named `bind` or `connect`, alone or with `_addr` or `_at`, makes a socket. A function
//! whose name ends in `_to` or `_to_at` acts on an existing socket. The `_at` forms take a path of
//! any length, which begins at an open directory, at the working directory ([`CWD`]), or at the
//! root. Only the path that a datagram socket is bound to must fit into `sun_path`.
//!
//! | to do this | call |
//! |---|---|
//! | make a listener | [`UnixListener::bind`], [`bind_addr`](Listener::bind_addr), [`bind_at`](Listener::bind_at), [`autobind`](Listener::autobind) |
//! | make a daemon's listener | [`BindOptions::listen`], [`listen_seqpacket`](BindOptions::listen_seqpacket), [`bind_at`](BindOptions::bind_at), [`bind_addr`](BindOptions::bind_addr) |
//! | make a datagram socket | [`UnixDatagram::bind`], [`bind_addr`](UnixDatagram::bind_addr), [`bind_at`](UnixDatagram::bind_at), [`BindOptions::bind_datagram`] |
//! | make a connection | [`UnixStream::connect`], [`connect_addr`](Socket::connect_addr), [`connect_at`](Socket::connect_at) |
//! | make one under conditions | [`ConnectOptions::connect`], [`connect_addr`](ConnectOptions::connect_addr), [`connect_at`](ConnectOptions::connect_at) |
//! | bind a socket | [`Socket::bind_to`], [`bind_to_at`](Socket::bind_to_at), [`autobind`](Socket::autobind) |
//! | connect a socket | [`Socket::connect_to`], [`connect_to_at`](Socket::connect_to_at) |
//! | choose a datagram socket's peer | [`UnixDatagram::connect`], [`connect_to`](Socket::connect_to), [`connect_to_at`](Socket::connect_to_at) |
//!
//! Sending and receiving have the names of `std`, and of C where `std` has none. `try_` begins the
//! name of a call that does not wait, even on a blocking socket. `_to` names the receiver and
//! `_from` reports the sender, `_vectored` takes several slices, `_all` and `_exact` repeat the
//! call until all bytes are sent or received, and `_with` takes [`MsgFlags`](ancillary::MsgFlags).
//!
//! | to send or receive | call |
//! |---|---|
//! | a stream's bytes | [`read`](UnixStream::read), [`write`](UnixStream::write), [`peek`](UnixStream::peek), [`try_read`](UnixStream::try_read), [`try_write`](UnixStream::try_write), [`read_vectored`](UnixStream::read_vectored), [`write_vectored`](UnixStream::write_vectored) |
//! | all of a stream's bytes | [`read_exact`](UnixStream::read_exact), [`write_all`](UnixStream::write_all), [`send_all_vectored`](Socket::send_all_vectored) |
//! | messages | [`send`](UnixDatagram::send), [`recv`](UnixDatagram::recv), [`peek`](UnixDatagram::peek), [`try_send`](UnixDatagram::try_send), [`try_recv`](UnixDatagram::try_recv), [`send_vectored`](UnixDatagram::send_vectored), [`recv_vectored`](UnixDatagram::recv_vectored) |
//! | datagrams with addresses | [`send_to`](UnixDatagram::send_to), [`recv_from`](UnixDatagram::recv_from), [`peek_from`](UnixDatagram::peek_from), [`try_send_to`](UnixDatagram::try_send_to), [`try_recv_from`](UnixDatagram::try_recv_from), [`send_vectored_to`](UnixDatagram::send_vectored_to), [`recv_vectored_from`](UnixDatagram::recv_vectored_from) |
//! | control messages | [`sendmsg`](Socket::sendmsg), [`sendmsg_to`](UnixDatagram::sendmsg_to), [`recvmsg`](Socket::recvmsg), [`try_sendmsg`](Socket::try_sendmsg), [`try_recvmsg`](Socket::try_recvmsg), [`send_all`](Socket::send_all) |
//! | with flags | [`sendmsg_with`](Socket::sendmsg_with), [`sendmsg_to_with`](UnixDatagram::sendmsg_to_with), [`recvmsg_with`](Socket::recvmsg_with), which take [`MsgFlags`](ancillary::MsgFlags) |
//! | descriptors | [`send_fd`](Socket::send_fd), [`recv_fd`](Socket::recv_fd), [`send_fds`](Socket::send_fds), [`recv_fds`](Socket::recv_fds), [`recv_fds_up_to`](Socket::recv_fds_up_to), [`recv_exact_fds`](UnixStream::recv_exact_fds) |
//! | many small messages in one write | [`FrameWriter`](framing::FrameWriter), [`FrameReader`](framing::FrameReader), [`Frames`](framing::Frames) |
//! | many messages | [`sendmmsg`](Socket::sendmmsg), [`recvmmsg`](Socket::recvmmsg), [`sendmmsg_with`](Socket::sendmmsg_with), [`recvmmsg_with`](Socket::recvmmsg_with) |
//!
//! # Where to look
//!
//! | in C | here |
//! |---|---|
//! | `struct sockaddr_un` and its length | [`UnixAddr`], [`addr!`], [`SunPath`] |
//! | `socket`, `socketpair`, `bind`, `connect`, `shutdown` | [`Socket`], of a kind: [`Stream`], [`Datagram`], [`Seqpacket`] |
//! | `send`, `recv`, `readv`, `sendmsg` for `writev` | [`UnixStream`] |
//! | `sendto`, `recvfrom` | [`UnixDatagram`], [`UnixSeqpacket`], [`Received`] |
//! | passing a descriptor | [`Socket::send_fd`], [`Socket::recv_fd`]; several: [`Socket::send_fds`], [`Socket::recv_fds`] |
//! | `sendmsg`, `recvmsg`, `SCM_RIGHTS`, `SCM_CREDENTIALS`, `SCM_PIDFD`, `SCM_SECURITY`, `SCM_INQ`, the `CMSG_` macros | [`ancillary`] |
//! | `sendmmsg`, `recvmmsg` | [`Socket::sendmmsg`], [`Socket::recvmmsg`] |
//! | `listen`, `accept4` | [`Listener`], [`UnixListener`], [`UnixSeqpacketListener`] |
//! | `openat`, `mkdirat` for a directory that nobody else can enter | [`Dir`] |
//! | `fchmod`, `chown`, `unlink`, `flock` and `rename` around a `bind` | [`BindOptions`], [`Bound`] |
//! | a `connect` that only asks whether a server is alive | [`probe`], which the server does not notice |
//! | `connect` with a time limit, to a server that has not started yet, or to one user's server alone | [`ConnectOptions`] |
//! | `SO_PEERCRED`, `SO_PEERGROUPS`, `SO_PEERPIDFD`, `SO_PEERSEC` | [`Socket::peer_cred`] and similar methods |
//! | `getsockopt`, `setsockopt`, `FIONREAD`, `FIONBIO` | methods of [`Socket`], by the option's name; all others: [`Socket::getsockopt`], [`Socket::setsockopt`] |
//! | `sd_listen_fds`, and the manager's side of it | [`activation`] |
//! | an accept loop that continues after `EMFILE`, a limit of connections for each user, the wait for the last client | [`serve`] |
//! | `ss -x`, the query `unix_diag_req` of sock_diag(7) | [`diag`] |
//! | `errno`, `perror` | [`Errno`], [`Error`]; why a call failed, if the errno does not tell: [`error::Cause`] |
//! | the C API as it is | [`sys`], the crate `sunpath-sys` |
//!
//! A search of these pages for a name of C, such as `SO_RCVTIMEO` or `getpeername`, finds its method.
//!
//! # What differs from C
//!
//! - A path that is empty, has a NUL or does not fit is refused before any call, and the error has
//!   the offset or the lengths: [`SunPathError`]. The `_at` forms take a path that does not fit.
//! - Binding the unnamed address is refused, because in C it means [autobind](Socket::autobind).
//! - Every descriptor is close-on-exec when it is made. (macOS has no call for that, so the flag is
//!   set right afterwards.) Every send carries `MSG_NOSIGNAL`.
//! - A call that a signal interrupts is made again. The timeout of a call still applies: the call
//!   ends after at most three times the timeout.
//! - A socket without a peer has no credentials: [`peer_cred`](Socket::peer_cred) fails with
//!   `ENOTCONN`, where Linux answers with uid and gid -1.
//! - A timeout of zero is refused, because in C it means an endless wait.
//! - If a datagram or record does not fit, the receive reports that and the true length:
//!   [`Received`].
//! - Received descriptors belong to a value from the instant that they arrive, and are closed if
//!   nobody takes them. Truncated ancillary data is refused, unless the program calls the method
//!   that returns the part that arrived: [`Message`](ancillary::Message).
//! - Two messages are refused before the call: control messages without a byte on a stream, because the
//!   stream would drop them, and more than 253 descriptors in one message.
//! - An option that the kernel or the system lacks is an error for which
//!   [`Error::is_unsupported`] is true.
//!
//! As in C, nothing removes a socket file, unless [`BindOptions`] made it. Closing the socket
//! leaves the file, and so does a process that dies. The next bind to its path fails with
//! `EADDRINUSE`.
//!
//! # Rules that hold everywhere
//!
//! No global state is touched: no umask, no working directory, no signal handler, no environment.
//! A call that fails closes what it opened and removes the file that it made. Nothing allocates, except
//! for the conversion of an error into `std::io::Error`, and for reading the environment
//! ([`activation`], `Dir::runtime`) or a directory (`files::stale_in`).
//!
//! # Features
//!
//! `std` and `files` are on by default, and each works without the other.
//!
//! - `std`: without it the crate uses `core` and the C library alone, and the following are
//!   missing: `Path` arguments, `io::Read` and `io::Write`, `io::Error`, `Activation::take`,
//!   `activation::pass`, `Dir::runtime`, `files::stale_in`, and the conversions with the types of
//!   `std`. The module [`fd`] then has descriptor types with the names and promises of
//!   `std::os::fd`.
//! - `files`: socket files and paths of any length ([`files`]), sockets that a service manager passed
//!   ([`activation`]), and the list of all sockets ([`diag`]). A program that needs only sockets builds
//!   faster without this feature.
//!
//! - `inline-syscalls`, off by default: on Linux, on x86_64 and aarch64, the calls on sockets are made
//!   by the instruction of the processor, and not by the functions of the C library. They take fewer
//!   instructions, and on some processors less time. Libraries of `LD_PRELOAD` do not see these calls,
//!   and pthread_cancel(3) does not end them. [`sys`] has the details. On other systems the feature
//!   does nothing.
//!
//! `default-features = false, features = ["files"]` selects the whole library without `std`.
//!
//! # Versions
//!
//! Versions follow cargo's rules for Semantic Versioning: 0.2 may break programs that were written
//! for 0.1, as 2.0 may break programs for 1.0. Files in the repository record the public API, and
//! every change of the sources is compared with them. A version that is compatible, such as 0.1.1,
//! may:
//!
//! - add items, methods, trait implementations, and variants of the enums that are `#[non_exhaustive]`;
//! - change what an error prints, report a cause where none was reported, and change what `Debug` prints;
//! - need a newer Rust, kernel or C library, which the README and the changelog then list.
//!
//! Types of `libc` 0.2 and of `sunpath-sys` appear in signatures, such as `sockaddr_un` of [`sys`].
//! A new `libc` that is not compatible is therefore a new version of this crate that is not
//! compatible. `sunpath` and `sunpath-sys` always have the same version.

#![no_std]
// docs.rs builds the pages with an unstable compiler, which can show the feature that an item
// needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
// No function of this crate panics: `tests/no_std` links all calls, and fails if one of them can
// reach a panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
// If a feature is off, the pages still name its items, but cannot link to them.
#![cfg_attr(
    not(all(feature = "std", feature = "files")),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(any(feature = "std", test))]
extern crate std;

// The modules follow, from the lowest layer up. Each module uses only modules that come before it.
// This is the only list of the layers, and tests/rules reads it.

// The modules below are pure: they have no unsafe code and make no system call.
mod text;

pub mod error;

mod pathname;

mod addr;

mod control;

mod flags;

mod expected;

#[cfg(feature = "files")]
mod netlink;
#[cfg(feature = "files")]
mod search;

// The modules `fd` and `syscall` make the system calls. All unsafe blocks are in these modules, and
// a descriptor gets its owner as soon as it is made.
pub mod fd;

mod syscall;

// This module has points in time, for calls that wait.
mod deadline;

// This module has sockets of every kind, listeners, and the identity of the peer.
pub mod socket;

// This module sends and receives descriptors and credentials with the bytes.
pub mod ancillary;

// This module packs many small messages into one write, each after its length.
pub mod framing;

// This module accepts clients, limits how many clients there are in all and for each user, and
// waits for the last clients at the end.
pub mod serve;

// This module has socket files, directories, and paths of any length.
#[cfg(feature = "files")]
pub mod files;

// This module takes sockets that a service manager passed.
#[cfg(feature = "files")]
pub mod activation;
#[cfg(all(feature = "libsunpath", feature = "files"))]
#[doc(hidden)]
pub mod libsunpath;

// This module lists the sockets of a network namespace.
#[cfg(feature = "files")]
pub mod diag;

// The pages of the guide describe more than one item, and link to all modules above.
#[cfg(all(feature = "std", feature = "files"))]
pub mod guide;

pub use sunpath_sys as sys;
pub use sunpath_sys::{SunPath, SunPathError};

pub use crate::addr::UnixAddr;
#[doc(hidden)]
pub use crate::addr::addr_of_literal;
#[doc(inline)]
pub use crate::error::{Errno, Error};
#[doc(inline)]
pub use crate::fd::CWD;
#[doc(inline)]
#[cfg(feature = "files")]
pub use crate::files::{BindOptions, Bound, ConnectOptions, Dir, Existing, Liveness, probe};
#[doc(inline)]
pub use crate::socket::{
    Datagram, Listener, PeerCred, Received, Seqpacket, Shutdown, Socket, SocketRef, Stream,
    UnixDatagram, UnixListener, UnixSeqpacket, UnixSeqpacketListener, UnixStream,
};

/// The README's programs, which the tests compile and run.
#[cfg(all(doctest, feature = "std", feature = "files"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The programs of the page on stopping and waiting, which the tests compile and run.
#[cfg(all(doctest, feature = "std", feature = "files"))]
#[doc = include_str!("../docs/stopping.md")]
struct Stopping;

/// A struct that a later version may extend can only be made by its constructor.
///
/// ```compile_fail,E0639
/// use sunpath::activation::Variables;
/// let variables = Variables { pid: None, pidfd_id: None, fds: None, names: None };
/// ```
#[cfg(all(doctest, feature = "files"))]
struct Extensible;
