//! Cases of many processes: servers that start together, a client that connects while servers
//! change, and a server that is killed.

use libc::c_int;
use sunpath::{Error, Stream};

use super::ask_connect;
use super::many::{connect_until, has_one_owner, live_on};
use super::server::{ask_accept, replace, take_over, try_release, try_replace, try_serve};
use super::system::try_kill;
use crate::file::{ask_kind, ask_names};
use crate::line::step;
use crate::process;
use crate::socket::{leave_stale, new_socket};

const ROUNDS: usize = 200;
const STARTERS: usize = 8;
const REPLACEMENTS: usize = 100;

// 1. Start servers over one stale file. Each round begins with the file of the previous winner,
//    which ended without removing the file.

fn connect() -> Result<(), c_int> {
    let c = new_socket::<Stream>('c').expect("there is space for one");
    c.connect_to(&sunpath::addr!("x"))
        .map_err(|error| error.errno().raw())
}

pub(crate) fn race() -> Result<(), Error> {
    leave_stale::<Stream>("x")?;
    let replace = || replace().map_err(|error| error.errno().raw());
    let round = |_: &usize| has_one_owner(STARTERS, replace, || connect().is_ok());
    let times = (0..ROUNDS).filter(round).count();
    let others = STARTERS - 1;
    step!(
        "{STARTERS} processes: replace(s, \"x\") = ok once, EADDRINUSE {others} times; {times} times"
    );
    Ok(())
}

// 2. Connect without a pause while servers change. The old servers keep running, because a client
//    that has looked up the path may still reach them.

pub(crate) fn clients() -> Result<(), Error> {
    let mut servers = vec![try_serve('s')?];
    let stop = process::gate_make();
    let child = process::fork();
    if child == 0 {
        connect_until(stop, connect);
    }
    for _ in 0..REPLACEMENTS {
        let s = take_over()?;
        // accept waits until a client reaches the server.
        s.accept()?;
        servers.push(s);
    }
    step!("take_over(s, \"x\") = ok, accept(s) = ok, {REPLACEMENTS} times");
    drop(stop);
    step!("child: connect(c, \"x\"), again and again");
    process::wait_and_print(child);
    let last = servers.pop();
    drop(servers);
    step!("release(all but the last)");
    ask_kind("x");
    drop(last);
    step!("release(the last)");
    ask_names();
    Ok(())
}

// 3. Kill the holder of the lock, so that the kernel releases the lock.

pub(crate) fn killed() -> Result<(), Error> {
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        let _a = replace()?;
        live_on(&gate);
    }
    process::gate_wait(gate);
    step!("child: replace(a, \"x\") = ok");
    let _ = try_replace('b');
    try_kill(child);
    ask_names();
    let b = try_replace('b')?;
    ask_connect::<Stream>('c', "x")?;
    ask_accept('b', &b)?;
    try_release('b', b);
    ask_names();
    Ok(())
}
