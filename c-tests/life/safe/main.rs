//! The life of a socket file over `sunpath`: the nearest that a program in safe Rust does to each call
//! of `../c`, file by file, and the same lines. Works in the current directory, which should be empty
//! and the program's own.
//!
//! What C does by hand is the library's here: `probe`, `BindOptions`, and what it gives, `Bound`.
#![deny(unsafe_code)]

mod access;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
#[path = "../../common/cases.rs"]
mod cases;
#[path = "../crowd.rs"]
mod crowd;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/file.rs"]
mod file;
mod guard;
#[path = "../../common/line.rs"]
mod line;
mod mode;
mod names;
mod probe;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod queue;
mod race;
mod scenes;
mod server;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/socket_safe.rs"]
mod socket;
mod staleness;
#[allow(unsafe_code, reason = "asks the system")]
#[path = "../system.rs"]
mod system;
#[path = "../../common/words.rs"]
mod words;

use line::step;
use socket::{Named, new_socket, outcome, try_connect};
use sunpath::{Connected, Error, Kind, Listener, Socket};

// 1. Steps that more than one file has.

fn try_listen_for<T: Connected>(
    s: Named<Socket<T>>,
    backlog: i32,
) -> Result<Named<Listener<T>>, Error> {
    let Named { name, socket } = s;
    let listens = socket.listen(backlog);
    step!("listen({name}, {backlog})");
    outcome(&listens);
    let socket = listens?;
    Ok(Named { name, socket })
}

/// Of a new socket, which is closed again.
fn ask_connect<T: Kind>(name: char, path: &str) -> Result<(), Error> {
    try_connect(&new_socket::<T>(name)?, path);
    Ok(())
}

// 2. Others: another user.

/// Runs a part of a case in a child that is another user.
fn as_another(run: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        line::part("another user");
        run()?;
        process::end(0);
    }
    process::join(child);
    Ok(())
}

// 3. Cases: one line each, "not run: ..." where this system does not allow it.

/// What a case gives.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/life_cases.rs"));

fn main() -> Outcome {
    cases::run(CASES)
}
