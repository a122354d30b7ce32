//! Functions for both Rust lanes that `sunpath` does not have: readiness by poll(2), close-on-exec,
//! and the limit of descriptors.

use std::ffi::c_int;
use std::sync::Mutex;

use sunpath_sys as sys;

/// Returns the name of the current errno value, or "E?" if it has none.
pub(crate) fn failure() -> String {
    sys::errno_name(sys::errno()).unwrap_or("E?").to_owned()
}

pub(crate) fn ok(result: c_int) -> String {
    if result < 0 {
        failure()
    } else {
        "ok".to_owned()
    }
}

const EVENTS: [(&str, i16); 6] = [
    ("IN", sys::POLLIN),
    ("PRI", sys::POLLPRI),
    ("OUT", sys::POLLOUT),
    ("ERR", sys::POLLERR),
    ("HUP", sys::POLLHUP),
    ("RDHUP", sys::POLLRDHUP),
];

/// Returns what the socket is ready for now.
pub(crate) fn poll(fd: c_int) -> String {
    let mut polled = sys::pollfd {
        fd,
        events: sys::POLLIN | sys::POLLPRI | sys::POLLOUT | sys::POLLRDHUP,
        revents: 0,
    };
    // SAFETY: `polled` is one live pollfd, and the count is 1.
    let result = unsafe { sys::poll(&mut polled, 1, 0) };
    assert!(result >= 0, "poll: {}", failure());
    let named = EVENTS.into_iter().filter(|(_, e)| polled.revents & e != 0);
    let names: Vec<_> = named.map(|(name, _)| name).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("|")
    }
}

pub(crate) fn cloexec(fd: c_int) -> String {
    // SAFETY: F_GETFD has no argument.
    let flags = unsafe { sys::fcntl(fd, sys::F_GETFD) };
    if flags < 0 {
        failure()
    } else {
        c_int::from(flags & sys::FD_CLOEXEC != 0).to_string()
    }
}

/// Sets the limit so that no descriptor is free if the word is "none", and otherwise sets it back
/// to its previous value.
pub(crate) fn fds(word: &str) -> String {
    static BEFORE: Mutex<libc::rlim_t> = Mutex::new(0);
    let mut before = BEFORE.lock().expect("one thread");
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    assert_eq!(result, 0, "getrlimit: {}", failure());
    if word == "none" {
        // SAFETY: dup takes an integer, no pointer.
        let next = unsafe { sys::dup(0) };
        // SAFETY: `next` was made here and is not used any more.
        let closed = unsafe { sys::close(next) };
        assert_eq!(closed, 0, "dup: {}", failure());
        *before = limit.rlim_cur;
        limit.rlim_cur = next as _;
    } else {
        limit.rlim_cur = *before;
    }
    // SAFETY: `limit` is a live rlimit.
    ok(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })
}
