//! Registers a socket with the runtime, which is the only unsafe operation of this package, and interprets
//! what the runtime reports.

use std::io;
use std::os::fd::AsRawFd;

use sunpath::socket::{Connected, Kind};
use sunpath::{Bound, Error};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};
use tokio::task;

/// A value that owns one descriptor: it closes it when it is dropped and not before, and never
/// replaces it through a shared reference.
pub(crate) trait Owner: AsRawFd {}

// INVARIANT: a `Socket` holds an `OwnedFd`, which only `into_` conversions give away, by value.
impl<T: Kind> Owner for sunpath::Socket<T> {}
// INVARIANT: `Bound::bind_again` replaces the listener, but it needs `&mut Bound`, which this package
// never gets from an `AsyncFd`.
impl<T: Connected> Owner for Bound<sunpath::Listener<T>> {}

/// Registers a nonblocking socket with the runtime of the current task.
pub(crate) fn register<S: Owner>(socket: S, interest: Interest) -> io::Result<AsyncFd<S>> {
    // SAFETY: an Owner keeps its one descriptor open until it is dropped, as the trait demands, and
    // `AsyncFd` owns it. This package never calls `AsyncFd::get_mut`, so nothing replaces it.
    unsafe { AsyncFd::register_with_interest(socket, interest) }.map_err(Into::into)
}

/// Returns what a loop still waits for after a call that would have to wait. The runtime reports a closed
/// direction as ready forever, so a loop that waited for it would never end.
///
/// # Errors
///
/// - `UnexpectedEof`: the loop waits only to receive, and the socket was shut down for that.
pub(crate) async fn still_open(ready: Ready, interest: Interest) -> io::Result<Interest> {
    if ready.is_write_closed() {
        // A datagram socket that had an error can send again, so the call is repeated. Other tasks run
        // before that.
        task::yield_now().await;
    }
    match ready.is_read_closed() {
        true => interest.remove(Interest::READABLE).ok_or_else(shut_down),
        false => Ok(interest),
    }
}

/// Returns the error of a receive that would wait forever, because the socket was shut down.
#[cold]
pub(crate) fn shut_down() -> io::Error {
    let text = "the socket was shut down for receiving";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Converts an error of a call, for a loop that makes the call again when the socket is ready. That
/// one is dropped, so it is made without an allocation.
pub(crate) fn for_readiness(error: Error) -> io::Error {
    match error.is_would_block() {
        true => io::ErrorKind::WouldBlock.into(),
        false => error.into(),
    }
}

/// Converts an error as std's stream would report it: `raw_os_error` returns the errno, and nothing is
/// allocated.
pub(crate) fn as_in_std(error: Error) -> io::Error {
    error.errno().into()
}
