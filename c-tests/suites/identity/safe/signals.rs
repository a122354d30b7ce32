//! Cases of sending to a closed peer and of waiting for space, in a program that does not handle
//! signals.

use std::io::IoSlice;
use std::time::Duration;

use sunpath::socket::{Kind, Messages};
use sunpath::{ConnectOptions, Datagram, Error, Seqpacket, Shutdown, Socket, Stream, UnixStream};

use super::{PATH, address, listening};
use crate::process;

// 1. Make sockets to send on: a socket whose peer has closed, and a socket that was shut down for
//    sending.

fn orphan<T: Kind>() -> Result<Socket<T>, Error> {
    let (p, _closed) = Socket::pair()?;
    Ok(p)
}

// 2. Raise SIGPIPE: each send is made in a child, which the default action kills.

fn ending(result: Result<(), Error>) -> i32 {
    result.map_or_else(|error| error.errno().raw(), |()| 0)
}

fn in_child<T: Kind>(call: &str, socket: Socket<T>, send_it: fn(&Socket<T>) -> Result<(), Error>) {
    print!("{call}");
    let child = process::fork();
    if child == 0 {
        process::default_sigpipe();
        process::end(ending(send_it(&socket)));
    }
    process::wait_and_print(child);
}

fn send_byte(socket: &UnixStream) -> Result<(), Error> {
    socket.write(b"x").map(drop)
}

fn send_nothing(socket: &UnixStream) -> Result<(), Error> {
    socket.write(b"").map(drop)
}

fn writev_byte(socket: &UnixStream) -> Result<(), Error> {
    socket.write_vectored(&[IoSlice::new(b"x")]).map(drop)
}

fn send_message<T: Messages>(socket: &Socket<T>) -> Result<(), Error> {
    socket.send(b"x")
}

fn send_after_shutdown<T: Kind>(send_it: fn(&Socket<T>) -> Result<(), Error>) -> Result<(), Error> {
    let (p, _other) = Socket::pair()?;
    p.shutdown(Shutdown::Write)?;
    in_child("send(p, \"x\", 0)", p, send_it);
    Ok(())
}

pub(crate) fn stream_send() -> Result<(), Error> {
    in_child("send(p, \"x\", 0)", orphan()?, send_byte);
    Ok(())
}

pub(crate) fn stream_send_nosignal() -> Result<(), Error> {
    in_child("send(p, \"x\", MSG_NOSIGNAL)", orphan()?, send_byte);
    Ok(())
}

pub(crate) fn stream_send_nothing() -> Result<(), Error> {
    in_child("send(p, \"\", 0)", orphan()?, send_nothing);
    Ok(())
}

pub(crate) fn stream_write() -> Result<(), Error> {
    in_child("write(p, \"x\")", orphan()?, send_byte);
    Ok(())
}

pub(crate) fn stream_writev() -> Result<(), Error> {
    in_child("writev(p, \"x\")", orphan()?, writev_byte);
    Ok(())
}

pub(crate) fn stream_shut() -> Result<(), Error> {
    send_after_shutdown(send_byte)
}

pub(crate) fn stream_unconnected() -> Result<(), Error> {
    in_child("send(s, \"x\", 0)", UnixStream::new()?, send_byte);
    Ok(())
}

pub(crate) fn seqpacket_send() -> Result<(), Error> {
    in_child("send(p, \"x\", 0)", orphan()?, send_message::<Seqpacket>);
    Ok(())
}

pub(crate) fn seqpacket_shut() -> Result<(), Error> {
    send_after_shutdown(send_message::<Seqpacket>)
}

pub(crate) fn datagram_send() -> Result<(), Error> {
    in_child("send(p, \"x\", 0)", orphan()?, send_message::<Datagram>);
    Ok(())
}

pub(crate) fn datagram_shut() -> Result<(), Error> {
    send_after_shutdown(send_message::<Datagram>)
}

// 3. Wait at a full queue: connect(2) waits for at most the send timeout. The case runs in a child
//    process, because it needs a timer of its own.

fn connect_after(patience: u64) -> Result<(), Error> {
    let socket = UnixStream::new()?;
    socket.set_write_timeout(Some(Duration::from_millis(patience)))?;
    socket.connect_to(&address())
}

fn connect_patiently() -> Result<(), Error> {
    connect_after(400)
}

fn connect_impatiently() -> Result<(), Error> {
    connect_after(50)
}

fn connect_in_time() -> Result<(), Error> {
    let options = ConnectOptions::new().timeout(Duration::from_millis(150));
    let result = options.connect::<Stream>(PATH).map(drop);
    assert!(process::is_interrupted(), "the time was up earlier");
    result
}

fn wait_for_space(interrupt: bool, connect_it: fn() -> Result<(), Error>) -> Result<(), Error> {
    let _s = listening::<Stream>(0)?;
    let _first = UnixStream::connect(PATH)?;
    print!("connect(c)");
    let child = process::fork();
    if child == 0 {
        if interrupt {
            process::interrupt();
        }
        process::end(ending(connect_it()));
    }
    process::wait_and_print(child);
    Ok(())
}

pub(crate) fn connect_timeout() -> Result<(), Error> {
    wait_for_space(false, connect_impatiently)
}

pub(crate) fn connect_interrupted() -> Result<(), Error> {
    wait_for_space(true, connect_patiently)
}

pub(crate) fn connect_deadline() -> Result<(), Error> {
    wait_for_space(true, connect_in_time)
}
