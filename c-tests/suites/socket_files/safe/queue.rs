//! Cases of a full queue: connect(2) waits or fails, and never returns a socket without a peer.

use std::io::{self, Write as _};
use std::time::Duration;

use libc::pid_t;
use sunpath::{Error, Stream, UnixListener, UnixStream};

use super::many::wait_asleep;
use super::try_listen_for;
use crate::line::{self, step};
use crate::process;
use crate::socket::{Named, ask_peername, bound, new_socket, outcome, try_connect};

// 1. Make a listener whose queue has one place, and take that place.

type Situation = (Named<UnixListener>, Named<UnixStream>);

fn full() -> Result<Situation, Error> {
    let (s, c) = (bound('s', "x")?, new_socket::<Stream>('c')?);
    let s = try_listen_for(s, 0)?;
    try_connect(&c, "x");
    Ok((s, c))
}

// 2. Connect without waiting, and wait until a timeout.

pub(crate) fn nonblocking() -> Result<(), Error> {
    let (_scene, d) = (full()?, new_socket::<Stream>('d')?);
    try_connect(&d, "x");
    ask_peername(&d);
    Ok(())
}

pub(crate) fn timeout() -> Result<(), Error> {
    let (_scene, d) = (full()?, new_socket::<Stream>('d')?);
    d.set_nonblocking(false)?;
    let set = d.set_write_timeout(Some(Duration::from_millis(20)));
    step!("setsockopt(d, SO_SNDTIMEO, 20 ms)");
    outcome(&set);
    try_connect(&d, "x");
    ask_peername(&d);
    Ok(())
}

// 3. Wait until there is space.

fn connect_blocking() -> Result<(), Error> {
    let d = new_socket::<Stream>('d')?;
    d.set_nonblocking(false)?;
    line::part("child");
    try_connect(&d, "x");
    ask_peername(&d);
    Ok(())
}

/// Starts a child that connects, and waits until the child sleeps in connect(2).
fn waiting_child(situation: Situation) -> Result<(pid_t, Situation), Error> {
    let child = process::fork();
    if child == 0 {
        drop(situation);
        connect_blocking()?;
        process::end(0);
    }
    wait_asleep(child);
    Ok((child, situation))
}

/// Prints a step before the child continues.
fn step_before(words: &str) {
    step!("{words}");
    io::stdout().flush().expect("stdout can be written to");
}

pub(crate) fn room() -> Result<(), Error> {
    let (child, (s, _c)) = waiting_child(full()?)?;
    step_before("accept(s) = ok");
    let _a = s.accept()?;
    process::join(child);
    Ok(())
}

pub(crate) fn closed() -> Result<(), Error> {
    let (child, (s, _c)) = waiting_child(full()?)?;
    step_before("close(s)");
    drop(s);
    process::join(child);
    Ok(())
}
