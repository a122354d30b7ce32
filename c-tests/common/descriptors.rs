//! The descriptors of this process: how many are open, how many may be open, and an option that
//! makes one. `descriptors.c` is the same in C.

use libc::c_int;
use sunpath_sys as sys;

use crate::line::step;
use crate::process::check;

/// A limit of open descriptors. It is higher than the number that any case opens, and low enough to
/// ask about each descriptor.
const LIMIT: c_int = 1024;

fn get_limit() -> libc::rlimit {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    check("getrlimit", result);
    limit
}

/// Sets the limit to this many descriptors.
pub(crate) fn allow(count: c_int) {
    let mut limit = get_limit();
    limit.rlim_cur = libc::rlim_t::try_from(count).expect("a count");
    // SAFETY: `limit` is live.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    check("setrlimit", result);
}

/// Returns whether the hard limit lets this process have 1024 descriptors, which is more than any
/// case opens.
pub(crate) fn may_have_many() -> bool {
    c_int::try_from(get_limit().rlim_max).map_or(true, |hard| hard >= LIMIT)
}

/// Returns whether the kernel has the option `SO_PEERPIDFD`.
pub(crate) fn has_peer_pidfd() -> bool {
    let (mut pidfd, mut len) = (-1, size_of::<c_int>() as sys::socklen_t);
    // SAFETY: socket takes integers, no pointers.
    let s = check("socket", unsafe {
        sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, 0)
    });
    let at = (&raw mut pidfd).cast();
    // SAFETY: pidfd has space for the `len` bytes that the kernel may write.
    let asked = unsafe { sys::getsockopt(s, sys::SOL_SOCKET, sys::SO_PEERPIDFD, at, &mut len) };
    // The socket has no peer, so no descriptor is made.
    let lacks = asked < 0 && sys::errno() == sys::ENOPROTOOPT;
    // SAFETY: this function made the descriptor, and does not use it again.
    unsafe { sys::close(s) };
    !lacks
}

/// Sets the limit of open descriptors to 1024, or to the hard limit if that is lower. The program
/// calls this function before the first case, and after a part of a case that has changed the
/// limit.
pub(crate) fn allow_usual() {
    let hard = get_limit().rlim_max;
    allow(c_int::try_from(hard).map_or(LIMIT, |hard| hard.min(LIMIT)));
}

fn is_open(fd: c_int) -> bool {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    unsafe { sys::fcntl(fd, sys::F_GETFD) >= 0 }
}

/// Returns how many descriptors are open. The function asks about each descriptor, because
/// `/proc/self/fd` would need one more descriptor, which a process at its limit does not get.
pub(crate) fn open_descriptors() -> usize {
    (0..LIMIT).filter(|fd| is_open(*fd)).count()
}

/// Sets the limit to this many more descriptors than are open, and prints that as a step of the
/// line.
pub(crate) fn allow_more(count: usize) {
    step!("RLIMIT_NOFILE for {count} more");
    let mut free = (0..LIMIT).filter(|fd| !is_open(*fd));
    allow(free.nth(count).expect("the process has not all of them"));
}
