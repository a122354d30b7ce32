//! Addresses that C code or the kernel wrote, checked and made to hold the invariants of every
//! address.

use core::mem::offset_of;
use core::ptr;

use sunpath_sys as sys;
use sunpath_sys::{SunPath, sockaddr, sockaddr_un, socklen_t};

use super::{Len, UNNAMED, UnixAddr, len_of};
use crate::error::{Call, Errno, Error};

/// Conversions from the struct that C code or the kernel wrote.
impl UnixAddr {
    /// Makes the address from a struct that C code or the kernel wrote, and the length that it
    /// reported.
    ///
    /// Every length that the kernel returns is accepted. A length that ends before `sun_path`, such
    /// as 0, means the unnamed address. For a path that fills `sun_path` Linux returns 111, one
    /// byte more than the struct, and [`len`](Self::len) is 110, which sendto(2) accepts. A path
    /// ends at its first NUL, and `len` is then the length of an address of that shorter path.
    ///
    /// [`sys::sun_path`] reads an address of any length.
    ///
    /// # Errors
    ///
    /// - `EAFNOSUPPORT`: the length includes the family, and the family is not `AF_UNIX`.
    /// - `EINVAL`: the length is over `sizeof(struct sockaddr_un)`, and is not the length that the
    ///   kernel returns for a path that fills `sun_path`. The
    ///   [cause](crate::error::Cause::AddressLength) has both lengths.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Errno, UnixAddr, addr};
    ///
    /// let made = addr!("/run/app.sock");
    /// let (raw, len) = (*made.as_sockaddr_un(), made.len());
    /// assert_eq!(UnixAddr::from_raw(raw, len)?, made);
    /// let error = UnixAddr::from_raw(raw, 200).unwrap_err();
    /// assert_eq!(error.errno(), Errno::EINVAL);
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See getsockname(2), unix(7).
    #[inline(always)] // for the reason at `UnixAddr::from_pathname`
    pub fn from_raw(mut addr: sockaddr_un, len: socklen_t) -> Result<Self, Error> {
        let len = match Self::name_in(&addr, len) {
            Ok(name) => len_of_name(name, len),
            Err(error) => return Err(error),
        };
        // If the length ends before the family, the family was not written.
        addr.sun_family = sys::AF_UNIX as sys::sa_family_t;
        Ok(Self { addr, len }.copied())
    }

    /// Returns the name in a struct that C code or the kernel wrote, with the length that it
    /// reported. The name is the same as in the address that [`from_raw`](Self::from_raw) makes.
    /// The struct is not copied, because that would take more instructions than reading it.
    ///
    /// # Errors
    ///
    /// - `EAFNOSUPPORT`, `EINVAL`: as for [`from_raw`](Self::from_raw).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPath, UnixAddr, addr};
    ///
    /// let made = addr!("/run/app.sock");
    /// let (raw, len) = (made.as_sockaddr_un(), made.len());
    /// assert_eq!(UnixAddr::name_in(raw, len)?, SunPath::Pathname(b"/run/app.sock"));
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See getsockname(2), unix(7).
    #[inline(always)]
    pub fn name_in(addr: &sockaddr_un, len: socklen_t) -> Result<SunPath<'_>, Error> {
        // The error comes from a function that is not inlined. Otherwise its fields, which share
        // the place of the name in the result, would make the compiler move the name in pieces.
        let len = if is_usual(addr, len) {
            len
        } else if is_refused(addr, len) {
            return Err(refusal(addr, len));
        } else {
            sys::sun_len_to_send(len)
        };
        Ok(sys::sun_path_in_blocks(addr, len))
    }
}

/// Methods that use an address as the buffer of a call that writes one.
impl UnixAddr {
    /// Returns a copy, which the caller can return without another copy of its bytes.
    #[inline(always)]
    pub(crate) fn copied(&self) -> Self {
        Self {
            addr: sys::sockaddr_un_copied(&self.addr),
            len: self.len,
        }
    }

    /// Returns the pointer through which a call writes an address of at most the size of a
    /// `sockaddr_un`. The invariants hold again after [`normalize`](Self::normalize) or
    /// [`normalize_sender`](Self::normalize_sender) with the length that the call reported.
    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        ptr::from_mut(&mut self.addr).cast()
    }

    /// Does what [`normalize`](Self::normalize) does. If the sender is of another family, the address
    /// becomes unnamed, because an error would lose the message.
    #[inline]
    pub(crate) fn normalize_sender(&mut self, len: socklen_t) {
        let _ = self.normalize(len);
    }

    /// Makes the address of a sender from the struct and the length that a call wrote.
    #[inline]
    pub(crate) fn of_sender(addr: sockaddr_un, len: socklen_t) -> Self {
        let mut from = Self { addr, len: UNNAMED };
        from.normalize_sender(len);
        from
    }

    /// Restores the invariants of an address that the kernel wrote, with the length that it reported.
    /// The address becomes unnamed if the length ends before `sun_path`. If it is of another family,
    /// it becomes unnamed too, and the result is `EAFNOSUPPORT`.
    #[inline]
    pub(crate) fn normalize(&mut self, len: socklen_t) -> Result<(), Errno> {
        // A counted length includes at most one NUL after a path.
        if cfg!(have_counted_path) && is_usual(&self.addr, len) {
            self.len = len_of(len);
            return Ok(());
        }
        self.normalize_unusual(len)
    }

    /// Does what [`normalize`](Self::normalize) does, for any length and family.
    #[cold]
    #[inline(never)]
    fn normalize_unusual(&mut self, len: socklen_t) -> Result<(), Errno> {
        if is_of_another_family(&self.addr, len) {
            *self = Self::unnamed();
            return Err(Errno::EAFNOSUPPORT);
        }
        if len as usize <= sys::SUN_PATH_OFFSET {
            self.addr.sun_family = sys::AF_UNIX as sys::sa_family_t;
            self.len = UNNAMED;
            return Ok(());
        }
        self.len = match cfg!(have_counted_path) {
            true => len_of(sys::sun_len_to_send(len)),
            false => len_of_name(sys::sun_path_in_blocks(&self.addr, len), len),
        };
        Ok(())
    }
}

/// Returns the length of an address that has this name, for which `len` was reported. It includes at
/// most one NUL after a path.
#[inline(always)]
fn len_of_name(name: SunPath<'_>, len: socklen_t) -> Len {
    let most = match name {
        SunPath::Unnamed => return UNNAMED,
        SunPath::Pathname(path) => sys::SUN_PATH_OFFSET + path.len() + 1,
        SunPath::Abstract(_) => size_of::<sockaddr_un>(),
    };
    len_of(sys::sun_len_to_send(len).min(most as socklen_t))
}

/// Returns whether the length includes the family, and the family is not `AF_UNIX`.
#[inline(always)]
const fn is_of_another_family(addr: &sockaddr_un, len: socklen_t) -> bool {
    let family_end = offset_of!(sockaddr_un, sun_family) + size_of::<sys::sa_family_t>();
    len as usize >= family_end && addr.sun_family != sys::AF_UNIX as sys::sa_family_t
}

/// Returns whether this is an address of `AF_UNIX`, with a length between the length of an unnamed
/// address and the size of the struct.
#[inline(always)]
const fn is_usual(addr: &sockaddr_un, len: socklen_t) -> bool {
    let is_unix = addr.sun_family == sys::AF_UNIX as sys::sa_family_t;
    let used = len.wrapping_sub(sys::SUN_PATH_OFFSET as socklen_t);
    is_unix && used <= sys::SUN_PATH_CAPACITY as socklen_t
}

/// Returns whether the address is of another family, or the length is one that no kernel reports for
/// it.
#[cold]
#[inline(never)]
fn is_refused(addr: &sockaddr_un, len: socklen_t) -> bool {
    is_of_another_family(addr, len) || len as usize > most_reported(addr)
}

/// Returns the error of an address for which [`is_refused`] is true.
#[cold]
#[inline(never)]
fn refusal(addr: &sockaddr_un, len: socklen_t) -> Error {
    match is_of_another_family(addr, len) {
        true => Error::new(Call::SockaddrUn, Errno::EAFNOSUPPORT),
        false => Error::address_length(len as usize, most_reported(addr)),
    }
}

/// Returns the greatest length that a kernel reports for an address of these bytes, and at least the
/// size of the struct.
#[cold]
fn most_reported(addr: &sockaddr_un) -> usize {
    let size = size_of::<sockaddr_un>();
    match sys::sun_path(addr, size as socklen_t) {
        SunPath::Pathname(path) if path.len() == sys::SUN_PATH_CAPACITY => size + 1,
        _ => size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;
    use core::ffi::c_char;
    use std::string::ToString;
    use std::vec::Vec;

    fn pathname(path: &[u8]) -> UnixAddr {
        UnixAddr::from_pathname_bytes(path).expect("the path fits")
    }

    /// Returns the address that Linux reports for a path that fills `sun_path`: without a NUL, and
    /// with a length that is one byte too long.
    fn full_address_of_the_kernel() -> UnixAddr {
        let mut addr = *UnixAddr::unnamed().as_sockaddr_un();
        addr.sun_path.fill(b'f' as c_char);
        let reported = size_of::<sockaddr_un>() as socklen_t + 1;
        UnixAddr::from_raw(addr, reported).expect("the family is AF_UNIX")
    }

    #[test]
    fn addr_full_path_from_the_kernel_can_be_sent_to() {
        let full = full_address_of_the_kernel();
        assert_eq!(full.len() as usize, size_of::<sockaddr_un>());
        assert_eq!(
            full.name(),
            SunPath::Pathname(&[b'f'; sys::SUN_PATH_CAPACITY])
        );
    }

    const SIZE: socklen_t = size_of::<sockaddr_un>() as socklen_t;

    #[test]
    fn addr_from_raw_takes_every_length_of_the_struct() {
        let raw = *pathname(b"ab").as_sockaddr_un();
        for len in 0..=SIZE {
            let addr = UnixAddr::from_raw(raw, len).expect("the family is AF_UNIX");
            assert!((sys::SUN_PATH_OFFSET..=SIZE as usize).contains(&(addr.len() as usize)));
            match len as usize {
                0..=sys::SUN_PATH_OFFSET => assert!(addr.is_unnamed()),
                3 => assert_eq!(addr.name(), SunPath::Pathname(b"a")),
                _ => assert_eq!(addr.name(), SunPath::Pathname(b"ab")),
            }
        }
    }

    /// Returns structs for which Linux never reports a length over 110, because each path has a
    /// NUL.
    fn with_a_nul() -> Vec<sockaddr_un> {
        let path = *pathname(&[b'p'; sys::SUN_PATH_MAX]).as_sockaddr_un();
        let short = *pathname(b"ab").as_sockaddr_un();
        let mut abstract_name = path;
        abstract_name.sun_path[0] = 0;
        Vec::from([path, short, abstract_name])
    }

    #[test]
    fn addr_from_raw_of_a_length_over_the_struct_is_einval_with_the_numbers() {
        let full = *full_address_of_the_kernel().as_sockaddr_un();
        let cases = with_a_nul().into_iter().map(|addr| (addr, SIZE));
        for (addr, most) in cases.chain([(full, SIZE + 1)]) {
            assert!(UnixAddr::from_raw(addr, most).is_ok());
            for len in [most + 1, most + 2, 300, 65_535, socklen_t::MAX] {
                let error = UnixAddr::from_raw(addr, len).unwrap_err();
                let cause = Cause::AddressLength {
                    len: u16::try_from(len).unwrap_or(u16::MAX),
                    max: most as u16,
                };
                assert_eq!((error.errno(), error.cause()), (Errno::EINVAL, Some(cause)));
            }
        }
        if SIZE == 110 {
            let error = UnixAddr::from_raw(full, 112).unwrap_err();
            assert_eq!(
                error.to_string(),
                "sockaddr_un: EINVAL (an address of 112 bytes is not in range; the longest has 111)"
            );
        }
    }

    #[test]
    fn addr_from_the_kernel_of_every_length_can_be_sent_to() {
        for addr in with_a_nul() {
            for len in (0..=300).chain([socklen_t::MAX]) {
                let read = UnixAddr::of_sender(addr, len);
                assert!((sys::SUN_PATH_OFFSET..=SIZE as usize).contains(&(read.len() as usize)));
            }
        }
    }

    #[test]
    fn addr_from_raw_of_another_family_is_eafnosupport() {
        let mut raw = *pathname(b"ab").as_sockaddr_un();
        raw.sun_family = sys::AF_UNSPEC as sys::sa_family_t;
        for len in [2, 5, 111, 128] {
            let error = UnixAddr::from_raw(raw, len).unwrap_err();
            assert_eq!(error.errno(), Errno::EAFNOSUPPORT);
        }
        // For an unnamed sender, recvfrom(2) returns length 0 and does not write the family.
        assert_eq!(UnixAddr::from_raw(raw, 0), Ok(UnixAddr::unnamed()));
    }

    #[test]
    fn addr_from_raw_ends_a_path_at_its_first_nul() {
        let mut raw = *pathname(b"first second").as_sockaddr_un();
        raw.sun_path[5] = 0;
        for counted in [5, 6, 7, 12, 13, 14, sys::SUN_PATH_CAPACITY] {
            let len = (sys::SUN_PATH_OFFSET + counted) as socklen_t;
            let addr = UnixAddr::from_raw(raw, len).expect("the family is AF_UNIX");
            assert_eq!(addr.name(), SunPath::Pathname(b"first"), "{counted}");
        }
    }

    /// The name that is read in place must be the name of the copy, and must be refused with it.
    #[test]
    fn addr_name_in_place_is_the_name_of_the_copy() {
        let mut structs = with_a_nul();
        structs.push(*full_address_of_the_kernel().as_sockaddr_un());
        let mut other_family = structs[0];
        other_family.sun_family = sys::AF_UNSPEC as sys::sa_family_t;
        let mut two_paths = structs[0];
        two_paths.sun_path[5] = 0;
        structs.extend([other_family, two_paths]);
        for raw in structs {
            for len in (0..=300).chain([65_535, socklen_t::MAX]) {
                let copy = UnixAddr::from_raw(raw, len);
                let expected = copy.as_ref().map(UnixAddr::name).map_err(|error| *error);
                assert_eq!(UnixAddr::name_in(&raw, len), expected, "{len}");
            }
        }
    }
}
