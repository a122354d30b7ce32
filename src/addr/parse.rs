//! Reads addresses from text, in the form that `Display` writes.

use core::str::FromStr;

use sunpath_sys as sys;
use sunpath_sys::SunPathError;

use super::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};

impl UnixAddr {
    /// Reads an address from text, as [`Display`](core::fmt::Display) writes it and as service managers
    /// do: `@name` is an abstract name, `(unnamed)` is the unnamed address, and everything else is a
    /// path.
    ///
    /// Each byte is itself, except for a backslash, which begins an escape: `\\` is a backslash,
    /// `\xNN` a byte, `\u{N}` a character. A path that begins with `@` is written with `\x40`. For
    /// bytes that are always a path, use [`from_pathname`](Self::from_pathname).
    ///
    /// # Errors
    ///
    /// - `ENOENT`, `EINVAL`, `ENAMETOOLONG`, `EOPNOTSUPP`: as for
    ///   [`from_pathname`](Self::from_pathname) and [`from_abstract`](Self::from_abstract);
    ///   [`Error::sun_path`] has the length or the offset.
    /// - `EINVAL`: a backslash does not begin an escape; [`Cause::Escape`] has the offset of the
    ///   backslash.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixAddr;
    ///
    /// let addr: UnixAddr = "/run/app.sock".parse()?;
    /// assert_eq!(addr, UnixAddr::from_pathname("/run/app.sock")?);
    /// if let Ok(name) = UnixAddr::from_text(b"@app") {
    ///     assert_eq!(name, UnixAddr::from_abstract("app")?); // on Linux
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See unix(7), "Address format".
    pub fn from_text(text: &[u8]) -> Result<Self, Error> {
        if text == b"(unnamed)" {
            return Ok(Self::unnamed());
        }
        let (name, is_abstract) = match text {
            [b'@', name @ ..] => (name, true),
            path => (path, false),
        };
        // The buffer is longer than any name that fits, so a name that does not fit is refused
        // because of its length.
        let mut bytes = [0; sys::SUN_PATH_CAPACITY + 4];
        let mut len = 0;
        let mut rest = name;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (unit, after) = next_unit(rest).ok_or_else(|| bad_escape(at))?;
            for byte in unit.as_bytes() {
                if let Some(place) = bytes.get_mut(len) {
                    *place = *byte;
                }
                len += 1;
            }
            rest = after;
        }
        match bytes.get(..len) {
            Some(name) if is_abstract => Self::of_abstract(name),
            Some(path) => Self::for_call(Call::SockaddrUn, path),
            None => Err(Error::from(SunPathError::TooLong {
                len,
                max: sys::SUN_PATH_MAX,
            })),
        }
    }
}

/// Reads an address from [text](UnixAddr::from_text).
impl FromStr for UnixAddr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_text(text.as_bytes())
    }
}

/// The bytes that one escape stands for, at most four, or one byte that is not escaped.
struct Unit {
    bytes: [u8; 4],
    len: usize,
}

impl Unit {
    const fn byte(byte: u8) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            len: 1,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Returns the first unit of a text, and the rest. Returns `None` if a backslash does not begin an
/// escape.
fn next_unit(text: &[u8]) -> Option<(Unit, &[u8])> {
    match text {
        [b'\\', b'\\', rest @ ..] => Some((Unit::byte(b'\\'), rest)),
        [b'\\', b'x', high, low, rest @ ..] => {
            let byte = hex(*high)? * 16 + hex(*low)?;
            Some((Unit::byte(byte as u8), rest))
        }
        [b'\\', b'u', b'{', rest @ ..] => {
            let digits = rest
                .iter()
                .position(|byte| *byte == b'}')
                .filter(|len| (1..=6).contains(len))?;
            let (number, rest) = rest.split_at_checked(digits)?;
            let number = number
                .iter()
                .try_fold(0, |number, digit| Some(number * 16 + hex(*digit)?))?;
            let mut bytes = [0; 4];
            let len = char::from_u32(number)?.encode_utf8(&mut bytes).len();
            Some((Unit { bytes, len }, rest.get(1..)?))
        }
        [b'\\', ..] | [] => None,
        [byte, rest @ ..] => Some((Unit::byte(*byte), rest)),
    }
}

const fn hex(digit: u8) -> Option<u32> {
    (digit as char).to_digit(16)
}

#[cold]
fn bad_escape(at: usize) -> Error {
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    Error::with_cause(Call::SockaddrUn, Errno::EINVAL, Cause::Escape { at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    #[test]
    fn addr_that_was_printed_is_read_again() {
        let mut addrs = Vec::from([UnixAddr::unnamed()]);
        for name in [
            &b"a"[..],
            b"/run/app.sock",
            b"a\\b",
            b"@a",
            b"(unnamed)",
            b"a\x1b[2Jb\n\xff",
            "gr\u{f6}\u{df}e".as_bytes(),
            "\u{202e}gpj\u{200b}\u{e0001}".as_bytes(),
            &[b'p'; sys::SUN_PATH_MAX],
            &[0xff; sys::SUN_PATH_MAX],
        ] {
            addrs.push(UnixAddr::from_pathname_bytes(name).unwrap());
            addrs.extend(UnixAddr::from_abstract(name).ok());
        }
        addrs.extend(UnixAddr::from_abstract("").ok());
        addrs.extend(UnixAddr::from_abstract("a\0\0").ok());
        for addr in addrs {
            assert_eq!(addr.to_string().parse(), Ok(addr), "{addr}");
        }
    }

    #[test]
    fn addr_text_that_is_no_address_says_why() {
        let read = |text: &[u8]| UnixAddr::from_text(text).unwrap_err();
        assert_eq!(read(b"").sun_path(), Some(SunPathError::Empty));
        let nul = read(b"a\\x00b").sun_path();
        assert_eq!(nul, Some(SunPathError::InteriorNul { at: 1 }));
        for len in [sys::SUN_PATH_MAX + 1, sys::SUN_PATH_CAPACITY + 5, 4000] {
            let max = sys::SUN_PATH_MAX;
            let error = read(&std::vec![b'p'; len]);
            assert_eq!(error.sun_path(), Some(SunPathError::TooLong { len, max }));
        }
        for (text, at) in [
            (&b"a\\"[..], 1),
            (b"\\n", 0),
            (b"ab\\x4", 2),
            (b"\\xg0", 0),
            (b"\\u{}", 0),
            (b"\\u{d800}", 0),
            (b"\\u{1234567}", 0),
            (b"\\u{41", 0),
            (b"@a\\", 2),
        ] {
            assert_eq!(read(text).cause(), Some(Cause::Escape { at }), "{text:?}");
        }
    }
}
