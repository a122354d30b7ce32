//! Unix domain sockets for tokio, with everything that [`sunpath`] has: descriptors and credentials over
//! every kind of socket, sequenced packets, bind options, paths of any length, takeover, and a connect
//! that waits for a full queue.
//!
//! [`UnixListener`], [`UnixStream`], [`UnixDatagram`] and [`UnixSeqpacket`] are made from what `sunpath`
//! makes, and have its methods by the same names. A program that keeps tokio's own types gets the methods
//! for descriptors and the peer by [`SocketExt`].
//!
//! ```
//! use sunpath::BindOptions;
//! use sunpath_tokio::{UnixListener, UnixStream};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let dir = std::path::PathBuf::from(format!("/tmp/sunpath-tokio-lib-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("app.sock");
//! // Only this user may connect, a second start fails, and the file is removed at the end.
//! let listener = UnixListener::new(BindOptions::singleton().listen(&path)?)?;
//! let mut client = UnixStream::connect(&path).await?;
//!
//! let (mut stream, _) = listener.accept().await?;
//! println!("a client of user {}", stream.peer_cred()?.uid());
//! stream.write_all(b"hello").await?;
//! stream.send_fd(&std::fs::File::open("/dev/null")?).await?;
//!
//! let mut buf = [0; 5];
//! client.read_exact(&mut buf).await?;
//! let file = std::fs::File::from(client.recv_fd().await?);
//! # drop((listener, file));
//! # std::fs::remove_dir(&dir)?;
//! # Ok(()) }
//! ```
//!
//! # How to get one
//!
//! | to get this | call |
//! |---|---|
//! | a daemon's listener | [`Listener::new`] with what [`BindOptions::listen`](sunpath::BindOptions::listen) or [`listen_seqpacket`](sunpath::BindOptions::listen_seqpacket) returns |
//! | a listener from the service manager | [`Listener::new`] with what [`Passed::into_listener`](sunpath::activation::Passed::into_listener) returns |
//! | a plain listener | [`Listener::bind`], [`bind_addr`](Listener::bind_addr), [`bind_at`](Listener::bind_at) |
//! | a connection | [`UnixStream::connect`], [`connect_addr`](UnixStream::connect_addr), [`connect_at`](UnixStream::connect_at) |
//! | one under conditions | [`UnixStream::connect_with`], which takes [`ConnectOptions`](sunpath::ConnectOptions) |
//! | a datagram socket | [`UnixDatagram::from_bound`], [`bind`](UnixDatagram::bind), [`unbound`](UnixDatagram::unbound) |
//! | any of them from a socket of std, tokio or sunpath, or from a descriptor | `try_from`, [`Socket::new`] |
//!
//! # Cancellation
//!
//! A future can be dropped before it is done, for example by `select!` or `timeout`. This table says what
//! happens then. Each row is a test, which polls the future any number of times and drops it.
//!
//! | method | after it was cancelled |
//! |---|---|
//! | [`UnixStream::read`], [`read_vectored`](UnixStream::read_vectored), [`peek`](UnixStream::peek) | nothing is lost |
//! | [`UnixStream::write`], [`write_vectored`](UnixStream::write_vectored) | nothing was sent |
//! | [`Socket::recv_fd`], [`recv_fds`](Socket::recv_fds), [`recv_fds_up_to`](Socket::recv_fds_up_to) | nothing is lost, and no descriptor leaks |
//! | [`Socket::recv_with_credentials`], [`recvmsg`](Socket::recvmsg) | nothing is lost, and no descriptor leaks |
//! | [`Socket::send_fd`], [`send_fds`](Socket::send_fds) | nothing was sent, no bytes and no descriptors |
//! | [`Socket::send_with_credentials`], [`sendmsg`](Socket::sendmsg) | nothing was sent, no bytes and no descriptors |
//! | [`UnixSeqpacket::recv`], [`recv_vectored`](UnixSeqpacket::recv_vectored), [`peek`](UnixSeqpacket::peek), [`recvmmsg`](UnixSeqpacket::recvmmsg) | nothing is lost |
//! | [`UnixSeqpacket::send`], [`send_vectored`](UnixSeqpacket::send_vectored) | nothing was sent |
//! | [`UnixSeqpacket::sendmmsg`] | the batch has the messages that were not sent |
//! | [`UnixDatagram::recv_from`], [`peek_from`](UnixDatagram::peek_from) | nothing is lost |
//! | [`UnixDatagram::send_to`], [`sendmsg_to`](UnixDatagram::sendmsg_to) | nothing was sent, no bytes and no descriptors |
//! | [`SendAll::run`] | the value knows what was sent, and is run again |
//! | [`RecvExact::run`] | the value has what was received, and is run again |
//! | [`Socket::readable`], [`writable`](Socket::writable), [`async_io`](Socket::async_io) | nothing is lost |
//! | [`Listener::accept`], [`accept_if`](Listener::accept_if), [`Incoming::next`] | no client is lost |
//! | [`UnixStream::connect`], [`connect_addr`](UnixStream::connect_addr), [`connect_at`](UnixStream::connect_at) | it ends within 20 milliseconds; the server may accept a client that has closed |
//! | [`UnixStream::connect_with`], [`connect_addr_with`](UnixStream::connect_addr_with), [`connect_at_with`](UnixStream::connect_at_with) | it ends within 20 milliseconds; the server may accept a client that has closed |
//! | [`Listener::close_and_unlink`], [`UnixDatagram::close_and_unlink`] | the file is removed nevertheless |
//! | [`SocketExt::recv_fd`], [`recv_fds`](SocketExt::recv_fds), [`recv_fds_up_to`](SocketExt::recv_fds_up_to), [`recvmsg`](SocketExt::recvmsg) | nothing is lost, and no descriptor leaks |
//! | [`SocketExt::send_fd`], [`send_fds`](SocketExt::send_fds), [`sendmsg`](SocketExt::sendmsg) | nothing was sent, no bytes and no descriptors |
//! | `read` of tokio's traits | nothing is lost |
//! | `write` of tokio's traits | nothing was sent |
//! | `write_all`, `read_exact` of tokio's traits | **not safe**: a part was sent or received, and nobody knows how much |
//!
//! A message of many bytes with descriptors needs several calls on a stream, so a future for it could not
//! be cancelled safely: [`SendAll`] and [`RecvExact`] are values instead, which can be run again.
//!
//! # A server for a long time
//!
//! [`Listener::incoming`] continues after `EMFILE` with growing pauses, so a server without a free
//! descriptor neither ends nor uses all of a processor. To end without losing a client, stop
//! accepting and wait for the tasks that serve, for example in tokio's `JoinSet`. A new version
//! takes the path over with [`Existing::Takeover`](sunpath::Existing::Takeover). The old server
//! detects that by [`is_in_place`](sunpath::Bound::is_in_place), and continues to accept until no
//! client has come for a moment, because clients may wait in its queue:
//! `timeout(Duration::from_millis(50), listener.accept())`.
//!
//! # Cost
//!
//! A round trip makes the system calls that tokio's own stream makes, and about as many instructions:
//! `cargo bench -p sunpath-tokio` counts both. A connection needs 9 calls in both processes together.
//!
//! # Versions
//!
//! tokio 1.53.3 is the oldest that works, because it is the first one that registers any descriptor by an
//! `unsafe fn`, with a contract. The call of that function is the only unsafe code of this package.

mod ancillary;
mod borrowed;
mod connect;
mod convert;
mod datagram;
mod incoming;
mod listener;
mod message;
mod register;
mod resume;
mod socket;
mod split;
mod stream;

use std::io;

use tokio::task::{self, JoinHandle};

pub use sunpath;
pub use sunpath::{Datagram, Seqpacket, Stream};

pub use crate::borrowed::SocketExt;
pub use crate::convert::addr;
pub use crate::datagram::UnixDatagram;
pub use crate::incoming::Incoming;
pub use crate::listener::{Listener, UnixListener, UnixSeqpacketListener};
pub use crate::message::UnixSeqpacket;
pub use crate::resume::{RecvExact, SendAll};
pub use crate::socket::Socket;
pub use crate::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
pub use crate::stream::UnixStream;

/// The README's program, which the tests compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Makes a call in a thread that may block, also if the future is dropped before the thread has begun.
async fn blocking<R: Send + 'static>(
    call: impl FnOnce() -> Result<R, sunpath::Error> + Send + 'static,
) -> io::Result<R> {
    Ok(joined(task::spawn_blocking(call)).await??)
}

/// Waits for the thread of a call. It is lost only if the runtime is shutting down.
async fn joined<R>(call: JoinHandle<R>) -> io::Result<R> {
    call.await.map_err(io::Error::other)
}
