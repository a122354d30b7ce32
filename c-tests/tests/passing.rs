//! Tests that passing a descriptor with the safe layer makes exactly the system calls that C makes,
//! with the same arguments.
#![cfg(target_os = "linux")]

mod lanes;

use std::process::Command;

use lanes::lanes_of;
use sunpath_c_tests::lane::{Lane, installed};
use sunpath_sys::CMSG_SPACE;

/// The call by which a program marks the beginning and the end in the trace.
const MARKER: &str = "close(-1)";

/// Returns the system calls of a lane between its two markers, as strace prints them, without
/// memory addresses.
fn traced(lane: &Lane) -> Vec<String> {
    let mut command = Command::new("strace");
    command.arg("-f").args((lane.command)("passing"));
    // The sanitizer's leak check cannot run in a process that is traced.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    let output = command.output().expect("strace runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lane:?}: {said}");
    let between: Vec<_> = said.split(MARKER).collect();
    let [_, between, _] = between[..] else {
        panic!("{lane:?}: not two markers in {said}");
    };
    between
        .lines()
        .skip(1)
        .filter(|line| !is_the_check_of_a_debug_build(line))
        .map(without_addresses)
        .collect()
}

/// Returns whether the line is a call of std: in debug builds std checks that a descriptor is open
/// before it closes the descriptor.
fn is_the_check_of_a_debug_build(line: &str) -> bool {
    cfg!(debug_assertions) && line.starts_with("fcntl") && line.contains(", F_GETFD)")
}

fn without_addresses(line: &str) -> String {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, behind)) = rest.split_once("0x") {
        text += before;
        text += "0x_";
        rest = behind.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
    }
    text + rest
}

#[test]
fn passing_a_descriptor_is_silent_and_succeeds() {
    for lane in lanes_of("passing") {
        assert_eq!(lane.run_under("passing", &[], b""), Ok(()));
        assert_eq!(lane.run("passing", &[], b""), Ok(String::new()));
    }
}

#[test]
fn passing_a_descriptor_makes_the_system_calls_of_c() {
    if !installed("strace") {
        return;
    }
    let mut traces = lanes_of("passing").map(traced);
    let c = traces.next().expect("C is the first lane");
    let names: Vec<_> = c.iter().filter_map(|line| line.split('(').next()).collect();
    let once = ["sendmsg", "recvmsg", "close"];
    assert_eq!(names, [once, once].concat());
    let space = format!("msg_controllen={}", CMSG_SPACE(4));
    assert!(c[1].contains(&space) && c[1].contains("MSG_CMSG_CLOEXEC) = 1"));
    assert!(
        traces.all(|trace| trace == c),
        "{:?}",
        lanes_of("passing").map(traced).collect::<Vec<_>>()
    );
}

#[test]
fn passing_addresses_are_left_out() {
    let line = "recvmsg(4, {msg_name=0x7ffE73, msg_namelen=110, x=0x}, 0) = 1";
    let expected = "recvmsg(4, {msg_name=0x_, msg_namelen=110, x=0x_}, 0) = 1";
    assert_eq!(without_addresses(line), expected);
}
