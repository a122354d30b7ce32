//! Prints addresses as text. Their bytes may come from any program, and must not move a terminal's
//! cursor.

use core::fmt::{self, Write as _};

use sunpath_sys::SunPath;

use super::UnixAddr;

impl fmt::Display for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            SunPath::Unnamed => f.write_str("(unnamed)"),
            SunPath::Abstract(name) => write!(f, "@{}", Escaped(name)),
            SunPath::Pathname([first @ (b'@' | b'('), rest @ ..]) => {
                write!(f, "\\x{first:02x}{}", Escaped(rest))
            }
            SunPath::Pathname(path) => write!(f, "{}", Escaped(path)),
        }
    }
}

impl fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            SunPath::Unnamed => f.write_str("Unnamed"),
            SunPath::Pathname(path) => write!(f, "Pathname({:?})", Escaped(path)),
            SunPath::Abstract(name) => write!(f, "Abstract({:?})", Escaped(name)),
        }
    }
}

/// Prints bytes as text: UTF-8 as it is, `\xNN` for other bytes, and escapes for characters that do
/// not print. `Debug` adds quotes around the text, and escapes quotes inside.
struct Escaped<'a>(&'a [u8]);

impl Escaped<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, quote: Option<char>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\\' => f.write_str("\\\\")?,
                    _ if char.is_ascii_control() => write!(f, "\\x{:02x}", char as u32)?,
                    _ if char.is_control() || is_format(char) => {
                        write!(f, "{}", char.escape_unicode())?;
                    }
                    _ if quote == Some(char) => write!(f, "\\{char}")?,
                    _ => f.write_char(char)?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.write(f, Some('"'))?;
        f.write_char('"')
    }
}

/// Returns whether a character is visible only by its effect on others: it ends the line, turns the
/// direction of the text, or has no width.
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
