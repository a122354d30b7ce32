//! Tests the conversion of addresses in all lanes, for all lengths and NUL positions, and with
//! bytes that proptest generates. No system call is made. `fuzz/` makes the same checks.

#[path = "../functions/sun_path.rs"]
mod check;
mod lanes;

use lanes::lanes_of;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, any, prop_oneof};
use proptest::proptest;
use sunpath::sys;
use sunpath_c_tests::compare::same_lines;

#[test]
fn convert_every_lane_equals_c() {
    let outputs: Vec<_> = lanes_of("convert")
        .map(|lane| {
            let ran = lane.run_under("convert", &[], b"");
            let ran = ran.and_then(|()| lane.run("convert", &[], b""));
            (lane.name, ran.unwrap_or_else(|fault| panic!("{fault}")))
        })
        .collect();
    // The number of lines: a line for every path of 0 to 300 bytes, with a NUL at each position and
    // without one; the same for every abstract name of 0 to 112 bytes; and 7 contents read at 304
    // lengths.
    let inputs: usize =
        (0..=300).map(|n| n + 1).sum::<usize>() + (0..=112).map(|n| n + 1).sum::<usize>() + 7 * 304;
    let [(c, expected), others @ ..] = &outputs[..] else {
        panic!("no lane was found");
    };
    assert_eq!(expected.lines().count(), inputs, "C leaves out an input");
    for (name, output) in others {
        if let Err(faults) = same_lines([*c, *name], [expected, output]) {
            panic!("{faults}");
        }
    }
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
