//! `<sys/un.h>`: the address of a Unix domain socket, made and read with every length checked.
//!
//! In C an address is two things: the bytes of `struct sockaddr_un` and a length. The length
//! decides what the bytes mean, and only the programmer's care keeps both inside the struct. Here
//! three checked constructors make both together, and the functions that read an address take
//! whatever length the kernel reported.
//!
//! | kind | `sun_path` | length |
//! |---|---|---|
//! | pathname | the path, then one NUL | [`SUN_PATH_OFFSET`] + path + 1 |
//! | abstract (Linux) | a NUL, then the name, which may hold any byte | [`SUN_PATH_OFFSET`] + 1 + name |
//! | unnamed | nothing | [`SUN_PATH_OFFSET`] on Linux, 0 from recvfrom(2) |

mod copy;
mod fresh;
mod read;
#[cfg(feature = "std")]
mod std_addr;

use core::ffi::c_char;
use core::fmt;
use core::mem::{offset_of, size_of};

use self::copy::{copy, copy_const, first_nul};
#[doc(hidden)]
pub use self::fresh::{sockaddr_un_copied, sockaddr_un_of_abstract, sockaddr_un_of_pathname};
#[doc(inline)]
pub use self::read::{SunPath, sun_len_to_send, sun_path, sun_path_counted, sun_path_in_blocks};
#[cfg(feature = "std")]
#[doc(inline)]
pub use self::std_addr::{sockaddr_un_from_std, sockaddr_un_to_std};

/// `struct sockaddr_un { sa_family_t sun_family; char sun_path[]; };` — the address of a Unix
/// domain socket.
///
/// `sun_path` holds [`SUN_PATH_CAPACITY`] bytes. The BSDs and macOS have `sun_len` before the
/// family, and the constructors of this module set it.
///
/// See unix(7), `<sys/un.h>`.
#[doc(inline)]
pub use libc::sockaddr_un;

/// `AF_UNIX` — the address family of Unix domain sockets, equal to `AF_LOCAL` and `PF_UNIX`.
///
/// See unix(7), `<sys/socket.h>`.
#[doc(inline)]
pub use libc::AF_UNIX;

/// `sa_family_t` — an address family inside an address: 2 bytes on Linux, 1 on the BSDs and
/// macOS, always unsigned.
///
/// See `<sys/socket.h>`.
#[doc(inline)]
pub use libc::sa_family_t;

/// `socklen_t` — the length of an address or of an option's value: 4 bytes, unsigned.
///
/// See `<sys/socket.h>`.
#[doc(inline)]
pub use libc::socklen_t;

/// `offsetof(struct sockaddr_un, sun_path)` — where the path begins: 2 bytes.
pub const SUN_PATH_OFFSET: usize = offset_of!(sockaddr_un, sun_path);

/// `sizeof(((struct sockaddr_un *)0)->sun_path)` — 108 bytes on Linux, 104 on the BSDs and macOS.
pub const SUN_PATH_CAPACITY: usize = blank().sun_path.len();

/// The longest pathname that [`sockaddr_un_pathname`] takes, in bytes: one less than the capacity,
/// so that every pathname made here ends with a NUL.
///
/// Linux also binds a path that fills all 108 bytes and has no NUL. [`sun_path`] reads an address
/// without the NUL, but no function here makes it, because C programs that receive the address read
/// past its end.
pub const SUN_PATH_MAX: usize = SUN_PATH_CAPACITY - 1;

/// The longest pathname that every system takes, in bytes. The constant is the limit of the BSDs
/// and macOS, whose `sun_path` has 104 bytes.
///
/// A program that respects this limit on Linux runs on the other systems, too.
pub const SUN_PATH_MAX_PORTABLE: usize = 103;
const _: () = assert!(SUN_PATH_MAX_PORTABLE <= SUN_PATH_MAX);

/// `true` if the system has the abstract namespace, which only Linux has.
pub const HAVE_ABSTRACT: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Returns an address with its family set and every other byte zero. The zeroes come from a
/// function and not from a constant, so that the compiler stores zeroes and does not copy them from
/// the program's data.
#[inline(always)]
const fn blank() -> sockaddr_un {
    sockaddr_un {
        #[cfg(not(any(
            target_os = "linux",
            target_os = "android",
            target_os = "solaris",
            target_os = "illumos"
        )))]
        sun_len: 0,
        sun_family: AF_UNIX as sa_family_t,
        sun_path: [0; size_of::<sockaddr_un>() - SUN_PATH_OFFSET],
    }
}

const _: () = assert!(
    SUN_PATH_OFFSET + SUN_PATH_CAPACITY == size_of::<sockaddr_un>(),
    "sun_path ends where struct sockaddr_un ends"
);

/// The reason why bytes cannot be an address. Offsets and lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SunPathError {
    /// The pathname is empty. On Linux the kernel would make an abstract socket of it, which every
    /// user can reach.
    Empty,
    /// The pathname has a NUL at this offset, where the kernel would end it.
    InteriorNul {
        /// The offset of the first NUL.
        at: usize,
    },
    /// The pathname or abstract name does not fit.
    TooLong {
        /// The length of the given bytes.
        len: usize,
        /// The greatest length that fits.
        max: usize,
    },
    /// The system has no abstract namespace ([`HAVE_ABSTRACT`]).
    Unsupported,
}

impl SunPathError {
    /// Returns the errno for this error: `ENOENT` for an empty path (as POSIX requires for bind(2)
    /// and connect(2)), `EINVAL` for a NUL, `ENAMETOOLONG` for a path or name that is too long, and
    /// `EOPNOTSUPP` if the system has no abstract names.
    #[must_use]
    pub const fn errno(self) -> core::ffi::c_int {
        match self {
            Self::Empty => libc::ENOENT,
            Self::InteriorNul { .. } => libc::EINVAL,
            Self::TooLong { .. } => libc::ENAMETOOLONG,
            Self::Unsupported => libc::EOPNOTSUPP,
        }
    }

    /// Returns the text that `Display` prints, and the numbers in it. Each `{}` of the text stands
    /// for the next number. The function is for a program that does not use `core::fmt`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath_sys::SunPathError;
    ///
    /// let error = SunPathError::InteriorNul { at: 5 };
    /// assert_eq!(error.text(), ("path has a NUL at byte {}", [5, 0]));
    /// ```
    #[must_use]
    pub const fn text(self) -> (&'static str, [usize; 2]) {
        match self {
            Self::Empty => ("path is empty", [0; 2]),
            Self::InteriorNul { at } => ("path has a NUL at byte {}", [at, 0]),
            Self::TooLong { len, max } => (
                "{} bytes are too long for sun_path, which takes at most {}",
                [len, max],
            ),
            Self::Unsupported => ("this system has no abstract socket names", [0; 2]),
        }
    }
}

impl fmt::Display for SunPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, numbers) = self.text();
        let mut pieces = text.split("{}");
        f.write_str(pieces.next().unwrap_or_default())?;
        for (number, piece) in numbers.iter().zip(pieces) {
            write!(f, "{number}{piece}")?;
        }
        Ok(())
    }
}

impl core::error::Error for SunPathError {}

/// The `io::Error` has the kind of the errno, and this error as its inner error.
#[cfg(feature = "std")]
impl From<SunPathError> for std::io::Error {
    fn from(error: SunPathError) -> Self {
        let kind = match error {
            SunPathError::Unsupported => std::io::ErrorKind::Unsupported,
            _ => Self::from_raw_os_error(error.errno()).kind(),
        };
        Self::new(kind, error)
    }
}

/// Makes the address of a pathname socket: checks the length, copies the path into `sun_path` with
/// a NUL after it, and returns the length `offsetof + path + 1`.
///
/// The path is bytes as the file system has them: not necessarily UTF-8, without a NUL, relative or
/// absolute. This function does not look at the file system.
///
/// # Errors
///
/// The function looks for a NUL first. If a path is too long and has a NUL, the error therefore
/// reports the NUL.
///
/// - [`Empty`](SunPathError::Empty) (`ENOENT`): there are no bytes.
/// - [`InteriorNul`](SunPathError::InteriorNul) (`EINVAL`): there is a NUL, even if it is the last
///   byte.
/// - [`TooLong`](SunPathError::TooLong) (`ENAMETOOLONG`): more than [`SUN_PATH_MAX`] bytes.
///
/// # Examples
///
/// The following code makes the address of a fixed path, checked at compile time:
///
/// ```
/// use sunpath_sys::{SUN_PATH_OFFSET, sockaddr_un, sockaddr_un_pathname, socklen_t};
///
/// const CONTROL: (sockaddr_un, socklen_t) = match sockaddr_un_pathname(b"/run/app.sock") {
///     Ok(made) => made,
///     Err(_) => panic!("the path does not fit into sun_path"),
/// };
/// assert_eq!(CONTROL.1 as usize, SUN_PATH_OFFSET + b"/run/app.sock\0".len());
/// ```
///
/// See bind(2), unix(7).
#[inline]
pub const fn sockaddr_un_pathname(path: &[u8]) -> Result<(sockaddr_un, socklen_t), SunPathError> {
    let mut addr = blank();
    match sockaddr_un_set_pathname(&mut addr, path) {
        Ok(len) => Ok((addr, len)),
        Err(error) => Err(error),
    }
}

/// Does what [`sockaddr_un_pathname`] does, but writes into an existing address, which saves
/// copying one. Writes the family, the path and the NUL after the path, leaves the other bytes
/// unchanged, and returns the length.
///
/// # Errors
///
/// On failure the address is not changed.
///
/// - [`SunPathError`]: as for [`sockaddr_un_pathname`].
///
/// See bind(2), unix(7).
#[inline(always)]
pub const fn sockaddr_un_set_pathname(
    ret_addr: &mut sockaddr_un,
    path: &[u8],
) -> Result<socklen_t, SunPathError> {
    if path.len() > SUN_PATH_MAX || !copy_const::<true>(path, path_bytes_mut(ret_addr)) {
        return Err(sockaddr_un_refusal(path));
    }
    path_bytes_mut(ret_addr)[path.len()] = 0;
    ret_addr.sun_family = AF_UNIX as sa_family_t;
    Ok(set_length(ret_addr, path.len() + 1))
}

/// Does what [`sockaddr_un_set_pathname`] does, for an address whose family is set. Returns `None`
/// if the path is rejected, for the reason that [`sockaddr_un_refusal`] returns.
///
/// The function takes fewer instructions, because a `const fn` cannot use the processor's
/// instructions for 16 bytes at once, and because an error would be moved with the result.
#[doc(hidden)]
#[inline(always)]
pub fn sockaddr_un_replace_pathname(ret_addr: &mut sockaddr_un, path: &[u8]) -> Option<socklen_t> {
    if path.len() > SUN_PATH_MAX || !copy::<true>(path, path_bytes_mut(ret_addr)) {
        return None;
    }
    path_bytes_mut(ret_addr)[path.len()] = 0;
    Some(set_length(ret_addr, path.len() + 1))
}

/// Makes an abstract address: a NUL, then the name, and the exact length `offsetof + 1 + name`.
///
/// The name is the bytes after the NUL. Every byte counts, NULs included: `a` and `a\0` are two
/// names. The name may be empty. The empty name is a name like any other, and is not the unnamed
/// address. Abstract names have no permissions: every process of the network namespace can connect
/// to an abstract name, and can take a name that is free.
///
/// # Errors
///
/// - [`TooLong`](SunPathError::TooLong) (`ENAMETOOLONG`): more than `SUN_PATH_CAPACITY - 1` bytes.
/// - [`Unsupported`](SunPathError::Unsupported) (`EOPNOTSUPP`): not Linux.
///
/// See unix(7), "Abstract sockets".
#[inline]
pub const fn sockaddr_un_abstract(name: &[u8]) -> Result<(sockaddr_un, socklen_t), SunPathError> {
    let mut addr = blank();
    match sockaddr_un_set_abstract(&mut addr, name) {
        Ok(len) => Ok((addr, len)),
        Err(error) => Err(error),
    }
}

/// Does what [`sockaddr_un_abstract`] does, but writes into an existing address, which saves
/// copying one. Writes the family, the NUL and the name, leaves the other bytes unchanged, and
/// returns the length.
///
/// # Errors
///
/// On failure the address is not changed.
///
/// - [`SunPathError`]: as for [`sockaddr_un_abstract`].
///
/// See unix(7), "Abstract sockets".
#[inline]
pub const fn sockaddr_un_set_abstract(
    ret_addr: &mut sockaddr_un,
    name: &[u8],
) -> Result<socklen_t, SunPathError> {
    match sockaddr_un_replace_abstract(ret_addr, name) {
        Some(len) => {
            ret_addr.sun_family = AF_UNIX as sa_family_t;
            Ok(len)
        }
        None => Err(sockaddr_un_abstract_refusal(name)),
    }
}

/// Does what [`sockaddr_un_set_abstract`] does, for an address whose family is set. Returns `None`
/// if the name is rejected, for the reason that [`sockaddr_un_abstract_refusal`] returns.
#[doc(hidden)]
#[inline(always)]
pub const fn sockaddr_un_replace_abstract(
    ret_addr: &mut sockaddr_un,
    name: &[u8],
) -> Option<socklen_t> {
    if !HAVE_ABSTRACT || name.len() > SUN_PATH_CAPACITY - 1 {
        return None;
    }
    let [first, rest @ ..] = path_bytes_mut(ret_addr);
    *first = 0;
    copy_const::<false>(name, rest);
    Some(set_length(ret_addr, 1 + name.len()))
}

/// Returns the reason why an abstract name is rejected.
#[doc(hidden)]
#[cold]
#[inline(never)]
#[must_use]
pub const fn sockaddr_un_abstract_refusal(name: &[u8]) -> SunPathError {
    if !HAVE_ABSTRACT {
        return SunPathError::Unsupported;
    }
    SunPathError::TooLong {
        len: name.len(),
        max: SUN_PATH_CAPACITY - 1,
    }
}

/// Makes the unnamed address: a family, and no path.
///
/// For bind(2) on Linux, the unnamed address means "autobind": the kernel picks an abstract name of
/// five hexadecimal digits.
///
/// See unix(7), "Autobind feature".
#[must_use]
#[inline]
pub const fn sockaddr_un_unnamed() -> (sockaddr_un, socklen_t) {
    let mut addr = blank();
    let len = set_length(&mut addr, 0);
    (addr, len)
}

/// Returns all of `sun_path` as bytes.
#[inline(always)]
const fn path_bytes(addr: &sockaddr_un) -> &[u8; SUN_PATH_CAPACITY] {
    let path: *const [c_char; SUN_PATH_CAPACITY] = &addr.sun_path;
    // SAFETY: the pointer comes from a live reference and keeps its lifetime; c_char and u8 have
    // the same size and alignment, and every bit pattern is valid for both.
    unsafe { &*path.cast::<[u8; SUN_PATH_CAPACITY]>() }
}

/// Returns all of `sun_path` as bytes that may be written to.
#[inline(always)]
const fn path_bytes_mut(addr: &mut sockaddr_un) -> &mut [u8; SUN_PATH_CAPACITY] {
    let path: *mut [c_char; SUN_PATH_CAPACITY] = &mut addr.sun_path;
    // SAFETY: the pointer comes from a live exclusive reference and keeps its lifetime. c_char and
    // u8 have the same size and alignment, and every bit pattern is valid for both.
    unsafe { &mut *path.cast::<[u8; SUN_PATH_CAPACITY]>() }
}

/// Returns the length of an address whose `sun_path` has `used` bytes. If the struct has the field
/// `sun_len`, stores the length there, too.
#[inline(always)]
const fn set_length(addr: &mut sockaddr_un, used: usize) -> socklen_t {
    let len = (SUN_PATH_OFFSET + used) as socklen_t;
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "solaris",
        target_os = "illumos"
    )))]
    {
        addr.sun_len = len as u8;
    }
    _ = addr;
    len
}

/// Returns the reason why a path is refused: the path is empty, has a NUL, or is too long.
#[doc(hidden)]
#[cold]
#[inline(never)]
#[must_use]
pub const fn sockaddr_un_refusal(path: &[u8]) -> SunPathError {
    match first_nul(path) {
        Some(at) => SunPathError::InteriorNul { at },
        None if path.is_empty() => SunPathError::Empty,
        None => SunPathError::TooLong {
            len: path.len(),
            max: SUN_PATH_MAX,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn pathname(path: &[u8]) -> (sockaddr_un, socklen_t) {
        sockaddr_un_pathname(path).expect("the path fits")
    }

    #[test]
    fn un_path_of_max_minus_one_max_and_max_plus_one() {
        for len in [SUN_PATH_MAX - 1, SUN_PATH_MAX] {
            let path = vec![b'p'; len];
            let (addr, addrlen) = pathname(&path);
            assert_eq!(addrlen as usize, SUN_PATH_OFFSET + len + 1);
            assert_eq!(addr.sun_path[len], 0, "a NUL follows the path");
            assert_eq!(sun_path(&addr, addrlen), SunPath::Pathname(&path));
        }
        let len = SUN_PATH_MAX + 1;
        let refused = sockaddr_un_pathname(&vec![b'p'; len]).map(|_| ());
        assert_eq!(
            refused,
            Err(SunPathError::TooLong {
                len,
                max: SUN_PATH_MAX
            })
        );
    }

    #[test]
    fn un_nul_is_reported_before_length() {
        let mut path = vec![b'p'; 4096];
        path[4000] = 0;
        let refused = sockaddr_un_pathname(&path).map(|_| ());
        assert_eq!(refused, Err(SunPathError::InteriorNul { at: 4000 }));
        for (path, at) in [(&b"\0"[..], 0), (b"a\0b", 1), (b"ab\0", 2)] {
            let refused = sockaddr_un_pathname(path).map(|_| ());
            assert_eq!(refused, Err(SunPathError::InteriorNul { at }));
        }
    }

    #[test]
    fn un_empty_path_is_refused() {
        assert_eq!(
            sockaddr_un_pathname(b"").map(|_| ()),
            Err(SunPathError::Empty)
        );
    }

    #[test]
    #[cfg(feature = "std")]
    fn un_error_becomes_an_io_error_of_the_same_kind() {
        use std::io::{Error, ErrorKind};

        for (error, kind) in [
            (SunPathError::Empty, ErrorKind::NotFound),
            (SunPathError::InteriorNul { at: 1 }, ErrorKind::InvalidInput),
            (SunPathError::Unsupported, ErrorKind::Unsupported),
        ] {
            let io = Error::from(error);
            assert_eq!(io.kind(), kind);
            let inner = io.get_ref().and_then(|inner| inner.downcast_ref());
            assert_eq!(inner, Some(&error));
        }
    }

    #[test]
    fn un_abstract_name_keeps_every_byte() {
        if !HAVE_ABSTRACT {
            return;
        }
        let long = [b'z'; 107];
        for name in [&b""[..], b"a", b"a\0", b"\0", b"\0\0\0", b"\0a", &long] {
            let (addr, len) = sockaddr_un_abstract(name).expect("the name fits");
            assert_eq!(len as usize, SUN_PATH_OFFSET + 1 + name.len());
            assert_eq!(sun_path(&addr, len), SunPath::Abstract(name));
        }
        let refused = sockaddr_un_abstract(&[b'z'; 108]).map(|_| ());
        assert_eq!(refused, Err(SunPathError::TooLong { len: 108, max: 107 }));
    }
}
