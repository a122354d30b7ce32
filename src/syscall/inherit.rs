//! Descriptors that were open when this process began, and who is asked whether they are its own.

use core::ffi::c_int;
use core::iter::FusedIterator;
use core::sync::atomic::{AtomicBool, Ordering};

use sunpath_sys as sys;

use super::retry;
use crate::error::{Call, Errno, Error};
use crate::fd::{FromRawFd, OwnedFd, RawFd};

/// Whether descriptors were taken over by [`inherit`].
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The promise that nobody in this process owns the descriptors that were passed to it, which
/// [`Activation::take`](crate::Activation::take) needs: no call of the kernel tells what came through
/// execve(2) from what was opened since.
#[derive(Debug)]
pub struct Unclaimed(());

impl Unclaimed {
    /// Makes the promise.
    ///
    /// # Safety
    ///
    /// - Of the descriptors that `LISTEN_FDS` counts, from 3 on, those that are not close-on-exec have
    ///   no owner in this process, and get none but by [`Activation::take`](crate::Activation::take).
    ///
    /// At the beginning of `main` that is so. It is later as well if whatever opened a descriptor did
    /// so close-on-exec, as Rust's standard library and this crate do: C libraries and dup(2) may not.
    #[must_use]
    pub const unsafe fn promise() -> Self {
        Self(())
    }
}

/// Descriptors that came through execve(2), one after the other. They are closed on drop.
#[derive(Debug)]
pub(crate) struct Inherited {
    /// INVARIANT: all from `next` to before `end` are open, and owned by this value.
    next: RawFd,
    end: RawFd,
}

/// Why descriptors cannot be taken over.
pub(crate) enum NotInherited {
    /// They have been.
    Taken,
    /// This one cannot: `EBADF` where it is not open, `EBUSY` where it was opened by this process.
    Descriptor(RawFd, Error),
}

/// Takes over the descriptors of a range, once in the life of a process, and makes them
/// close-on-exec; all, or nothing is changed.
///
/// What came through execve(2) is not close-on-exec. What is was opened since, or has an owner
/// already, and is not taken; of what is not, the caller of the crate has promised that it is
/// nobody's.
pub(crate) fn inherit(_: Unclaimed, first: RawFd, end: RawFd) -> Result<Inherited, NotInherited> {
    for fd in first..end {
        check(fd).map_err(|error| match TAKEN.load(Ordering::Acquire) {
            true => NotInherited::Taken,
            false => NotInherited::Descriptor(fd, error),
        })?;
    }
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Err(NotInherited::Taken);
    }
    // From here on they are closed also where one of them fails.
    let inherited = Inherited { next: first, end };
    for fd in first..end {
        set_cloexec(fd).map_err(|error| NotInherited::Descriptor(fd, error))?;
    }
    Ok(inherited)
}

fn check(fd: RawFd) -> Result<(), Error> {
    let flags = retry(Call::Fcntl, || {
        // SAFETY: F_GETFD takes nothing, and only reads; of a number that is not open it is EBADF.
        unsafe { sys::fcntl(fd, sys::F_GETFD) as isize }
    })?;
    match flags as c_int & sys::FD_CLOEXEC {
        0 => Ok(()),
        _ => Err(Error::new(Call::Fcntl, Errno::EBUSY)),
    }
}

fn set_cloexec(fd: RawFd) -> Result<(), Error> {
    retry(Call::Fcntl, || {
        // SAFETY: F_SETFD takes an int, and touches a descriptor that the caller has taken over.
        unsafe { sys::fcntl(fd, sys::F_SETFD, sys::FD_CLOEXEC) as isize }
    })?;
    Ok(())
}

impl Iterator for Inherited {
    type Item = OwnedFd;

    fn next(&mut self) -> Option<OwnedFd> {
        if self.next >= self.end {
            return None;
        }
        let fd = self.next;
        self.next += 1;
        // SAFETY: it was open when it was taken over, and not close-on-exec, so that by the promise
        // nobody owned it; nobody got it before, for this happens once in a process, and `next` goes
        // only forward.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.end - self.next).unwrap_or(0);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Inherited {}
impl FusedIterator for Inherited {}

impl Drop for Inherited {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
