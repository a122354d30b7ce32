//! The life of a socket file over `sunpath-sys`: the same calls as in `../c`, file by file, and the same
//! lines. Works in the current directory, which should be empty and the program's own.

mod access;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
#[path = "../crowd.rs"]
mod crowd;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/file.rs"]
mod file;
mod guard;
#[path = "../../common/line.rs"]
mod line;
mod mode;
mod names;
mod probe;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod queue;
mod race;
mod scenes;
mod server;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/socket_raw.rs"]
mod socket;
mod staleness;
#[path = "../system.rs"]
mod system;
#[path = "../../common/words.rs"]
mod words;

use std::{env, fs};

use descriptors::open_descriptors;
use libc::c_int;
use line::step;
use socket::{Sock, close, new_socket, outcome, returned, try_connect};
use sunpath_sys as sys;

// 1. Steps that more than one file has.

fn try_listen_for(s: Sock, backlog: c_int) {
    // SAFETY: listen takes numbers.
    let listens = returned(unsafe { sys::listen(s.fd, backlog) });
    step!("listen({}, {backlog})", s.name);
    outcome(listens);
}

/// Of a new socket, which is closed again.
fn ask_connect(name: char, kind: c_int, path: &str) {
    let c = new_socket(name, kind);
    try_connect(c, path);
    close(&[c]);
}

// 2. Others: another user.

/// Runs a part of a case in a child that is another user.
fn as_another(run: impl FnOnce()) {
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        line::part("another user");
        run();
        process::end(0);
    }
    process::join(child);
}

// 3. Cases: one line each, "not run: ..." where this system does not allow it.

/// In a directory of its own, which every user may enter. Says how many descriptors the case left
/// open, which should be none.
fn run_case(id: &str, run: fn()) {
    let before = open_descriptors();
    fs::create_dir(id).expect("the directory is empty");
    env::set_current_dir(id).expect("it was made");
    run();
    env::set_current_dir("..").expect("it is below");
    let after = open_descriptors();
    if after != before {
        print!("; leaked {}", after as isize - before as isize);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Nothing,
    Root,
}
const NOTHING: Needs = Needs::Nothing;
const ROOT: Needs = Needs::Root;

macro_rules! cases {
    ($(CASE($id:ident, $name:ident, $needs:ident, $file:ident, $title:literal))*) => {
        const CASES: &[(&str, Needs, fn())] = &[
            $((concat!(stringify!($id), ".", stringify!($name)), $needs, $file::$name)),*
        ];
    };
}
include!(concat!(env!("OUT_DIR"), "/life_cases.rs"));

fn main() {
    process::begin();
    descriptors::allow_usual();
    for (id, needs, run) in CASES.iter().filter(|(id, ..)| process::wants(id)) {
        print!("{id}\t");
        line::begin();
        if *needs == Needs::Root && !process::may_drop() {
            print!("not run: needs root");
        } else {
            run_case(id, *run);
        }
        println!();
    }
}
