//! The connect(2) of a client that waits for a server until a deadline.

use sunpath_sys as sys;

use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::BorrowedFd;
use crate::syscall::raw_connect;

/// Connects by connect(2). If a signal interrupts the call, it is not repeated, and `EINTR` is
/// returned.
pub(crate) fn connect_once(
    dir: BorrowedFd<'_>,
    fd: BorrowedFd<'_>,
    addr: &UnixAddr,
) -> Result<(), Error> {
    match raw_connect(dir, fd, addr) {
        0 => Ok(()),
        _ => Err(Error::new(Call::Connect, Errno::from_raw(sys::errno()))),
    }
}
