//! The properties that iterating over control messages has for any bytes.

use std::mem::MaybeUninit;

use sunpath::ancillary::{ControlMessage, ControlMessages};
use sunpath::sys::{self, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, cmsg_data, msghdr};

/// A message: its level, its type, where its data begins and ends, and whether `cmsg_len` claims
/// more than that.
type Seen = (i32, i32, usize, usize, bool);

/// Iterates over the bytes, and panics if the iteration breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let mut iteration = ControlMessages::new(bytes);
    let mut seen = Vec::new();
    let mut free = 0;
    for message in iteration.by_ref() {
        let message = seen_by_us(bytes, &message);
        let (_, _, begin, end, _) = message;
        // The header of each message comes after the end of the previous message. The iteration
        // therefore ends.
        assert!(free + CMSG_LEN(0) <= begin, "{message:?} after {seen:?}");
        assert!(begin <= end && end <= bytes.len(), "{message:?}");
        free = end;
        seen.push(message);
    }
    assert!(iteration.next().is_none(), "what has ended stays so");
    assert_eq!(seen, seen_by_cmsg(bytes));
}

fn seen_by_us(bytes: &[u8], message: &ControlMessage<'_>) -> Seen {
    let begin = offset(bytes, message.data());
    let end = begin.saturating_add(message.data().len());
    let truncated = message.is_truncated();
    (message.level(), message.cmsg_type(), begin, end, truncated)
}

/// Iterates as C does, except that it ends at a `cmsg_len` that is less than a header.
fn seen_by_cmsg(bytes: &[u8]) -> Vec<Seen> {
    // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
    let mut mhdr: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    mhdr.msg_control = bytes.as_ptr().cast_mut().cast();
    mhdr.msg_controllen = bytes.len() as _;
    let mut seen = Vec::new();
    // SAFETY: `mhdr` describes live bytes, which are initialised; the same holds for the calls
    // below.
    let mut cmsg: *const sys::cmsghdr = unsafe { CMSG_FIRSTHDR(&mhdr) };
    while !cmsg.is_null() {
        // SAFETY: `cmsg` came from the iteration, which returns only headers inside the bytes.
        let header = unsafe { cmsg.read_unaligned() };
        let cmsg_len = header.cmsg_len as usize;
        if cmsg_len < CMSG_LEN(0) {
            break;
        }
        // SAFETY: `cmsg` came from the iteration, which returns only headers inside the bytes.
        let data = unsafe { cmsg_data(&mhdr, cmsg) };
        let begin = offset(bytes, data);
        let truncated = cmsg_len - CMSG_LEN(0) > data.len();
        let end = begin + data.len();
        seen.push((header.cmsg_level, header.cmsg_type, begin, end, truncated));
        // SAFETY: `cmsg` came from the iteration, which returns only headers inside the bytes.
        cmsg = unsafe { CMSG_NXTHDR(&mhdr, cmsg) };
    }
    seen
}

/// Returns the offset at which `part` begins in `whole`. If it begins before `whole`, the result
/// wraps and is far too large.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr())
}
