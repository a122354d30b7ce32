//! `ControlMessages` sees what C's `CMSG_FIRSTHDR`, `CMSG_NXTHDR` and `CMSG_DATA` see where those are
//! defined: in whole messages. What it sees in other bytes is held by `tests/control/`.

use std::fmt::Write as _;
use std::mem::MaybeUninit;

use sunpath::ControlMessages;
use sunpath_c_tests::{c, lane};
use sunpath_sys::{CMSG_LEN, CMSG_SPACE, cmsghdr};

/// Data of no byte, and up to more than any alignment.
const LENGTHS: std::ops::RangeInclusive<usize> = 0..=9;

/// One whole message, its level and type told from its length and place.
fn message(len: usize, place: i32) -> Vec<u8> {
    // SAFETY: all zeroes is a valid cmsghdr.
    let mut header: cmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.cmsg_len = CMSG_LEN(len) as _;
    header.cmsg_level = -place;
    header.cmsg_type = place + 1;
    let mut message = vec![0xaa; CMSG_SPACE(len)];
    // SAFETY: the message is longer than its header, and the write is unaligned.
    unsafe {
        message
            .as_mut_ptr()
            .cast::<cmsghdr>()
            .write_unaligned(header)
    };
    message
}

/// Every buffer with at most three messages of these lengths.
fn buffers() -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut longest = all.clone();
    for place in 0..3 {
        let more = |buffer: &Vec<u8>| {
            let buffer = buffer.clone();
            LENGTHS.map(move |len| [buffer.clone(), message(len, place)].concat())
        };
        longest = longest.iter().flat_map(more).collect();
        all.extend_from_slice(&longest);
    }
    all
}

fn line(bytes: &[u8]) -> String {
    let mut line = String::new();
    for message in ControlMessages::new(bytes) {
        let (level, kind, data) = (message.level(), message.kind(), message.data());
        let offset = data.as_ptr().addr() - bytes.as_ptr().addr();
        write!(line, "{level} {kind} {offset} {};", data.len()).expect("a String takes all");
    }
    line
}

#[test]
fn control_walk_sees_what_c_sees() {
    let buffers = buffers();
    assert_eq!(buffers.len(), 1 + 10 + 100 + 1000);
    let input: Vec<u8> = buffers
        .iter()
        .flat_map(|bytes| {
            bytes
                .len()
                .to_ne_bytes()
                .into_iter()
                .chain(bytes.iter().copied())
        })
        .collect();
    let said = lane::run(c::CONTROL, &[], &input).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(said.lines().count(), buffers.len());
    for (bytes, c) in buffers.iter().zip(said.lines()) {
        assert_eq!(line(bytes), c);
    }
}
