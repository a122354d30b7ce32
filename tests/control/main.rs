//! Tests of control messages in arbitrary bytes. The iteration stays inside the bytes and ends, and
//! it sees what a loop with `CMSG_FIRSTHDR` and `CMSG_NXTHDR` sees. `fuzz/` makes the same checks
//! with other bytes.

mod generate;
mod invariants;

use proptest::array::uniform;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert_eq, proptest};
use sunpath::ancillary::ControlMessages;

use generate::{LONGEST, Message, laid_out, messages, mutated};

/// Checks the invariants for every prefix of the bytes, at every alignment.
fn check_fronts(bytes: &[u8]) {
    for shift in 0..8 {
        let mut room = vec![0; bytes.len() + 16];
        let begin = room.as_ptr().align_offset(8) + shift;
        let room = &mut room[begin..][..bytes.len()];
        room.copy_from_slice(bytes);
        for len in 0..=bytes.len() {
            invariants::check(&room[..len]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn control_walk_over_arbitrary_bytes_stays_inside(bytes in uniform::<_, LONGEST>(any::<u8>())) {
        check_fronts(&bytes);
    }

    #[test]
    fn control_walk_over_mutated_messages_stays_inside(bytes in mutated()) {
        check_fronts(&bytes);
    }

    #[test]
    fn control_walk_sees_messages_as_they_were_laid_out(messages in messages()) {
        let bytes = laid_out(&messages);
        let seen: Vec<Message> = ControlMessages::new(&bytes)
            .inspect(|message| assert!(!message.is_truncated()))
            .map(|message| (message.level(), message.cmsg_type(), message.data().to_vec()))
            .collect();
        prop_assert_eq!(seen, messages);
    }
}
