//! Users: the process's own user, and users that a user namespace does not map.

#[cfg(have_user_namespaces)]
use core::ffi::CStr;
#[cfg(have_user_namespaces)]
use core::mem;

use sunpath_sys as sys;

#[cfg(have_user_namespaces)]
use super::proc::read_in_pieces;
#[cfg(have_user_namespaces)]
use crate::error::Error;

/// Returns the process's effective user.
pub(crate) fn geteuid() -> sys::uid_t {
    // SAFETY: the call takes no argument and cannot fail.
    unsafe { sys::geteuid() }
}

/// Returns whether a uid stands for every user that is not mapped in the user namespace of this
/// process. The kernel reports one uid, usually 65534, for all of them. The result is `None` if the
/// uid is 65534 and /proc cannot be read.
#[cfg(have_user_namespaces)]
pub(crate) fn stands_for_unmapped(uid: u32) -> Option<bool> {
    // The uid for unmapped users has at most 16 bits, so a greater uid is always mapped.
    if uid > u32::from(u16::MAX) {
        return Some(false);
    }
    let mut map = Numbers::default();
    let mut overflow = Numbers::default();
    let told = map.read(c"/proc/self/uid_map").is_ok()
        && overflow.read(c"/proc/sys/kernel/overflowuid").is_ok();
    match told {
        true => Some(is_ambiguous(uid, &map, &overflow)),
        false if uid == USUAL_OVERFLOW => None,
        false => Some(false),
    }
}

#[cfg(not(have_user_namespaces))]
pub(crate) const fn stands_for_unmapped(_uid: u32) -> Option<bool> {
    Some(false)
}

#[cfg(have_user_namespaces)]
const USUAL_OVERFLOW: u32 = 65534;

/// The number of uids that all ranges of `uid_map` have together if every user is mapped. The uid
/// -1 is not counted, because it belongs to no user.
#[cfg(have_user_namespaces)]
const ALL_USERS: u64 = u32::MAX as u64;

#[cfg(have_user_namespaces)]
fn is_ambiguous(uid: u32, map: &Numbers, overflow: &Numbers) -> bool {
    u64::from(uid) == overflow.last && map.sum_of_thirds < ALL_USERS
}

/// Reads the decimal numbers of a text in pieces. Keeps the last number, and the sum of every third
/// number. In `uid_map` every third number is the length of a range.
#[cfg(have_user_namespaces)]
#[derive(Default)]
struct Numbers {
    /// The digits of the current number so far. The field is not an `Option`: the compiler may load
    /// the value of an `Option` before it tests for `None`, and valgrind then reports an
    /// uninitialized value.
    number: u64,
    has_digits: bool,
    count: usize,
    last: u64,
    sum_of_thirds: u64,
}

#[cfg(have_user_namespaces)]
impl Numbers {
    fn read(&mut self, path: &CStr) -> Result<(), Error> {
        read_in_pieces(path, &mut |piece| self.take(piece))?;
        self.end_number();
        Ok(())
    }

    fn take(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'0'..=b'9' => {
                    let digit = u64::from(byte - b'0');
                    self.number = self.number.saturating_mul(10).saturating_add(digit);
                    self.has_digits = true;
                }
                _ => self.end_number(),
            }
        }
    }

    fn end_number(&mut self) {
        if !mem::take(&mut self.has_digits) {
            return;
        }
        let number = mem::take(&mut self.number);
        self.count += 1;
        self.last = number;
        if self.count % 3 == 0 {
            self.sum_of_thirds = self.sum_of_thirds.saturating_add(number);
        }
    }
}

#[cfg(all(test, have_user_namespaces))]
mod tests {
    use super::*;

    fn numbers(pieces: &[&str]) -> Numbers {
        let mut numbers = Numbers::default();
        for piece in pieces {
            numbers.take(piece.as_bytes());
        }
        numbers.end_number();
        numbers
    }

    #[test]
    fn user_is_ambiguous_only_where_some_are_not_mapped() {
        let overflow = numbers(&["65534\n"]);
        for (map, ambiguous) in [
            (&["         0          0 4294967295\n"][..], false),
            (&["0 0 42949672", "94\n"], true),
            (&["0 0 1000\n 1000 5000 4294966295\n"], false),
            (&["0 0 1000\n 1000 50", "00 4294966294\n"], true),
            (&["0 1000 1\n"], true),
            (&["0 0 65536\n"], true),
            // No user is mapped yet.
            (&[""], true),
        ] {
            let map = numbers(map);
            assert_eq!(is_ambiguous(65534, &map, &overflow), ambiguous);
            assert!(!is_ambiguous(65533, &map, &overflow));
            assert!(!is_ambiguous(0, &map, &overflow));
            assert!(is_ambiguous(7, &map, &numbers(&["7\n"])) == ambiguous);
        }
    }

    #[test]
    fn user_over_16_bits_is_never_ambiguous() {
        assert_eq!(stands_for_unmapped(65536), Some(false));
        assert_eq!(stands_for_unmapped(u32::MAX), Some(false));
    }
}
