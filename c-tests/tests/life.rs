//! The life of a socket file: whether anybody holds it, whose it is to remove, how servers follow each
//! other, who may connect: the C lane against the recorded transcript, and the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test life` writes the transcript anew from the C
//! lane, as root. Lines that begin with `S` are the safe lane's and are written by hand.
//!
//! Cases that need root, or a namespace that the system does not allow, are not run elsewhere: every
//! lane says so in its line, and this test on standard error. Each case has a directory of its own, and
//! counts the descriptors of its process before and after.
#![cfg(target_os = "linux")]

use sunpath_c_tests::c;
use sunpath_c_tests::suite::Suite;

static LIFE: Suite = Suite::new(
    "life",
    &[
        ('C', c::LIFE),
        ('R', env!("CARGO_BIN_EXE_life-raw")),
        ('S', env!("CARGO_BIN_EXE_life-safe")),
    ],
);

#[test]
fn life_c_lane_equals_the_transcript() {
    LIFE.check('C');
}

#[test]
fn life_raw_lane_equals_c() {
    LIFE.check('R');
}

#[test]
fn life_safe_lane_equals_c_but_for_declared_differences() {
    LIFE.check('S');
}

#[test]
fn life_transcript_has_no_leak() {
    LIFE.check_no_line("; leaked ");
}

#[test]
fn life_as_root_runs_every_case_that_needs_root() {
    LIFE.check_root();
}
