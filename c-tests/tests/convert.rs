//! The conversion alone, without a system call: exhaustively, where all lanes print the same; and with
//! bytes that proptest makes up, as `fuzz/` does.

#[path = "../convert/check.rs"]
mod check;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, any, prop_oneof};
use proptest::proptest;
use sunpath::sys;
use sunpath_c_tests::compare::same_lines;
use sunpath_c_tests::{c, lane};

fn check(name: &str, program: &str) {
    let run = |program| {
        let ran = lane::run_under(program, &[], b"").and_then(|()| lane::run(program, &[], b""));
        ran.unwrap_or_else(|fault| panic!("{fault}"))
    };
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convert_of_arbitrary_bytes_equals_c(
        bytes in prop_oneof![vec(any::<u8>(), 0..=300), vec(1..=u8::MAX, 0..=120)],
    ) {
        check::check_make(&bytes);
    }

    #[test]
    fn convert_of_an_arbitrary_address_equals_c(
        family in prop_oneof![Just(sys::AF_UNIX as u16), any::<u16>()],
        path in prop_oneof![vec(any::<u8>(), 0..=108), vec(0..=2_u8, 0..=108)],
        len in prop_oneof![0..=120_u32, any::<u32>()],
    ) {
        check::check_read(&[&family.to_ne_bytes()[..], &path].concat(), len);
    }
}
