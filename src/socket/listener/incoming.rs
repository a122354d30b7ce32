//! Iterates over connections.

use core::iter::FusedIterator;
use core::time::Duration;

use super::Listener;
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::socket::{Connected, Socket};
use crate::syscall;

impl<T: Connected> Listener<T> {
    /// Returns an iterator that accepts connections as they arrive, by [`accept`](Self::accept),
    /// until the listener is [shut down](Self::as_socket) and the queue is empty.
    ///
    /// No other error ends the iterator. If no descriptor is free (`EMFILE`), every call fails at
    /// once, because the connection stays in the queue. A loop that continues after an error
    /// therefore needs a pause; without it, the loop uses a whole processor.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::{thread, time::Duration};
    /// use sunpath::UnixListener;
    ///
    /// for client in UnixListener::bind("/run/app.sock")?.incoming() {
    ///     match client {
    ///         Ok(client) => drop(client.write(b"hello\n")),
    ///         Err(_) => thread::sleep(Duration::from_millis(100)), // until a descriptor is free
    ///     }
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_, T> {
        Incoming {
            listener: Some(self),
        }
    }
}

/// Accepts connections as they arrive: an iterator, made by [`Listener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a, T: Connected> {
    /// The listener. The field is `None` after the listener was shut down.
    listener: Option<&'a Listener<T>>,
}

impl<T: Connected> Iterator for Incoming<'_, T> {
    type Item = Result<Socket<T>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let listener = self.listener?;
        match syscall::accept(listener.as_fd(), None, false) {
            Ok(fd) => Some(Ok(Socket::from_fd(fd))),
            Err(error) => {
                let next = listener.next_after(error);
                if next.is_none() {
                    self.listener = None;
                }
                next
            }
        }
    }
}

impl<T: Connected> Listener<T> {
    /// Returns the next connection or error after accept has failed with `error`, or `None` if the
    /// listener was shut down.
    #[cold]
    fn next_after(&self, error: Error) -> Option<Result<Socket<T>, Error>> {
        let result = match error.errno() {
            // A nonblocking listener reports EAGAIN if no client waits and also after it was shut
            // down. poll(2) distinguishes the two cases.
            Errno::EAGAIN => match self.accept_timeout(Duration::ZERO) {
                Err(late) if late.errno() == Errno::ETIMEDOUT => Err(error),
                accepted => accepted.map(|(socket, _)| socket),
            },
            _ => Err(error),
        };
        if result
            .as_ref()
            .is_err_and(|error| error.errno() == Errno::EINVAL)
        {
            return None;
        }
        Some(result)
    }
}

impl<T: Connected> FusedIterator for Incoming<'_, T> {}

impl<'a, T: Connected> IntoIterator for &'a Listener<T> {
    type Item = Result<Socket<T>, Error>;
    type IntoIter = Incoming<'a, T>;

    fn into_iter(self) -> Incoming<'a, T> {
        self.incoming()
    }
}
