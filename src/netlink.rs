//! Messages of netlink(7) over sock_diag(7): the request is made here, and the kernel's answer is
//! read without trusting any length in it.
//!
//! The numbers come from Linux's headers, and on Linux they are compared with `sunpath_sys`.

use sunpath_sys as sys;

/// The size of a `struct nlmsghdr` in bytes.
pub(crate) const HEADER: usize = 16;
/// The size of a `struct unix_diag_msg` in bytes.
pub(crate) const UNIX_DIAG_MSG: usize = 16;
/// The size of a request: a `struct nlmsghdr` and a `struct unix_diag_req`.
pub(crate) const REQUEST: usize = HEADER + 24;
/// The number by which an answer names its request.
pub(crate) const SEQUENCE: u32 = 1;

pub(crate) const NLM_F_REQUEST: u16 = 1;
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
pub(crate) const NLM_F_DUMP: u16 = 0x300;

pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const NLMSG_DONE: u16 = 3;
pub(crate) const SOCK_DIAG_BY_FAMILY: u16 = 20;

pub(crate) const UDIAG_SHOW_NAME: u32 = 1;
pub(crate) const UDIAG_SHOW_VFS: u32 = 2;
pub(crate) const UDIAG_SHOW_PEER: u32 = 4;
pub(crate) const UDIAG_SHOW_ICONS: u32 = 8;
pub(crate) const UDIAG_SHOW_RQLEN: u32 = 0x10;
pub(crate) const UDIAG_SHOW_UID: u32 = 0x40;

pub(crate) const UNIX_DIAG_NAME: u16 = 0;
pub(crate) const UNIX_DIAG_VFS: u16 = 1;
pub(crate) const UNIX_DIAG_PEER: u16 = 2;
pub(crate) const UNIX_DIAG_ICONS: u16 = 3;
pub(crate) const UNIX_DIAG_RQLEN: u16 = 4;
pub(crate) const UNIX_DIAG_SHUTDOWN: u16 = 6;
pub(crate) const UNIX_DIAG_UID: u16 = 7;

/// The bits of an attribute's type that are flags.
const ATTRIBUTE_FLAGS: u16 = 0xc000;

#[cfg(have_sock_diag)]
const _: () = {
    assert!(REQUEST == HEADER + size_of::<sys::unix_diag_req>());
    assert!(UNIX_DIAG_MSG == size_of::<sys::unix_diag_msg>());
    assert!(NLM_F_REQUEST as i32 == sys::NLM_F_REQUEST);
    assert!(SOCK_DIAG_BY_FAMILY == sys::SOCK_DIAG_BY_FAMILY);
    assert!(UDIAG_SHOW_NAME == sys::UDIAG_SHOW_NAME);
    assert!(UDIAG_SHOW_VFS == sys::UDIAG_SHOW_VFS);
    assert!(UDIAG_SHOW_PEER == sys::UDIAG_SHOW_PEER);
    assert!(UDIAG_SHOW_ICONS == sys::UDIAG_SHOW_ICONS);
    assert!(UDIAG_SHOW_RQLEN == sys::UDIAG_SHOW_RQLEN);
    assert!(UDIAG_SHOW_UID == sys::UDIAG_SHOW_UID);
    assert!(UNIX_DIAG_NAME == sys::UNIX_DIAG_NAME);
    assert!(UNIX_DIAG_VFS == sys::UNIX_DIAG_VFS);
    assert!(UNIX_DIAG_PEER == sys::UNIX_DIAG_PEER);
    assert!(UNIX_DIAG_ICONS == sys::UNIX_DIAG_ICONS);
    assert!(UNIX_DIAG_RQLEN == sys::UNIX_DIAG_RQLEN);
    assert!(UNIX_DIAG_SHUTDOWN == sys::UNIX_DIAG_SHUTDOWN);
    assert!(UNIX_DIAG_UID == sys::UNIX_DIAG_UID);
};

/// What is asked about Unix sockets, as `struct unix_diag_req` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// `NLM_F_DUMP` for all sockets, 0 for the one with the inode.
    pub(crate) flags: u16,
    /// A bit for each state.
    pub(crate) states: u32,
    /// The number of one socket, or 0.
    pub(crate) inode: u32,
    /// The wanted attributes, as `UDIAG_SHOW_...`.
    pub(crate) show: u32,
}

impl Question {
    /// Returns the request as the kernel reads it. The request matches any cookie.
    pub(crate) fn request(self) -> [u8; REQUEST] {
        let (any, flags) = (u32::MAX, NLM_F_REQUEST | self.flags);
        let words = [
            REQUEST as u32,
            halves(SOCK_DIAG_BY_FAMILY, flags),
            SEQUENCE,
            0,
            u32::from_ne_bytes([sys::AF_UNIX as u8, 0, 0, 0]),
            self.states,
            self.inode,
            self.show,
            any,
            any,
        ];
        let mut bytes = [0; REQUEST];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

/// Returns the word that consists of two numbers of 16 bits, one after the other.
fn halves(first: u16, second: u16) -> u32 {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// An impossible length in an answer: it goes past the end of the answer, or the data that it
/// describes has another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The length, in bytes.
    pub(crate) len: usize,
    /// The place in the answer, in bytes.
    pub(crate) at: usize,
}

/// A message of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: Piece<'a>,
}

/// Bytes of an answer, with their place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Piece<'a> {
    /// Makes the fault for a piece of the wrong size, with its length and its place.
    pub(crate) const fn fault(self) -> Fault {
        Fault {
            len: self.bytes.len(),
            at: self.at,
        }
    }

    /// Returns the bytes as an array, if there are exactly `N` of them.
    pub(crate) fn exactly<const N: usize>(self) -> Result<[u8; N], Fault> {
        self.bytes.try_into().map_err(|_| self.fault())
    }

    /// Returns the number of 32 bits, if the bytes are exactly one such number.
    pub(crate) fn number(self) -> Result<u32, Fault> {
        self.exactly().map(u32::from_ne_bytes)
    }

    /// Returns the two numbers of 32 bits, if the bytes are exactly two such numbers.
    pub(crate) fn two_numbers(self) -> Result<[u32; 2], Fault> {
        let [a, b, c, d, e, f, g, h] = self.exactly()?;
        Ok([[a, b, c, d], [e, f, g, h]].map(u32::from_ne_bytes))
    }

    /// Returns the first `N` bytes and the rest.
    pub(crate) fn split<const N: usize>(self) -> Result<([u8; N], Self), Fault> {
        let (first, rest) = self.bytes.split_first_chunk().ok_or(self.fault())?;
        let rest = Piece {
            bytes: rest,
            at: self.at.saturating_add(N),
        };
        Ok((*first, rest))
    }

    /// Returns the bytes from `start` to `len`, and the rest from the next multiple of 4 bytes.
    fn split_counted(self, start: usize, len: usize) -> Result<(Self, Self), Fault> {
        let fault = Fault { len, at: self.at };
        let counted = self.bytes.get(start..len).ok_or(fault)?;
        // The padding after the last piece may be missing.
        let next = len.next_multiple_of(4).min(self.bytes.len());
        let at = |offset| self.at.saturating_add(offset);
        let counted = Piece {
            bytes: counted,
            at: at(start),
        };
        let rest = Piece {
            bytes: self.bytes.get(next..).unwrap_or_default(),
            at: at(next),
        };
        Ok((counted, rest))
    }

    /// Returns the message that the bytes begin with, and the rest.
    pub(crate) fn split_message(self) -> Result<(Message<'a>, Self), Fault> {
        let (header, _) = self.split::<HEADER>()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = header;
        let len = u32::from_ne_bytes([a, b, c, d]) as usize;
        let (payload, rest) = self.split_counted(HEADER, len)?;
        let message = Message {
            kind: u16::from_ne_bytes([e, f]),
            flags: u16::from_ne_bytes([g, h]),
            sequence: u32::from_ne_bytes([i, j, k, l]),
            payload,
        };
        Ok((message, rest))
    }

    /// Returns the type and the bytes of the attribute that the bytes begin with, and the rest.
    pub(crate) fn split_attribute(self) -> Result<(u16, Self, Self), Fault> {
        let ([a, b, c, d], _) = self.split()?;
        let (len, kind) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
        let (data, rest) = self.split_counted(4, usize::from(len))?;
        Ok((kind & !ATTRIBUTE_FLAGS, data, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;
    use std::vec::Vec;

    #[test]
    #[cfg(have_sock_diag)]
    fn netlink_question_is_as_the_kernel_reads_it() {
        let question = Question {
            flags: NLM_F_DUMP,
            states: 0x0a0b_0c0d,
            inode: 0x0102_0304,
            show: UDIAG_SHOW_VFS,
        };
        // The fields of struct nlmsghdr: 4 bytes of length, 2 of type, 2 of flags.
        let bytes = question.request();
        assert_eq!(bytes[..4], (REQUEST as u32).to_ne_bytes());
        assert_eq!(bytes[4..6], SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        assert_eq!(bytes[6..8], (NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        assert_eq!(bytes[8..12], SEQUENCE.to_ne_bytes());
        let request = &bytes[HEADER..];
        assert_eq!(request[0], sys::AF_UNIX as u8);
        for (field, value) in [
            (offset_of!(sys::unix_diag_req, udiag_states), 0x0a0b_0c0d),
            (offset_of!(sys::unix_diag_req, udiag_ino), 0x0102_0304),
            (offset_of!(sys::unix_diag_req, udiag_show), UDIAG_SHOW_VFS),
            (offset_of!(sys::unix_diag_req, udiag_cookie), u32::MAX),
        ] {
            assert_eq!(request[field..][..4], value.to_ne_bytes(), "{field}");
        }
    }

    /// Returns an attribute with this length in its header, of which `data` follows.
    fn attribute(len: u16, data: &[u8]) -> Vec<u8> {
        let header = [len.to_ne_bytes(), UNIX_DIAG_UID.to_ne_bytes()].concat();
        [&header, data].concat()
    }

    #[test]
    fn netlink_attribute_with_every_length_is_counted_or_a_fault() {
        for len in 0..12 {
            let bytes = attribute(len, &[1, 2, 3, 4]);
            let piece = Piece {
                bytes: &bytes,
                at: 100,
            };
            let fault = Fault {
                len: usize::from(len),
                at: 100,
            };
            match piece.split_attribute() {
                Err(found) => {
                    assert!(!(4..=8).contains(&len), "{len}");
                    assert_eq!(found, fault);
                }
                Ok((kind, data, rest)) => {
                    assert_eq!(kind, UNIX_DIAG_UID);
                    assert_eq!(data.bytes, &[1, 2, 3, 4][..usize::from(len) - 4]);
                    assert_eq!(data.at, 104);
                    let used = usize::from(len).next_multiple_of(4);
                    assert_eq!((rest.at, rest.bytes.len()), (100 + used, 8 - used));
                }
            }
        }
    }

    #[test]
    fn netlink_attribute_without_padding_at_the_end_is_read() {
        let bytes = attribute(5, &[9]);
        let piece = Piece {
            bytes: &bytes,
            at: 0,
        };
        let (_, data, rest) = piece.split_attribute().unwrap();
        assert_eq!((data.bytes, rest.bytes), (&[9][..], &[][..]));
    }

    #[test]
    fn netlink_number_of_another_size_is_a_fault() {
        for len in [3, 4, 5, 7, 8, 9] {
            let bytes = [1; 9];
            let piece = Piece {
                bytes: &bytes[..len],
                at: 20,
            };
            let fault = Fault { len, at: 20 };
            let one = (len == 4).then_some(0x0101_0101).ok_or(fault);
            assert_eq!(piece.number(), one);
            let two = (len == 8).then_some([0x0101_0101; 2]).ok_or(fault);
            assert_eq!(piece.two_numbers(), two);
        }
    }
}
