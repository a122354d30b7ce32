//! Descriptors, credentials, pidfds and the length of the queue as control data: the C lane against
//! the recorded transcript, and the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test ancillary` writes the transcript anew from
//! the C lane, as root, on a kernel that has every option that a case asks for. Lines that begin with
//! `S` are the safe lane's and are written by hand.
//!
//! Each case counts the descriptors of its process before and after, and says where they differ.
#![cfg(target_os = "linux")]

use sunpath_c_tests::c;
use sunpath_c_tests::suite::Suite;

static ANCILLARY: Suite = Suite::new(
    "ancillary",
    &[
        ('C', c::ANCILLARY),
        ('R', env!("CARGO_BIN_EXE_ancillary-raw")),
        ('S', env!("CARGO_BIN_EXE_ancillary-safe")),
    ],
);

#[test]
fn ancillary_c_lane_equals_the_transcript() {
    ANCILLARY.check('C');
}

#[test]
fn ancillary_raw_lane_equals_c() {
    ANCILLARY.check('R');
}

#[test]
fn ancillary_safe_lane_equals_c_but_for_declared_differences() {
    ANCILLARY.check('S');
}

#[test]
fn ancillary_transcript_has_no_leak() {
    ANCILLARY.check_no_line("; leaked ");
}

#[test]
fn ancillary_as_root_runs_every_case_that_needs_root() {
    ANCILLARY.check_root();
}
