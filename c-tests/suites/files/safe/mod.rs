//! Runs the cases of files and paths over `sunpath`. For each call of `../c` it makes the call that
//! a program in safe Rust would make, and it prints the same lines.
//!
//! A line differs from C's if C passes something that is not an address or not a socket, or if the
//! library takes a path for which C needs several calls.

mod address;
mod bind;
mod connect;
mod constructor;
mod inode;
mod paths;
mod replace;
mod servers;
mod takeover;

use sunpath::Error;

use crate::cases;

/// The result of a case.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
