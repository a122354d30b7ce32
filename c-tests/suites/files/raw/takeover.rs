//! Cases of taking a path over from any server, without an instant in which nobody listens.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;

use libc::c_int;
use sunpath_sys as sys;
use sys::{EADDRINUSE, ENOENT, SOCK_STREAM};

use crate::file::{ask_kind, ask_names, rename_noreplace, try_create, try_mkdir, try_symlink};
use crate::line::step;
use crate::process::check;
use crate::socket::{
    Sock, ask_poll, close, leave_stale, listening, make_bind, new_socket, outcome, try_accept,
    try_connect,
};

// 1. Write a careful program: it listens under another name, checks that a socket file is at the
//    path, and renames its own file over that socket file. A file that appears between the check
//    and the rename is lost.

fn rename_over(path: &str) -> Result<c_int, c_int> {
    let errno = |error: io::Error| error.raw_os_error().unwrap_or(0);
    match fs::symlink_metadata(path).map_err(errno) {
        Err(ENOENT) => rename_noreplace("tmp", path).map_err(errno),
        Err(error) => Err(error),
        Ok(status) if status.file_type().is_socket() => {
            fs::rename("tmp", path).map(|()| 0).map_err(errno)
        }
        Ok(_) => Err(EADDRINUSE),
    }
}

fn take_over(path: &str) -> Sock {
    let t = new_socket('t', SOCK_STREAM);
    make_bind(t.fd, b"tmp").expect("the name is free");
    // SAFETY: listen takes integers, no pointers.
    check("listen", unsafe { sys::listen(t.fd, 8) });
    let taken = rename_over(path);
    if taken.is_err() {
        fs::remove_file("tmp").expect("it was bound");
    }
    step!("take_over(t, \"{path}\")");
    outcome(taken);
    t
}

// 2. Find which server a client reaches after a takeover.

fn reached() {
    let (t, c) = (take_over("x"), new_socket('c', SOCK_STREAM));
    try_connect(c, "x");
    let a = try_accept(t, 'a');
    ask_names();
    close(&[t, c, a]);
}

pub(crate) fn absent() {
    reached();
}

pub(crate) fn live() {
    let (s, d) = (listening('s', "x"), new_socket('d', SOCK_STREAM));
    try_connect(d, "x");
    reached();
    ask_poll(s);
    let b = try_accept(s, 'b');
    close(&[s, d, b]);
}

pub(crate) fn stale() {
    leave_stale(SOCK_STREAM, "x");
    reached();
}

// 3. Try paths that are not taken over.

fn not_taken() {
    let t = take_over("x");
    ask_kind("x");
    ask_names();
    close(&[t]);
}

pub(crate) fn file() {
    try_create("x");
    not_taken();
}

pub(crate) fn directory() {
    try_mkdir("x");
    not_taken();
}

pub(crate) fn to_live() {
    let (s, c) = (listening('s', "y"), new_socket('c', SOCK_STREAM));
    try_symlink("y", "x");
    not_taken();
    try_connect(c, "x");
    let a = try_accept(s, 'a');
    close(&[s, c, a]);
}
