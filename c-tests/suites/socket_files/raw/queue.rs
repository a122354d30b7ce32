//! Cases of a full queue: connect(2) waits or fails, and never returns a socket without a peer.

use std::io::{self, Write as _};
use std::ptr;

use libc::pid_t;
use sunpath_sys as sys;
use sys::{SOCK_STREAM, socklen_t};

use super::many::wait_asleep;
use super::try_listen_for;
use crate::line::{self, step};
use crate::process::{self, check};
use crate::socket::{Sock, ask_peername, bound, close, new_socket, outcome, returned, try_connect};

// 1. Make a listener whose queue has one place, and take that place.

fn full() -> [Sock; 2] {
    let (s, c) = (bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM));
    try_listen_for(s, 0);
    try_connect(c, "x");
    [s, c]
}

fn set_blocking(s: Sock) {
    // SAFETY: F_SETFL takes flags.
    check("fcntl", unsafe { sys::fcntl(s.fd, sys::F_SETFL, 0) });
}

// 2. Connect without waiting, and wait until a timeout.

pub(crate) fn nonblocking() {
    let ([s, c], d) = (full(), new_socket('d', SOCK_STREAM));
    try_connect(d, "x");
    ask_peername(d);
    close(&[s, c, d]);
}

pub(crate) fn timeout() {
    let ([s, c], d) = (full(), new_socket('d', SOCK_STREAM));
    let time = sys::timeval {
        tv_sec: 0,
        tv_usec: 20_000,
    };
    let (at, size) = (ptr::from_ref(&time).cast(), size_of_val(&time) as socklen_t);
    // SAFETY: `at` is a live timeval, and `size` is its size.
    let set = unsafe { sys::setsockopt(d.fd, sys::SOL_SOCKET, sys::SO_SNDTIMEO, at, size) };
    set_blocking(d);
    step!("setsockopt(d, SO_SNDTIMEO, 20 ms)");
    outcome(returned(set));
    try_connect(d, "x");
    ask_peername(d);
    close(&[s, c, d]);
}

// 3. Wait until there is space.

/// Starts a child that connects, and waits until the child sleeps in connect(2).
fn waiting_child(situation: &[Sock]) -> pid_t {
    let child = process::fork();
    if child == 0 {
        close(situation);
        let d = new_socket('d', SOCK_STREAM);
        set_blocking(d);
        line::part("child");
        try_connect(d, "x");
        ask_peername(d);
        process::end(0);
    }
    wait_asleep(child);
    child
}

/// Prints a step before the child continues.
fn step_before(words: &str) {
    step!("{words}");
    io::stdout().flush().expect("stdout can be written to");
}

pub(crate) fn room() {
    let [s, c] = full();
    let child = waiting_child(&[s, c]);
    step_before("accept(s) = ok");
    // SAFETY: both pointers for the address are null.
    let fd = unsafe { sys::accept(s.fd, ptr::null_mut(), ptr::null_mut()) };
    let a = Sock {
        name: 'a',
        fd: check("accept", fd),
    };
    process::join(child);
    close(&[s, c, a]);
}

pub(crate) fn closed() {
    let [s, c] = full();
    let child = waiting_child(&[s, c]);
    step_before("close(s)");
    close(&[s]);
    process::join(child);
    close(&[c]);
}
