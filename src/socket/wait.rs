//! Sets whether calls wait and how long, and waits until a socket is ready.

use core::ffi::{c_int, c_short};
use core::time::Duration;

use sunpath_sys as sys;

use super::{Kind, Socket};
use crate::deadline::Deadline;
use crate::error::{Call, Cause, Errno, Error};
use crate::fd::AsFd;
use crate::syscall;

/// Methods that wait. The methods do not change the socket for other processes that share it.
impl<T: Kind> Socket<T> {
    /// `poll(fd, POLLIN, timeout)` — waits until a receive would not have to wait, and returns
    /// whether that happened within `timeout`. With `None` the wait has no limit.
    ///
    /// A receive does not wait if there is something to receive, and also at the end of the
    /// connection and after an error. Another process or thread that has the same socket can take
    /// the data before this thread does.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// A pool checks whether an idle connection is still good, without receiving anything:
    ///
    /// ```
    /// use std::time::Duration;
    /// # use sunpath::UnixStream;
    ///
    /// let (idle, peer) = UnixStream::pair()?;
    /// assert!(!idle.wait_readable(Some(Duration::ZERO))?); // nothing came, and nobody left
    /// drop(peer);
    /// assert!(idle.wait_readable(Some(Duration::ZERO))?);
    /// assert_eq!(idle.peek(&mut [0])?, 0); // the end
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See poll(2).
    #[doc(alias = "poll")]
    #[doc(alias = "POLLIN")]
    pub fn wait_readable(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        self.wait_for(sys::POLLIN, timeout)
    }

    /// `poll(fd, POLLOUT, timeout)` — waits until a send would not have to wait, and returns
    /// whether that happened within `timeout`. With `None` the wait has no limit.
    ///
    /// A send does not wait if there is space in the queue, and also if the peer has closed. A
    /// datagram socket that is not connected counts as writable, even if the queue of the receiver
    /// is full.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair_nonblocking()?;
    /// while ours.write(&[0; 4096]).is_ok() {} // until the queue is full
    /// assert!(!ours.wait_writable(Some(Duration::from_millis(1)))?);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See poll(2).
    #[doc(alias = "poll")]
    #[doc(alias = "POLLOUT")]
    pub fn wait_writable(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        self.wait_for(sys::POLLOUT, timeout)
    }

    fn wait_for(&self, events: c_short, timeout: Option<Duration>) -> Result<bool, Error> {
        let deadline = timeout.map(Deadline::after);
        loop {
            let milliseconds = deadline.map_or(-1, Deadline::left_milliseconds);
            match syscall::poll_for(self.as_fd(), events, milliseconds) {
                Err(error) if error.errno() == Errno::EINTR => {}
                // A wait can be longer than the longest timeout of poll(2), and then poll(2) is
                // called again.
                Ok(false) if deadline.is_none_or(|deadline| deadline.left().is_some()) => {}
                polled => return polled,
            }
        }
    }
}

/// Methods that set whether and how long calls wait, for every process that has the socket.
impl<T: Kind> Socket<T> {
    /// `ioctl(fd, FIONBIO, &on)` — sets whether calls that would wait fail with `EAGAIN` instead,
    /// for every descriptor of this socket.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_nonblocking(true)?;
    /// assert!(ours.read(&mut [0; 16]).unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2), "O_NONBLOCK".
    #[doc(alias = "FIONBIO")]
    #[doc(alias = "O_NONBLOCK")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), Error> {
        syscall::set_nonblocking(self.as_fd(), nonblocking)
    }

    /// `fcntl(fd, F_GETFL) & O_NONBLOCK` — returns whether the socket is nonblocking.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// assert!(!ours.nonblocking()?); // sockets wait unless they are told not to
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See fcntl(2).
    #[doc(alias = "F_GETFL")]
    pub fn nonblocking(&self) -> Result<bool, Error> {
        syscall::nonblocking(self.as_fd())
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ...)` — sets how long receiving waits before it
    /// fails with `EAGAIN`; `None` means forever.
    ///
    /// On macOS and FreeBSD the timeout of a listener has no effect: call
    /// [`accept_timeout`](super::Listener::accept_timeout).
    ///
    /// The kernel counts in clock ticks (1 to 10 ms) and rounds up. If the kernel cannot count that
    /// many seconds, the call waits forever, and the timeout is read as `None`. A `time_t` of 32
    /// bits counts 68 years. However many signals arrive, the wait is not longer than three times
    /// the timeout.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the timeout is zero, which in C would mean an endless wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// # use sunpath::UnixStream;
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_read_timeout(Some(Duration::from_millis(10)))?;
    /// assert!(ours.read(&mut [0; 16]).unwrap_err().is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.set_timeout(sys::SO_RCVTIMEO, timeout)
    }

    /// `setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, ...)` — sets how long a send, or a connect to a
    /// full queue, waits before it fails with `EAGAIN`; `None` means forever.
    ///
    /// Rounding and signals have the effects that [`set_read_timeout`](Self::set_read_timeout)
    /// describes.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the timeout is zero, which in C would mean an endless wait.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// ours.set_write_timeout(Some(Duration::from_millis(20)))?;
    /// let full = ours.write_all(&[0; 1 << 20]).unwrap_err(); // nobody reads
    /// assert!(full.is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<(), Error> {
        self.set_timeout(sys::SO_SNDTIMEO, timeout)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ...)` — returns how long receiving waits; `None`
    /// means forever.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// assert_eq!(ours.read_timeout()?, None); // a read waits forever
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See socket(7).
    #[doc(alias = "SO_RCVTIMEO")]
    pub fn read_timeout(&self) -> Result<Option<Duration>, Error> {
        syscall::timeout(self.as_fd(), sys::SO_RCVTIMEO)
    }

    /// `getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, ...)` — returns how long sending waits; `None`
    /// means forever.
    ///
    /// # Errors
    ///
    /// - `EBADF`: only if the descriptor was closed elsewhere while the socket owned it.
    ///
    /// See socket(7).
    #[doc(alias = "SO_SNDTIMEO")]
    pub fn write_timeout(&self) -> Result<Option<Duration>, Error> {
        syscall::timeout(self.as_fd(), sys::SO_SNDTIMEO)
    }

    fn set_timeout(&self, option: c_int, timeout: Option<Duration>) -> Result<(), Error> {
        if timeout == Some(Duration::ZERO) {
            return Err(Error::with_cause(
                Call::Setsockopt,
                Errno::EINVAL,
                Cause::ZeroTimeout,
            ));
        }
        let timeval = timeval_from(timeout.unwrap_or_default());
        syscall::setsockopt(self.as_fd(), option, &timeval)
    }
}

/// Returns the time in the form of the socket options. A time under a microsecond becomes a
/// microsecond, because zero means forever. If the seconds do not fit, the greatest value that fits
/// is used.
fn timeval_from(timeout: Duration) -> sys::timeval {
    let micros = timeout.subsec_nanos().div_ceil(1000);
    let (carry, micros) = (micros / 1_000_000, micros % 1_000_000);
    let seconds = timeout.as_secs().saturating_add(u64::from(carry));
    // The first value that fits is used, because time_t has 64 or 32 bits.
    let fitting = [seconds, i64::MAX as u64, i32::MAX as u64];
    sys::timeval {
        tv_sec: fitting
            .into_iter()
            .find_map(|fits| fits.try_into().ok())
            .unwrap_or_default(),
        tv_usec: micros as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_timeout_of_a_nanosecond_is_a_microsecond() {
        let timeval = timeval_from(Duration::from_nanos(1));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (0, 1));
    }

    #[test]
    fn socket_timeout_just_under_a_second_carries() {
        let timeval = timeval_from(Duration::from_nanos(999_999_001));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (1, 0));
        let timeval = timeval_from(Duration::from_micros(999_999));
        assert_eq!((timeval.tv_sec, timeval.tv_usec), (0, 999_999));
    }

    #[test]
    fn socket_timeout_of_all_time_fits() {
        let timeval = timeval_from(Duration::MAX);
        assert_eq!((timeval.tv_sec.checked_add(1), timeval.tv_usec), (None, 0));
    }
}
