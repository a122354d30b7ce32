//! Tests that `ControlMessages` sees the same messages as C's `CMSG_FIRSTHDR`, `CMSG_NXTHDR` and
//! `CMSG_DATA`, in every buffer with at most three short messages, and in bytes that proptest
//! generates. `fuzz/` makes the same checks with other bytes.

#[path = "../functions/iterate.rs"]
mod check;
#[path = "../../tests/control/generate.rs"]
mod generate;

use proptest::array::uniform;
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

use generate::{LONGEST, laid_out, messages, mutated};

/// Compares every prefix of the bytes with C.
fn check_fronts(bytes: &[u8]) {
    for len in 0..=bytes.len() {
        check::check(&bytes[..len]);
    }
}

/// Makes one whole message with this many bytes of data. The argument `place` determines its level
/// and type.
fn message(len: usize, place: i32) -> Vec<u8> {
    laid_out(&[(-place, place + 1, vec![0xaa; len])])
}

#[test]
fn control_iteration_sees_what_c_sees_in_whole_messages() {
    let mut all = vec![Vec::new()];
    let mut longest = all.clone();
    for place in 0..3 {
        // The data of a message has from 0 bytes to 9, which is more than any alignment.
        let more = |buffer: &Vec<u8>| {
            let buffer = buffer.clone();
            (0..=9).map(move |len| [buffer.clone(), message(len, place)].concat())
        };
        longest = longest.iter().flat_map(more).collect();
        all.extend_from_slice(&longest);
    }
    assert_eq!(all.len(), 1 + 10 + 100 + 1000);
    for bytes in all {
        check_fronts(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn control_iteration_sees_what_c_sees_in_arbitrary_bytes(bytes in uniform::<_, LONGEST>(any::<u8>())) {
        check_fronts(&bytes);
    }

    #[test]
    fn control_iteration_sees_what_c_sees_in_mutated_messages(bytes in mutated()) {
        check_fronts(&bytes);
    }

    #[test]
    fn control_iteration_sees_what_c_sees_in_messages(messages in messages()) {
        check_fronts(&laid_out(&messages));
    }
}
