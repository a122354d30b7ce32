//! The system calls. Each call is a safe function that takes borrowed descriptors, typed addresses
//! and slices, and assumes only what the kernel promises. This module keeps three rules, so that
//! the other modules need not:
//!
//! - a new descriptor has an owner and is close-on-exec before anything else can happen,
//! - a send never raises `SIGPIPE`,
//! - a call that a signal interrupts is made again, and its timeout still applies.

mod batch;
mod control;
mod descriptor;
#[cfg(feature = "files")]
mod diag;
mod fds;
mod file;
#[cfg(feature = "files")]
mod files;
mod message;
mod option;
mod peer;
#[cfg(have_user_namespaces)]
mod proc;
mod process;
mod socket;
mod user;

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ops::RangeInclusive;
use core::time::Duration;

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
#[cfg(not(have_sock_cloexec))]
use crate::fd::AsRawFd;
use crate::fd::{BorrowedFd, FromRawFd, OwnedFd};

pub(crate) use self::batch::*;
#[cfg(test)]
pub(crate) use self::control::without_descriptors;
pub(crate) use self::control::{ControlData, ExpectedBytes, OwnedControl, zeroed};
pub(crate) use self::descriptor::*;
#[cfg(feature = "files")]
pub(crate) use self::diag::*;
pub(crate) use self::fds::{FdArray, put_ints};
pub(crate) use self::file::*;
#[cfg(feature = "files")]
pub(crate) use self::files::*;
pub(crate) use self::message::*;
pub use self::option::OptionValue;
pub(crate) use self::option::*;
pub(crate) use self::peer::*;
pub(crate) use self::process::*;
pub(crate) use self::socket::*;
pub(crate) use self::user::*;

/// Returns the flags for a new socket, on systems where one call can make the socket close-on-exec,
/// and nonblocking if `nonblocking` is true.
#[cfg(have_sock_cloexec)]
const fn new_socket_flags(nonblocking: bool) -> c_int {
    sys::SOCK_CLOEXEC | if nonblocking { sys::SOCK_NONBLOCK } else { 0 }
}
#[cfg(not(have_sock_cloexec))]
const fn new_socket_flags(_nonblocking: bool) -> c_int {
    0
}

/// Repeats a call as long as a signal interrupts it. Returns the result of the last attempt.
#[inline(always)]
fn retry(call: Call, mut attempt: impl FnMut() -> isize) -> Result<usize, Error> {
    loop {
        match usize::try_from(attempt()) {
            Ok(result) => return Ok(result),
            Err(_) => interrupted(call)?,
        }
    }
}

/// Does what [`retry`] does, for a call whose wait is limited by the socket's timeout, the option
/// `SO_RCVTIMEO` or `SO_SNDTIMEO`.
///
/// The function tests for the expected result first. That one comparison also rules out failure, so
/// the success path has no second branch. The caller passes a range that ends at `isize::MAX` or
/// below.
///
/// The kernel starts the timeout again with each call, so under frequent signals the timeout would
/// never end. After the first signal this function allows one more timeout, and the kernel ends a
/// wait that has begun by then. The whole wait is therefore at most three times the timeout.
#[inline(always)]
fn retry_timed(
    fd: BorrowedFd<'_>,
    timeout: c_int,
    call: Call,
    expected: RangeInclusive<usize>,
    mut attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    debug_assert!(isize::try_from(*expected.end()).is_ok());
    let result = attempt();
    // As a usize, a failure is greater than the end of the range.
    if expected.contains(&(result as usize)) {
        return Ok(result as usize);
    }
    let result = retry_timed_after(result, fd, timeout, call, attempt)?;
    Ok(result.min(*expected.end()))
}

/// The range of all results that are not a failure.
const ANY: RangeInclusive<usize> = 0..=isize::MAX as usize;

/// Continues [`retry_timed`] after a first attempt whose result was not the expected one. The
/// function is cold and out of line so that an `attempt` that succeeds at once keeps its arguments
/// in registers.
#[cold]
#[inline(never)]
fn retry_timed_after(
    mut result: isize,
    fd: BorrowedFd<'_>,
    timeout: c_int,
    call: Call,
    mut attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    let mut end = None;
    loop {
        if let Ok(result) = usize::try_from(result) {
            return Ok(result);
        }
        interrupted_before(&mut end, fd, timeout, call)?;
        result = attempt();
    }
}

/// Returns the error of a call that has failed, unless a signal interrupted it.
#[cold]
#[inline(never)]
fn interrupted(call: Call) -> Result<(), Error> {
    match Errno::from_raw(sys::errno()) {
        Errno::EINTR => Ok(()),
        errno => Err(Error::new(call, errno)),
    }
}

/// Does what [`interrupted`] does until `end`: the instant at which a wait that began with the
/// first interruption has used up the socket's timeout. That instant never comes if the socket has
/// no timeout, or if the timeout cannot be read.
fn interrupted_before(
    end: &mut Option<u64>,
    fd: BorrowedFd<'_>,
    option: c_int,
    call: Call,
) -> Result<(), Error> {
    interrupted(call)?;
    let now = monotonic_clock();
    let end = *end.get_or_insert_with(|| match timeout(fd, option) {
        Ok(Some(timeout)) => now.saturating_add(nanoseconds(timeout)),
        _ => u64::MAX,
    });
    match now < end {
        true => Ok(()),
        false => Err(Error::new(call, Errno::EAGAIN)),
    }
}

/// Returns the owner of a socket's descriptor that a call has just returned, and sets the flags
/// that the system could not set when it made the socket.
#[inline]
fn adopt_new(fd: c_int, nonblocking: bool) -> Result<OwnedFd, Error> {
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    #[cfg(have_sock_cloexec)]
    let _ = nonblocking;
    #[cfg(not(have_sock_cloexec))]
    {
        use crate::fd::AsFd;
        retry(Call::Fcntl, || {
            // SAFETY: F_SETFD takes an int and changes only the descriptor.
            unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_SETFD, sys::FD_CLOEXEC) as isize }
        })?;
        if nonblocking {
            set_nonblocking(fd.as_fd(), true)?;
        }
    }
    #[cfg(have_so_nosigpipe)]
    {
        use crate::fd::AsFd;
        match setsockopt(fd.as_fd(), sys::SO_NOSIGPIPE, &1) {
            // The peer of an accepted socket has already closed. The peer may have sent data
            // before, so this is not an error.
            Err(error) if error.errno() == Errno::EINVAL => {}
            set => set?,
        }
    }
    Ok(fd)
}

/// Returns the time of a clock that never moves back, in nanoseconds, by
/// `clock_gettime(CLOCK_MONOTONIC)`. The result is not a [`Duration`], because adding and
/// subtracting durations links code that panics.
pub(crate) fn monotonic_clock() -> u64 {
    let mut now = MaybeUninit::<sys::timespec>::zeroed();
    // SAFETY: `now` has space for a timespec. The call cannot fail, because every system has this
    // clock.
    unsafe { sys::clock_gettime(sys::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: a timespec may be all zeroes, and the kernel wrote a valid one.
    let now = unsafe { now.assume_init() };
    let seconds = (now.tv_sec as u64).saturating_mul(1_000_000_000);
    seconds.saturating_add(now.tv_nsec as u64)
}

/// Returns a length of time in nanoseconds, or `u64::MAX`, which is 584 years, if the length is
/// more.
pub(crate) fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::AsFd;

    #[test]
    fn retry_returns_no_more_than_there_can_be() {
        let (socket, _peer) = socketpair(sys::SOCK_STREAM, false).unwrap();
        for (returned, expected) in [(0, 0), (1, 1), (7, 7), (8, 8), (9, 8), (isize::MAX, 8)] {
            for range in [8..=8, 1..=8, 0..=8] {
                let fd = socket.as_fd();
                let result = retry_timed(fd, sys::SO_SNDTIMEO, Call::Send, range, || returned);
                assert_eq!(result, Ok(expected));
            }
        }
        #[allow(
            clippy::reversed_empty_ranges,
            reason = "nothing is expected of a receive of no bytes"
        )]
        for range in [0..=0, 1..=0] {
            let fd = socket.as_fd();
            let result = retry_timed(fd, sys::SO_RCVTIMEO, Call::Recv, range, || 0);
            assert_eq!(result, Ok(0));
        }
    }
}
