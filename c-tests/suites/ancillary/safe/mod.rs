//! Runs the cases of control data over `sunpath`. For each call of `../c` it makes the call that a
//! program in safe Rust would make, and it prints the same lines.
//!
//! A line differs from C's in three situations: C passes something that is not a descriptor or not
//! a control message; the kernel would lose something, or report credentials that belong to no
//! process; or the library sets a flag by itself.

mod batch;
mod buffer;
mod calls;
mod credentials;
mod in_flight;
#[path = "../rust/line.rs"]
mod line;
mod message;
mod pidfd;
mod rights;
mod stream;
#[allow(unsafe_code, reason = "asks the system")]
mod system;
#[path = "../rust/calls.rs"]
mod table;

use crate::{cases, process};
use sunpath::socket::{Connected, Kind};
use sunpath::{Error, Listener, Socket, UnixAddr};

// 1. Make sockets with a path.

/// The path of a listener or a bound datagram socket of a case, in the current directory.
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
    Ok(bound()?.listen(8)?)
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

// 2. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// Runs a part of a case in a child process of another user.
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

/// The result of a case.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/ancillary_cases.rs"));

pub(crate) fn main() -> Outcome {
    // Arguments after the name of the suite name cases of cases.def.
    if std::env::args().len() > 2 {
        cases::run(CASES)
    } else {
        cases::run_lines(calls::run)
    }
}
