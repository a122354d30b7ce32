//! The safe lane, which is Rust over `sunpath`. For each call of the C lane it does what a program
//! in safe Rust would do. The program prints the same lines as C, except for the differences that
//! the transcripts declare.
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "sunpath has no such call")]
#[path = "../common/calls.rs"]
mod calls;
#[path = "../common/cases.rs"]
mod cases;
#[allow(unsafe_code, reason = "sunpath has no such call")]
#[path = "../common/descriptors.rs"]
mod descriptors;
#[allow(unsafe_code, reason = "sunpath has no such call")]
#[path = "../common/file.rs"]
mod file;
#[path = "../common/lane.rs"]
mod lane;
#[path = "../common/line.rs"]
mod line;
#[allow(unsafe_code, reason = "sunpath has no such call")]
#[path = "../common/process.rs"]
mod process;
#[path = "../common/socket_safe.rs"]
mod socket;
#[path = "../common/step.rs"]
mod step;
#[path = "../common/words.rs"]
mod words;

#[path = "../suites/addr/safe/mod.rs"]
mod addr;
#[path = "../suites/ancillary/safe/mod.rs"]
mod ancillary;
#[path = "../convert/safe/mod.rs"]
mod convert;
#[allow(
    unsafe_code,
    reason = "it makes a system call that fails, as a marker in the trace"
)]
#[path = "../faults/safe/mod.rs"]
mod faults;
#[path = "../suites/files/safe/mod.rs"]
mod files;
#[path = "../suites/identity/safe/mod.rs"]
mod identity;
#[allow(
    unsafe_code,
    reason = "it makes a system call that fails, as a marker in the trace"
)]
#[path = "../passing/safe/mod.rs"]
mod passing;
#[path = "../suites/socket_files/safe/mod.rs"]
mod socket_files;
#[path = "../suites/sockets/safe/mod.rs"]
mod sockets;

lane::main! { addr ancillary convert faults files identity passing socket_files sockets }
