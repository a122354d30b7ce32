//! Socket files over `sunpath-sys`: the same calls as in `../c`, file by file, and the same lines. Works
//! in the current directory, which should be empty and the program's own.

mod address;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/around.rs"]
mod around;
mod bind;
#[path = "../../common/cases.rs"]
mod cases;
mod connect;
mod constructor;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/descriptors.rs"]
mod descriptors;
#[path = "../../common/file.rs"]
mod file;
mod inode;
#[path = "../../common/line.rs"]
mod line;
mod paths;
#[allow(dead_code, reason = "this suite needs a part of it")]
#[path = "../../common/process.rs"]
mod process;
mod replace;
mod servers;
#[path = "../../common/socket_raw.rs"]
mod socket;
mod takeover;
#[path = "../../common/words.rs"]
mod words;

/// What a case gives.
type Outcome = ();

include!(concat!(env!("OUT_DIR"), "/files_cases.rs"));

fn main() -> Outcome {
    cases::run(CASES)
}
