//! Cases of `probe`, which asks whether a process holds a socket file.

use super::as_another;
use super::server::{Liveness, probe};
use super::situations;
use super::system::try_chmod;
use crate::line::{self, step};

fn ask() {
    let found = probe("x").map(|found| match found {
        Liveness::Absent => "absent",
        Liveness::Dead => "dead",
        Liveness::Live => "live",
        Liveness::NotSocket => "not a socket",
    });
    step!("probe(\"x\")");
    line::result(found);
}

// 1. Ask while a process holds the socket.

pub(crate) fn bound() {
    situations::with_bound(ask);
}

pub(crate) fn listening() {
    situations::with_listening(ask);
}

pub(crate) fn full() {
    situations::with_full(ask);
}

pub(crate) fn shut_down() {
    situations::with_shut_down(ask);
}

pub(crate) fn seqpacket() {
    situations::with_seqpacket(ask);
}

pub(crate) fn datagram() {
    situations::with_datagram(ask);
}

pub(crate) fn taken() {
    situations::with_taken(ask);
}

// 2. Ask while no process holds the socket.

pub(crate) fn stale() {
    situations::with_stale(ask);
}

pub(crate) fn accepted() {
    situations::with_accepted(ask);
}

pub(crate) fn node() {
    situations::with_node(ask);
}

// 3. Ask about files that are not sockets.

pub(crate) fn file() {
    situations::with_file(ask);
}

pub(crate) fn absent() {
    ask();
}

// 4. Ask where the kernel cannot answer.

pub(crate) fn unknown() {
    situations::with_listening(|| {
        try_chmod("x", 0);
        as_another(ask);
    });
}
