//! fcntl(2) and ioctl(2) on a descriptor.

use core::ffi::c_int;

use sunpath_sys as sys;

use super::retry;
#[cfg(not(have_so_passcred))]
use crate::error::Errno;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Makes a copy of the descriptor, by `fcntl(F_DUPFD_CLOEXEC)`.
pub(crate) fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    let copy = retry(Call::Fcntl, || {
        // SAFETY: F_DUPFD_CLOEXEC takes an int, the lowest descriptor that the copy may be.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, 0) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as c_int) })
}

/// Sets or clears `FD_CLOEXEC`, the only flag of a descriptor, by `fcntl(F_SETFD)`.
pub(crate) fn set_cloexec(fd: BorrowedFd<'_>, cloexec: bool) -> Result<(), Error> {
    let flags = if cloexec { sys::FD_CLOEXEC } else { 0 };
    retry(Call::Fcntl, || {
        // SAFETY: F_SETFD takes an int and changes only the descriptor.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_SETFD, flags) as isize }
    })?;
    Ok(())
}

/// Makes the descriptor nonblocking or blocking, by `ioctl(FIONBIO)`.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> Result<(), Error> {
    let mut on = c_int::from(nonblocking);
    retry(Call::Ioctl, || {
        // SAFETY: FIONBIO takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::FIONBIO, &raw mut on) as isize }
    })?;
    Ok(())
}

/// Returns how many bytes can be received, by `ioctl(FIONREAD)`.
pub(crate) fn readable_bytes(fd: BorrowedFd<'_>) -> Result<usize, Error> {
    let mut bytes: c_int = 0;
    retry(Call::Ioctl, || {
        // SAFETY: FIONREAD takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::FIONREAD, &raw mut bytes) as isize }
    })?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Returns whether the next byte to read is the out-of-band byte, by `ioctl(SIOCATMARK)`.
#[cfg(have_so_passcred)]
pub(crate) fn at_mark(fd: BorrowedFd<'_>) -> Result<bool, Error> {
    let mut at_mark: c_int = 0;
    retry(Call::Ioctl, || {
        // SAFETY: SIOCATMARK takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::SIOCATMARK, &raw mut at_mark) as isize }
    })?;
    Ok(at_mark != 0)
}

#[cfg(not(have_so_passcred))]
pub(crate) fn at_mark(_fd: BorrowedFd<'_>) -> Result<bool, Error> {
    Err(Error::new(Call::Ioctl, Errno::ENOTTY))
}

/// Returns the memory use of data that was sent and not yet received, by `ioctl(SIOCOUTQ)`.
#[cfg(have_so_passcred)]
pub(crate) fn unreceived_bytes(fd: BorrowedFd<'_>) -> Result<usize, Error> {
    let mut bytes: c_int = 0;
    retry(Call::Ioctl, || {
        // SAFETY: SIOCOUTQ takes a pointer to an int, which outlives the call.
        unsafe { sys::ioctl(fd.as_raw_fd(), sys::SIOCOUTQ, &raw mut bytes) as isize }
    })?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

#[cfg(not(have_so_passcred))]
pub(crate) fn unreceived_bytes(_fd: BorrowedFd<'_>) -> Result<usize, Error> {
    Err(Error::new(Call::Ioctl, Errno::ENOTTY))
}

/// Returns whether the descriptor is nonblocking, by `fcntl(F_GETFL)`.
pub(crate) fn nonblocking(fd: BorrowedFd<'_>) -> Result<bool, Error> {
    let flags = retry(Call::Fcntl, || {
        // SAFETY: F_GETFL has no argument.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_GETFL) as isize }
    })?;
    Ok(flags as c_int & sys::O_NONBLOCK != 0)
}
