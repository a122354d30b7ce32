//! The raw lane, which is Rust over `sunpath-sys`. Each of its files has the same functions as the
//! file of the C lane, and prints the same lines.

#[path = "../common/calls.rs"]
mod calls;
#[path = "../common/cases.rs"]
mod cases;
#[path = "../common/descriptors.rs"]
mod descriptors;
#[path = "../common/file.rs"]
mod file;
#[path = "../common/lane.rs"]
mod lane;
#[path = "../common/line.rs"]
mod line;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/socket_raw.rs"]
mod socket;
#[path = "../common/step.rs"]
mod step;
#[path = "../common/words.rs"]
mod words;

#[path = "../suites/addr/raw/mod.rs"]
mod addr;
#[path = "../suites/ancillary/raw/mod.rs"]
mod ancillary;
#[path = "../convert/raw/mod.rs"]
mod convert;
#[path = "../faults/raw/mod.rs"]
mod faults;
#[path = "../suites/files/raw/mod.rs"]
mod files;
#[path = "../suites/identity/raw/mod.rs"]
mod identity;
#[path = "../suites/socket_files/raw/mod.rs"]
mod socket_files;
#[path = "../suites/sockets/raw/mod.rs"]
mod sockets;

lane::main! { addr ancillary convert faults files identity socket_files sockets }
