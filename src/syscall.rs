//! The one room with `unsafe`: each call of the system as a safe function over borrowed
//! descriptors, typed addresses and slices. What the kernel does not promise is not assumed, and
//! three rules are kept here so that nobody above has to think of them:
//!
//! - a new descriptor is owned and close-on-exec before anything else can happen,
//! - nothing sent raises `SIGPIPE`,
//! - a call that a signal interrupts is made again.

mod descriptor;
mod file;
mod message;
mod option;
mod socket;

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::time::Duration;

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
#[cfg(not(have_sock_cloexec))]
use crate::fd::AsRawFd;
use crate::fd::{FromRawFd, OwnedFd};

pub(crate) use self::descriptor::*;
pub(crate) use self::file::*;
pub(crate) use self::message::*;
pub(crate) use self::option::*;
pub(crate) use self::socket::*;

/// Flags for every new socket: close-on-exec from birth, where the system can do that.
#[cfg(have_sock_cloexec)]
const BIRTH: c_int = sys::SOCK_CLOEXEC;
#[cfg(not(have_sock_cloexec))]
const BIRTH: c_int = 0;

/// Makes a call again as long as a signal interrupts it; its result, or its errno.
///
/// accept, connect, send and receive with a timeout start that anew when they are interrupted.
#[inline]
fn retry(call: Call, mut attempt: impl FnMut() -> isize) -> Result<usize, Error> {
    loop {
        if let Ok(result) = usize::try_from(attempt()) {
            return Ok(result);
        }
        let errno = Errno::from_raw(sys::errno());
        if errno != Errno::EINTR {
            return Err(Error::new(call, errno));
        }
    }
}

/// Takes over a descriptor that a call has just returned, and does what the system could not do
/// at its birth.
fn born(fd: c_int) -> Result<OwnedFd, Error> {
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    #[cfg(not(have_sock_cloexec))]
    retry(Call::Fcntl, || {
        // SAFETY: F_SETFD takes an int and touches the descriptor alone.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_SETFD, sys::FD_CLOEXEC) as isize }
    })?;
    #[cfg(have_so_nosigpipe)]
    {
        use crate::fd::AsFd;
        setsockopt(fd.as_fd(), sys::SO_NOSIGPIPE, &1)?;
    }
    Ok(fd)
}

/// `clock_gettime(CLOCK_MONOTONIC)`: a time that only goes forward.
pub(crate) fn monotonic_clock() -> Duration {
    let mut now = MaybeUninit::<sys::timespec>::zeroed();
    // SAFETY: now is room for a timespec. It cannot fail: every system has this clock.
    unsafe { sys::clock_gettime(sys::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid timespec, and so is what the kernel wrote.
    let now = unsafe { now.assume_init() };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
