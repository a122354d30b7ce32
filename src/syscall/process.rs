//! The process and its user.

use sunpath_sys as sys;

/// The process.
pub(crate) fn getpid() -> sys::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { sys::getpid() }
}

/// The process's real user and group.
pub(crate) fn real_ids() -> (sys::uid_t, sys::gid_t) {
    // SAFETY: takes nothing and cannot fail, as the one below.
    let uid = unsafe { sys::getuid() };
    // SAFETY: as above.
    let gid = unsafe { sys::getgid() };
    (uid, gid)
}
