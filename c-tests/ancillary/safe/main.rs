//! Control data over `sunpath`: the nearest that a program in safe Rust does to each call of `../c`,
//! file by file, and the same lines. Works in the current directory, which should be empty and the
//! program's own.
//!
//! A line differs from C's where C can hand over what is no descriptor or no control message, where
//! the kernel would lose or invent something, and where a flag is the library's own to set.
#![deny(unsafe_code)]

mod batch;
#[path = "../../common/cases.rs"]
mod cases;
mod credentials;
#[allow(unsafe_code, reason = "asks the system")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
mod flight;
#[path = "../line.rs"]
mod line;
mod message;
mod pidfd;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod rights;
mod room;
mod stream;
#[allow(unsafe_code, reason = "asks the system")]
mod system;

use sunpath::{Connected, Error, Kind, Listener, Socket, UnixAddr};

// 1. Sockets with a path.

/// Where a listener, or a bound datagram socket, of a case is, in the current directory.
const PATH: &str = "s";

fn address() -> UnixAddr {
    sunpath::addr!("s")
}

fn new_socket<T: Kind>() -> Result<Socket<T>, Error> {
    let socket = Socket::new()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn bound<T: Kind>() -> Result<Socket<T>, Error> {
    let socket = new_socket()?;
    socket.bind_to(&address())?;
    Ok(socket)
}

fn listening<T: Connected>() -> Result<Listener<T>, Error> {
    bound()?.listen(8)
}

fn connected<T: Connected>() -> Result<Socket<T>, Error> {
    let socket = new_socket()?;
    socket.connect_to(&address())?;
    Ok(socket)
}

fn accepted<T: Connected>(listener: &Listener<T>) -> Result<Socket<T>, Error> {
    let (socket, _) = listener.accept()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

// 2. Cases: one line each, "not run: ..." where this system does not allow it.

/// Runs a part of a case in a child that is another user.
fn as_nobody(run: fn() -> Outcome) -> Outcome {
    let child = process::fork();
    if child == 0 {
        process::drop_privileges();
        cases::run_counted(run)?;
        process::end(0);
    }
    process::join(child);
    Ok(())
}

/// What a case gives.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/ancillary_cases.rs"));

fn main() -> Outcome {
    cases::run(CASES)
}
