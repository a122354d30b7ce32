//! Cases of connect: it succeeds only at a live socket of the same type.

use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Seqpacket, Stream};

use crate::file::{try_create, try_mkdir, try_mkfifo, try_mknod, try_symlink};
use crate::line::part;
use crate::socket::{bound, leave_stale, listening, new_socket, try_connect, try_listen};

// 1. Connect where no process holds the socket.

fn connect_in_vain(path: &str) -> Result<(), Error> {
    let c = new_socket::<Stream>('c')?;
    try_connect(&c, path);
    Ok(())
}

pub(crate) fn stale() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    connect_in_vain("x")
}

pub(crate) fn file() -> Result<(), Error> {
    try_create("x");
    connect_in_vain("x")
}

pub(crate) fn directory() -> Result<(), Error> {
    try_mkdir("x");
    connect_in_vain("x")
}

pub(crate) fn fifo() -> Result<(), Error> {
    try_mkfifo("x");
    connect_in_vain("x")
}

pub(crate) fn node() -> Result<(), Error> {
    try_mknod("x");
    connect_in_vain("x")
}

// 2. Connect where no socket is at the path.

pub(crate) fn absent() -> Result<(), Error> {
    connect_in_vain("absent")
}

pub(crate) fn missing() -> Result<(), Error> {
    connect_in_vain("missing/x")
}

pub(crate) fn through_file() -> Result<(), Error> {
    try_create("file");
    connect_in_vain("file/x")
}

pub(crate) fn link_loop() -> Result<(), Error> {
    try_symlink("loop", "loop");
    connect_in_vain("loop")
}

pub(crate) fn dangling() -> Result<(), Error> {
    try_symlink("target", "x");
    connect_in_vain("x")
}

// 3. Connect where a process holds the socket.

pub(crate) fn before_listen() -> Result<(), Error> {
    let (s, c) = (bound::<Stream>('s', "x")?, new_socket::<Stream>('c')?);
    try_connect(&c, "x");
    let _s = try_listen(s)?;
    try_connect(&c, "x");
    Ok(())
}

/// Connects sockets of the two other types.
fn connect_others<C: Kind, D: Kind>(name: &str, other_name: &str) -> Result<(), Error> {
    let (c, d) = (new_socket::<C>('c')?, new_socket::<D>('d')?);
    part(name);
    try_connect(&c, "x");
    part(other_name);
    try_connect(&d, "x");
    Ok(())
}

pub(crate) fn stream() -> Result<(), Error> {
    let _s = listening('s', "x")?;
    connect_others::<Datagram, Seqpacket>("datagram", "seqpacket")
}

pub(crate) fn datagram() -> Result<(), Error> {
    let _s = bound::<Datagram>('s', "x")?;
    connect_others::<Stream, Seqpacket>("stream", "seqpacket")
}

pub(crate) fn seqpacket() -> Result<(), Error> {
    let _s = try_listen(bound::<Seqpacket>('s', "x")?)?;
    connect_others::<Stream, Datagram>("stream", "datagram")
}

pub(crate) fn stale_stream() -> Result<(), Error> {
    let c = new_socket::<Datagram>('c')?;
    leave_stale::<Stream>("x")?;
    part("datagram");
    try_connect(&c, "x");
    Ok(())
}
