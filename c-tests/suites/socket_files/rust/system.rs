//! Functions for modes and namespaces, for both Rust lanes. `c/socket_files.c` and `c/mode.c` do
//! the same in C.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use libc::pid_t;
use sunpath_sys as sys;
use sys::mode_t;

use crate::line::{self, step};
use crate::process::{self, check};

/// The umask of every case that does not set another one.
pub(crate) const USUAL_UMASK: mode_t = 0o022;

pub(crate) fn set_umask(mask: mode_t) {
    // SAFETY: umask takes an integer and cannot fail.
    unsafe { sys::umask(mask) };
}

pub(crate) fn try_umask(mask: mode_t) {
    set_umask(mask);
    step!("umask({mask:04o})");
}

pub(crate) fn try_chmod(path: &str, mode: u32) {
    let changed = fs::set_permissions(path, Permissions::from_mode(mode));
    step!("chmod(\"{path}\", {mode:04o})");
    line::result(changed.map_or_else(
        |error| Err(error.raw_os_error().unwrap_or(0)),
        |()| Ok("ok"),
    ));
}

pub(crate) fn mode_of(path: &str) -> u32 {
    let status = fs::symlink_metadata(path).expect("the file is there");
    status.mode() & 0o7777
}

pub(crate) fn ask_mode(path: &str) {
    step!("mode(\"{path}\") = {:04o}", mode_of(path));
}

/// Enters a new network namespace. A child calls this function. If this system does not allow that,
/// it prints the reason in place of the case.
pub(crate) fn leave_network() -> bool {
    let left = process::unshare(libc::CLONE_NEWNET)
        || process::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET);
    if !left {
        print!("not run: needs a namespace");
    }
    left
}

/// Sends SIGKILL, as a step.
pub(crate) fn try_kill(child: pid_t) {
    // SAFETY: kill takes integers, no pointers.
    check("kill", unsafe { libc::kill(child, libc::SIGKILL) });
    assert_eq!(process::wait(child), -libc::SIGKILL, "how a child ended");
    step!("kill(child, SIGKILL)");
}
