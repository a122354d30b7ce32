//! Cases of many processes: servers that start together, a client that connects while servers
//! change, and a server that is killed.

use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::SOCK_STREAM;

use super::ask_connect;
use super::many::{connect_until, has_one_owner, live_on};
use super::server::{Server, try_release, try_replace, try_serve};
use super::system::try_kill;
use crate::file::{ask_kind, ask_names};
use crate::line::step;
use crate::process::{self, check};
use crate::socket::{close, leave_stale, make_connect, new_socket, try_accept};

const ROUNDS: usize = 200;
const STARTERS: usize = 8;
const REPLACEMENTS: usize = 100;

// 1. Start servers over one stale file. Each round begins with the file of the previous winner,
//    which ended without removing the file.

fn connect() -> Result<(), c_int> {
    let c = new_socket('c', SOCK_STREAM);
    let connected = make_connect(c.fd, b"x");
    close(&[c]);
    connected.map(drop)
}

pub(crate) fn race() {
    leave_stale(SOCK_STREAM, "x");
    let round = |_: &usize| has_one_owner(STARTERS, || Server::replace("x"), || connect().is_ok());
    let times = (0..ROUNDS).filter(round).count();
    let others = STARTERS - 1;
    step!(
        "{STARTERS} processes: replace(s, \"x\") = ok once, EADDRINUSE {others} times; {times} times"
    );
}

// 2. Connect without a pause while servers change. A full queue is not a refusal, and the client
//    tries again. The old servers keep running, because a client that has looked up the path may
//    still reach them.

/// Waits until a client reaches the server.
fn be_reached(s: &Server) {
    // SAFETY: F_SETFL takes flags.
    check("fcntl", unsafe { sys::fcntl(s.fd, sys::F_SETFL, 0) });
    // SAFETY: both pointers for the address are null.
    let fd = unsafe { sys::accept(s.fd, ptr::null_mut(), ptr::null_mut()) };
    // SAFETY: the descriptor was just made, and nothing else owns it.
    check("accept", unsafe { sys::close(fd) });
}

pub(crate) fn clients() {
    let mut servers = vec![try_serve('s')];
    let stop = process::gate_make();
    let child = process::fork();
    if child == 0 {
        connect_until(stop, connect);
    }
    for _ in 0..REPLACEMENTS {
        let s = Server::take_over("x").expect("a socket is there");
        be_reached(&s);
        servers.push(s);
    }
    step!("take_over(s, \"x\") = ok, accept(s) = ok, {REPLACEMENTS} times");
    drop(stop);
    step!("child: connect(c, \"x\"), again and again");
    process::wait_and_print(child);
    let last = servers.pop().expect("there are some");
    servers.into_iter().for_each(Server::release);
    step!("release(all but the last)");
    ask_kind("x");
    last.release();
    step!("release(the last)");
    ask_names();
}

// 3. Kill the holder of the lock, so that the kernel releases the lock.

pub(crate) fn killed() {
    let gate = process::gate_make();
    let child = process::fork();
    if child == 0 {
        let _a = Server::replace("x").expect("the path is free");
        live_on(&gate);
    }
    process::gate_wait(gate);
    step!("child: replace(a, \"x\") = ok");
    try_replace('b');
    try_kill(child);
    ask_names();
    let b = try_replace('b').expect("the lock is free");
    ask_connect('c', SOCK_STREAM, "x");
    close(&[try_accept(b.sock('b'), 'd')]);
    try_release('b', b);
    ask_names();
}
