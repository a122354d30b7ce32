//! Generates control data: well-formed messages, and messages with some bytes overwritten. The
//! tests of `c-tests/` use it too.

use std::mem::MaybeUninit;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use sunpath::sys::{self, CMSG_LEN, CMSG_SPACE, cmsghdr};

/// The length of the control data that is tried. On 64-bit systems four messages with 16 bytes of
/// data each fill it.
pub(crate) const LONGEST: usize = 128;

/// A message: its level, its type and its data.
pub(crate) type Message = (i32, i32, Vec<u8>);

/// Lays out messages one after the other, each with its padding, as the kernel does.
pub(crate) fn laid_out(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (level, kind, data) in messages {
        // SAFETY: all zeroes is a valid cmsghdr.
        let mut header: cmsghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.cmsg_len = CMSG_LEN(data.len()) as _;
        header.cmsg_level = *level;
        header.cmsg_type = *kind;
        let mut message = vec![0; CMSG_SPACE(data.len())];
        // SAFETY: the message has space for a header at this place, and the write is unaligned.
        unsafe {
            message
                .as_mut_ptr()
                .cast::<cmsghdr>()
                .write_unaligned(header)
        };
        message[CMSG_LEN(0)..CMSG_LEN(data.len())].copy_from_slice(data);
        bytes.extend(message);
    }
    bytes
}

pub(crate) fn messages() -> impl Strategy<Value = Vec<Message>> {
    let level = prop_oneof![Just(sys::SOL_SOCKET), any::<i32>()];
    let kind = prop_oneof![Just(sys::SCM_RIGHTS), any::<i32>()];
    vec((level, kind, vec(any::<u8>(), 0..=40)), 0..=4)
}

/// Generates well-formed messages with some bytes overwritten. Often the overwritten byte is the
/// low byte of the first `cmsg_len`, and often the new value is small enough to be a valid length.
pub(crate) fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let low = if cfg!(target_endian = "little") {
        0
    } else {
        size_of::<usize>() - 1
    };
    let at = prop_oneof![Just(low), 0..LONGEST];
    let byte = prop_oneof![0..=64_u8, any::<u8>()];
    (messages(), vec((at, byte), 0..=4)).prop_map(|(messages, changes)| {
        let mut bytes = laid_out(&messages);
        bytes.resize(LONGEST, 0);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    })
}
