//! The situations that may exist at the path "x". Each function makes a situation, calls `look`,
//! and cleans up.

use sunpath::{Datagram, Error, Seqpacket, Shutdown, Stream};

use super::{Outcome, ask_connect, try_listen_for};
use crate::file::{try_create, try_mknod};
use crate::line::step;
use crate::socket::{
    bound, leave_stale, listening, new_socket, outcome, try_accept, try_close, try_connect,
    try_listen,
};

// 1. Make situations in which a process holds the socket.

pub(crate) fn with_bound(look: fn() -> Outcome) -> Result<(), Error> {
    let _s = bound::<Stream>('s', "x")?;
    look()
}

pub(crate) fn with_listening(look: fn() -> Outcome) -> Result<(), Error> {
    let _s = listening('s', "x")?;
    look()
}

pub(crate) fn with_full(look: fn() -> Outcome) -> Result<(), Error> {
    let (s, c) = (bound::<Stream>('s', "x")?, new_socket::<Stream>('c')?);
    let _s = try_listen_for(s, 0)?;
    try_connect(&c, "x");
    ask_connect::<Stream>('e', "x")?;
    look()
}

pub(crate) fn with_shut_down(look: fn() -> Outcome) -> Result<(), Error> {
    let s = listening('s', "x")?;
    let shut = s.as_socket().shutdown(Shutdown::Both);
    step!("shutdown(s, SHUT_RDWR)");
    outcome(&shut);
    ask_connect::<Stream>('c', "x")?;
    look()
}

pub(crate) fn with_seqpacket(look: fn() -> Outcome) -> Result<(), Error> {
    let _s = try_listen(bound::<Seqpacket>('s', "x")?)?;
    look()
}

pub(crate) fn with_datagram(look: fn() -> Outcome) -> Result<(), Error> {
    let _s = bound::<Datagram>('s', "x")?;
    look()
}

pub(crate) fn with_taken(look: fn() -> Outcome) -> Result<(), Error> {
    let (s, _t) = (bound::<Datagram>('s', "x")?, bound::<Datagram>('t', "y")?);
    try_connect(&s, "y");
    look()
}

// 2. Make situations in which no process holds the socket.

pub(crate) fn with_stale(look: fn() -> Outcome) -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    look()
}

pub(crate) fn with_accepted(look: fn() -> Outcome) -> Result<(), Error> {
    let (s, c) = (listening('s', "x")?, new_socket::<Stream>('c')?);
    try_connect(&c, "x");
    let _a = try_accept(&s, 'a');
    try_close(s);
    look()
}

pub(crate) fn with_node(look: fn() -> Outcome) -> Result<(), Error> {
    try_mknod("x");
    look()
}

pub(crate) fn with_file(look: fn() -> Outcome) -> Result<(), Error> {
    try_create("x");
    look()
}
