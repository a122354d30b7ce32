//! The process: who it is, and numbers that nobody foresees.

use sunpath_sys as sys;

#[cfg(have_getrandom)]
use super::retry;
#[cfg(have_getrandom)]
use crate::error::Call;
use crate::error::Error;

/// The process's effective user.
pub(crate) fn geteuid() -> sys::uid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { sys::geteuid() }
}

/// A number that nobody foresees.
pub(crate) fn unforeseen() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    let (room, size) = (bytes.as_mut_ptr().cast(), bytes.len());
    #[cfg(have_getrandom)]
    // SAFETY: room is writable for size bytes; so few come whole or not at all.
    retry(Call::Getrandom, || unsafe { sys::getrandom(room, size, 0) })?;
    #[cfg(not(have_getrandom))]
    // SAFETY: room is writable for size bytes.
    unsafe {
        sys::arc4random_buf(room, size)
    };
    Ok(u64::from_ne_bytes(bytes))
}

/// The process.
pub(crate) fn getpid() -> sys::pid_t {
    // SAFETY: takes nothing and cannot fail.
    unsafe { sys::getpid() }
}

/// Which process: its number, and the one that no other gets until the next boot.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pid: sys::pid_t,
    pidfd_id: Option<u64>,
}

impl Process {
    /// This one.
    pub(crate) fn current() -> Self {
        Self {
            pid: getpid(),
            pidfd_id: own_pidfd_id(),
        }
    }

    /// Whether it is this one, and not a child that was forked: one that has the same number in a pid
    /// namespace of its own neither, where the kernel can tell.
    pub(crate) fn is_current(&self) -> bool {
        let can_tell = || self.pidfd_id.zip(own_pidfd_id());
        self.pid == getpid() && can_tell().is_none_or(|(then, now)| then == now)
    }
}

/// The process's real user and group.
pub(crate) fn real_ids() -> (sys::uid_t, sys::gid_t) {
    // SAFETY: takes nothing and cannot fail, as the one below.
    let uid = unsafe { sys::getuid() };
    // SAFETY: as above.
    let gid = unsafe { sys::getgid() };
    (uid, gid)
}

/// The number of this process that no other gets until the next boot: the inode of its pidfd.
/// `None` where the kernel has none (before Linux 6.9), or where it has more bits than `st_ino`.
#[cfg(have_pidfd)]
pub(crate) fn own_pidfd_id() -> Option<u64> {
    use core::ffi::{c_int, c_uint};
    use core::mem::MaybeUninit;

    use crate::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

    let pid = getpid();
    // SAFETY: takes numbers alone: a process and no flags.
    let fd = unsafe { sys::syscall(sys::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the kernel has just made this descriptor for us; nobody else knows its number.
    let pidfd = unsafe { OwnedFd::from_raw_fd(fd as c_int) };
    let mut statfs = MaybeUninit::<sys::statfs>::zeroed();
    // SAFETY: statfs is room for a struct statfs.
    if unsafe { sys::fstatfs(pidfd.as_raw_fd(), statfs.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: all zeroes is a valid struct statfs, and so is what the kernel wrote.
    let file_system = unsafe { statfs.assume_init() }.f_type;
    let stat = super::fstat(pidfd.as_fd()).ok()?.0;
    let unique = file_system as c_uint == sys::PID_FS_MAGIC && size_of_val(&stat.st_ino) == 8;
    unique.then_some(stat.st_ino as u64)
}

#[cfg(not(have_pidfd))]
pub(crate) fn own_pidfd_id() -> Option<u64> {
    None
}
