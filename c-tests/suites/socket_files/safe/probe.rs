//! Cases of `probe`, which asks whether a process holds a socket file.

use sunpath::{Error, Liveness, probe};

use super::as_another;
use super::situations;
use super::system::try_chmod;
use crate::line::step;
use crate::socket::result;

fn ask() -> Result<(), Error> {
    let found = probe("x").map(|found| match found {
        Liveness::Absent => "absent",
        Liveness::Dead => "dead",
        Liveness::Live => "live",
        Liveness::NotSocket => "not a socket",
        _ => "unknown",
    });
    step!("probe(\"x\")");
    result(found);
    Ok(())
}

// 1. Ask while a process holds the socket.

pub(crate) fn bound() -> Result<(), Error> {
    situations::with_bound(ask)
}

pub(crate) fn listening() -> Result<(), Error> {
    situations::with_listening(ask)
}

pub(crate) fn full() -> Result<(), Error> {
    situations::with_full(ask)
}

pub(crate) fn shut_down() -> Result<(), Error> {
    situations::with_shut_down(ask)
}

pub(crate) fn seqpacket() -> Result<(), Error> {
    situations::with_seqpacket(ask)
}

pub(crate) fn datagram() -> Result<(), Error> {
    situations::with_datagram(ask)
}

pub(crate) fn taken() -> Result<(), Error> {
    situations::with_taken(ask)
}

// 2. Ask while no process holds the socket.

pub(crate) fn stale() -> Result<(), Error> {
    situations::with_stale(ask)
}

pub(crate) fn accepted() -> Result<(), Error> {
    situations::with_accepted(ask)
}

pub(crate) fn node() -> Result<(), Error> {
    situations::with_node(ask)
}

// 3. Ask about files that are not sockets.

pub(crate) fn file() -> Result<(), Error> {
    situations::with_file(ask)
}

pub(crate) fn absent() -> Result<(), Error> {
    ask()
}

// 4. Ask where the kernel cannot answer.

pub(crate) fn unknown() -> Result<(), Error> {
    situations::with_listening(|| {
        try_chmod("x", 0);
        as_another(ask)
    })
}
