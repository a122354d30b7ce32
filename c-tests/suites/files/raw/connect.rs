//! Cases of connect: it succeeds only at a live socket of the same type.

use libc::c_int;
use sunpath_sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

use crate::file::{try_create, try_mkdir, try_mkfifo, try_mknod, try_symlink};
use crate::line::part;
use crate::socket::{bound, close, leave_stale, listening, new_socket, try_connect, try_listen};

// 1. Connect where no process holds the socket.

fn connect_in_vain(path: &str) {
    let c = new_socket('c', SOCK_STREAM);
    try_connect(c, path);
    close(&[c]);
}

pub(crate) fn stale() {
    leave_stale(SOCK_STREAM, "x");
    connect_in_vain("x");
}

pub(crate) fn file() {
    try_create("x");
    connect_in_vain("x");
}

pub(crate) fn directory() {
    try_mkdir("x");
    connect_in_vain("x");
}

pub(crate) fn fifo() {
    try_mkfifo("x");
    connect_in_vain("x");
}

pub(crate) fn node() {
    try_mknod("x");
    connect_in_vain("x");
}

// 2. Connect where no socket is at the path.

pub(crate) fn absent() {
    connect_in_vain("absent");
}

pub(crate) fn missing() {
    connect_in_vain("missing/x");
}

pub(crate) fn through_file() {
    try_create("file");
    connect_in_vain("file/x");
}

pub(crate) fn link_loop() {
    try_symlink("loop", "loop");
    connect_in_vain("loop");
}

pub(crate) fn dangling() {
    try_symlink("target", "x");
    connect_in_vain("x");
}

// 3. Connect where a process holds the socket.

pub(crate) fn before_listen() {
    let (s, c) = (bound('s', SOCK_STREAM, "x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    try_listen(s);
    try_connect(c, "x");
    close(&[s, c]);
}

/// Connects sockets of the two other types.
fn connect_others(name: &str, kind: c_int, other_name: &str, other_kind: c_int) {
    let (c, d) = (new_socket('c', kind), new_socket('d', other_kind));
    part(name);
    try_connect(c, "x");
    part(other_name);
    try_connect(d, "x");
    close(&[c, d]);
}

pub(crate) fn stream() {
    let s = listening('s', "x");
    connect_others("datagram", SOCK_DGRAM, "seqpacket", SOCK_SEQPACKET);
    close(&[s]);
}

pub(crate) fn datagram() {
    let s = bound('s', SOCK_DGRAM, "x");
    connect_others("stream", SOCK_STREAM, "seqpacket", SOCK_SEQPACKET);
    close(&[s]);
}

pub(crate) fn seqpacket() {
    let s = bound('s', SOCK_SEQPACKET, "x");
    try_listen(s);
    connect_others("stream", SOCK_STREAM, "datagram", SOCK_DGRAM);
    close(&[s]);
}

pub(crate) fn stale_stream() {
    let c = new_socket('c', SOCK_DGRAM);
    leave_stale(SOCK_STREAM, "x");
    part("datagram");
    try_connect(c, "x");
    close(&[c]);
}
