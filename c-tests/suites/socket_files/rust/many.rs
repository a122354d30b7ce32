//! Functions for many processes at once, for both Rust lanes. `c/race.c` does the same in C.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::thread;

use libc::{c_int, pid_t};
use sunpath_sys::{EADDRINUSE, EAGAIN};

use crate::calls;
use crate::process::{self, Gate};

/// Waits until all processes have closed the other end of the gate.
fn wait_for_end([mut from, to]: Gate) {
    drop(to);
    assert_eq!(from.read(&mut [0]).expect("a pipe can be read"), 0);
}

/// Waits until the gate is closed, makes a server, reports the result, and ends when all servers
/// have reported.
fn start<S>(
    begin: Gate,
    mut said: &File,
    [from, to]: Gate,
    replace: fn() -> Result<S, c_int>,
) -> ! {
    drop(to);
    wait_for_end(begin);
    let server = replace();
    let number = server.as_ref().map_or_else(|errno| *errno as u8, |_| 0);
    said.write_all(&[number]).expect("a pipe can be written to");
    assert_eq!((&from).read(&mut [0]).expect("a pipe can be read"), 0);
    // The process ends without dropping the server, so its file stays.
    process::end(0)
}

/// Starts this many servers at once. Returns whether exactly one server has the path, all others
/// got EADDRINUSE, and a client reaches that one.
pub(crate) fn has_one_owner<S>(
    starters: usize,
    replace: fn() -> Result<S, c_int>,
    is_reached: fn() -> bool,
) -> bool {
    let [begin, said, end] = [(); 3].map(|()| process::gate_make());
    let mut children = Vec::new();
    for _ in 0..starters {
        let child = process::fork();
        if child == 0 {
            start(begin, &said[1], end, replace);
        }
        children.push(child);
    }
    drop(begin);
    let mut numbers = vec![0; starters];
    (&said[0]).read_exact(&mut numbers).expect("all say it");
    let count = |wanted| {
        numbers
            .iter()
            .filter(|n| c_int::from(**n) == wanted)
            .count()
    };
    let one = count(0) == 1 && count(EADDRINUSE) == starters - 1 && is_reached();
    drop(end);
    children.into_iter().for_each(process::join);
    one
}

/// Connects until the gate is closed, and ends with the first errno that means that no server was
/// there. A full queue does not mean that, and the client tries again.
pub(crate) fn connect_until([stop, to]: Gate, connect: fn() -> Result<(), c_int>) -> ! {
    drop(to);
    let mut number = 0;
    while calls::poll(stop.as_raw_fd()) == "none" {
        match connect() {
            Err(errno) if errno != EAGAIN && number == 0 => number = errno,
            _ => {}
        }
    }
    process::end(number)
}

/// Opens the gate, and then waits until this process is killed.
pub(crate) fn live_on(gate: &Gate) -> ! {
    process::gate_open(gate);
    loop {
        thread::park();
    }
}

/// Waits until a child sleeps. A child sleeps only in the call under test.
pub(crate) fn wait_asleep(child: pid_t) {
    // In proc_pid_stat(5) the state comes after the name of the program, which may contain any
    // bytes.
    let is_asleep = || {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).expect("the child is there");
        let (_, state) = stat.rsplit_once(") ").expect("it has a state");
        state.starts_with('S')
    };
    while !is_asleep() {
        thread::yield_now();
    }
}
