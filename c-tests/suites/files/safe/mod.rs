//! Files and paths over `sunpath`: for each call of `../c` the nearest that a program in safe Rust does,
//! file by file, and the same lines.
//!
//! A line differs from C's where C can pass something that is not an address or not a socket, and
//! where the library takes a path for which C needs a detour.

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

/// What a case gives.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
