//! Accepts clients, and continues after a time when no descriptor was free.

use std::fmt;
use std::io;
use std::time::Duration;

use sunpath::socket::Connected;
use sunpath::{Errno, UnixAddr};
use tokio::time::{self, Instant};

use crate::listener::Listener;
use crate::socket::Socket;

/// The first pause after an error, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Accepts clients as they connect, made by [`Listener::incoming`].
///
/// - When no descriptor is free (`EMFILE`, `ENFILE`), or no memory, the client stays in the queue, and
///   accept(2) is called again after a pause. The pause grows from 5 milliseconds to 1 second, and is 5
///   milliseconds again after the next client. Other errors are treated in the same way, but after
///   `ECONNABORTED` the next client is accepted at once and nothing is reported.
/// - The function gets an error only if it is the first one since a client was accepted.
/// - It ends when the listener was [shut down](Listener::as_listener) and its queue is empty, or cannot
///   be emptied because no descriptor is free.
pub struct Incoming<'a, T: Connected, R> {
    listener: &'a Listener<T>,
    report: R,
    /// The last pause and its end. It is `None` if the last call succeeded.
    pause: Option<(Duration, Instant)>,
    ended: bool,
}

impl<'a, T: Connected, R: FnMut(io::Error)> Incoming<'a, T, R> {
    pub(crate) const fn new(listener: &'a Listener<T>, report: R) -> Self {
        Self {
            listener,
            report,
            pause: None,
            ended: false,
        }
    }

    /// Waits for the next client; `None` when the listener was shut down. Cancelling it loses no client,
    /// and a pause continues in the next call.
    ///
    /// # Panics
    ///
    /// Panics after an error in a runtime without `enable_time`.
    pub async fn next(&mut self) -> Option<(Socket<T>, UnixAddr)> {
        while !self.ended {
            if let Some((_, end)) = self.pause {
                time::sleep_until(end).await;
            }
            let error = match self.listener.accept().await {
                Ok(client) => {
                    self.pause = None;
                    return Some(client);
                }
                Err(error) => error,
            };
            match Errno::from_io_error(&error) {
                Some(Errno::ECONNABORTED) => {}
                Some(Errno::EINVAL) => self.ended = true,
                // Without an errno it is an error of the runtime, which is shutting down.
                None => self.ended = true,
                Some(_) => {
                    self.pause_after(error);
                    // The listener has clients in its queue, so this does not wait.
                    self.ended = self.listener.is_shut_down().await.unwrap_or(true);
                }
            }
        }
        None
    }

    fn pause_after(&mut self, error: io::Error) {
        let pause = match self.pause {
            Some((last, _)) => PAUSES.1.min(last * 2),
            None => {
                (self.report)(error);
                PAUSES.0
            }
        };
        self.pause = Some((pause, Instant::now() + pause));
    }
}

impl<T: Connected, R> fmt::Debug for Incoming<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("listener", &self.listener)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}
