//! Prints addresses as text. The bytes of an address may come from any program, and must not move a
//! terminal's cursor.

use core::fmt;

use sunpath_sys::SunPath;

use super::UnixAddr;
use crate::text::{self, Out, Text};

impl fmt::Display for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for UnixAddr {
    fn write(&self, out: &mut Out<'_>) {
        match self.name() {
            SunPath::Unnamed => out("(unnamed)"),
            SunPath::Abstract(name) => {
                out("@");
                Escaped(name).write(None, out);
            }
            SunPath::Pathname([first @ (b'@' | b'('), rest @ ..]) => {
                escape_byte(*first, out);
                Escaped(rest).write(None, out);
            }
            SunPath::Pathname(path) => Escaped(path).write(None, out),
        }
    }
}

impl UnixAddr {
    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length
    /// of the whole text. A program that prints addresses by this method alone does not link
    /// `core::fmt`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::addr;
    ///
    /// let mut buf = [0; 8];
    /// let len = addr!("/run/app.sock").write_text(&mut buf);
    /// assert_eq!((len, &buf), (13, b"/run/app"));
    /// ```
    pub fn write_text(&self, buf: &mut [u8]) -> usize {
        text::copy(self, buf)
    }
}

impl fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            SunPath::Unnamed => f.write_str("Unnamed"),
            SunPath::Pathname(path) => write!(f, "Pathname({:?})", Quoted(path)),
            SunPath::Abstract(name) => write!(f, "Abstract({:?})", Quoted(name)),
        }
    }
}

/// Prints bytes as text: UTF-8 as it is, `\xNN` for other bytes, and escapes for characters that do
/// not print.
struct Escaped<'a>(&'a [u8]);

impl Escaped<'_> {
    fn write(&self, quote: Option<char>, out: &mut Out<'_>) {
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\\' => out("\\\\"),
                    _ if char.is_ascii_control() => escape_byte(char as u8, out),
                    _ if char.is_control() || is_format(char) => {
                        out("\\u{");
                        text::hexadecimal(u32::from(char).into(), 1, out);
                        out("}");
                    }
                    _ => {
                        if quote == Some(char) {
                            out("\\");
                        }
                        out(char.encode_utf8(&mut [0; 4]));
                    }
                }
            }
            for byte in chunk.invalid() {
                escape_byte(*byte, out);
            }
        }
    }
}

/// Writes a byte as `\xNN`.
fn escape_byte(byte: u8, out: &mut Out<'_>) {
    out("\\x");
    text::hexadecimal(byte.into(), 2, out);
}

/// Prints bytes as text in quotes, for `Debug`.
struct Quoted<'a>(&'a [u8]);

impl Text for Quoted<'_> {
    fn write(&self, out: &mut Out<'_>) {
        out("\"");
        Escaped(self.0).write(Some('"'), out);
        out("\"");
    }
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

/// Returns whether a character is visible only by its effect on others: the character ends the
/// line, turns the direction of the text, or has no width.
const fn is_format(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn addr_prints_hostile_names_escaped() {
        let pathname = |path: &[u8]| UnixAddr::from_pathname_bytes(path).expect("the path fits");
        let shown = |path: &[u8]| pathname(path).to_string();
        assert_eq!(shown(b"a\x1b[2Jb\n\xff"), r"a\x1b[2Jb\x0a\xff");
        for plain in ["größe it's", "a\"b", "cafe\u{301}", "日本", "\u{1f980}"] {
            assert_eq!(shown(plain.as_bytes()), plain);
        }
        assert_eq!(shown("\u{202e}gpj".as_bytes()), r"\u{202e}gpj");
        assert_eq!(shown("a\u{200b}\u{feff}".as_bytes()), r"a\u{200b}\u{feff}");
        assert_eq!(shown("\x7f\u{9b}2J".as_bytes()), r"\x7f\u{9b}2J");
        assert_eq!(shown(b"a\\b"), r"a\\b");
        assert_eq!(shown(b"@a"), r"\x40a");
        assert_eq!(shown(b"(unnamed)"), r"\x28unnamed)");
        assert_eq!(format!("{:?}", pathname(b"a\"b")), r#"Pathname("a\"b")"#);
        if let Ok(name) = UnixAddr::from_abstract("a\0\x1b") {
            assert_eq!(name.to_string(), r"@a\x00\x1b");
            assert_eq!(format!("{name:?}"), r#"Abstract("a\x00\x1b")"#);
        }
        assert_eq!(format!("{:?}", UnixAddr::unnamed()), "Unnamed");
    }
}
