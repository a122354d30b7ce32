//! The notation in which every lane writes bytes. It is the notation of strace(1): `"a{107}\0"`.
//! `common/notation.h` does the same in C, and explains the notation.

use std::fmt::{self, Write as _};

/// Reads bytes from text that begins with a double quote. Returns the bytes and the text after
/// them, or `None` if the text is not in the notation.
#[must_use]
pub fn read_bytes(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut text = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        if let Some(rest) = text.strip_prefix('"') {
            return Some((bytes, rest));
        }
        let (byte, mut rest) = read_byte(text)?;
        let mut times = 1;
        if let Some(count) = rest.strip_prefix('{') {
            let (number, behind) = count.split_once('}')?;
            times = number.parse().ok()?;
            rest = behind;
        }
        bytes.resize(bytes.len() + times, byte);
        text = rest;
    }
}

fn read_byte(text: &str) -> Option<(u8, &str)> {
    let Some(escaped) = text.strip_prefix('\\') else {
        let byte = *text.as_bytes().first()?;
        return (byte != b'{').then_some((byte, text.get(1..)?));
    };
    let rest = escaped.get(1..)?;
    match escaped.as_bytes()[0] {
        b'0' => Some((0, rest)),
        byte @ (b'"' | b'\\') => Some((byte, rest)),
        b'x' => Some((u8::from_str_radix(rest.get(..2)?, 16).ok()?, &rest[2..])),
        _ => None,
    }
}

/// Bytes that are printed in double quotes, with four or more of one byte as `a{4}`.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for run in self.0.chunk_by(|a, b| a == b) {
            let times = if run.len() < 4 { run.len() } else { 1 };
            for byte in &run[..times] {
                match byte {
                    0 => f.write_str("\\0")?,
                    b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                    b'{' | ..b' ' | 0x7f.. => write!(f, "\\x{byte:02x}")?,
                    _ => f.write_char(char::from(*byte))?,
                }
            }
            if times < run.len() {
                write!(f, "{{{}}}", run.len())?;
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_of_bytes_is_read_back() {
        let all: Vec<u8> = (0..=255).flat_map(|byte| [byte; 2]).collect();
        let runs = [
            b"aaab".as_slice(),
            &[b'a'; 4],
            &[0; 108],
            b"{{{{",
            b"",
            &all,
        ];
        for bytes in runs {
            let text = Bytes(bytes).to_string();
            assert_eq!(read_bytes(&text), Some((bytes.to_vec(), "")), "{text}");
        }
    }

    #[test]
    fn notation_that_is_none_is_refused() {
        for text in [
            "", "a", "\"a", "\"{4}\"", "\"\\n\"", "\"\\x0\"", "\"a{4\"", "\"a{x}\"",
        ] {
            assert_eq!(read_bytes(text), None, "{text}");
        }
    }
}
