//! Takes over descriptors that were open when this process began.

use core::ffi::c_int;
use core::iter::FusedIterator;
use core::sync::atomic::{AtomicBool, Ordering};

use sunpath_sys as sys;

use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use crate::syscall::{retry, set_cloexec};

/// `true` after [`inherit`] has taken descriptors over.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Descriptors that were inherited through execve(2), the lowest first. Dropping this value closes
/// those that are left.
#[derive(Debug)]
pub(crate) struct Inherited {
    /// INVARIANT: all descriptors from `next` up to but not including `end` are open, and this
    /// value owns them.
    next: RawFd,
    end: RawFd,
}

/// The reason why descriptors cannot be taken over.
pub(crate) enum NotInherited {
    /// The descriptors have already been taken over.
    Taken,
    /// This descriptor cannot be taken over, because it is not open (`EBADF`) or because this
    /// process opened it (`EBUSY`).
    Descriptor(RawFd, Error),
}

/// Takes over the descriptors of a range, once in a process, and makes them close-on-exec. If one of
/// them cannot be taken over, nothing is changed.
///
/// A descriptor that was inherited through execve(2) is not close-on-exec. A descriptor that is
/// close-on-exec was opened since, or has an owner already, and is refused.
///
/// # Safety
///
/// - Those descriptors of the range that are not close-on-exec have no owner in this process, and
///   get one only by this call.
pub(crate) unsafe fn inherit(first: RawFd, end: RawFd) -> Result<Inherited, NotInherited> {
    for fd in first..end {
        check(fd).map_err(|error| match TAKEN.load(Ordering::Acquire) {
            true => NotInherited::Taken,
            false => NotInherited::Descriptor(fd, error),
        })?;
    }
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Err(NotInherited::Taken);
    }
    // From here on the descriptors are closed in any case, because `inherited` owns them even if
    // taking over one of them fails.
    let inherited = Inherited { next: first, end };
    for fd in first..end {
        // SAFETY: the descriptor is open, and `inherited` keeps it open.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        set_cloexec(borrowed, true).map_err(|error| NotInherited::Descriptor(fd, error))?;
    }
    Ok(inherited)
}

fn check(fd: RawFd) -> Result<(), Error> {
    let flags = retry(Call::Fcntl, || {
        // SAFETY: F_GETFD has no argument and only reads. If `fd` is not open, the call reports
        // EBADF.
        unsafe { sys::fcntl(fd, sys::F_GETFD) as isize }
    })?;
    match flags as c_int & sys::FD_CLOEXEC {
        0 => Ok(()),
        _ => Err(Error::with_cause(
            Call::Fcntl,
            Errno::EBUSY,
            Cause::CloseOnExec,
        )),
    }
}

impl Iterator for Inherited {
    type Item = OwnedFd;

    fn next(&mut self) -> Option<OwnedFd> {
        if self.next >= self.end {
            return None;
        }
        let fd = self.next;
        self.next += 1;
        // SAFETY: `inherit` found the descriptor open and not close-on-exec, so by the contract of
        // `inherit` the descriptor had no owner. Nothing has owned it since, because descriptors
        // are taken over once in a process and `next` only grows.
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
