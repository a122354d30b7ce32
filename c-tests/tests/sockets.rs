//! What the kernel answers to whole conversations over streams, datagrams and sequenced packets: C
//! against the recorded transcript, and the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test sockets` writes the transcript anew from
//! the C lane. Lines that begin with `S` are the safe lane's and are written by hand.
#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Once;

use sunpath_c_tests::compare::Transcript;
use sunpath_c_tests::{c, lane};

const TRANSCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sockets/transcript.txt");
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sockets/cases.txt");

fn lane(program: &str) -> String {
    let cases = Path::new(CASES);
    let _alone = lane::alone_with(cases);
    lane::run(program, Some(cases))
}

fn transcript() -> Transcript {
    let text = fs::read_to_string(TRANSCRIPT).expect("sockets/transcript.txt is there");
    Transcript::read(&text).unwrap_or_else(|faults| panic!("sockets/transcript.txt:\n{faults}"))
}

/// Writes the transcript anew if that is wanted, before any lane is held against it.
fn bless() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if env::var_os("SUNPATH_BLESS").is_some() {
            let text = transcript().blessed(&lane(c::SOCKETS));
            fs::write(TRANSCRIPT, text).expect("sockets/transcript.txt can be written");
        }
    });
}

fn check(name: char, differs: bool, program: &str) {
    bless();
    if let Err(faults) = transcript().check(name, differs, &lane(program)) {
        panic!("lane {name} against sockets/transcript.txt:\n{faults}");
    }
}

#[test]
fn sockets_c_lane_equals_the_transcript() {
    check('C', false, c::SOCKETS);
}

#[test]
fn sockets_raw_lane_equals_c() {
    check('R', false, env!("CARGO_BIN_EXE_sockets-raw"));
}

#[test]
fn sockets_safe_lane_equals_c_but_for_declared_differences() {
    check('S', true, env!("CARGO_BIN_EXE_sockets-safe"));
}
