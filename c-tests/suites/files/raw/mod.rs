//! Runs the cases of files and paths over `sunpath-sys`. Each file makes the same calls as the file
//! in `../c`, and prints the same lines.

mod address;
mod bind;
mod connect;
mod constructor;
mod inode;
mod paths;
mod replace;
mod servers;
mod takeover;

use crate::cases;

/// The result of a case.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

pub(crate) fn main() -> Outcome {
    cases::run(CASES)
}
