//! Asks for the credentials of a socket's peer, by the call that each system has.

use core::ffi::c_int;

use sunpath_sys as sys;

use crate::error::Error;
use crate::fd::BorrowedFd;

/// The effective user, the effective group and the pid. The pid is 0 if the system does not report
/// it.
pub(crate) type PeerIds = (sys::uid_t, sys::gid_t, c_int);

#[cfg(have_so_peercred)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    let sys::ucred { pid, uid, gid } = super::getsockopt(fd, sys::SO_PEERCRED)?;
    Ok((uid, gid, pid))
}

#[cfg(have_sockpeercred)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    let sys::sockpeercred { uid, gid, pid } = super::getsockopt(fd, sys::SO_PEERCRED)?;
    Ok((uid, gid, pid))
}

#[cfg(have_unpcbid)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    let ids: sys::unpcbid = super::getsockopt_at(fd, sys::SOL_LOCAL, sys::LOCAL_PEEREID)?;
    Ok((ids.unp_euid, ids.unp_egid, ids.unp_pid))
}

/// Reads the pid from the struct, too. On systems without a pid in the struct, there is a null
/// pointer in its place, which reads as 0.
#[cfg(have_xucred)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    use crate::error::{Call, Errno};

    let ids: sys::xucred = super::getsockopt_at(fd, sys::SOL_LOCAL, sys::LOCAL_PEERCRED)?;
    if ids.cr_version != sys::XUCRED_VERSION as _ {
        return Err(Error::new(Call::Getsockopt, Errno::ENOPROTOOPT));
    }
    // SAFETY: the kernel wrote all of the struct, and any bytes are a valid pid.
    let pid = unsafe { ids.cr_pid__c_anonymous_union.cr_pid };
    Ok((ids.cr_uid, ids.cr_groups[0], pid))
}

#[cfg(have_getpeerucred)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    use crate::error::Call;
    use crate::fd::AsRawFd;

    let mut ids = core::ptr::null_mut();
    super::retry(Call::Getsockopt, || {
        // SAFETY: `ids` is a live pointer, which the call sets to memory that it allocates.
        unsafe { sys::getpeerucred(fd.as_raw_fd(), &mut ids) as isize }
    })?;
    // SAFETY: `ids` points to credentials, because getpeerucred(3C) succeeded.
    let uid = unsafe { sys::ucred_geteuid(ids) };
    // SAFETY: `ids` points to credentials.
    let gid = unsafe { sys::ucred_getegid(ids) };
    // SAFETY: `ids` points to credentials.
    let pid = unsafe { sys::ucred_getpid(ids) };
    // SAFETY: `ids` points to credentials, which nothing uses from here on.
    unsafe { sys::ucred_free(ids) };
    Ok((uid, gid, pid.max(0)))
}

#[cfg(have_getpeereid)]
pub(crate) fn peer_ids(fd: BorrowedFd<'_>) -> Result<PeerIds, Error> {
    use crate::error::Call;
    use crate::fd::AsRawFd;

    let (mut uid, mut gid) = (0, 0);
    super::retry(Call::Getsockopt, || {
        // SAFETY: both pointers point to live integers of the right types.
        unsafe { sys::getpeereid(fd.as_raw_fd(), &mut uid, &mut gid) as isize }
    })?;
    #[cfg(have_local_peerpid)]
    let pid = super::getsockopt_at(fd, sys::SOL_LOCAL, sys::LOCAL_PEERPID);
    #[cfg(not(have_local_peerpid))]
    let pid = Ok(0);
    Ok((uid, gid, reported_pid(pid)))
}

/// Returns the pid, or 0 if the system refused it: after the peer has closed its socket, macOS
/// answers `ENOTCONN` for the pid, but still reports the uid and gid.
#[cfg(any(have_getpeereid, test))]
fn reported_pid(pid: Result<c_int, Error>) -> c_int {
    pid.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Call, Errno};

    #[test]
    fn peer_whose_pid_is_refused_has_none() {
        assert_eq!(reported_pid(Ok(7)), 7);
        let closed = Error::new(Call::Getsockopt, Errno::ENOTCONN);
        assert_eq!(reported_pid(Err(closed)), 0);
    }
}
