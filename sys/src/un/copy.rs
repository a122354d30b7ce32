//! Checks bytes for `sun_path` and copies them, in one pass.
//!
//! Each function reads a part from the front and a part from the back, which may overlap in the
//! middle. Each part takes a few wide instructions, whereas strlen(3) and memcpy(3) would need two
//! passes. No function has a loop over bytes, because the compiler replaces such a loop by wide
//! instructions at one level of optimization and not at another.

use core::mem::size_of;

use super::SUN_PATH_CAPACITY;

/// Defines functions that treat both ends of some bytes by the function `$any_nul_in`, which is
/// either constant or fast.
macro_rules! by_ends {
    ($any_nul_in:path: $(#[$copy_attr:meta])* $copy:ident, $(#[$any_attr:meta])* $any_nul:ident, $($const:ident)?) => {
        $(#[$copy_attr])*
        #[inline(always)]
        pub(super) $($const)? fn $copy<const WITHOUT_NUL: bool>(bytes: &[u8], to: &mut [u8]) -> bool {
            #[inline(always)]
            $($const)? fn ends<const WITHOUT_NUL: bool, const N: usize>(bytes: &[u8], to: &mut [u8]) -> bool {
                let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
                    return false;
                };
                let (first, last) = (*first, *last);
                if WITHOUT_NUL && $any_nul_in(&first, &last) {
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
            match bytes.len() {
                // Most paths have a length in this range.
                16..=32 => ends::<WITHOUT_NUL, 16>(bytes, to),
                64.. => ends::<WITHOUT_NUL, 64>(bytes, to),
                33.. => ends::<WITHOUT_NUL, 32>(bytes, to),
                8.. => ends::<WITHOUT_NUL, 8>(bytes, to),
                4.. => ends::<WITHOUT_NUL, 4>(bytes, to),
                2.. => ends::<WITHOUT_NUL, 2>(bytes, to),
                1 => ends::<WITHOUT_NUL, 1>(bytes, to),
                0 => !WITHOUT_NUL,
            }
        }

        $(#[$any_attr])*
        pub(super) $($const)? fn $any_nul(bytes: &[u8]) -> bool {
            #[inline(always)]
            $($const)? fn ends<const N: usize>(bytes: &[u8]) -> bool {
                match (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) {
                    (Some(first), Some(last)) => $any_nul_in(first, last),
                    _ => true,
                }
            }
            debug_assert!(bytes.len() <= SUN_PATH_CAPACITY);
            match bytes.len() as u8 {
                16..=32 => ends::<16>(bytes),
                64.. => ends::<64>(bytes),
                33.. => ends::<32>(bytes),
                8.. => ends::<8>(bytes),
                4.. => ends::<4>(bytes),
                2.. => ends::<2>(bytes),
                1 => bytes[0] == 0,
                0 => false,
            }
        }
    };
}
const _: () = assert!(
    SUN_PATH_CAPACITY <= 2 * 64,
    "two ends of 64 bytes are all of sun_path"
);

by_ends! {
    in_words:
    /// Copies bytes if they fit, and returns whether it has copied them. If no NUL is allowed,
    /// there must be at least one byte, and all bytes are checked before the first byte is written.
    copy_const,
    /// Returns whether there is a NUL in bytes that fit into `sun_path`.
    #[inline(never)]
    any_nul_const,
    const
}

by_ends! {
    in_blocks:
    /// Does what [`copy_const`] does, by the widest instructions that every processor of the target
    /// has.
    copy,
    /// Does what [`any_nul_const`] does, by the widest instructions that every processor of the
    /// target has.
    #[inline]
    any_nul,
}

/// A word whose bytes are 1, and a word whose bytes have only their highest bit.
const ONES: u64 = u64::MAX / 0xff;
const HIGHEST: u64 = ONES << 7;

/// Returns whether there is a NUL in either array.
#[inline(always)]
const fn in_words<const N: usize>(first: &[u8; N], last: &[u8; N]) -> bool {
    let (mut found, mut at) = (0, 0);
    while at < N {
        let (first, last) = (word(first, at), word(last, at));
        // Short ends fit into one word together.
        if N <= size_of::<u32>() {
            let missing = (ONES << (8 * N)) & u32::MAX as u64;
            found |= borrows(first | missing | ((last | missing) << 32));
        } else {
            found |= borrows(first) | borrows(last);
        }
        at += size_of::<u64>();
    }
    found & HIGHEST != 0
}

/// Returns a word in which the highest bit of a byte is set by a borrow only if that byte of the
/// argument is zero, or if there is a zero byte below it.
#[inline(always)]
const fn borrows(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// Returns the 8 bytes that begin at an offset, or as many as there are. The bytes in the word are
/// in the order of the processor, and bytes that are missing are zero.
#[inline(always)]
const fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let (_, bytes) = bytes.split_at(at);
    if let Some(word) = bytes.first_chunk() {
        u64::from_ne_bytes(*word)
    } else if let Some(word) = bytes.first_chunk() {
        u32::from_ne_bytes(*word) as u64
    } else if let Some(word) = bytes.first_chunk() {
        u16::from_ne_bytes(*word) as u64
    } else if let [byte, ..] = bytes {
        *byte as u64
    } else {
        0
    }
}

/// Does what [`in_words`] does, but compares 16 bytes at once.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline(always)]
fn in_blocks<const N: usize>(first: &[u8; N], last: &[u8; N]) -> bool {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_setzero_si128,
    };
    const BLOCK: usize = size_of::<__m128i>();

    #[inline(always)]
    fn block<const N: usize>(bytes: &[u8; N], at: usize) -> __m128i {
        debug_assert!(at + BLOCK <= N);
        let bytes = bytes.as_ptr().wrapping_add(at).cast();
        // SAFETY: the caller's `at` is at most N - 16, so all 16 bytes are in the array. They need
        // no alignment. Every processor of this target has the instruction.
        unsafe { _mm_loadu_si128(bytes) }
    }

    #[inline(always)]
    fn least(a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: every processor of this target has the instruction, which accesses no memory.
        unsafe { _mm_min_epu8(a, b) }
    }

    if N < BLOCK {
        return in_words(first, last);
    }
    // Only the least of all bytes is compared with zero. There is no loop, because the compiler would
    // not unroll it where it optimizes for size.
    let ends = |at| least(block(first, at), block(last, at));
    let mut all = ends(0);
    if N > BLOCK {
        all = least(all, ends(BLOCK));
    }
    if N > 2 * BLOCK {
        all = least(all, least(ends(2 * BLOCK), ends(3 * BLOCK)));
    }
    // SAFETY: every processor of this target has the instruction, which accesses no memory.
    let zero = unsafe { _mm_setzero_si128() };
    // SAFETY: as above.
    let nul = unsafe { _mm_cmpeq_epi8(all, zero) };
    // SAFETY: as above.
    let nul = unsafe { _mm_movemask_epi8(nul) };
    nul != 0
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
use in_words as in_blocks;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    /// Each function must find a NUL at every offset, beside every byte that could hide it.
    #[test]
    fn copy_finds_a_nul_at_every_offset_of_every_length() {
        for len in 0..=SUN_PATH_CAPACITY {
            for other in [1, 0x7f, 0x80, 0x81, 0xff] {
                let mut bytes = vec![other; len];
                let mut to = [0; SUN_PATH_CAPACITY];
                assert_eq!(copy::<true>(&bytes, &mut to), len > 0);
                assert_eq!(to[..len], bytes);
                assert_eq!(copy_const::<true>(&bytes, &mut to), len > 0);
                assert!(!any_nul(&bytes) && !any_nul_const(&bytes), "{len}");
                for at in 0..len {
                    bytes[at] = 0;
                    let mut to = [7; SUN_PATH_CAPACITY];
                    assert!(any_nul(&bytes) && any_nul_const(&bytes), "{at} of {len}");
                    assert!(!copy::<true>(&bytes, &mut to), "{at} of {len}");
                    assert!(!copy_const::<true>(&bytes, &mut to), "{at} of {len}");
                    assert_eq!(to, [7; SUN_PATH_CAPACITY], "nothing was written");
                    assert!(copy::<false>(&bytes, &mut to));
                    assert_eq!(to[..len], bytes);
                    assert!(to[len..].iter().all(|byte| *byte == 7));
                    bytes[at] = other;
                }
            }
        }
    }
}
