//! A point in time to wait until, by the monotonic clock.

use core::ffi::c_int;
use core::time::Duration;

use crate::syscall;

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// The time since the clock's own beginning; `None` if it is too far away to be a number.
    at: Option<Duration>,
}

impl Deadline {
    /// Makes the deadline that is this long from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self {
            at: syscall::monotonic_clock().checked_add(timeout),
        }
    }

    /// Returns how long it is from now; `None` when it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let Some(at) = self.at else {
            return Some(Duration::MAX);
        };
        at.checked_sub(syscall::monotonic_clock())
            .filter(|left| !left.is_zero())
    }

    /// Returns how long it is from now, in the unit of poll(2): rounded up, and 0 once it has
    /// passed.
    pub(crate) fn left_milliseconds(self) -> c_int {
        let left = self.left().unwrap_or_default();
        left.as_nanos()
            .div_ceil(1_000_000)
            .try_into()
            .unwrap_or(c_int::MAX)
    }
}

/// Sleeps for this many milliseconds, also if signals arrive meanwhile.
pub(crate) fn sleep(milliseconds: u16) {
    let end = Deadline::after(Duration::from_millis(milliseconds.into()));
    loop {
        match end.left_milliseconds() {
            0 => return,
            left => syscall::pause(left),
        }
    }
}
