//! Waits until a socket is ready.

use core::ffi::c_short;
use core::time::Duration;

use sunpath_sys as sys;

use super::{Kind, Socket};
use crate::deadline::Deadline;
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::syscall;

/// Methods that wait, without changing the socket for other processes that share it.
impl<T: Kind> Socket<T> {
    /// `poll(fd, POLLIN, timeout)` — waits until a receive would not have to wait, and returns
    /// whether that happened within `timeout`. `None` waits as long as needed.
    ///
    /// A receive does not wait if there is something to receive, and also at the end of the
    /// connection and after an error. Another process or thread that has the same socket can take
    /// the data first.
    ///
    /// # Errors
    ///
    /// - `ENOMEM`: no memory.
    ///
    /// # Examples
    ///
    /// A pool checks whether an idle connection is still good, without taking anything from it:
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
    /// whether that happened within `timeout`. `None` waits as long as needed.
    ///
    /// A send does not wait if there is space in the queue, and also if the peer has closed. A
    /// datagram socket that is not connected counts as writable, whatever the queue of the receiver
    /// is.
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
                // A wait can be longer than poll(2) can count.
                Ok(false) if deadline.is_none_or(|deadline| deadline.left().is_some()) => {}
                polled => return polled,
            }
        }
    }
}
