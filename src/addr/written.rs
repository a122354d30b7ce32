//! Addresses that C code or the kernel wrote: what holds for every address is made true of them.

use core::mem::offset_of;
use core::ptr;

use sunpath_sys as sys;
use sunpath_sys::{SunPath, sockaddr, sockaddr_un, socklen_t};

use super::UnixAddr;
use crate::error::Errno;

/// From its parts.
impl UnixAddr {
    /// The address that C code or the kernel made, with the length that came with it.
    ///
    /// Every length is taken: 0 and others that end before the path are unnamed, and those past the
    /// struct (Linux reports 111 for a path of 108 bytes) are clamped to it, so that the address
    /// can be sent to. A path ends at its first NUL, and [`len`](Self::len) is that of the path then.
    ///
    /// # Errors
    ///
    /// - `EAFNOSUPPORT`: the length takes in the family, and it is not `AF_UNIX`.
    #[inline]
    pub const fn from_raw(addr: sockaddr_un, len: socklen_t) -> Result<Self, Errno> {
        let mut read = Self { addr, len };
        match read.settle_as(false) {
            Ok(()) => Ok(read),
            Err(errno) => Err(errno),
        }
    }
}

/// As room for the calls that write an address.
impl UnixAddr {
    /// The pointer of the calls. What was written is the address once [`settle_sender`](Self::settle_sender)
    /// was told how long it is.
    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut sockaddr {
        ptr::from_mut(&mut self.addr).cast()
    }

    /// The two pointers of the calls: `*len` is the room. What was written is an address again
    /// after [`settle`](Self::settle).
    #[inline]
    pub(crate) fn offer(&mut self) -> (*mut sockaddr, *mut socklen_t) {
        self.len = size_of::<sockaddr_un>() as socklen_t;
        (ptr::from_mut(&mut self.addr).cast(), &mut self.len)
    }

    /// [`settle`](Self::settle) with the length that a call has reported elsewhere; unnamed where the
    /// sender is of another family, since an error would lose the message.
    #[inline]
    pub(crate) fn settle_sender(&mut self, len: socklen_t) {
        self.len = len;
        let _ = self.settle();
    }

    /// The same of an address that a call has written elsewhere.
    #[inline]
    pub(crate) fn of_sender(addr: sockaddr_un, len: socklen_t) -> Self {
        let mut from = Self { addr, len };
        from.settle_sender(len);
        from
    }

    /// Makes true again what holds for every address that the kernel wrote: it becomes unnamed where it
    /// says so, and, with `EAFNOSUPPORT`, where it is of another family.
    #[inline]
    pub(crate) const fn settle(&mut self) -> Result<(), Errno> {
        self.settle_as(cfg!(have_counted_path))
    }

    /// [`settle`](Self::settle) of an address whose length counts no more than the NUL behind a path, or
    /// may.
    #[inline]
    const fn settle_as(&mut self, counted: bool) -> Result<(), Errno> {
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
    use core::ffi::c_char;

    fn pathname(path: &[u8]) -> UnixAddr {
        UnixAddr::from_pathname_bytes(path).expect("the path fits")
    }

    /// The address that Linux returns for a path which fills sun_path: no NUL, one byte too long.
    fn kernel_full() -> UnixAddr {
        let mut addr = *UnixAddr::unnamed().as_sockaddr_un();
        addr.sun_path.fill(b'f' as c_char);
        let reported = size_of::<sockaddr_un>() as socklen_t + 1;
        UnixAddr::from_raw(addr, reported).expect("the family is AF_UNIX")
    }

    #[test]
    fn addr_full_path_from_the_kernel_can_be_sent_to() {
        let full = kernel_full();
        assert_eq!(full.len() as usize, size_of::<sockaddr_un>());
        assert_eq!(
            full.name(),
            SunPath::Pathname(&[b'f'; sys::SUN_PATH_CAPACITY])
        );
    }

    #[test]
    fn addr_from_raw_takes_every_length() {
        let raw = *pathname(b"ab").as_sockaddr_un();
        for len in (0..=300).chain([socklen_t::MAX]) {
            let addr = UnixAddr::from_raw(raw, len).expect("the family is AF_UNIX");
            let sendable = sys::SUN_PATH_OFFSET..=size_of::<sockaddr_un>();
            assert!(sendable.contains(&(addr.len() as usize)));
            match len as usize {
                0..=sys::SUN_PATH_OFFSET => assert!(addr.is_unnamed()),
                3 => assert_eq!(addr.name(), SunPath::Pathname(b"a")),
                _ => assert_eq!(addr.name(), SunPath::Pathname(b"ab")),
            }
        }
    }

    #[test]
    fn addr_from_raw_of_another_family_is_eafnosupport() {
        let mut raw = *pathname(b"ab").as_sockaddr_un();
        raw.sun_family = sys::AF_UNSPEC as sys::sa_family_t;
        assert_eq!(UnixAddr::from_raw(raw, 5), Err(Errno::EAFNOSUPPORT));
        // recvfrom(2) from an unnamed sender: length 0, the family never written
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
