//! Iterates over any control data by C's `CMSG_FIRSTHDR`, `CMSG_NXTHDR` and `CMSG_DATA` and by
//! `ControlMessages`, and checks that both see the same. `tests/control.rs` and `fuzz/` use it.

use std::ffi::{c_char, c_int};

use sunpath::ancillary::ControlMessages;
use sunpath::sys::{CMSG_ALIGN, CMSG_LEN};

/// `struct seen` of `iterate.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    level: c_int,
    kind: c_int,
    offset: usize,
    size: usize,
    whole: c_int,
}

#[link(name = "sunpath_c", kind = "static")]
unsafe extern "C" {
    fn control_iterate(bytes: *mut c_char, len: usize, ret_seen: *mut Seen, most: usize) -> usize;
}

fn seen_by_c(bytes: &[u8]) -> Vec<Seen> {
    let mut aligned = vec![0_u64; bytes.len().div_ceil(size_of::<u64>())];
    let control: *mut u8 = aligned.as_mut_ptr().cast();
    // SAFETY: the array of u64 has at least as many bytes, and is new, so the two do not overlap.
    unsafe { control.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    let mut seen = vec![Seen::default(); bytes.len() / CMSG_LEN(0) + 1];
    let (to, most) = (seen.as_mut_ptr(), seen.len());
    // SAFETY: `control` is aligned and has the bytes that the length says, and `seen` has space for
    // `most` messages.
    let count = unsafe { control_iterate(control.cast(), bytes.len(), to, most) };
    seen.truncate(count);
    seen
}

fn seen_by_us(bytes: &[u8]) -> Vec<Seen> {
    let begin = bytes.as_ptr().addr();
    ControlMessages::new(bytes)
        .map(|message| Seen {
            level: message.level(),
            kind: message.cmsg_type(),
            offset: message.data().as_ptr().addr() - begin,
            size: message.data().len(),
            whole: c_int::from(!message.is_truncated()),
        })
        .collect()
}

/// Panics if C sees messages that we do not see, or the reverse. Older C libraries skip a last
/// message that is not whole or lacks its padding, which is allowed.
pub(crate) fn check(bytes: &[u8]) {
    let (c, mut ours) = (seen_by_c(bytes), seen_by_us(bytes));
    let padded = |m: &Seen| m.whole != 0 && m.offset + CMSG_ALIGN(m.size) <= bytes.len();
    if c.len() + 1 == ours.len() && !ours.last().is_some_and(padded) {
        ours.pop();
    }
    assert_eq!(c, ours, "C and sunpath in {bytes:?}");
}
