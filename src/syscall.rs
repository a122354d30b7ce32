//! The one room with `unsafe`: each call of the system as a safe function over borrowed
//! descriptors, typed addresses and slices. What the kernel does not promise is not assumed, and
//! three rules are kept here so that nobody above has to think of them:
//!
//! - a new descriptor is owned and close-on-exec before anything else can happen,
//! - nothing sent raises `SIGPIPE`,
//! - a call that a signal interrupts is made again, and its timeout comes to an end all the same.

mod batch;
mod control;
mod descriptor;
mod dir;
mod file;
#[cfg(feature = "std")]
mod inherit;
mod message;
mod option;
mod process;
mod socket;

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::time::Duration;

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
#[cfg(not(have_sock_cloexec))]
use crate::fd::AsRawFd;
use crate::fd::{BorrowedFd, FromRawFd, OwnedFd};

pub(crate) use self::batch::*;
pub use self::control::Descriptors;
#[cfg(test)]
pub(crate) use self::control::without_descriptors;
pub(crate) use self::control::{OwnedControl, zeroed};
pub(crate) use self::descriptor::*;
pub(crate) use self::dir::*;
pub(crate) use self::file::*;
#[cfg(feature = "std")]
pub(crate) use self::inherit::{Inherited, NotInherited, inherit};
pub(crate) use self::message::*;
pub(crate) use self::option::*;
pub(crate) use self::process::*;
pub(crate) use self::socket::*;

/// Flags for every new socket: close-on-exec from birth, where the system can do that.
#[cfg(have_sock_cloexec)]
const BIRTH: c_int = sys::SOCK_CLOEXEC;
#[cfg(not(have_sock_cloexec))]
const BIRTH: c_int = 0;

/// Makes a call again as long as a signal interrupts it; its result, or its errno.
#[inline(always)]
fn retry(call: Call, mut attempt: impl FnMut() -> isize) -> Result<usize, Error> {
    loop {
        match usize::try_from(attempt()) {
            Ok(result) => return Ok(result),
            Err(_) => interrupted(call)?,
        }
    }
}

/// [`retry`] of a call that waits no longer than a timeout of its socket says, `SO_RCVTIMEO` or
/// `SO_SNDTIMEO`, and whose result is `most` at most. Whether it returned what is `usual` is asked first,
/// and answers whether it failed: who asks the result again pays nothing for it.
///
/// The kernel begins a timeout anew with each call, so under signals that come more often it would
/// never end. Once a signal has come, one more timeout is waited, and a wait that has begun by then
/// ends by the kernel's clock: three times the timeout is the most.
#[inline(always)]
fn retry_usual(
    (fd, timeout): (BorrowedFd<'_>, c_int),
    call: Call,
    most: usize,
    usual: impl FnOnce(isize) -> bool,
    mut attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    let result = match attempt() {
        result if usual(result) => return Ok(result as usize),
        result => retry_timed_after(result, fd, timeout, call, attempt)?,
    };
    Ok(result.min(most))
}

/// [`retry_usual`] of a call of which any result will do.
#[inline(always)]
fn retry_timed(
    fd: BorrowedFd<'_>,
    timeout: c_int,
    call: Call,
    attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    let socket = (fd, timeout);
    retry_usual(socket, call, usize::MAX, |result| result >= 0, attempt)
}

/// [`retry_usual`] of a call that sends so many, all of them as a rule.
#[inline(always)]
fn retry_send(
    fd: BorrowedFd<'_>,
    call: Call,
    count: usize,
    attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    let socket = (fd, sys::SO_SNDTIMEO);
    retry_usual(socket, call, count, |sent| sent as usize == count, attempt)
}

/// [`retry_usual`] of a call that receives so many at most, one at least as a rule.
#[inline(always)]
fn retry_recv(
    fd: BorrowedFd<'_>,
    call: Call,
    most: usize,
    attempt: impl FnMut() -> isize,
) -> Result<usize, Error> {
    let socket = (fd, sys::SO_RCVTIMEO);
    retry_usual(
        socket,
        call,
        most,
        |came| came > 0 && came as usize <= most,
        attempt,
    )
}

/// The same after the first attempt, which did not return what is usual. An `attempt` that has copied
/// what it needs leaves those that succeed at once in registers.
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

/// The errno of a call that has failed, unless it was interrupted. Out of the way of those that
/// succeed, as the function below.
#[cold]
#[inline(never)]
fn interrupted(call: Call) -> Result<(), Error> {
    match Errno::from_raw(sys::errno()) {
        Errno::EINTR => Ok(()),
        errno => Err(Error::new(call, errno)),
    }
}

/// The same until `end`, which is when a wait that begins with the first interruption has used up
/// the socket's timeout: never, where it has none, or where that cannot be asked.
fn interrupted_before(
    end: &mut Option<Duration>,
    fd: BorrowedFd<'_>,
    option: c_int,
    call: Call,
) -> Result<(), Error> {
    interrupted(call)?;
    let now = monotonic_clock();
    let end = *end.get_or_insert_with(|| match timeout(fd, option) {
        Ok(Some(timeout)) => now.saturating_add(timeout),
        _ => Duration::MAX,
    });
    match now < end {
        true => Ok(()),
        false => Err(Error::new(call, Errno::EAGAIN)),
    }
}

/// Takes over a descriptor that a call has just returned, and does what the system could not do
/// at its birth.
#[inline]
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
        match setsockopt(fd.as_fd(), sys::SO_NOSIGPIPE, &1) {
            // Of an accepted socket whose peer is gone already, which may have left data.
            Err(error) if error.errno() == Errno::EINVAL => {}
            set => set?,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::AsFd;

    #[test]
    fn retry_returns_no_more_than_there_can_be() {
        let (socket, _peer) = socketpair(sys::SOCK_STREAM).unwrap();
        for (returned, expected) in [(0, 0), (1, 1), (7, 7), (8, 8), (9, 8), (isize::MAX, 8)] {
            let sent = retry_send(socket.as_fd(), Call::Send, 8, || returned);
            assert_eq!(sent, Ok(expected));
            let received = retry_recv(socket.as_fd(), Call::Recv, 8, || returned);
            assert_eq!(received, Ok(expected));
        }
        assert_eq!(retry_send(socket.as_fd(), Call::Send, 0, || 0), Ok(0));
        assert_eq!(retry_recv(socket.as_fd(), Call::Recv, 0, || 0), Ok(0));
    }
}
