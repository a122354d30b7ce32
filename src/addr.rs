//! Addresses: a `sockaddr_un` and its length. An address that this crate makes is checked, and an
//! address that it reads is not trusted.

// rustdoc shows the methods in the order of these lines, so this one comes first.
mod make;

mod parse;
mod print;
mod written;

use core::cmp::Ordering;
use core::hash::{Hash, Hasher};
use core::num::NonZero;

use sunpath_sys as sys;
use sunpath_sys::{SunPathError, sockaddr_un, socklen_t};

/// `struct sockaddr_un` with its length — the address of a Unix domain socket.
///
/// In C the two are separate arguments, and the length is easily wrong. Here they are one value of
/// at most 112 bytes, which is `Copy` and allocates nothing. Two addresses are equal if they have
/// the same name: the bytes of `sun_path` after the name do not count, and the length may include
/// the NUL or not.
///
/// An address prints as a path, as `@name` for an abstract name, and as `(unnamed)` if it has no
/// name. Bytes that are not UTF-8 are escaped, and so are a backslash and characters that could
/// move a terminal's cursor, or turn or hide the text beside them (control and format characters).
/// If a path itself begins with `@` or `(`, that byte is escaped, so that no path looks like
/// another form.
///
/// # Examples
///
/// The following code makes the three forms of an address:
///
/// ```
/// use sunpath::{SunPath, UnixAddr};
///
/// let addr = UnixAddr::from_pathname("/run/app.sock")?;
/// assert_eq!(addr.name(), SunPath::Pathname(b"/run/app.sock"));
/// assert_eq!(addr.to_string(), "/run/app.sock");
/// # if sunpath::sys::HAVE_ABSTRACT {
/// assert_eq!(UnixAddr::from_abstract("app")?.to_string(), "@app");
/// # }
/// assert_eq!(UnixAddr::unnamed().to_string(), "(unnamed)");
/// # Ok::<(), sunpath::SunPathError>(())
/// ```
///
/// See unix(7).
#[derive(Clone, Copy)]
#[doc(alias = "sockaddr_un")]
// A move copies all of these bytes. On Linux they are seven blocks of 16 bytes, and a `Result` needs
// no more, because it marks failure by a length of 0.
#[repr(C)]
pub struct UnixAddr {
    /// INVARIANT: `sun_family` is `AF_UNIX`.
    addr: sockaddr_un,
    len: Len,
}

/// INVARIANT: from `SUN_PATH_OFFSET` to `size_of::<sockaddr_un>()`. For a path it counts at most one
/// NUL, the one after it.
type Len = NonZero<u16>;

const _: () = assert!(size_of::<UnixAddr>() <= size_of::<sockaddr_un>() + 2);
const _: () = assert!(
    size_of::<Result<UnixAddr, SunPathError>>()
        == size_of::<UnixAddr>().next_multiple_of(align_of::<SunPathError>())
);

/// Returns the length of an address as it is stored. The caller passes a length in its range.
#[inline(always)]
const fn len_of(len: socklen_t) -> Len {
    match NonZero::new(len as u16) {
        Some(len) => len,
        None => UNNAMED,
    }
}

/// The length of the unnamed address.
const UNNAMED: Len = NonZero::new(sys::SUN_PATH_OFFSET as u16).unwrap();

/// Makes the address for [`addr!`](crate::addr!), where a failure is a compile error.
#[doc(hidden)]
#[expect(clippy::panic, reason = "it is evaluated while compiling")]
#[must_use]
#[track_caller]
#[inline]
pub const fn addr_of_literal(path: &str) -> UnixAddr {
    match UnixAddr::from_pathname_bytes(path.as_bytes()) {
        Ok(addr) => addr,
        Err(SunPathError::Empty) => panic!("addr!: the path is empty"),
        Err(SunPathError::InteriorNul { .. }) => panic!("addr!: the path has a NUL"),
        Err(_) => panic!("addr!: the path is too long for sun_path (107 bytes on Linux)"),
    }
}

/// Makes the [`UnixAddr`] of a path that is known at compile time. A path that is empty, has a NUL
/// or is too long is a compile error.
///
/// # Examples
///
/// ```
/// use sunpath::{UnixAddr, addr};
///
/// const CONTROL: UnixAddr = addr!("/run/app/control.sock");
/// assert_eq!(CONTROL.to_string(), "/run/app/control.sock");
/// ```
///
/// 103 bytes fit on every system (107 on Linux):
///
/// ```
/// sunpath::addr!("/tmp/67890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123");
/// ```
///
/// 108 bytes do not fit, on any system:
///
/// ```compile_fail
/// sunpath::addr!("/tmp/6789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678");
/// ```
///
/// An empty path is refused, and so is one with a NUL:
///
/// ```compile_fail
/// sunpath::addr!("");
/// ```
///
/// ```compile_fail
/// sunpath::addr!("a\0b");
/// ```
///
/// The path can be a constant with any name:
///
/// ```
/// const ADDR: &str = "/run/a.sock";
/// assert_eq!(sunpath::addr!(ADDR).to_string(), ADDR);
/// ```
#[macro_export]
macro_rules! addr {
    ($path:expr) => {{
        // The expression $path can see the items of the macro, so the constant has a name that no
        // caller uses.
        const __SUNPATH_ADDR: $crate::UnixAddr = $crate::addr_of_literal($path);
        __SUNPATH_ADDR
    }};
}

impl PartialEq for UnixAddr {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for UnixAddr {}

impl PartialOrd for UnixAddr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares the forms first (unnamed, then path, then abstract name), and then the bytes.
impl Ord for UnixAddr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(&other.name())
    }
}

impl Hash for UnixAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;
    use std::collections::{BTreeSet, HashSet};
    use std::string::ToString;
    use std::vec;
    use std::vec::Vec;

    fn pathname(path: &[u8]) -> UnixAddr {
        UnixAddr::from_pathname_bytes(path).expect("the path fits")
    }

    #[test]
    fn addr_path_of_every_string_type_is_the_same() {
        let expected = pathname(b"/run/a.sock");
        assert_eq!(UnixAddr::from_pathname("/run/a.sock"), Ok(expected));
        assert_eq!(UnixAddr::from_pathname(c"/run/a.sock"), Ok(expected));
        assert_eq!(UnixAddr::from_pathname(b"/run/a.sock"), Ok(expected));
        assert_eq!(UnixAddr::from_pathname(&b"/run/a.sock"[..]), Ok(expected));
    }

    #[test]
    #[cfg(feature = "std")]
    fn addr_path_of_every_type_of_std_is_the_same() {
        use crate::pathname::AsPathname;
        use std::borrow::Cow;
        use std::boxed::Box;
        use std::path::{Component, Path};
        use std::rc::Rc;
        use std::sync::Arc;

        let expected = pathname(b"/run/a.sock");
        let path = Path::new("/run/a.sock");
        assert_eq!(UnixAddr::from_pathname(path), Ok(expected));
        assert_eq!(UnixAddr::from_pathname(path.as_os_str()), Ok(expected));
        assert_eq!(UnixAddr::from_pathname(path.to_path_buf()), Ok(expected));
        assert_eq!(
            UnixAddr::from_pathname(path.to_string_lossy().into_owned()),
            Ok(expected)
        );
        assert_eq!(expected.as_pathname(), Some(path));
        let of = |path: &dyn AsPathname| UnixAddr::from_pathname(path);
        assert_eq!(of(&Cow::Borrowed(path)), Ok(expected));
        assert_eq!(of(&Cow::Borrowed("/run/a.sock")), Ok(expected));
        assert_eq!(of(&Box::<Path>::from(path)), Ok(expected));
        assert_eq!(of(&Rc::<Path>::from(path)), Ok(expected));
        assert_eq!(of(&Arc::<str>::from("/run/a.sock")), Ok(expected));
        let last = path.components().next_back().unwrap_or(Component::CurDir);
        assert_eq!(of(&last), Ok(pathname(b"a.sock")));
    }

    #[test]
    fn addr_path_of_108_bytes_is_too_long_everywhere() {
        let refused = UnixAddr::from_pathname([b'p'; 108]);
        let max = sys::SUN_PATH_MAX;
        assert_eq!(refused, Err(SunPathError::TooLong { len: 108, max }));
    }

    #[test]
    fn addr_equality_ignores_what_the_length_counts_beyond_the_path() {
        let short = pathname(b"short");
        let raw = *short.as_sockaddr_un();
        let size = size_of::<sockaddr_un>() as socklen_t;
        let with_sizeof = UnixAddr::from_raw(raw, size).expect("the family is AF_UNIX");
        let without_nul = UnixAddr::from_raw(raw, short.len() - 1).expect("the family is AF_UNIX");
        assert_eq!(short, with_sizeof);
        assert_eq!(short, without_nul);
        let set = HashSet::from([short, with_sizeof, without_nul]);
        assert_eq!(set.len(), 1);
        assert_eq!(with_sizeof.len(), short.len(), "one NUL is counted");
        assert_eq!(without_nul.len(), short.len() - 1);
    }

    #[test]
    fn addr_in_a_container_is_as_it_was() {
        let mut addrs = vec![UnixAddr::unnamed(), pathname(b"a"), pathname(&[b'a'; 107])];
        addrs.extend(UnixAddr::from_abstract("").ok());
        addrs.extend(UnixAddr::from_abstract("a\0").ok());
        let bytes = |addr: &UnixAddr| (addr.len(), addr.as_sockaddr_un().sun_path);
        let before: Vec<_> = addrs.iter().map(bytes).collect();
        let set: HashSet<UnixAddr> = addrs.iter().copied().collect();
        assert_eq!(set.len(), addrs.len());
        let sorted: BTreeSet<Box<UnixAddr>> = addrs.iter().copied().map(Box::new).collect();
        for (addr, before) in addrs.iter().zip(before) {
            assert_eq!(bytes(addr), before);
            assert_eq!(set.get(addr).map(bytes), Some(before));
            assert_eq!(sorted.get(addr).map(|addr| bytes(addr)), Some(before));
            assert_eq!(Some(*addr).as_ref().map(bytes), Some(before));
        }
    }

    /// A new address replaces all of the earlier contents. If the new address is refused, the
    /// earlier contents stay.
    #[test]
    fn addr_set_in_place_is_the_one_made_anew_or_the_one_before() {
        for len in 0..=sys::SUN_PATH_MAX + 1 {
            let text = [b'p'; sys::SUN_PATH_MAX + 1];
            let path = &text[..len];
            for before in [UnixAddr::unnamed(), addr_of_literal("/run/before.sock")] {
                let mut addr = before;
                assert_eq!(
                    addr.set_pathname(path),
                    UnixAddr::from_pathname(path).map(drop)
                );
                assert_eq!(
                    addr,
                    UnixAddr::from_pathname(path).unwrap_or(before),
                    "{len}"
                );
                let mut addr = before;
                let made = UnixAddr::from_abstract(path);
                assert_eq!(addr.set_abstract(path), made.map(drop));
                assert_eq!(addr, made.unwrap_or(before), "{len}");
            }
            for at in 0..len {
                let mut with_nul = text;
                with_nul[at] = 0;
                let mut addr = addr_of_literal("/run/before.sock");
                let bytes = addr.as_sockaddr_un().sun_path;
                assert!(addr.set_pathname(&with_nul[..len]).is_err());
                assert_eq!(addr.to_string(), "/run/before.sock");
                assert_eq!(addr.as_sockaddr_un().sun_path, bytes, "nothing was written");
            }
        }
    }

    #[test]
    fn addr_unnamed_empty_abstract_and_path_are_three() {
        let unnamed = UnixAddr::unnamed();
        let path = pathname(b"a");
        assert!(unnamed < path);
        if let Ok(empty) = UnixAddr::from_abstract("") {
            assert_ne!(unnamed, empty);
            assert!(path < empty);
            assert_ne!(UnixAddr::from_abstract("a"), Ok(path));
            assert_ne!(UnixAddr::from_abstract("a"), UnixAddr::from_abstract("a\0"));
        }
    }

    #[test]
    #[should_panic(expected = "the path is empty")]
    fn addr_literal_empty_panics_with_the_reason() {
        let _ = addr_of_literal("");
    }

    #[test]
    #[should_panic(expected = "the path has a NUL")]
    fn addr_literal_with_a_nul_panics_with_the_reason() {
        let _ = addr_of_literal("a\0b");
    }

    #[test]
    #[should_panic(expected = "too long for sun_path")]
    fn addr_literal_too_long_panics_with_the_reason() {
        let _ = addr_of_literal(&"p".repeat(sys::SUN_PATH_MAX + 1));
    }
}
