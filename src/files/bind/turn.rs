//! Turns: only one process of this crate at a time removes a file or takes its place.

use sunpath_sys as sys;

use crate::error::Errno;
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::syscall;

/// The right to look at a name in a directory and to change its file as one step, among processes
/// that ask for it: a lock of the directory by flock(2), held for a few calls.
///
/// A process that may read the directory can hold that lock forever, and one that may not read it
/// cannot have it. Each process therefore waits only briefly, and continues without the lock if it
/// does not get it. The callers document what can be lost in that case.
pub(super) struct Turn(Option<OwnedFd>);

impl Turn {
    /// The number of attempts to get the lock, with a millisecond between two attempts.
    const TRIES: u32 = 50;

    pub(super) fn take(dir: BorrowedFd<'_>) -> Self {
        let flags = sys::O_RDONLY | sys::O_DIRECTORY;
        let Ok(fd) = syscall::openat(dir, b".", flags) else {
            return Self(None);
        };
        for _ in 0..Self::TRIES {
            match syscall::flock(fd.as_fd()) {
                Ok(()) => return Self(Some(fd)),
                Err(error) if error.errno() == Errno::EAGAIN => syscall::pause(1),
                Err(_) => break,
            }
        }
        Self(None)
    }

    /// Returns whether the turn was granted.
    pub(super) const fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(fd) = &self.0 {
            // Closing is not enough, because a child that another thread forked has a copy, which
            // would keep the lock.
            syscall::unlock(fd.as_fd());
        }
    }
}
