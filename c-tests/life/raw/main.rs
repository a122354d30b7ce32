//! The life of a socket file over `sunpath-sys`: the same calls as in `../c`, file by file, and the same
//! lines. Works in the current directory, which should be empty and the program's own.

mod access;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
#[path = "../../common/cases.rs"]
mod cases;
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

/// What a case gives.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/life_cases.rs"));

fn main() -> Outcome {
    cases::run(CASES)
}
