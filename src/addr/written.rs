//! Addresses that C code or the kernel wrote, checked and made to hold the invariants of every
//! address.

use core::mem::offset_of;
use core::ptr;

use sunpath_sys as sys;
use sunpath_sys::{SunPath, sockaddr, sockaddr_un, socklen_t};

use super::UnixAddr;
use crate::error::{Call, Errno, Error};

/// Conversions from the struct that C code or the kernel wrote.
impl UnixAddr {
    /// Makes the address from a struct that C code or the kernel wrote, and the length that it
    /// reported.
    ///
    /// Every length that the kernel returns is accepted. A length that ends before the path, 0 for
    /// example, means the unnamed address. For a path that fills `sun_path` Linux returns 111, one
    /// byte more than the struct, and [`len`](Self::len) is 110, which sendto(2) accepts. A path ends at
    /// its first NUL, and `len` is then the length of an address of that shorter path.
    ///
    /// [`sys::sun_path`] reads an address of any length.
    ///
    /// # Errors
    ///
    /// - `EAFNOSUPPORT`: the length includes the family, and it is not `AF_UNIX`.
    /// - `EINVAL`: the length is over `sizeof(struct sockaddr_un)`, and it is not the one that the
    ///   kernel returns for a path that fills `sun_path`. The
    ///   [cause](crate::error::Cause::AddressLength) has the numbers.
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
    #[inline]
    pub const fn from_raw(addr: sockaddr_un, len: socklen_t) -> Result<Self, Error> {
        let mut read = Self { addr, len };
        if let Err(errno) = read.normalize_as(false) {
            return Err(Error::new(Call::SockaddrUn, errno));
        }
        let most = read.most_reported();
        if len as usize > most {
            return Err(Error::address_length(len as usize, most));
        }
        Ok(read)
    }

    /// Returns the size of the struct, or the greatest length that a kernel reports for an address
    /// of these bytes, if that is more.
    const fn most_reported(&self) -> usize {
        match sys::sun_path(&self.addr, size_of::<sockaddr_un>() as socklen_t) {
            SunPath::Pathname(path) if path.len() == sys::SUN_PATH_CAPACITY => {
                size_of::<sockaddr_un>() + 1
            }
            _ => size_of::<sockaddr_un>(),
        }
    }
}

/// Methods that use an address as the buffer of a call that writes one.
impl UnixAddr {
    /// Returns the pointer through which a call writes the address of a sender. The bytes hold the
    /// invariants again after [`normalize_sender`](Self::normalize_sender) with the length that the
    /// call reported.
    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        ptr::from_mut(&mut self.addr).cast()
    }

    /// Returns the two pointers through which a call writes an address and its length. Before the
    /// call, `*len` is the size of the buffer. The invariants hold again after
    /// [`normalize`](Self::normalize).
    #[inline]
    pub(crate) fn offer(&mut self) -> (*mut sockaddr, *mut socklen_t) {
        self.len = size_of::<sockaddr_un>() as socklen_t;
        (ptr::from_mut(&mut self.addr).cast(), &mut self.len)
    }

    /// Does what [`normalize`](Self::normalize) does, with a length that the call did not write
    /// into this value. If the sender is of another family, the address becomes unnamed, because an
    /// error would lose the message.
    #[inline]
    pub(crate) fn normalize_sender(&mut self, len: socklen_t) {
        self.len = len;
        let _ = self.normalize();
    }

    /// Makes the address of a sender from the struct and the length that a call wrote.
    #[inline]
    pub(crate) fn of_sender(addr: sockaddr_un, len: socklen_t) -> Self {
        let mut from = Self { addr, len };
        from.normalize_sender(len);
        from
    }

    /// Restores the invariants of an address that the kernel wrote. It becomes unnamed if the
    /// length ends before `sun_path`. It also becomes unnamed, with `EAFNOSUPPORT`, if it is of
    /// another family.
    #[inline]
    pub(crate) const fn normalize(&mut self) -> Result<(), Errno> {
        self.normalize_as(cfg!(have_counted_path))
    }

    /// Does what [`normalize`](Self::normalize) does. If `counted` is true, the length includes at
    /// most one NUL after a path and need not be shortened.
    #[inline]
    const fn normalize_as(&mut self, counted: bool) -> Result<(), Errno> {
        let family_end = offset_of!(sockaddr_un, sun_family) + size_of::<sys::sa_family_t>();
        if self.len as usize >= family_end
            && self.addr.sun_family != sys::AF_UNIX as sys::sa_family_t
        {
            *self = Self::unnamed();
            return Err(Errno::EAFNOSUPPORT);
        }
        if self.len as usize <= sys::SUN_PATH_OFFSET {
            self.addr.sun_family = sys::AF_UNIX as sys::sa_family_t;
            self.len = sys::SUN_PATH_OFFSET as socklen_t;
        }
        self.len = sys::sun_len_to_send(self.len);
        if counted {
            return Ok(());
        }
        if let SunPath::Pathname(path) = sys::sun_path(&self.addr, self.len) {
            let with_nul = (sys::SUN_PATH_OFFSET + path.len() + 1) as socklen_t;
            if self.len > with_nul {
                self.len = with_nul;
            }
        }
        Ok(())
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

    /// Returns the address that Linux reports for a path which fills sun_path. It has no NUL, and
    /// its length is one byte too long.
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

    /// Returns structs for which Linux never reports a length over 110, because each has a NUL.
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
}
