//! Cases of the removal of a socket file: only the server that bound the file removes it.

use std::env;

use sunpath_sys::SOCK_STREAM;

use super::ask_connect;
use super::server::{try_release, try_serve};
use crate::file::{ask_kind, ask_names, try_create, try_mkdir, try_rename, try_unlink};
use crate::line::{self, step};
use crate::process;
use crate::socket::{close, try_accept};

// 1. End a server after another file took its path.

pub(crate) fn replaced() {
    let a = try_serve('a');
    try_unlink("x");
    let b = try_serve('b');
    try_release('a', a);
    ask_connect('c', SOCK_STREAM, "x");
    close(&[try_accept(b.sock('b'), 'd')]);
    b.release();
}

pub(crate) fn file() {
    let a = try_serve('a');
    try_unlink("x");
    try_create("x");
    try_release('a', a);
    ask_kind("x");
}

pub(crate) fn renamed() {
    let a = try_serve('a');
    try_rename("x", "y");
    try_release('a', a);
    ask_names();
}

fn go(directory: &str) {
    env::set_current_dir(directory).expect("it may be entered");
    step!("chdir(\"{directory}\") = ok");
}

pub(crate) fn chdir() {
    let a = try_serve('a');
    try_mkdir("d");
    go("d");
    try_create("x");
    try_release('a', a);
    ask_names();
    go("..");
    ask_names();
}

// 2. End a server.

pub(crate) fn released() {
    let a = try_serve('a');
    try_release('a', a);
    ask_names();
}

pub(crate) fn forgotten() {
    let a = try_serve('a');
    a.forget();
    step!("forget(a)");
    ask_kind("x");
    ask_connect('c', SOCK_STREAM, "x");
}

pub(crate) fn forked() {
    let a = try_serve('a');
    let child = process::fork();
    if child == 0 {
        line::part("child");
        try_release('a', a);
        process::end(0);
    }
    process::join(child);
    ask_connect('c', SOCK_STREAM, "x");
    close(&[try_accept(a.sock('a'), 'd')]);
    try_release('a', a);
    ask_names();
}
