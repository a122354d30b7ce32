//! Cases of bind: it fails if any file is at the path, and a socket has one name.

use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET};

use crate::file::{ask_kind, ask_names, try_create, try_mkdir, try_mkfifo, try_symlink};
use crate::line::step;
use crate::socket::{
    ask_peername, ask_sockname, bound, close, leave_stale, listening, new_pair, new_socket,
    outcome, returned, try_accept, try_bind, try_connect,
};

// 1. Bind over a file, which stays as it is.

fn bind_over(path: &str) {
    let t = bound('t', SOCK_STREAM, path);
    ask_kind(path);
    close(&[t]);
}

pub(crate) fn live() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    bind_over("x");
    try_connect(c, "x");
    close(&[s, c]);
}

pub(crate) fn stale() {
    leave_stale(SOCK_STREAM, "x");
    bind_over("x");
}

pub(crate) fn file() {
    try_create("x");
    bind_over("x");
}

pub(crate) fn directory() {
    try_mkdir("x");
    bind_over("x");
}

pub(crate) fn fifo() {
    try_mkfifo("x");
    bind_over("x");
}

pub(crate) fn dangling() {
    try_symlink("target", "x");
    bind_over("x");
    ask_kind("target");
}

pub(crate) fn dot() {
    bind_over(".");
}

pub(crate) fn reuseaddr() {
    let t = new_socket('t', SOCK_STREAM);
    let one: c_int = 1;
    leave_stale(SOCK_STREAM, "x");
    let (value, size) = (ptr::from_ref(&one).cast(), size_of::<c_int>() as _);
    // SAFETY: `value` is a live int, and `size` is its size.
    let set = unsafe { sys::setsockopt(t.fd, SOL_SOCKET, SO_REUSEADDR, value, size) };
    let set = returned(set);
    step!("setsockopt(t, SO_REUSEADDR, 1)");
    outcome(set);
    try_bind(t, "x");
    close(&[t]);
}

// 2. Bind where no file can be made.

fn bind_nowhere(path: &str) {
    let s = bound('s', SOCK_STREAM, path);
    ask_sockname(s);
    ask_names();
    close(&[s]);
}

pub(crate) fn missing() {
    bind_nowhere("missing/x");
}

pub(crate) fn slash() {
    bind_nowhere("new/");
}

pub(crate) fn through_file() {
    try_create("file");
    bind_nowhere("file/x");
}

pub(crate) fn link_loop() {
    try_symlink("loop", "loop");
    bind_nowhere("loop/x");
}

// 3. Bind a socket that has a name or a peer already.

pub(crate) fn two_names() {
    let s = bound('s', SOCK_STREAM, "x");
    try_bind(s, "y");
    ask_sockname(s);
    ask_names();
    close(&[s]);
}

pub(crate) fn twice() {
    let s = bound('s', SOCK_STREAM, "x");
    try_bind(s, "x");
    close(&[s]);
}

pub(crate) fn client() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    ask_peername(a);
    try_bind(c, "late");
    ask_peername(a);
    close(&[s, c, a]);
}

pub(crate) fn pair() {
    let [p, q] = new_pair();
    try_bind(p, "late");
    ask_peername(q);
    close(&[p, q]);
}

pub(crate) fn accepted() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    ask_sockname(a);
    try_bind(a, "late");
    ask_names();
    close(&[s, c, a]);
}
