//! Turns: among the processes of this crate, only one at a time removes or replaces a file of a
//! directory.

use sunpath_sys as sys;

use crate::error::Errno;
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::syscall;

/// The right to check a file of a directory and then to change it, while no other process that asks
/// for the same right does so. The turn is a lock of the directory by flock(2), held for a few
/// calls.
///
/// Any process that may read the directory can hold that lock forever, and a process that may not
/// read the directory cannot get the lock. Each process therefore waits only briefly, and continues
/// without the lock if no attempt succeeds. The callers document what can be lost in that case.
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
            // Closing the descriptor is not enough: a child that another thread forked has a copy,
            // which would keep the lock.
            syscall::unlock(fd.as_fd());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::CWD;
    use crate::syscall::O_PATH;
    use std::{env, format, fs, process};

    /// A child that another thread forks during a turn has a copy of the descriptor.
    #[test]
    fn turn_ends_although_a_child_has_a_copy_of_its_descriptor() {
        use std::os::unix::ffi::OsStrExt;

        let dir = env::temp_dir().join(format!("sunpath-turn-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let opened = syscall::openat(CWD, dir.as_os_str().as_bytes(), O_PATH).unwrap();
        let turn = Turn::take(opened.as_fd());
        let copy = syscall::duplicate(turn.0.as_ref().unwrap().as_fd()).unwrap();
        // Another process that waits for the turn gives up after a while, and continues without it.
        assert!(!Turn::take(opened.as_fd()).is_held());
        drop(turn);
        assert!(Turn::take(opened.as_fd()).is_held());
        drop(copy);
        fs::remove_dir(&dir).unwrap();
    }
}
