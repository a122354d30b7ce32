//! Looks at bytes for `sun_path` and copies them, in one pass.

use super::SUN_PATH_CAPACITY;

/// Copies bytes if they fit, and returns whether it has copied them. If no NUL is allowed, there
/// must be at least one byte, and all are looked at before the first is written.
///
/// It makes one pass from both ends, whose parts overlap. Each part takes a few wide instructions,
/// whereas strlen(3) and memcpy(3) would need two passes.
#[inline(always)]
pub(super) const fn copy<const WITHOUT_NUL: bool>(bytes: &[u8], to: &mut [u8]) -> bool {
    match bytes.len() {
        64.. => copy_ends::<WITHOUT_NUL, 64>(bytes, to),
        32.. => copy_ends::<WITHOUT_NUL, 32>(bytes, to),
        16.. => copy_ends::<WITHOUT_NUL, 16>(bytes, to),
        8.. => copy_ends::<WITHOUT_NUL, 8>(bytes, to),
        4.. => copy_ends::<WITHOUT_NUL, 4>(bytes, to),
        2.. => copy_ends::<WITHOUT_NUL, 2>(bytes, to),
        1 => copy_ends::<WITHOUT_NUL, 1>(bytes, to),
        0 => !WITHOUT_NUL,
    }
}
const _: () = assert!(
    SUN_PATH_CAPACITY <= 2 * 64,
    "two ends of 64 bytes are all of sun_path"
);

/// Copies the first and the last `N` bytes, if they have no NUL or may have one.
#[inline(always)]
const fn copy_ends<const WITHOUT_NUL: bool, const N: usize>(bytes: &[u8], to: &mut [u8]) -> bool {
    let (Some(&first), Some(&last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
        return false;
    };
    if WITHOUT_NUL && (has_nul(&first) | has_nul(&last)) {
        return false;
    }
    let (to, _) = to.split_at_mut(bytes.len());
    if let Some(to) = to.first_chunk_mut() {
        *to = first;
    }
    if let Some(to) = to.last_chunk_mut() {
        *to = last;
    }
    true
}

/// Returns whether there is a NUL in bytes that fit into `sun_path`. It looks from both ends as [`copy`]
/// does, and is out of line, where the compiler looks at 16 bytes at once.
#[inline(never)]
pub(super) const fn any_nul(bytes: &[u8]) -> bool {
    debug_assert!(bytes.len() <= SUN_PATH_CAPACITY);
    // This arm comes first, because most paths have such a length.
    match bytes.len() as u8 {
        16..32 => any_nul_at_ends::<16>(bytes),
        64.. => any_nul_at_ends::<64>(bytes),
        32.. => any_nul_at_ends::<32>(bytes),
        8.. => any_nul_at_ends::<8>(bytes),
        4.. => any_nul_at_ends::<4>(bytes),
        2.. => any_nul_at_ends::<2>(bytes),
        1 => bytes[0] == 0,
        0 => false,
    }
}

#[inline(always)]
const fn any_nul_at_ends<const N: usize>(bytes: &[u8]) -> bool {
    match (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
        (Some(first), Some(last)) => has_nul(first) | has_nul(last),
        _ => true,
    }
}

/// Returns whether one of the bytes is a NUL. There is no branch for each byte, so the compiler can
/// compare 16 bytes at once. Up to 8 are compared as one word.
#[inline(always)]
const fn has_nul<const N: usize>(bytes: &[u8; N]) -> bool {
    if N <= 8 {
        // A borrow reaches the highest bit only of bytes that are zero, or lie above a zero byte in
        // the word.
        const ONES: u64 = u64::MAX / 0xff;
        let mut word = [1; 8];
        let mut at = 0;
        while at < N {
            word[at] = bytes[at];
            at += 1;
        }
        let word = u64::from_ne_bytes(word);
        return word.wrapping_sub(ONES) & !word & (ONES << 7) != 0;
    }
    let (mut nul, mut at) = (0, 0);
    while at < N {
        nul |= (bytes[at] == 0) as u8;
        at += 1;
    }
    nul != 0
}

/// Returns the offset of the first NUL.
pub(super) const fn first_nul(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0 {
            return Some(at);
        }
        at += 1;
    }
    None
}
