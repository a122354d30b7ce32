//! Cases of binding where a dead server may have left its file.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;

use libc::c_int;
use sunpath_sys as sys;
use sys::{EADDRINUSE, ECONNREFUSED, ENOENT, SOCK_DGRAM, SOCK_STREAM};

use crate::file::{ask_kind, try_create, try_mkdir, try_symlink};
use crate::line::step;
use crate::process::check;
use crate::socket::{
    Sock, ask_poll, bound, close, leave_stale, listening, make_bind, make_connect, new_socket,
    outcome, try_accept, try_connect, try_listen,
};

// 1. Write a careful program, but without a lock against other programs that do the same. The
//    program removes the file of a socket that no process holds. To find out whether a process
//    holds the socket, the program connects a datagram socket to the file. A server of another type
//    does not notice that, and the answer is right even before the server listens and while its
//    queue is full.

fn is_dead(path: &str) -> bool {
    let probe = new_socket('p', SOCK_DGRAM);
    let connected = make_connect(probe.fd, path.as_bytes());
    close(&[probe]);
    connected == Err(ECONNREFUSED)
}

// Returns whether this kernel can tell a dead socket from a live socket. Some kernels refuse a
// datagram socket at a live stream socket, too. On one of those kernels a live socket of our own
// looks dead.
fn can_tell() -> bool {
    let own = new_socket('o', SOCK_STREAM);
    make_bind(own.fd, b"own").expect("bind");
    let dead = is_dead("own");
    close(&[own]);
    fs::remove_file("own").expect("unlink");
    !dead
}

fn remove_dead(path: &str) -> Result<(), c_int> {
    let errno = |error: std::io::Error| error.raw_os_error().unwrap_or(0);
    match fs::symlink_metadata(path).map_err(errno) {
        Err(ENOENT) => Ok(()),
        Err(error) => Err(error),
        Ok(status) if !status.file_type().is_socket() || !is_dead(path) || !can_tell() => {
            Err(EADDRINUSE)
        }
        Ok(_) => fs::remove_file(path).map_err(errno),
    }
}

fn replace(t: Sock, path: &str) {
    let bound = remove_dead(path).and_then(|()| make_bind(t.fd, path.as_bytes()));
    step!("replace({}, \"{path}\")", t.name);
    outcome(bound);
}

// 2. Bind in each situation, and show whether the file is still there afterwards.

fn replace_there() {
    let t = new_socket('t', SOCK_STREAM);
    replace(t, "x");
    ask_kind("x");
    close(&[t]);
}

pub(crate) fn absent() {
    replace_there();
}

pub(crate) fn stale() {
    leave_stale(SOCK_STREAM, "x");
    replace_there();
}

pub(crate) fn stale_datagram() {
    leave_stale(SOCK_DGRAM, "x");
    replace_there();
}

pub(crate) fn live() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    replace_there();
    ask_poll(s);
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    close(&[s, c, a]);
}

pub(crate) fn full() {
    let (s, c) = (bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(s.fd, 0) });
    step!("listen(s, 0) = ok");
    try_connect(c, "x");
    try_connect(d, "x");
    replace_there();
    close(&[s, c, d]);
}

pub(crate) fn before_listen() {
    let (s, c) = (bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM));
    replace_there();
    try_listen(s);
    try_connect(c, "x");
    close(&[s, c]);
}

pub(crate) fn file() {
    try_create("x");
    replace_there();
}

pub(crate) fn directory() {
    try_mkdir("x");
    replace_there();
}

pub(crate) fn to_stale() {
    leave_stale(SOCK_STREAM, "y");
    try_symlink("y", "x");
    replace_there();
    ask_kind("y");
}
