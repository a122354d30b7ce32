//! The conversion alone, exhaustively and without a system call: all lanes print the same.

use sunpath_c_tests::compare::same_lines;
use sunpath_c_tests::{c, lane};

fn check(name: &str, program: &str) {
    let run = |program| lane::run(program, &[], b"").unwrap_or_else(|fault| panic!("{fault}"));
    let outputs = [run(c::CONVERT), run(program)];
    // Every path of 0 to 300 bytes with a NUL at each position and with none, every abstract name
    // of 0 to 112 bytes likewise, and 7 contents read at 304 lengths.
    let inputs: usize =
        (0..=300).map(|n| n + 1).sum::<usize>() + (0..=112).map(|n| n + 1).sum::<usize>() + 7 * 304;
    assert_eq!(outputs[0].lines().count(), inputs, "C leaves out an input");
    if let Err(faults) = same_lines(["C", name], outputs.each_ref().map(String::as_str)) {
        panic!("{faults}");
    }
}

#[test]
fn convert_raw_lane_equals_c() {
    check("raw", env!("CARGO_BIN_EXE_convert-raw"));
}

#[test]
fn convert_safe_lane_equals_c() {
    check("safe", env!("CARGO_BIN_EXE_convert-safe"));
}
