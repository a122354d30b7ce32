//! Socket files over `sunpath`: the nearest that a program in safe Rust does to each call of `../c`,
//! file by file, and the same lines. Works in the current directory, which should be empty and the
//! program's own.
//!
//! A line differs from C's where C can call with what is no address or no socket, and where the
//! library takes a path that C has to go around.
#![deny(unsafe_code)]

mod address;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
mod bind;
#[path = "../../common/cases.rs"]
mod cases;
mod connect;
mod constructor;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
#[allow(unsafe_code, reason = "asks the system")]
#[path = "../../common/file.rs"]
mod file;
mod inode;
#[path = "../../common/line.rs"]
mod line;
mod paths;
#[allow(unsafe_code, reason = "asks the system")]
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod replace;
mod servers;
#[path = "../../common/socket_safe.rs"]
mod socket;
mod takeover;
#[path = "../../common/words.rs"]
mod words;

use sunpath::Error;

/// What a case gives.
type Outcome = Result<(), Error>;

include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

fn main() -> Outcome {
    cases::run(CASES)
}
