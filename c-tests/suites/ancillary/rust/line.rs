//! Prints the line of a case in the Rust lanes: its steps, and a description of what was received.
//! `c/message.c` prints the same in C.

use libc::{c_int, pid_t};
use sunpath_c_tests::notation::Bytes;

use crate::process;

pub(crate) use crate::line::{part, result, step};

/// The data that arrived with a message, for the line.
#[derive(Default)]
pub(crate) struct Arrived<'a> {
    pub(crate) data: &'a [u8],
    /// The control messages in their order, in the words that the functions below return.
    pub(crate) messages: Vec<String>,
    pub(crate) truncated: bool,
    pub(crate) control_truncated: bool,
    /// The number of descriptors that the process has gained.
    pub(crate) opened: usize,
}

/// Prints what arrived, after the result of the call.
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
        // The pid is printed as it is, because it belongs to no process, or the case made it up.
        format!("CREDENTIALS(pid {pid}, uid {uid}, gid {gid})")
    } else {
        format!("CREDENTIALS({})", process::ids(pid, uid, gid))
    }
}

/// Returns the words for a pidfd, or for the errno that arrived in place of a pidfd.
pub(crate) fn pidfd(result: Result<(), c_int>) -> String {
    match result {
        Ok(()) => "PIDFD".to_owned(),
        Err(errno) => format!("PIDFD({})", process::name_of(errno)),
    }
}

pub(crate) fn inq(left: c_int) -> String {
    format!("INQ({left})")
}
