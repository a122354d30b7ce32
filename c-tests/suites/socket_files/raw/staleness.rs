//! Cases of the proof that no process holds a socket file: what connect(2) reports to a datagram
//! socket, and what the server notices.

use sunpath_sys as sys;
use sys::{EPROTOTYPE, SOCK_DGRAM, SOCK_STREAM};

use super::situations;
use super::system::leave_network;
use super::{ask_connect, try_listen_for};
use crate::line::step;
use crate::process::{self, check};
use crate::socket::{
    self, ask_poll, close, make_bind, make_connect, new_socket, try_close, try_connect,
};

fn datagram_asks() {
    ask_connect('d', SOCK_DGRAM, "x");
}

// 1. Ask about a stream or seqpacket socket.

pub(crate) fn bound() {
    situations::with_bound(datagram_asks);
}

pub(crate) fn listening() {
    situations::with_listening(datagram_asks);
}

pub(crate) fn full() {
    situations::with_full(datagram_asks);
}

pub(crate) fn shut_down() {
    situations::with_shut_down(datagram_asks);
}

pub(crate) fn seqpacket() {
    situations::with_seqpacket(datagram_asks);
}

pub(crate) fn another_network() {
    let s = new_socket('s', SOCK_STREAM);
    make_bind(s.fd, b"x").expect("the directory is empty");
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(s.fd, 8) });
    let child = process::fork();
    if child == 0 {
        if leave_network() {
            datagram_asks();
        }
        process::end(0);
    }
    process::join(child);
    close(&[s]);
}

// 2. Ask while no process holds the socket.

pub(crate) fn stale() {
    situations::with_stale(datagram_asks);
}

pub(crate) fn accepted() {
    situations::with_accepted(datagram_asks);
}

pub(crate) fn node() {
    situations::with_node(datagram_asks);
}

pub(crate) fn file() {
    situations::with_file(datagram_asks);
}

pub(crate) fn absent() {
    datagram_asks();
}

// 3. Ask about a datagram socket.

pub(crate) fn datagram() {
    situations::with_datagram(datagram_asks);
}

pub(crate) fn taken() {
    situations::with_taken(datagram_asks);
}

// 4. Show which calls the server notices.

pub(crate) fn thousand() {
    let s = socket::bound('s', SOCK_STREAM, "x");
    try_listen_for(s, 0);
    let is_told = |_: &u32| {
        let d = new_socket('d', SOCK_DGRAM);
        let connected = make_connect(d.fd, b"x");
        close(&[d]);
        connected == Err(EPROTOTYPE)
    };
    let told = (0..1000).filter(is_told).count();
    step!("connect(d, \"x\") = EPROTOTYPE, {told} times");
    ask_poll(s);
    ask_connect('c', SOCK_STREAM, "x");
    close(&[s]);
}

pub(crate) fn stream() {
    let s = socket::bound('s', SOCK_STREAM, "x");
    let c = new_socket('c', SOCK_STREAM);
    try_listen_for(s, 0);
    try_connect(c, "x");
    try_close(c);
    ask_poll(s);
    ask_connect('e', SOCK_STREAM, "x");
    close(&[s]);
}
