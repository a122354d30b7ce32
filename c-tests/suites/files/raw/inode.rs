//! Cases of the inode of a socket file: calls on it other than bind and connect, and changes of its
//! names.

use std::fs::{self, File};
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::MetadataExt as _;

use sunpath_sys::{O_PATH, O_RDONLY, O_RDWR, SOCK_STREAM};

use crate::file::{
    alias_of, ask_events, ask_names, try_as_file, try_link, try_open, try_rename,
    try_rename_noreplace, try_touch, try_truncate, try_unlink, watch_directory,
};
use crate::line::step;
use crate::socket::{
    ask_peername, ask_sockname, bound, close, listening, new_socket, try_accept, try_connect,
    try_listen,
};

// 1. Use the socket file as a file.

pub(crate) fn open() {
    let s = bound('s', SOCK_STREAM, "x");
    try_open("x", O_RDWR, "O_RDWR");
    try_open("x", O_RDONLY, "O_RDONLY");
    close(&[s]);
}

pub(crate) fn path() {
    let s = bound('s', SOCK_STREAM, "x");
    try_open("x", O_PATH, "O_PATH");
    close(&[s]);
}

pub(crate) fn truncate() {
    let s = bound('s', SOCK_STREAM, "x");
    try_truncate("x");
    close(&[s]);
}

// 2. Use other names: each leads to the file, and getsockname(2) still returns the name that was
//    bound.

pub(crate) fn renamed() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    try_rename("x", "y");
    try_connect(c, "y");
    try_connect(d, "x");
    ask_peername(c);
    ask_sockname(s);
    close(&[s, c, d]);
}

pub(crate) fn linked() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    try_link("x", "y");
    try_unlink("x");
    try_connect(c, "y");
    ask_peername(c);
    close(&[s, c]);
}

pub(crate) fn unlinked() {
    let (s, c) = (listening('s', "x"), new_socket('c', SOCK_STREAM));
    let d = new_socket('d', SOCK_STREAM);
    let file = try_open("x", O_PATH, "O_PATH").expect("a socket's path can be opened");
    try_unlink("x");
    try_connect(c, "x");
    try_connect(d, &alias_of(&file));
    close(&[s, c, d]);
}

// 3. Publish a socket: it has a temporary name until it is ready.

fn publish(to_new: fn(&str, &str)) {
    let (t, c) = (listening('t', "tmp"), new_socket('c', SOCK_STREAM));
    to_new("tmp", "x");
    try_connect(c, "x");
    let a = try_accept(t, 'a');
    ask_names();
    close(&[t, c, a]);
}

pub(crate) fn link() {
    let s = listening('s', "x");
    publish(try_link);
    close(&[s]);
}

pub(crate) fn link_absent() {
    publish(try_link);
}

pub(crate) fn noreplace() {
    let s = listening('s', "x");
    publish(try_rename_noreplace);
    close(&[s]);
}

pub(crate) fn noreplace_absent() {
    publish(try_rename_noreplace);
}

// 4. Make other files: none gets the inode number before the socket is closed.

fn number_of(path: &str) -> u64 {
    let status = fs::symlink_metadata(path).expect("the file is there");
    status.ino()
}

pub(crate) fn number() {
    let s = bound('s', SOCK_STREAM, "x");
    let number = number_of("x");
    try_unlink("x");
    let t = bound('t', SOCK_STREAM, "x");
    let is = if number_of("x") == number {
        "the same"
    } else {
        "another"
    };
    step!("st_ino of \"x\" = {is}");
    close(&[s, t]);
}

// 5. Watch the working directory: report all its events.

pub(crate) fn watched() {
    let watch = watch_directory();
    let s = bound('s', SOCK_STREAM, "x");
    ask_events(&watch);
    try_listen(s);
    ask_events(&watch);
    try_touch("x");
    ask_events(&watch);
    close(&[s]);
}

// 6. Use the socket as a file: it has no position, no size and no pages.

pub(crate) fn descriptor() {
    let s = bound('s', SOCK_STREAM, "x");
    // SAFETY: this function made the descriptor, and `file` closes it.
    let file = unsafe { File::from_raw_fd(s.fd) };
    try_as_file(s.name, &file);
}
