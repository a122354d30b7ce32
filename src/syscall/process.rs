//! The process and its user.

use sunpath_sys as sys;

/// Returns the pid of this process.
pub(crate) fn getpid() -> sys::pid_t {
    // SAFETY: the call takes no argument and cannot fail.
    unsafe { sys::getpid() }
}

/// Returns the process's real user and group.
pub(crate) fn real_ids() -> (sys::uid_t, sys::gid_t) {
    // SAFETY: the call takes no argument and cannot fail.
    let uid = unsafe { sys::getuid() };
    // SAFETY: the call takes no argument and cannot fail.
    let gid = unsafe { sys::getgid() };
    (uid, gid)
}
