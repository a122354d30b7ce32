//! Prints names that any program may have chosen, so that they cannot move the cursor of a terminal,
//! end a line or look like another name.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Map, Value};

/// Returns a name as text: UTF-8 as it is, `\\` for a backslash, `\xNN` for a control character or a byte
/// that is not UTF-8, and `\u{N}` for another character that does not print. This is the notation in
/// which the library prints addresses, and in which it reads them.
pub(crate) fn escape(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => text.push_str("\\\\"),
                ' '..='~' => text.push(char),
                '\0'..='\x7f' => escape_byte(char as u8, &mut text),
                _ if prints(char) => text.push(char),
                _ => _ = write!(text, "\\u{{{:x}}}", u32::from(char)),
            }
        }
        for byte in chunk.invalid() {
            escape_byte(*byte, &mut text);
        }
    }
    text
}

fn escape_byte(byte: u8, text: &mut String) {
    let _ = write!(text, "\\x{byte:02x}");
}

/// Returns whether the character prints. A combining mark does after another character, so it is
/// asked about in that place.
fn prints(char: char) -> bool {
    format!("a{char}").escape_debug().count() == 2
}

/// Returns the path as text. `./` precedes a path that begins with `@`, so that it does not look like an
/// abstract name.
pub(crate) fn escape_path(path: &[u8]) -> String {
    let before = if path.starts_with(b"@") { "./" } else { "" };
    format!("{before}{}", escape(path))
}

/// Returns an abstract name as text, with its `@`.
pub(crate) fn escape_abstract(name: &[u8]) -> String {
    format!("@{}", escape(name))
}

/// Adds a name to a JSON object. A name that is UTF-8 is a string. Any other is a string with
/// U+FFFD in place of what is not UTF-8, and the field `KEY_hex` has its bytes.
pub(crate) fn insert(object: &mut Map<String, Value>, key: &str, name: &[u8]) {
    let text = String::from_utf8_lossy(name);
    if let Cow::Owned(_) = text {
        object.insert(format!("{key}_hex"), hex(name).into());
    }
    object.insert(key.into(), text.into_owned().into());
}

/// Returns the bytes as hexadecimal digits, two for each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sunpath::UnixAddr;

    const HOSTILE: [&[u8]; 8] = [
        b"a\nb",
        b"\x1b[2J\x1b]0;title\x07",
        b"\xff\xfe",
        b"back\\slash",
        b"\x7f\xc2\x9b2J",
        "\u{202e}gpj\u{200b}\u{e0001}".as_bytes(),
        "gr\u{f6}\u{df}e \u{65e5}".as_bytes(),
        "cafe\u{301} it's \"so\"".as_bytes(),
    ];

    #[test]
    fn escape_hostile_names_prints_as_the_library_does() {
        for name in HOSTILE {
            let addr = UnixAddr::from_pathname_bytes(name).unwrap();
            assert_eq!(escape(name), addr.to_string());
        }
    }

    #[test]
    fn escape_every_byte_leaves_no_control_character() {
        let all: Vec<u8> = (0..=255).collect();
        assert!(escape(&all).chars().all(|char| !char.is_control()));
        assert_eq!(escape(b"\x00 ~\x7f"), "\\x00 ~\\x7f");
    }

    #[test]
    fn escape_path_that_begins_with_at_is_not_an_abstract_name() {
        assert_eq!(escape_path(b"@x"), "./@x");
        assert_eq!(escape_path(b"a@x"), "a@x");
        assert_eq!(escape_abstract(b"x\0"), "@x\\x00");
    }

    #[test]
    fn insert_bytes_that_are_not_utf8_keeps_them() {
        let mut object = Map::new();
        insert(&mut object, "path", b"a\xff\n");
        insert(&mut object, "name", b"a\n");
        let json = Value::from(object).to_string();
        assert_eq!(
            json,
            "{\"name\":\"a\\n\",\"path\":\"a\u{fffd}\\n\",\"path_hex\":\"61ff0a\"}"
        );
    }
}
