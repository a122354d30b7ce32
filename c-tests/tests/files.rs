//! Socket files: what stands at a path, names that move, servers one after the other, and paths that
//! are too long: the C lane against the recorded transcript, and the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test files` writes the transcript anew from the C
//! lane. Lines that begin with `S` are the safe lane's and are written by hand.
//!
//! Each case has a directory of its own, and counts the descriptors of its process before and after.
#![cfg(target_os = "linux")]

use sunpath_c_tests::c;
use sunpath_c_tests::suite::Suite;

static FILES: Suite = Suite::new(
    "files",
    &[
        ('C', c::FILES),
        ('R', env!("CARGO_BIN_EXE_files-raw")),
        ('S', env!("CARGO_BIN_EXE_files-safe")),
    ],
);

#[test]
fn files_c_lane_equals_the_transcript() {
    FILES.check('C');
}

#[test]
fn files_raw_lane_equals_c() {
    FILES.check('R');
}

#[test]
fn files_safe_lane_equals_c_but_for_declared_differences() {
    FILES.check('S');
}

#[test]
fn files_transcript_has_no_leak() {
    FILES.check_no_line("; leaked ");
}
