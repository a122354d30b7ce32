//! Who the peer is, and what sending to nobody does: the C lane against the recorded transcript, and
//! the Rust lanes against C.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test identity` writes the transcript anew from
//! the C lane, as root. Lines that begin with `S` are the safe lane's and are written by hand.
//!
//! Cases that need root, or a namespace that the system does not allow, are not run elsewhere: every
//! lane says so in its line, and this test on standard error.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use sunpath_c_tests::compare::Transcript;
use sunpath_c_tests::{c, lane};

const TRANSCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/identity/transcript.txt");

const PROGRAMS: [&str; 3] = [
    c::IDENTITY,
    env!("CARGO_BIN_EXE_identity-raw"),
    env!("CARGO_BIN_EXE_identity-safe"),
];

/// A lane's number in `PROGRAMS`, its letter, and whether it may differ.
const C: (usize, char, bool) = (0, 'C', false);
const RAW: (usize, char, bool) = (1, 'R', false);
const SAFE: (usize, char, bool) = (2, 'S', true);

fn id_of(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

fn is_not_run(line: &&str) -> bool {
    line.contains("\tnot run: ")
}

fn not_run(output: &str) -> Vec<&str> {
    output.lines().filter(is_not_run).collect()
}

/// What the lanes print, each run once; with the transcript written anew if that is wanted.
fn outputs() -> &'static [String; 3] {
    static OUTPUTS: OnceLock<[String; 3]> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let outputs = PROGRAMS.map(|program| lane::run(program, None));
        let missing = not_run(&outputs[0]);
        if env::var_os("SUNPATH_BLESS").is_some() {
            assert!(missing.is_empty(), "all cases have to run: {missing:?}");
            let old = Transcript::read(&transcript()).expect("the transcript is in order");
            fs::write(TRANSCRIPT, old.blessed(&outputs[0])).expect("it can be written");
        }
        for line in missing {
            // Past the capture of the test runner: what was not tested is to be seen.
            let _ = writeln!(io::stderr(), "WARNING: identity: {line}");
        }
        outputs
    })
}

fn transcript() -> String {
    fs::read_to_string(TRANSCRIPT).expect("identity/transcript.txt is there")
}

/// The lines that hold for cases that ran, `missing` being the others.
fn without(text: &str, missing: &BTreeSet<&str>) -> String {
    let ran = |line: &&str| !missing.contains(id_of(line.strip_prefix("S ").unwrap_or(line)));
    text.lines()
        .filter(ran)
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn check((number, letter, differs): (usize, char, bool)) {
    let outputs = outputs();
    let (c, output) = (not_run(&outputs[0]), not_run(&outputs[number]));
    assert_eq!(output, c, "cases that lane {letter} and lane C did not run");
    let missing = c.into_iter().map(id_of).collect();
    let result = Transcript::read(&without(&transcript(), &missing)).and_then(|transcript| {
        transcript.check(letter, differs, &without(&outputs[number], &missing))
    });
    if let Err(faults) = result {
        panic!("lane {letter} against identity/transcript.txt:\n{faults}");
    }
}

#[test]
fn identity_c_lane_equals_the_transcript() {
    check(C);
}

#[test]
fn identity_raw_lane_equals_c() {
    check(RAW);
}

#[test]
fn identity_safe_lane_equals_c_but_for_declared_differences() {
    check(SAFE);
}

/// Root of the whole system, with the capabilities to become others and to make namespaces.
fn is_root() -> bool {
    const CHANGE_IDS_AND_NAMESPACES: u64 = 1 << 6 | 1 << 7 | 1 << 21;
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or_default();
    users.split_whitespace().eq(["0", "0", "4294967295"])
        && capabilities & CHANGE_IDS_AND_NAMESPACES == CHANGE_IDS_AND_NAMESPACES
}

#[test]
fn identity_as_root_runs_every_case_that_needs_root() {
    let missing = not_run(&outputs()[0]);
    let needs_root = missing.iter().any(|line| line.ends_with("needs root"));
    assert!(!(is_root() && needs_root), "{missing:?}");
}
