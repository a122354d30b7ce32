//! Sockets that are made in one call: what fails leaves nothing open, and no file.

use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_STREAM};

use crate::descriptors::open_descriptors;
use crate::file::ask_names;
use crate::line::step;
use crate::socket::{
    Sock, close, listening, make_bind, make_connect, new_socket, outcome, returned,
};
use crate::words;

// 1. What C programs write for themselves. The descriptor, or an errno.

type Constructor = fn(&str) -> Result<c_int, c_int>;

fn open_if(made: Result<c_int, c_int>, s: Sock) -> Result<c_int, c_int> {
    if made.is_err() {
        close(&[s]);
    }
    made.map(|_| s.fd)
}

fn new_listener(path: &str) -> Result<c_int, c_int> {
    let s = new_socket('s', SOCK_STREAM);
    let made = make_bind(s.fd, path.as_bytes());
    // SAFETY: listen takes numbers.
    let made = made.and_then(|_| returned(unsafe { sys::listen(s.fd, 8) }));
    open_if(made, s)
}

fn new_datagram(path: &str) -> Result<c_int, c_int> {
    let s = new_socket('s', SOCK_DGRAM);
    open_if(make_bind(s.fd, path.as_bytes()), s)
}

fn new_stream(path: &str) -> Result<c_int, c_int> {
    let c = new_socket('c', SOCK_STREAM);
    open_if(make_connect(c.fd, path.as_bytes()), c)
}

// 2. Each, and how many descriptors the process has more than before.

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

/// The last time with a listener there.
pub(crate) fn stream() {
    make_all("stream", new_stream);
    let s = listening('s', "x");
    make("stream", new_stream, "x");
    close(&[s]);
}
