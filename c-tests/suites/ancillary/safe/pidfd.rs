//! Cases of `SCM_PIDFD` (which is a descriptor, too), of `SCM_INQ`, of the order of control
//! messages, and of a control message of another address family.

use std::os::fd::AsRawFd as _;

use sunpath::ancillary::MsgFlags;
use sunpath::fd::IoSliceMut;
use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Seqpacket, Stream, sys};

use super::line::{self, part, step};
use super::message::{
    CONTROL_SIZE, Pair, ask_close_on_exec, lacks, new_pair, option, receive, receive_closing,
    receive_fds, send_rights, send_text, set,
};
use super::{accepted, connected, listening};
use crate::descriptors::{allow_more, allow_usual, open_descriptors};
use crate::process;

fn passing<T: Kind>() -> Result<Pair<T>, Error> {
    let s = new_pair()?;
    set("q", &s.q, option!(SO_PASSPIDFD), true);
    Ok(s)
}

// 1. Receive a pidfd with a message.

/// The option was set on the listener. A receiver therefore gets a pidfd with every message without
/// asking for pidfds. Dropping the message closes the pidfd.
pub(crate) fn inherited() -> Result<(), Error> {
    if lacks(option!(SO_PASSPIDFD))? {
        return Ok(());
    }
    let listener = listening::<Stream>()?;
    set(
        "listener",
        listener.as_socket(),
        option!(SO_PASSPIDFD),
        true,
    );
    let p = connected()?;
    let q = accepted(&listener)?;
    send_text(&p, "x");
    for fd in receive_fds(&q, 64) {
        ask_close_on_exec(fd);
    }
    send_text(&p, "x");
    let before = open_descriptors();
    let count = q
        .recvmsg(&mut [IoSliceMut::new(&mut [0])], &mut [0; CONTROL_SIZE])?
        .len();
    step!(
        "recvmsg(q, 1) = {count}, left open {}",
        open_descriptors() - before
    );
    Ok(())
}

pub(crate) fn peek() -> Result<(), Error> {
    if lacks(option!(SO_PASSPIDFD))? {
        return Ok(());
    }
    let s = passing()?;
    send_text(&s.p, "x");
    let peek = (MsgFlags::PEEK, "MSG_PEEK");
    receive_closing(&s.q, 64, peek);
    receive_closing(&s.q, 64, peek);
    receive(&s.q, 64);
    Ok(())
}

pub(crate) fn dead() -> Result<(), Error> {
    if lacks(option!(SO_PASSPIDFD))? {
        return Ok(());
    }
    let s = passing()?;
    let child = process::fork();
    if child == 0 {
        part("child");
        send_text(&s.p, "x");
        process::end(0);
    }
    process::join(child);
    for pidfd in receive_fds(&s.q, 64) {
        let signal = process::probe(pidfd.as_raw_fd());
        step!("pidfd_send_signal(0) = {signal}");
    }
    Ok(())
}

// 2. Receive without a pidfd.

pub(crate) fn limit() -> Result<(), Error> {
    if lacks(option!(SO_PASSPIDFD))? {
        return Ok(());
    }
    let s = passing()?;
    send_text(&s.p, "x");
    allow_more(0);
    receive(&s.q, 64);
    allow_usual();
    Ok(())
}

fn at_the_end<T: Kind>(name: &str) -> Result<(), Error> {
    part(name);
    let s = passing::<T>()?;
    set("q", &s.q, option!(SO_PASSCRED), true);
    step!("close(p)");
    drop(s.p);
    receive(&s.q, 64);
    Ok(())
}

pub(crate) fn end() -> Result<(), Error> {
    if lacks(option!(SO_PASSPIDFD))? {
        return Ok(());
    }
    at_the_end::<Stream>("stream")?;
    at_the_end::<Seqpacket>("seqpacket")
}

// 3. Receive the length of the queue.

pub(crate) fn no_stream() -> Result<(), Error> {
    if !lacks(option!(SO_INQ))? {
        print!("only a UnixStream has the option");
    }
    Ok(())
}

// 4. Receive a control message of another address family.

pub(crate) fn timestamp() -> Result<(), Error> {
    let s = new_pair::<Datagram>()?;
    let set = s.q.setsockopt(sys::SO_TIMESTAMP, &1_i32);
    step!("setsockopt(q, SO_TIMESTAMP, 1)");
    line::result(set.map(|()| "ok").map_err(|error| error.errno().raw()));
    send_rights(&s.p, "x", 1);
    receive(&s.q, 64);
    Ok(())
}
