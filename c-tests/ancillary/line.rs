//! The line of a case, for the Rust lanes: steps behind each other, and what was received in words.
//! `c/message.c` prints the same in C.

use std::fmt::Arguments;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use libc::{c_int, pid_t};
use sunpath_c_tests::notation::Bytes;

use crate::process;

static STEPS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn begin() {
    STEPS.store(0, Relaxed);
}

/// A step, behind "; " where it is not the first.
macro_rules! step {
    ($($words:tt)*) => { $crate::line::print_step(format_args!($($words)*)) };
}
pub(crate) use step;

pub(crate) fn print_step(words: Arguments<'_>) {
    if STEPS.fetch_add(1, Relaxed) > 0 {
        print!("; ");
    }
    print!("{words}");
}

/// Who or what the next steps are about, "stream: ".
pub(crate) fn part(name: &str) {
    step!("{name}: ");
    begin();
}

/// The result of a step: a count, or an errno.
pub(crate) fn result<T: std::fmt::Display>(result: Result<T, c_int>) {
    match result {
        Ok(count) => print!(" = {count}"),
        Err(errno) => print!(" = {}", process::name_of(errno)),
    }
}

/// What came with a message, for the line.
#[derive(Default)]
pub(crate) struct Arrived<'a> {
    pub(crate) data: &'a [u8],
    /// Control messages in their order, in the words of the functions below.
    pub(crate) messages: Vec<String>,
    pub(crate) truncated: bool,
    pub(crate) control_truncated: bool,
    /// How many descriptors the process has more than before.
    pub(crate) opened: usize,
}

/// What stands behind the result.
pub(crate) fn arrived(arrived: &Arrived<'_>) {
    if !arrived.data.is_empty() {
        print!(", {}", Bytes(arrived.data));
    }
    for message in &arrived.messages {
        print!(", {message}");
    }
    if arrived.truncated {
        print!(", TRUNC");
    }
    if arrived.control_truncated {
        print!(", CTRUNC");
    }
    if arrived.opened > 0 {
        print!(", opened {}", arrived.opened);
    }
}

pub(crate) fn rights(count: usize) -> String {
    format!("RIGHTS({count})")
}

pub(crate) fn credentials(pid: pid_t, uid: u32, gid: u32) -> String {
    if pid <= 1 {
        // Nobody's, or made up by the case.
        format!("CREDENTIALS(pid {pid}, uid {uid}, gid {gid})")
    } else {
        format!("CREDENTIALS({})", process::ids(pid, uid, gid))
    }
}

/// A pidfd, or the errno that is in its place.
pub(crate) fn pidfd(result: Result<(), c_int>) -> String {
    match result {
        Ok(()) => "PIDFD".to_owned(),
        Err(errno) => format!("PIDFD({})", process::name_of(errno)),
    }
}

pub(crate) fn inq(left: c_int) -> String {
    format!("INQ({left})")
}
