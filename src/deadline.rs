//! A point in time at which a wait ends, by the monotonic clock.

use core::ffi::c_int;
use core::time::Duration;

use crate::syscall;

/// The time at which a wait ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// The nanoseconds since the clock's own beginning. A later time is stored as `u64::MAX`, which
    /// is reached after 584 years.
    at: u64,
}

impl Deadline {
    /// Makes the deadline at which a timeout that begins now ends.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self {
            at: syscall::monotonic_clock().saturating_add(syscall::nanoseconds(timeout)),
        }
    }

    /// Returns how much time is left, or `None` if the deadline has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        match self.left_nanoseconds() {
            0 => None,
            left => Some(Duration::from_nanos(left)),
        }
    }

    /// Returns how much time is left, in the unit of poll(2): rounded up, and 0 once the deadline
    /// has passed.
    pub(crate) fn left_milliseconds(self) -> c_int {
        let left = self.left_nanoseconds().div_ceil(1_000_000);
        c_int::try_from(left).unwrap_or(c_int::MAX)
    }

    fn left_nanoseconds(self) -> u64 {
        self.at.saturating_sub(syscall::monotonic_clock())
    }
}

/// Sleeps for a number of milliseconds, even if signals arrive meanwhile.
pub(crate) fn sleep(milliseconds: u16) {
    let end = Deadline::after(Duration::from_millis(milliseconds.into()));
    loop {
        match end.left_milliseconds() {
            0 => return,
            left => syscall::pause(left),
        }
    }
}
