//! The texts of errors and addresses, written in pieces without `core::fmt`.
//!
//! `Display` passes the pieces on to its formatter, and `write_text` of the same types copies them
//! into a buffer, so that a program that prints no other text does not link `core::fmt`.

use core::fmt;
use core::num::NonZero;

/// A function that takes a text piece by piece.
pub(crate) type Out<'a> = dyn FnMut(&str) + 'a;

/// A value with a text.
pub(crate) trait Text {
    /// Passes the text to `out`.
    fn write(&self, out: &mut Out<'_>);
}

/// Prints a text, for `Display`.
pub(crate) fn display(text: &dyn Text, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    print(f, |out| text.write(out))
}

/// Prints the pieces that `write` passes on.
pub(crate) fn print(f: &mut fmt::Formatter<'_>, write: impl FnOnce(&mut Out<'_>)) -> fmt::Result {
    let mut result = Ok(());
    write(&mut |piece| {
        if result.is_ok() {
            result = f.write_str(piece);
        }
    });
    result
}

/// Copies as much of a text into `buf` as fits, and returns the length of the whole text.
pub(crate) fn copy(text: &dyn Text, buf: &mut [u8]) -> usize {
    let mut len = 0;
    text.write(&mut |piece| append(piece, buf, &mut len));
    len
}

/// Copies as much of a piece as fits after the first `len` bytes. The function is out of line,
/// because a text has many pieces.
#[inline(never)]
fn append(piece: &str, buf: &mut [u8], len: &mut usize) {
    let rest = buf.get_mut(*len..).unwrap_or_default();
    for (place, byte) in rest.iter_mut().zip(piece.bytes()) {
        *place = byte;
    }
    *len += piece.len();
}

/// Writes a decimal number.
pub(crate) fn decimal(number: u64, out: &mut Out<'_>) {
    digits(number, DECIMAL, 1, out);
}

/// Writes an octal number with at least `least` digits.
pub(crate) fn octal(number: u64, least: usize, out: &mut Out<'_>) {
    digits(number, OCTAL, least, out);
}

/// Writes a hexadecimal number with at least `least` digits.
pub(crate) fn hexadecimal(number: u64, least: usize, out: &mut Out<'_>) {
    digits(number, HEXADECIMAL, least, out);
}

/// Writes a text in which `{}` stands for the next number, and `{o}` for the next number in octal.
pub(crate) fn with_numbers(mut text: &str, numbers: [u64; 2], out: &mut Out<'_>) {
    for number in numbers {
        // Searching for a char could panic, as far as the compiler can tell.
        let at = text.bytes().position(|byte| byte == b'{');
        let Some((before, after)) = at.and_then(|at| text.split_at_checked(at)) else {
            break;
        };
        out(before);
        text = match after.strip_prefix("{o}") {
            Some(after) => {
                octal(number, 1, out);
                after
            }
            None => {
                decimal(number, out);
                after.strip_prefix("{}").unwrap_or_default()
            }
        };
    }
    out(text);
}

const OCTAL: NonZero<u64> = NonZero::new(8).unwrap();
const DECIMAL: NonZero<u64> = NonZero::new(10).unwrap();
const HEXADECIMAL: NonZero<u64> = NonZero::new(16).unwrap();

// The base is not zero, so the division cannot panic.
#[inline(never)]
fn digits(mut number: u64, base: NonZero<u64>, least: usize, out: &mut Out<'_>) {
    const DIGITS: &str = "0123456789abcdef";
    // The digits of the number, the lowest first.
    let mut buf = [0; u64::BITS as usize];
    let mut len = 0;
    for place in &mut buf {
        if number == 0 && len >= least {
            break;
        }
        *place = (number % base) as u8;
        number /= base;
        len += 1;
    }
    for digit in buf.iter().take(len).rev() {
        let at = usize::from(*digit);
        out(DIGITS.get(at..=at).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    struct Pieces(&'static [&'static str]);

    impl Text for Pieces {
        fn write(&self, out: &mut Out<'_>) {
            self.0.iter().for_each(|piece| out(piece));
        }
    }

    impl fmt::Display for Pieces {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            display(self, f)
        }
    }

    fn written(write: impl FnOnce(&mut Out<'_>)) -> String {
        let mut text = String::new();
        write(&mut |piece| text.push_str(piece));
        text
    }

    #[test]
    fn text_is_copied_as_far_as_it_fits() {
        let text = Pieces(&["ab", "", "cde"]);
        for size in 0..8 {
            let mut buf = [b'.'; 8];
            assert_eq!(copy(&text, &mut buf[..size]), 5);
            let fits = size.min(5);
            assert_eq!(buf[..fits], b"abcde"[..fits]);
            assert!(buf[fits..].iter().all(|byte| *byte == b'.'), "{size}");
        }
    }

    #[test]
    fn text_is_displayed_until_the_formatter_fails() {
        use fmt::Write;

        /// A buffer that takes one piece.
        struct Full(String);

        impl Write for Full {
            fn write_str(&mut self, piece: &str) -> fmt::Result {
                if !self.0.is_empty() {
                    return Err(fmt::Error);
                }
                self.0.push_str(piece);
                Ok(())
            }
        }

        let text = Pieces(&["ab", "cde"]);
        assert_eq!(text.to_string(), "abcde");
        let mut full = Full(String::new());
        assert!(write!(full, "{text}").is_err());
        assert_eq!(full.0, "ab");
    }

    #[test]
    fn text_numbers_are_those_of_fmt() {
        for number in [0, 1, 7, 8, 9, 10, 15, 16, 255, 4_294_967_295, u64::MAX] {
            let decimal = written(|out| decimal(number, out));
            assert_eq!(decimal, number.to_string());
            assert_eq!(
                written(|out| octal(number, 4, out)),
                std::format!("{number:04o}")
            );
            let hex = written(|out| hexadecimal(number, 2, out));
            assert_eq!(hex, std::format!("{number:02x}"));
        }
        let text = written(|out| with_numbers("a {o}: {} of {}", [8, 9], out));
        assert_eq!(text, "a 10: 9 of {}");
        assert_eq!(written(|out| with_numbers("none", [8, 9], out)), "none");
    }
}
