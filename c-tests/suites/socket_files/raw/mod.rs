//! Runs the cases of socket files over `sunpath-sys`. Each file makes the same calls as the file in
//! `../c`, and prints the same lines.

mod access;
mod guard;
#[path = "../rust/many.rs"]
mod many;
mod mode;
mod names;
mod probe;
mod queue;
mod race;
mod server;
mod situations;
mod staleness;
#[path = "../rust/system.rs"]
mod system;

use crate::line::{self, step};
use crate::socket::{Sock, close, new_socket, outcome, returned, try_connect};
use crate::{cases, process};
use libc::c_int;
use sunpath_sys as sys;

// 1. Make the steps that several files use.

fn try_listen_for(s: Sock, backlog: c_int) {
    // SAFETY: listen takes integers, no pointers.
    let listens = returned(unsafe { sys::listen(s.fd, backlog) });
    step!("listen({}, {backlog})", s.name);
    outcome(listens);
}

/// Connects a new socket, and closes it.
fn ask_connect(name: char, kind: c_int, path: &str) {
    let c = new_socket(name, kind);
    try_connect(c, path);
    close(&[c]);
}

// 2. Become other users.

/// Runs a part of a case in a child process of another user.
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

// 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// The result of a case.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/socket_files_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
