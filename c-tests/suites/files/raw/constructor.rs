//! Cases of sockets that are made in one call: a failure leaves no descriptor open, and no file.

use std::ffi::CString;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM};

use crate::descriptors::{allow_more, allow_usual, open_descriptors};
use crate::file::{alias_of, ask_names, try_mkdir};
use crate::line::step;
use crate::socket::{
    Sock, close, listening, make_bind, make_connect, make_socket, new_socket, outcome, returned,
    try_accept, try_connect,
};
use crate::words;

// 1. Write the functions that C programs write for themselves: each returns the descriptor, or an
//    errno.

type Made = Result<c_int, c_int>;
type Constructor = fn(&str) -> Made;

fn close_failed(fd: c_int, errno: c_int) -> c_int {
    close(&[Sock { name: 's', fd }]);
    errno
}

fn new_listener(path: &str) -> Made {
    let fd = make_socket(SOCK_STREAM)?;
    make_bind(fd, path.as_bytes())
        // SAFETY: listen takes integers, no pointers.
        .and_then(|_| returned(unsafe { sys::listen(fd, 8) }))
        .map_err(|errno| close_failed(fd, errno))?;
    Ok(fd)
}

fn new_datagram(path: &str) -> Made {
    let fd = make_socket(SOCK_DGRAM)?;
    make_bind(fd, path.as_bytes()).map_err(|errno| close_failed(fd, errno))?;
    Ok(fd)
}

fn new_stream(path: &str) -> Made {
    let fd = make_socket(SOCK_STREAM)?;
    make_connect(fd, path.as_bytes()).map_err(|errno| close_failed(fd, errno))?;
    Ok(fd)
}

// 2. Call each function, and print how many more descriptors the process has afterwards.

fn make(name: &str, construct: Constructor, path: &str) {
    let before = open_descriptors();
    let made = construct(path);
    let opened = open_descriptors() - before;
    step!("{name}({})", words::path(path));
    outcome(made);
    print!(", opened {opened}");
    if let Ok(fd) = made {
        close(&[Sock { name: 's', fd }]);
    }
}

fn make_all(name: &str, construct: Constructor) {
    make(name, construct, "");
    make(name, construct, &"n".repeat(108));
    make(name, construct, "missing/x");
    make(name, construct, "x");
    make(name, construct, "x");
    ask_names();
}

pub(crate) fn listener() {
    make_all("listener", new_listener);
}

pub(crate) fn datagram() {
    make_all("datagram", new_datagram);
}

/// The first calls fail. Only the last call finds a listener at the path.
pub(crate) fn stream() {
    make_all("stream", new_stream);
    let s = listening('s', "x");
    make("stream", new_stream, "x");
    close(&[s]);
}

// 3. Reach the limit of descriptors.

pub(crate) fn at_limit() {
    allow_more(0);
    make("listener", new_listener, "x");
    make("datagram", new_datagram, "x");
    make("stream", new_stream, "x");
    allow_usual();
    ask_names();
}

fn report(call: &str, made: Made, before: usize) {
    let opened = open_descriptors() - before;
    step!("{call}");
    outcome(made);
    print!(", opened {opened}");
}

/// A pair needs two free descriptors. If one is free, no socket is made.
pub(crate) fn from_sockets() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    let before = open_descriptors();
    let (mut pair, kind) = ([-1; 2], SOCK_STREAM | SOCK_CLOEXEC);
    allow_more(1);
    // SAFETY: `pair` has space for two descriptors.
    let made = unsafe { sys::socketpair(sys::AF_UNIX, kind, 0, pair.as_mut_ptr()) };
    report("socketpair()", returned(made), before);
    allow_more(0);
    let (addr, len) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both pointers for the address are null.
    let made = unsafe { sys::accept4(s.fd, addr, len, SOCK_CLOEXEC) };
    report("accept(s)", returned(made), before);
    // SAFETY: F_DUPFD_CLOEXEC takes an int, the least value that the new descriptor may have.
    let made = unsafe { sys::fcntl(s.fd, sys::F_DUPFD_CLOEXEC, 0) };
    report("dup(s)", returned(made), before);
    allow_usual();
    let a = try_accept(s, 'a');
    close(&[s, c, a]);
}

// 4. Use paths of any length, by a descriptor of the directory that is open during the call.

fn below(path: &str, construct: Constructor) -> Made {
    let (directory, name) = path.rsplit_once('/').expect("it is below a directory");
    let directory = CString::new(directory).expect("a path has no NUL");
    let flags = sys::O_PATH | sys::O_DIRECTORY | sys::O_CLOEXEC;
    // SAFETY: the path is a live string with a NUL, and no file is made, so the call takes no mode.
    let fd = returned(unsafe { sys::openat(sys::AT_FDCWD, directory.as_ptr(), flags) })?;
    // SAFETY: the descriptor was just made, and nothing else owns it.
    let directory = unsafe { OwnedFd::from_raw_fd(fd) };
    construct(&format!("{}/{name}", alias_of(&directory)))
}

fn make_both(path: &str) {
    make("listener", |path| below(path, new_listener), path);
    make("stream", |path| below(path, new_stream), path);
}

/// Two descriptors are needed, for the directory and for the socket. If one is free, no socket is
/// made.
pub(crate) fn long_path() {
    let long = "d".repeat(120);
    let path = format!("{long}/x");
    try_mkdir(&long);
    make_both(&format!("missing/{path}"));
    make_both(&path);
    make("listener", |path| below(path, new_listener), &path);
    for free in 0..2 {
        allow_more(free);
        make_both(&path);
    }
    allow_usual();
    ask_names();
}
