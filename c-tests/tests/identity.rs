//! Who the peer is, and what sending to nobody does: the C lane against the recorded transcript, and
//! the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test identity` writes the transcript anew from
//! the C lane, as root. Lines that begin with `S` are the safe lane's and are written by hand.
//!
//! Cases that need root, or a namespace that the system does not allow, are not run elsewhere: every
//! lane says so in its line, and this test on standard error.
#![cfg(target_os = "linux")]

use sunpath_c_tests::c;
use sunpath_c_tests::suite::Suite;

static IDENTITY: Suite = Suite::new(
    "identity",
    &[
        ('C', c::IDENTITY),
        ('R', env!("CARGO_BIN_EXE_identity-raw")),
        ('S', env!("CARGO_BIN_EXE_identity-safe")),
    ],
);

#[test]
fn identity_c_lane_equals_the_transcript() {
    IDENTITY.check('C');
}

#[test]
fn identity_raw_lane_equals_c() {
    IDENTITY.check('R');
}

#[test]
fn identity_safe_lane_equals_c_but_for_declared_differences() {
    IDENTITY.check('S');
}

#[test]
fn identity_as_root_runs_every_case_that_needs_root() {
    IDENTITY.check_root();
}
