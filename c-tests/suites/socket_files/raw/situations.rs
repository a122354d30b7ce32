//! The situations that may exist at the path "x". Each function makes a situation, calls `look`,
//! and cleans up.

use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

use super::{ask_connect, try_listen_for};
use crate::file::{try_create, try_mknod};
use crate::line::step;
use crate::socket::{
    bound, close, leave_stale, listening, new_socket, outcome, returned, try_accept, try_close,
    try_connect, try_listen,
};

// 1. Make situations in which a process holds the socket.

pub(crate) fn with_bound(look: fn()) {
    let s = bound('s', SOCK_STREAM, "x");
    look();
    close(&[s]);
}

pub(crate) fn with_listening(look: fn()) {
    let s = listening('s', "x");
    look();
    close(&[s]);
}

pub(crate) fn with_full(look: fn()) {
    let (s, c) = (bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM));
    try_listen_for(s, 0);
    try_connect(c, "x");
    ask_connect('e', SOCK_STREAM, "x");
    look();
    close(&[s, c]);
}

pub(crate) fn with_shut_down(look: fn()) {
    let s = listening('s', "x");
    // SAFETY: shutdown takes integers, no pointers.
    let shut = returned(unsafe { sys::shutdown(s.fd, sys::SHUT_RDWR) });
    step!("shutdown(s, SHUT_RDWR)");
    outcome(shut);
    ask_connect('c', SOCK_STREAM, "x");
    look();
    close(&[s]);
}

pub(crate) fn with_seqpacket(look: fn()) {
    let s = bound('s', SOCK_SEQPACKET, "x");
    try_listen(s);
    look();
    close(&[s]);
}

pub(crate) fn with_datagram(look: fn()) {
    let s = bound('s', SOCK_DGRAM, "x");
    look();
    close(&[s]);
}

pub(crate) fn with_taken(look: fn()) {
    let (s, t) = (bound('s', SOCK_DGRAM, "x"), bound('t', SOCK_DGRAM, "y"));
    try_connect(s, "y");
    look();
    close(&[s, t]);
}

// 2. Make situations in which no process holds the socket.

pub(crate) fn with_stale(look: fn()) {
    leave_stale(SOCK_STREAM, "x");
    look();
}

pub(crate) fn with_accepted(look: fn()) {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    try_close(s);
    look();
    close(&[c, a]);
}

pub(crate) fn with_node(look: fn()) {
    try_mknod("x");
    look();
}

pub(crate) fn with_file(look: fn()) {
    try_create("x");
    look();
}
