//! Runs the cases of the peer of a socket over `sunpath`. For each call of `../c` it makes the call
//! that a program in safe Rust would make, and it prints the same lines.
//!
//! A line differs from C's in three situations: the kernel's answer means that there is no peer; C
//! passes a wrong length, and this API takes no length; or a signal ends the C program.

mod cred;
mod options;
mod signals;
mod stream;

use crate::{cases, process};
use sunpath::socket::{Connected, Kind};
use sunpath::{Error, Listener, Socket, UnixAddr, UnixStream};

// 1. Make sockets: a listener at a path, and a client.

/// The path of every listener of a case, in the current directory.
const PATH: &str = "s";

fn address() -> UnixAddr {
    sunpath::addr!("s")
}

fn bound<T: Kind>() -> Result<Socket<T>, Error> {
    let socket = Socket::new()?;
    socket.bind_to(&address())?;
    Ok(socket)
}

fn listening<T: Connected>(backlog: i32) -> Result<Listener<T>, Error> {
    Ok(bound()?.listen(backlog)?)
}

// 2. Ask about a socket: print the call and its answer, with the name that the socket has in the
//    case.

fn name_of(error: Error) -> &'static str {
    error.errno().name().unwrap_or("E?")
}

fn ask_cred<T: Kind>(name: &str, socket: &Socket<T>) {
    print!("getsockopt({name}, SO_PEERCRED) = ");
    match socket.peer_cred() {
        Ok(cred) => process::print_ids(cred.pid().unwrap_or(0), cred.uid(), cred.gid()),
        Err(error) => print!("{}", name_of(error)),
    }
}

fn ask_byte(name: &str, socket: &UnixStream) {
    match socket.read(&mut [0]) {
        Ok(count) => print!("read({name}) = {count}; "),
        Err(error) => print!("read({name}) = {}; ", name_of(error)),
    }
}

fn tell_byte(socket: &UnixStream) -> Result<(), Error> {
    assert_eq!(socket.write(b"x")?, 1);
    Ok(())
}

// 3. Run the cases: each prints one line, or "not run: ..." if this system does not allow it.

/// The result of a case.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/identity_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
