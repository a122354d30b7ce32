//! Runs the cases of socket files over `sunpath`. For each call of `../c` it makes the call that a
//! program in safe Rust would make, and it prints the same lines.
//!
//! By `probe`, `BindOptions` and `Bound` the library does what the C program does by hand.

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
#[allow(unsafe_code, reason = "asks the system")]
#[path = "../rust/system.rs"]
mod system;

use crate::line::{self, step};
use crate::socket::{Named, new_socket, outcome, try_connect};
use crate::{cases, process};
use sunpath::socket::{Connected, Kind};
use sunpath::{Error, Listener, Socket};

// 1. Make the steps that several files use.

fn try_listen_for<T: Connected>(
    s: Named<Socket<T>>,
    backlog: i32,
) -> Result<Named<Listener<T>>, Error> {
    let Named { name, socket } = s;
    let listens = socket.listen(backlog).map_err(Error::from);
    step!("listen({name}, {backlog})");
    outcome(&listens);
    let socket = listens?;
    Ok(Named { name, socket })
}

/// Connects a new socket, and closes it.
fn ask_connect<T: Kind>(name: char, path: &str) -> Result<(), Error> {
    try_connect(&new_socket::<T>(name)?, path);
    Ok(())
}

// 2. Become other users.

/// Runs a part of a case in a child process of another user.
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

// 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// The result of a case.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/socket_files_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
