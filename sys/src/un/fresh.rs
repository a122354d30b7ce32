//! Makes and copies addresses in parts that fit into registers.
//!
//! An address that was made in memory is copied once more by each function that returns it, because
//! the compiler does not merge these copies. If an address consists of values in registers instead,
//! it is written once, where the caller wants it.

use core::mem::{size_of, zeroed};
use core::ptr;

use super::copy::copy;
use super::{
    HAVE_ABSTRACT, SUN_PATH_CAPACITY, SUN_PATH_MAX, SUN_PATH_OFFSET, blank, path_bytes_mut,
    set_length, sockaddr_un, socklen_t,
};

/// Makes the address of a path. Returns `None` if the path is rejected, for the reason that
/// [`sockaddr_un_refusal`](super::sockaddr_un_refusal) returns.
#[doc(hidden)]
#[must_use]
#[inline(always)]
pub fn sockaddr_un_of_pathname(path: &[u8]) -> Option<(sockaddr_un, socklen_t)> {
    // The bytes after the path are zero, so the path has its NUL.
    let mut addr = if path.len() <= Start::SHORT {
        let mut start = Start::new();
        if !copy::<true>(path, start.path_mut()) {
            return None;
        }
        in_parts(&start.0)
    } else {
        let mut addr = blank();
        if path.len() > SUN_PATH_MAX || !copy::<true>(path, path_bytes_mut(&mut addr)) {
            return None;
        }
        sockaddr_un_copied(&addr)
    };
    let len = set_length(&mut addr, path.len() + 1);
    Some((addr, len))
}

/// Makes an abstract address. Returns `None` if the name is rejected, for the reason that
/// [`sockaddr_un_abstract_refusal`](super::sockaddr_un_abstract_refusal) returns.
#[doc(hidden)]
#[must_use]
#[inline(always)]
pub fn sockaddr_un_of_abstract(name: &[u8]) -> Option<(sockaddr_un, socklen_t)> {
    if !HAVE_ABSTRACT {
        return None;
    }
    // The first byte of `sun_path` stays zero.
    let mut addr = if name.len() <= Start::SHORT {
        let mut start = Start::new();
        let [_, rest @ ..] = start.path_mut();
        copy::<false>(name, rest);
        in_parts(&start.0)
    } else if name.len() < SUN_PATH_CAPACITY {
        let mut addr = blank();
        let [_, rest @ ..] = path_bytes_mut(&mut addr);
        copy::<false>(name, rest);
        sockaddr_un_copied(&addr)
    } else {
        return None;
    };
    let len = set_length(&mut addr, 1 + name.len());
    Some((addr, len))
}

/// Copies an address.
#[doc(hidden)]
#[must_use]
#[inline(always)]
pub fn sockaddr_un_copied(addr: &sockaddr_un) -> sockaddr_un {
    in_parts(bytes_of(addr))
}

const SIZE: usize = size_of::<sockaddr_un>();

const _: () = assert!(
    SUN_PATH_OFFSET == 2 && SIZE == 2 + SUN_PATH_CAPACITY,
    "the family, or the length and the family, and the path are all of the struct"
);

/// The start of an address whose name is short. All bytes after it are zero.
#[repr(C, align(8))]
struct Start([u8; Self::SIZE]);

impl Start {
    const SIZE: usize = 40;
    /// The length of the longest name that is called short. An abstract name has a NUL before it, and a
    /// path has one after it.
    const SHORT: usize = 32;

    /// Makes the start of an address without a name.
    #[inline(always)]
    fn new() -> Self {
        const BLANK: sockaddr_un = blank();
        let mut start = Self([0; Self::SIZE]);
        if let (Some(to), Some(from)) = (start.0.first_chunk_mut(), bytes_of(&BLANK).first_chunk())
        {
            // The first word has the family.
            *to = u64::from_ne_bytes(*from).to_ne_bytes();
        }
        start
    }

    /// Returns the bytes of `sun_path` that are in the start.
    #[inline(always)]
    fn path_mut(&mut self) -> &mut [u8; Self::SIZE - SUN_PATH_OFFSET] {
        let path = ptr::from_mut(&mut self.0).cast::<u8>();
        let path = path.wrapping_add(SUN_PATH_OFFSET).cast();
        // SAFETY: the bytes are the end of `self.0`, which is borrowed for as long as the result.
        unsafe { &mut *path }
    }
}

/// Returns all bytes of an address.
#[inline(always)]
fn bytes_of(addr: &sockaddr_un) -> &[u8; SIZE] {
    // SAFETY: the struct has no padding, so all of its bytes are initialized. The result borrows it.
    unsafe { &*ptr::from_ref(addr).cast() }
}

/// The largest part: what a register of the processor has space for.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
type Block = core::arch::x86_64::__m128i;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
type Block = u128;

/// The number of bytes after the word and the six blocks that every system has.
const REST: usize = SIZE - 104;

const _: () = assert!(REST % 2 == 0 && REST < 32, "the parts are the struct");

/// Makes an address whose first bytes are these, and whose other bytes are zero.
#[inline(always)]
fn in_parts<const N: usize>(from: &[u8; N]) -> sockaddr_un {
    let mut to = blank();
    // The parts are not in a loop, because the compiler would not unroll it where it optimizes for
    // size. The first part is a word, because the block after it then covers the end of an error that
    // has the address's place in a result. A block that covers only half a word of an error is taken
    // apart.
    part::<u64, N>(from, &mut to, 0);
    part::<Block, N>(from, &mut to, 8);
    part::<Block, N>(from, &mut to, 24);
    part::<Block, N>(from, &mut to, 40);
    part::<Block, N>(from, &mut to, 56);
    part::<Block, N>(from, &mut to, 72);
    part::<Block, N>(from, &mut to, 88);
    if REST & 16 != 0 {
        part::<Block, N>(from, &mut to, 104);
    }
    if REST & 8 != 0 {
        part::<u64, N>(from, &mut to, SIZE - REST % 16);
    }
    if REST & 4 != 0 {
        part::<u32, N>(from, &mut to, SIZE - REST % 8);
    }
    if REST & 2 != 0 {
        part::<u16, N>(from, &mut to, SIZE - REST % 4);
    }
    to
}

/// Writes the part of an address that begins at an offset, as an integer or a vector. The part is zero
/// if `from` ends before it.
#[inline(always)]
fn part<T: Copy, const N: usize>(from: &[u8; N], to: &mut sockaddr_un, at: usize) {
    debug_assert!(at + size_of::<T>() <= SIZE);
    let part = if at + size_of::<T>() <= N {
        let from = from.as_ptr().wrapping_add(at).cast::<T>();
        // SAFETY: the whole part is in `from`, and every integer or vector is valid.
        unsafe { from.read_unaligned() }
    } else {
        debug_assert!(at >= N);
        // SAFETY: every integer or vector is valid.
        unsafe { zeroed() }
    };
    let to = ptr::from_mut(to).cast::<u8>().wrapping_add(at).cast::<T>();
    // SAFETY: the parts of `in_parts` are in the struct, for which all bytes are valid.
    unsafe { to.write_unaligned(part) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::un::{sockaddr_un_abstract, sockaddr_un_pathname};
    use std::vec;

    fn parts_of(made: Option<(sockaddr_un, socklen_t)>) -> Option<([u8; SIZE], socklen_t)> {
        made.map(|(addr, len)| (*bytes_of(&addr), len))
    }

    /// The functions must make the addresses that the constant functions make, to the last byte.
    #[test]
    fn fresh_addresses_of_every_length_are_those_of_the_constant_functions() {
        for len in 0..=SUN_PATH_CAPACITY + 2 {
            let mut name: vec::Vec<u8> = (1..=len as u8).collect();
            let path = parts_of(sockaddr_un_pathname(&name).ok());
            assert_eq!(parts_of(sockaddr_un_of_pathname(&name)), path, "{len}");
            let other = parts_of(sockaddr_un_abstract(&name).ok());
            assert_eq!(parts_of(sockaddr_un_of_abstract(&name)), other, "{len}");
            if let Some(last) = name.last_mut() {
                *last = 0;
                assert!(sockaddr_un_of_pathname(&name).is_none(), "{len}");
            }
        }
    }

    #[test]
    fn fresh_copy_has_every_byte() {
        let mut addr = blank();
        for (at, to) in path_bytes_mut(&mut addr).iter_mut().enumerate() {
            *to = at as u8 + 1;
        }
        assert_eq!(bytes_of(&sockaddr_un_copied(&addr)), bytes_of(&addr));
    }
}
