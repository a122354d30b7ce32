//! Cases of the users who may connect to a socket file, bind in a directory, and unlink there.

use std::os::unix::fs::chown;
use std::ptr;

use sunpath_sys as sys;
use sys::{SOCK_DGRAM, SOCK_STREAM};

use super::server::try_replace;
use super::system::try_chmod;
use super::{as_another, ask_connect};
use crate::file::{ask_kind, ask_names, try_mkdir, try_unlink};
use crate::line::{self, step};
use crate::process::UNPRIVILEGED;
use crate::socket::{
    Sock, bound, close, leave_stale, listening, new_socket, returned, try_connect, try_send,
};

fn connect_there() {
    ask_connect('c', SOCK_STREAM, "x");
}

// 1. Change the mode of the file.

pub(crate) fn mode() {
    let s = listening('s', "x");
    for mode in [0o777, 0o222, 0o555, 0o444, 0] {
        try_chmod("x", mode);
        as_another(connect_there);
    }
    close(&[s]);
}

fn own_a_listener() {
    let s = listening('s', "x");
    try_chmod("x", 0o400);
    connect_there();
    try_chmod("x", 0o200);
    connect_there();
    close(&[s]);
}

pub(crate) fn owner() {
    chown(".", Some(UNPRIVILEGED), Some(UNPRIVILEGED)).expect("root may give it away");
    as_another(own_a_listener);
}

// 2. Change the mode of the directory.

fn connect_below() {
    ask_connect('c', SOCK_STREAM, "d/x");
}

pub(crate) fn directory() {
    try_mkdir("d");
    let s = listening('s', "d/x");
    try_chmod("d/x", 0o777);
    try_chmod("d", 0o700);
    as_another(connect_below);
    try_chmod("d", 0o711);
    as_another(connect_below);
    close(&[s]);
}

// 3. Replace a stale file to which this user may not write.

pub(crate) fn stale() {
    leave_stale(SOCK_STREAM, "x");
    try_chmod("x", 0);
    connect_there();
    as_another(connect_there);
}

pub(crate) fn unknown() {
    leave_stale(SOCK_STREAM, "x");
    try_chmod("x", 0);
    try_chmod(".", 0o777);
    as_another(|| drop(try_replace('a')));
    ask_names();
}

// 4. Send datagrams.

fn try_sendto(d: Sock) {
    let (addr, len) = sys::sockaddr_un_pathname(b"x").expect("the path fits");
    let (data, to) = (b"x", ptr::from_ref(&addr).cast());
    // SAFETY: pointer and length are those of one live array, and the address is live for its
    // length.
    let sent = unsafe { sys::sendto(d.fd, data.as_ptr().cast(), data.len(), 0, to, len) };
    let sent = returned(sent as _);
    step!("sendto({}, \"x\", \"x\")", d.name);
    line::result(sent);
}

pub(crate) fn datagram() {
    let (s, c) = (bound('s', SOCK_DGRAM, "x"), new_socket('c', SOCK_DGRAM));
    try_chmod("x", 0o777);
    as_another(|| try_connect(c, "x"));
    try_chmod("x", 0);
    as_another(|| {
        let d = new_socket('d', SOCK_DGRAM);
        try_send(c);
        try_sendto(d);
        close(&[d]);
    });
    close(&[s, c]);
}

// 5. Bind and unlink in a directory.

fn bind_below() {
    close(&[bound('s', SOCK_STREAM, "d/x")]);
}

pub(crate) fn write_only() {
    try_mkdir("d");
    try_chmod("d", 0o733);
    as_another(bind_below);
}

fn unlink_in(mode: u32) {
    try_mkdir("d");
    try_chmod("d", mode);
    let s = bound('s', SOCK_STREAM, "d/x");
    as_another(|| try_unlink("d/x"));
    ask_kind("d/x");
    close(&[s]);
}

pub(crate) fn sticky() {
    unlink_in(0o1777);
}

pub(crate) fn shared() {
    unlink_in(0o777);
}
