//! One at a time: removing a file and taking its place, among the processes of this crate.

use sunpath_sys as sys;

use crate::error::Errno;
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::syscall;

/// The right to look at a name in a directory and to change its file as one step, among processes
/// that ask for it: a lock of the directory by flock(2), held for a few calls.
///
/// A process that may read the directory can hold that lock forever, and one that may not read it
/// cannot have it. Nobody therefore waits for long, and a process that does not get the lock
/// continues without it. The callers document what is lost then.
pub(super) struct Turn(Option<OwnedFd>);

impl Turn {
    /// How often the lock is tried, with a millisecond between two tries.
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
