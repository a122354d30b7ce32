//! Runs the cases of control data over `sunpath-sys`. Each file makes the same calls as the file in
//! `../c`, and prints the same lines.

mod batch;
mod buffer;
mod calls;
mod control;
mod credentials;
mod in_flight;
#[path = "../rust/line.rs"]
mod line;
mod message;
mod pidfd;
mod rights;
mod stream;
#[path = "../rust/calls.rs"]
mod table;

use std::ptr;

use crate::cases;
use crate::process::{self, check};
use libc::c_int;
use sunpath_sys as sys;
use sys::{SOCK_CLOEXEC, SOCK_NONBLOCK, sockaddr_un, socklen_t};

// 1. Make sockets with a path.

/// The path of a listener or a bound datagram socket of a case, in the current directory.
const PATH: &str = "s";

fn address() -> (sockaddr_un, socklen_t) {
    sys::sockaddr_un_pathname(PATH.as_bytes()).expect("the path fits")
}

fn new_socket(kind: c_int) -> c_int {
    // SAFETY: socket takes integers, no pointers.
    let fd = unsafe { sys::socket(sys::AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
    check("socket", fd)
}

fn bound(kind: c_int) -> c_int {
    let (addr, len) = address();
    let fd = new_socket(kind);
    // SAFETY: the address is live and `len` is its length.
    let result = unsafe { sys::bind(fd, ptr::from_ref(&addr).cast(), len) };
    check("bind", result);
    fd
}

fn listening(kind: c_int) -> c_int {
    let fd = bound(kind);
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(fd, 8) });
    fd
}

fn connected(kind: c_int) -> c_int {
    let (addr, len) = address();
    let fd = new_socket(kind);
    // SAFETY: the address is live and `len` is its length.
    let result = unsafe { sys::connect(fd, ptr::from_ref(&addr).cast(), len) };
    check("connect", result);
    fd
}

fn accepted(listener: c_int) -> c_int {
    let (addr, len) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both pointers for the address are null.
    let fd = unsafe { sys::accept4(listener, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK) };
    check("accept4", fd)
}

fn close(fd: c_int) {
    // SAFETY: a case closes each of its descriptors once, and does not use it afterwards.
    check("close", unsafe { sys::close(fd) });
}

// 2. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// Runs a part of a case in a child process of another user.
fn as_nobody(run: fn()) {
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        cases::run_counted(run);
        process::end(0);
    }
    process::join(child);
}

/// The result of a case.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/ancillary_cases.rs"));

pub(crate) fn main() -> Outcome {
    // Arguments after the name of the suite name cases of cases.def.
    if std::env::args().len() > 2 {
        cases::run(CASES)
    } else {
        cases::run_lines(calls::run)
    }
}
