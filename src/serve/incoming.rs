//! Accepts clients, and continues when a descriptor is free again.

use core::fmt;
use core::iter::FusedIterator;
use core::time::Duration;

use crate::deadline::Deadline;
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::socket::{Connected, Listener, Socket};
use crate::syscall;

/// The first pause after an error, and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Returns the pause after `last`, the previous pause.
fn pause_after(last: Option<Duration>) -> Duration {
    last.map_or(PAUSES.0, |last| PAUSES.1.min(last.saturating_mul(2)))
}

/// Returns an iterator over clients as they connect, until the listener is [shut
/// down](Listener::as_socket) and its queue is empty.
///
/// The iterator of [`Listener::incoming`] also returns errors, and the loop has to handle them.
/// This iterator returns only clients:
///
/// - When no descriptor is free (`EMFILE`, `ENFILE`), or when there is no memory, the client stays
///   in the queue, and accept(2) is called again after a pause. The pause grows from 5 milliseconds
///   to 1 second, and is 5 milliseconds again after the next client. Other errors are treated in
///   the same way, but after `ECONNABORTED` the next client is accepted at once and nothing is
///   reported.
/// - `report` is called with the first error after each client, and not with errors that follow it.
/// - If the listener is shut down during a pause, the pause ends at once, and so does the iterator
///   if still no descriptor is free.
/// - On a nonblocking listener the iterator waits by poll(2).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), sunpath::Error> {
/// use sunpath::{Shutdown, UnixListener, serve};
/// # use sunpath::UnixStream;
///
/// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
/// let listener = UnixListener::autobind()?;
/// # let _client = UnixStream::connect_addr(&listener.local_addr()?)?;
/// # listener.as_socket().shutdown(Shutdown::Both)?; // so that it ends
/// for client in serve::incoming(&listener, |error| eprintln!("{error}")) {
///     let _ = client.write_all(b"hello\n"); // it may be gone already
/// }
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// See accept(2), poll(2).
#[doc(alias = "accept")]
#[doc(alias = "EMFILE")]
pub fn incoming<T: Connected, R: FnMut(Error)>(
    listener: &Listener<T>,
    report: R,
) -> Incoming<'_, T, R> {
    Incoming {
        listener: Some(listener),
        report,
        pause: None,
    }
}

/// Accepts clients as they connect: an iterator, made by [`incoming`].
pub struct Incoming<'a, T: Connected, R> {
    /// The listener. The field is `None` after the listener was shut down.
    listener: Option<&'a Listener<T>>,
    report: R,
    /// The last pause. The field is `None` if the last call succeeded.
    pause: Option<Duration>,
}

impl<T: Connected, R: FnMut(Error)> Incoming<'_, T, R> {
    /// Reports the error if it is the first, and pauses. Returns whether the listener was shut down
    /// meanwhile.
    fn wait_after(&mut self, error: Error, listener: &Listener<T>) -> bool {
        if self.pause.is_none() {
            (self.report)(error);
        }
        let pause = pause_after(self.pause);
        self.pause = Some(pause);
        let end = Deadline::after(pause);
        loop {
            match syscall::poll_shut_down(listener.as_fd(), end.left_milliseconds()) {
                Err(error) if error.errno() == Errno::EINTR => {}
                shut_down => return shut_down == Ok(true),
            }
        }
    }
}

impl<T: Connected, R: FnMut(Error)> Iterator for Incoming<'_, T, R> {
    type Item = Socket<T>;

    fn next(&mut self) -> Option<Socket<T>> {
        let listener = self.listener?;
        let mut is_shut_down = false;
        loop {
            let accepted = listener.accept().or_else(|error| match error.errno() {
                // A nonblocking listener reports EAGAIN if no client waits and also after it was
                // shut down. `accept_timeout` reports EINVAL if the listener was shut down.
                Errno::EAGAIN => listener.accept_timeout(Duration::MAX),
                _ => Err(error),
            });
            match accepted {
                Ok((socket, _)) => {
                    self.pause = None;
                    return Some(socket);
                }
                Err(error) if error.errno() == Errno::EINVAL || is_shut_down => {
                    self.listener = None;
                    return None;
                }
                // This client is gone, but the next one may be waiting.
                Err(error) if error.errno() == Errno::ECONNABORTED => {}
                Err(error) => is_shut_down = self.wait_after(error, listener),
            }
        }
    }
}

impl<T: Connected, R: FnMut(Error)> FusedIterator for Incoming<'_, T, R> {}

impl<T: Connected, R> fmt::Debug for Incoming<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("listener", &self.listener)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_pauses_grow_from_5_milliseconds_to_1_second() {
        let mut last = None;
        for expected in [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000] {
            let pause = pause_after(last);
            assert_eq!(pause, Duration::from_millis(expected));
            last = Some(pause);
        }
    }
}
