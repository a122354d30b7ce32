//! The socket by which the kernel answers questions about sockets, sock_diag(7).

#[cfg(have_sock_diag)]
use core::ffi::c_int;

#[cfg(have_sock_diag)]
use sunpath_sys as sys;

#[cfg(have_sock_diag)]
use super::{adopt_new, retry};
#[cfg(not(have_sock_diag))]
use crate::error::Errno;
use crate::error::{Call, Error};
use crate::fd::OwnedFd;

/// Makes a netlink socket for sock_diag(7). It belongs to the network namespace of this thread. It
/// fails with `EPROTONOSUPPORT` if the kernel has no sock_diag.
#[cfg(have_sock_diag)]
pub(crate) fn sock_diag() -> Result<OwnedFd, Error> {
    let fd = retry(Call::Socket, || {
        let kind = sys::SOCK_RAW | sys::SOCK_CLOEXEC;
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::socket(sys::AF_NETLINK, kind, sys::NETLINK_SOCK_DIAG) as isize }
    })?;
    adopt_new(fd as c_int, false)
}

/// Fails with `EPROTONOSUPPORT`, because this system has no sock_diag(7).
#[cfg(not(have_sock_diag))]
pub(crate) fn sock_diag() -> Result<OwnedFd, Error> {
    Err(Error::new(Call::Socket, Errno::EPROTONOSUPPORT))
}
