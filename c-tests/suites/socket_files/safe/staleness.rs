//! Cases of the proof that no process holds a socket file: what connect(2) reports to a datagram
//! socket, and what the server notices.

use sunpath::{Datagram, Errno, Error, Socket, Stream, UnixDatagram, addr};

use super::situations;
use super::system::leave_network;
use super::{ask_connect, try_listen_for};
use crate::line::step;
use crate::process;
use crate::socket::{self, ask_poll, new_socket, try_close, try_connect};

fn datagram_asks() -> Result<(), Error> {
    ask_connect::<Datagram>('d', "x")
}

// 1. Ask about a stream or seqpacket socket.

pub(crate) fn bound() -> Result<(), Error> {
    situations::with_bound(datagram_asks)
}

pub(crate) fn listening() -> Result<(), Error> {
    situations::with_listening(datagram_asks)
}

pub(crate) fn full() -> Result<(), Error> {
    situations::with_full(datagram_asks)
}

pub(crate) fn shut_down() -> Result<(), Error> {
    situations::with_shut_down(datagram_asks)
}

pub(crate) fn seqpacket() -> Result<(), Error> {
    situations::with_seqpacket(datagram_asks)
}

pub(crate) fn another_network() -> Result<(), Error> {
    let s = Socket::<Stream>::new()?;
    s.bind_to(&addr!("x"))?;
    let _s = s.listen(8)?;
    let child = process::fork();
    if child == 0 {
        if leave_network() {
            datagram_asks()?;
        }
        process::end(0);
    }
    process::join(child);
    Ok(())
}

// 2. Ask while no process holds the socket.

pub(crate) fn stale() -> Result<(), Error> {
    situations::with_stale(datagram_asks)
}

pub(crate) fn accepted() -> Result<(), Error> {
    situations::with_accepted(datagram_asks)
}

pub(crate) fn node() -> Result<(), Error> {
    situations::with_node(datagram_asks)
}

pub(crate) fn file() -> Result<(), Error> {
    situations::with_file(datagram_asks)
}

pub(crate) fn absent() -> Result<(), Error> {
    datagram_asks()
}

// 3. Ask about a datagram socket.

pub(crate) fn datagram() -> Result<(), Error> {
    situations::with_datagram(datagram_asks)
}

pub(crate) fn taken() -> Result<(), Error> {
    situations::with_taken(datagram_asks)
}

// 4. Show which calls the server notices.

pub(crate) fn thousand() -> Result<(), Error> {
    let s = try_listen_for(socket::bound::<Stream>('s', "x")?, 0)?;
    let mut told = 0;
    for _ in 0..1000 {
        let connected = UnixDatagram::new()?.connect("x");
        told += usize::from(connected.is_err_and(|error| error.errno() == Errno::EPROTOTYPE));
    }
    step!("connect(d, \"x\") = EPROTOTYPE, {told} times");
    ask_poll(&s);
    ask_connect::<Stream>('c', "x")
}

pub(crate) fn stream() -> Result<(), Error> {
    let (s, c) = (
        socket::bound::<Stream>('s', "x")?,
        new_socket::<Stream>('c')?,
    );
    let s = try_listen_for(s, 0)?;
    try_connect(&c, "x");
    try_close(c);
    ask_poll(&s);
    ask_connect::<Stream>('e', "x")
}
