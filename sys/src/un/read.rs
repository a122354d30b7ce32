//! Reads the name in an address, for every possible length.

use core::mem::size_of;

use super::copy::{any_nul, any_nul_const, first_nul};
use super::{HAVE_ABSTRACT, SUN_PATH_OFFSET, path_bytes, sockaddr_un, socklen_t};

/// The name in an address, borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SunPath<'a> {
    /// The socket has no address: it was never bound, or is an end of a socketpair(2).
    Unnamed,
    /// A path in the file system, without its NUL: 1 to [`SUN_PATH_CAPACITY`](super::SUN_PATH_CAPACITY) bytes.
    Pathname(&'a [u8]),
    /// A name in Linux's abstract namespace, without its leading NUL: 0 to 107 bytes.
    Abstract(&'a [u8]),
}

/// Returns the name in an address that the kernel wrote, with the length that it reported.
///
/// Every length is accepted. The kernel reports 0 (from recvfrom(2) for an unnamed sender, and then
/// the struct is not written), 2 (unnamed), 3 to 110, and 111. The last is one byte more than the
/// struct, because the kernel counts a NUL after 108 bytes of path, for which the struct has no
/// space. A length that the kernel does not report is clamped to the struct as well, and nothing
/// past it is ever read.
///
/// A path ends at its first NUL or at the length, whichever comes first. An abstract name ends at
/// the length alone. The family is not read, because with length 0 it was not written.
///
/// # Examples
///
/// ```
/// use sunpath_sys::{SunPath, sockaddr_un_pathname, sun_path};
///
/// let (addr, len) = sockaddr_un_pathname(b"a.sock")?;
/// assert_eq!(sun_path(&addr, len), SunPath::Pathname(b"a.sock"));
/// assert_eq!(sun_path(&addr, 0), SunPath::Unnamed);
/// # Ok::<(), sunpath_sys::SunPathError>(())
/// ```
///
/// See getsockname(2), unix(7).
#[must_use]
#[inline]
pub const fn sun_path(addr: &sockaddr_un, len: socklen_t) -> SunPath<'_> {
    match sun_path_counted(addr, len) {
        SunPath::Pathname(path) if any_nul_const(path) => ended(path),
        name => name,
    }
}

/// Does what [`sun_path`] does, with fewer instructions. A `const fn` cannot use the processor's
/// instructions for 16 bytes at once.
#[doc(hidden)]
#[must_use]
#[inline(always)]
pub fn sun_path_in_blocks(addr: &sockaddr_un, len: socklen_t) -> SunPath<'_> {
    match sun_path_counted(addr, len) {
        SunPath::Pathname(path) if any_nul(path) => ended(path),
        name => name,
    }
}

/// Returns the path that ends at the first NUL.
#[cold]
#[inline(never)]
const fn ended(path: &[u8]) -> SunPath<'_> {
    match first_nul(path) {
        Some(end) => SunPath::Pathname(first(path, end)),
        None => SunPath::Pathname(path),
    }
}

/// Does what [`sun_path`] does, for an address whose length is known to be right: it ends right
/// after the path, or right after the NUL that follows the path. The path is not searched for its
/// end, so this takes a few instructions, however long the path is.
///
/// The lengths that Linux reports are right in this sense, even if they count a NUL that did not
/// fit. The lengths that the constructors of this crate return are right, too. Further NULs that
/// the length includes become part of the path. Use [`sun_path`] on other systems, and if another
/// program may have made the address, such as a BPF program of the cgroup.
///
/// # Examples
///
/// ```
/// use sunpath_sys::{SunPath, sockaddr_un_pathname, sun_path, sun_path_counted};
///
/// let (addr, len) = sockaddr_un_pathname(b"a.sock")?;
/// assert_eq!(sun_path_counted(&addr, len), SunPath::Pathname(b"a.sock"));
/// assert_eq!(sun_path_counted(&addr, len + 1), SunPath::Pathname(b"a.sock\0"));
/// assert_eq!(sun_path(&addr, len + 1), SunPath::Pathname(b"a.sock"));
/// # Ok::<(), sunpath_sys::SunPathError>(())
/// ```
///
/// See getsockname(2), unix(7).
#[must_use]
#[inline]
pub const fn sun_path_counted(addr: &sockaddr_un, len: socklen_t) -> SunPath<'_> {
    let len = sun_len_to_send(len) as usize;
    if len <= SUN_PATH_OFFSET {
        return SunPath::Unnamed;
    }
    match first(path_bytes(addr), len - SUN_PATH_OFFSET) {
        [0, name @ ..] if HAVE_ABSTRACT => SunPath::Abstract(name),
        [0, ..] => SunPath::Unnamed,
        [name @ .., 0] => SunPath::Pathname(name),
        name => SunPath::Pathname(name),
    }
}

/// Returns the first `len` bytes, or all bytes if there are fewer. There are never fewer, but the
/// compiler cannot prove that, and would link code that panics.
#[inline]
const fn first(bytes: &[u8], len: usize) -> &[u8] {
    match bytes.split_at_checked(len) {
        Some((first, _)) => first,
        None => bytes,
    }
}

/// Returns the length that sendto(2) and connect(2) accept for an address that was read: the
/// reported length, but never more than `sizeof(struct sockaddr_un)`.
///
/// For a path of 108 bytes Linux reports 111, and refuses everything over 110 with `EINVAL`.
#[must_use]
#[inline]
pub const fn sun_len_to_send(reported: socklen_t) -> socklen_t {
    let size = size_of::<sockaddr_un>() as socklen_t;
    if reported > size { size } else { reported }
}

#[cfg(test)]
mod tests {
    use super::super::{SUN_PATH_CAPACITY, SUN_PATH_MAX, blank, sockaddr_un_pathname};
    use super::*;
    use core::ffi::c_char;
    use std::vec;

    fn pathname(path: &[u8]) -> (sockaddr_un, socklen_t) {
        sockaddr_un_pathname(path).expect("the path fits")
    }

    #[test]
    fn un_every_reported_length_is_read_inside_the_struct() {
        let mut full = blank();
        full.sun_path = [b'f' as c_char; SUN_PATH_CAPACITY];
        let all = [b'f'; SUN_PATH_CAPACITY];
        for len in (0..=300).chain([65_535, 1 << 31, socklen_t::MAX - 1, socklen_t::MAX]) {
            let expected = match len as usize {
                0..=SUN_PATH_OFFSET => SunPath::Unnamed,
                n => SunPath::Pathname(&all[..(n - SUN_PATH_OFFSET).min(SUN_PATH_CAPACITY)]),
            };
            assert_eq!(sun_path(&full, len), expected, "reported length {len}");
            assert_eq!(sun_path_in_blocks(&full, len), expected);
            assert_eq!(
                sun_path_counted(&full, len),
                expected,
                "reported length {len}"
            );
        }
    }

    #[test]
    fn un_path_that_is_counted_right_needs_no_search() {
        for len in 1..=SUN_PATH_MAX {
            let path = vec![b'p'; len];
            let (addr, addrlen) = pathname(&path);
            for counted in [addrlen - 1, addrlen] {
                let name = SunPath::Pathname(&path);
                assert_eq!(sun_path_counted(&addr, counted), name);
                assert_eq!(sun_path(&addr, counted), name);
            }
        }
        let (addr, addrlen) = pathname(b"p");
        let name = sun_path_counted(&addr, addrlen + 1);
        assert_eq!(name, SunPath::Pathname(b"p\0"));
        assert_eq!(sun_path(&addr, addrlen + 1), SunPath::Pathname(b"p"));
    }

    #[test]
    fn un_length_of_full_path_can_be_sent_to() {
        let size = size_of::<sockaddr_un>() as socklen_t;
        assert_eq!(sun_len_to_send(size + 1), size);
        assert_eq!(sun_len_to_send(size), size);
        assert_eq!(sun_len_to_send(size - 1), size - 1);
    }

    #[test]
    fn un_path_passed_with_sizeof_ends_at_its_nul() {
        let (addr, _) = pathname(b"short");
        let size = size_of::<sockaddr_un>() as socklen_t;
        assert_eq!(sun_path(&addr, size), SunPath::Pathname(b"short"));
        assert_eq!(sun_path_in_blocks(&addr, size), SunPath::Pathname(b"short"));
    }
}
