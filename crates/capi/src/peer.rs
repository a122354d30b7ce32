//! Tells who the peer is.

use core::ffi::c_int;

use sunpath_rs::fd::IntoRawFd;
use sunpath_rs::{SocketRef, Stream};

use crate::argument::{Number, buffer};
use crate::failure::{give, returned};

/// Returns the credentials of the peer.
///
/// # Safety
///
/// - As the header says: each pointer is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_peer_cred(
    socket: c_int,
    ret_pid: *mut libc::pid_t,
    ret_uid: *mut libc::uid_t,
    ret_gid: *mut libc::gid_t,
    ret_error: *mut u64,
) -> c_int {
    let ask = || {
        let socket = Number::new(socket, 1)?;
        let peer = SocketRef::<Stream>::from(&socket).peer_cred()?;
        // SAFETY: the caller guarantees the pointer.
        unsafe { give(ret_pid, peer.pid().unwrap_or(0)) };
        // SAFETY: as above.
        unsafe { give(ret_uid, peer.uid()) };
        // SAFETY: as above.
        unsafe { give(ret_gid, peer.gid()) };
        Ok(0)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(ask(), ret_error) }
}

/// Returns a descriptor of the peer's process.
///
/// # Safety
///
/// - `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_peer_pidfd(socket: c_int, ret_error: *mut u64) -> c_int {
    let ask = || {
        let socket = Number::new(socket, 1)?;
        let pidfd = SocketRef::<Stream>::from(&socket).peer_pidfd()?;
        Ok(pidfd.into_raw_fd())
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(ask(), ret_error) }
}

/// Returns the supplementary groups of the peer.
///
/// # Safety
///
/// - As the header says: `max_count` numbers can be written, and `ret_error` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sunpath_peer_groups(
    socket: c_int,
    ret_groups: *mut libc::gid_t,
    max_count: usize,
    ret_error: *mut u64,
) -> isize {
    let ask = || {
        let socket = Number::new(socket, 1)?;
        let socket = SocketRef::<Stream>::from(&socket);
        if max_count == 0 {
            return Ok(socket.peer_group_count()? as isize);
        }
        let size = max_count.saturating_mul(size_of::<libc::gid_t>());
        // SAFETY: the caller guarantees the bytes.
        let bytes = unsafe { buffer(ret_groups.cast(), size, 2) }?;
        // SAFETY: every four bytes are a number, and C's pointer is aligned for numbers.
        let (_, groups, _) = unsafe { bytes.align_to_mut() };
        // The kernel may write into the buffer even if not all groups fit and the call fails.
        Ok(socket.peer_groups(groups)?.len() as isize)
    };
    // SAFETY: the caller guarantees the pointer.
    unsafe { returned(ask(), ret_error) }
}
