//! Reads a hex dump of a `sockaddr_un`, and explains it.

use serde_json::{Map, Value};
use sunpath::SunPath;
use sunpath::sys::{SUN_PATH_CAPACITY, SUN_PATH_OFFSET};

use super::{address, answer_with, picture, systems, ways};
use crate::escape::hex;
use crate::output::{Answer, Line, Status};
use crate::target::Target;

/// Reads the bytes of a dump: digits in pairs or longer groups, with spaces, commas, colons, `0x` or `\x`
/// between them. The offsets and the text that xxd, hexdump and od print beside them are left out.
pub(crate) fn read(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut bytes = Vec::new();
    for line in text.lines() {
        bytes.extend(read_line(line)?);
    }
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn read_line(line: &str) -> Option<Vec<u8>> {
    // hexdump -C puts the text between bars.
    let line = line.split('|').next().unwrap_or_default().trim_end();
    let (offset, rest) = line.split_once([' ', ':']).unwrap_or(("", line));
    let is_offset = (6..=8).contains(&offset.len()) && is_hex(offset) && rest.contains(' ');
    let line = match is_offset {
        // xxd puts two spaces before the text.
        true if line[offset.len()..].starts_with(": ") => rest.trim_start().split("  ").next()?,
        true => rest,
        false if is_hex(line) && (6..=8).contains(&line.len()) && line.starts_with("0000") => {
            "" // the last line of hexdump and od is the length
        }
        false => line,
    };
    let line = line.replace("0x", " ").replace("\\x", " ");
    let groups = line
        .split([' ', '\t', ',', ':', '{', '}'])
        .filter(|group| !group.is_empty());
    let digits = groups.map(|group| Some(group).filter(|group| group.len() % 2 == 0));
    let digits = digits.collect::<Option<Vec<_>>>()?.concat();
    if !is_hex(&digits) {
        return None;
    }
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The layouts of the two bytes before the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A family of 16 bits, little-endian: Linux on most machines.
    Little,
    /// A family of 16 bits, big-endian: Linux on s390x, illumos on SPARC.
    Big,
    /// A length of 8 bits and a family of 8 bits: the BSDs and macOS.
    Bsd,
}

fn layout(bytes: &[u8]) -> Option<Layout> {
    match bytes {
        [1, 0, ..] => Some(Layout::Little),
        [0, 1, ..] => Some(Layout::Big),
        [len, 1, ..] if usize::from(*len) <= bytes.len() => Some(Layout::Bsd),
        _ => None,
    }
}

/// Returns whether the bytes begin as an address does.
pub(crate) fn begins_with_family(bytes: &[u8]) -> bool {
    layout(bytes).is_some()
}

/// Explains the bytes of an address. Their number is its length.
pub(crate) fn answer(bytes: &[u8]) -> Answer {
    let mut json = Map::new();
    json.insert("sockaddr_un_hex".into(), hex(bytes).into());
    json.insert("length".into(), bytes.len().into());
    let Some(layout) = layout(bytes) else {
        let first = match bytes {
            [] | [_] => "This is shorter than the family of an address.".to_string(),
            [a, b, ..] => {
                format!("This is not an address of AF_UNIX: its family is {a:02x} {b:02x}.")
            }
        };
        return answer_with(Status::Not, first, Vec::new(), json);
    };
    let path = &bytes[SUN_PATH_OFFSET.min(bytes.len())..];
    let (name, mut notes) = name(path);
    let first = describe(name, path);
    match layout {
        Layout::Little => {}
        Layout::Big => notes.push("The family is big-endian: the dump is from such a machine."),
        Layout::Bsd => notes.push("The first byte is sun_len, as the BSDs and macOS have it."),
    }
    let mut status = Status::Done;
    if path.len() > SUN_PATH_CAPACITY {
        status = Status::Not;
        notes.push("The length is over that of the struct: read no byte after its end.");
    }
    let mut rest = picture::lines(bytes);
    if !notes.is_empty() {
        rest.push(Line::Heading("What stands out".into()));
        rest.extend(notes.iter().map(|note| Line::Text((*note).into())));
        let notes: Vec<Value> = notes.iter().map(|note| (*note).into()).collect();
        json.insert("notes".into(), notes.into());
    }
    if name != SunPath::Unnamed {
        let target = Target::from(name);
        target.insert(&mut json);
        rest.extend(systems::lines(&target));
        rest.extend(ways::lines(&target, address(&target).err()));
        json.insert("systems".into(), systems::json(&target));
    }
    answer_with(status, first, rest, json)
}

/// Returns the name that Linux reads, and what is unusual about the bytes.
fn name(path: &[u8]) -> (SunPath<'_>, Vec<&'static str>) {
    let mut notes = Vec::new();
    let name = match path {
        [] => SunPath::Unnamed,
        [0, name @ ..] => {
            if name.is_empty() {
                notes.push("The abstract name is empty.");
            } else if name.iter().all(|byte| *byte == 0) {
                notes.push("The name is all NULs: a zeroed struct and its whole size were passed.");
            } else if name.ends_with(&[0]) {
                notes
                    .push("The NULs at the end belong to the name. Pass the exact length instead.");
            }
            SunPath::Abstract(name)
        }
        path => {
            let end = path.iter().position(|byte| *byte == 0);
            match end {
                None if path.len() >= SUN_PATH_CAPACITY => {
                    notes
                        .push("No NUL follows the path: it fills sun_path. Only Linux takes that.");
                }
                None => notes.push("No NUL follows the path. Linux takes it and adds one."),
                Some(end) if path[end..].iter().any(|byte| *byte != 0) => {
                    notes.push("After the NUL come bytes that the kernel does not read.");
                }
                Some(_) => {}
            }
            SunPath::Pathname(&path[..end.unwrap_or(path.len())])
        }
    };
    (name, notes)
}

fn describe(name: SunPath<'_>, path: &[u8]) -> String {
    let text = || Target::from(name).text();
    match name {
        SunPath::Unnamed => "The address is unnamed: the socket is not bound.".into(),
        SunPath::Abstract(bytes) if bytes.ends_with(&[0]) => {
            let nuls = bytes.iter().rev().take_while(|byte| **byte == 0).count();
            let name = Target::Abstract(bytes[..bytes.len() - nuls].into());
            let nuls = match nuls {
                1 => "1 NUL".into(),
                _ => format!("{nuls} NULs"),
            };
            format!(
                "This is the abstract name {} with {nuls} after it.",
                name.text()
            )
        }
        SunPath::Abstract(bytes) => {
            let len = systems::bytes(bytes.len());
            format!("This is the abstract name {}, of {len}.", text())
        }
        SunPath::Pathname(bytes) => {
            let unused = path.len().saturating_sub(bytes.len() + 1);
            let unused = match unused {
                0 => String::new(),
                count => format!(" with {} after its NUL", systems::bytes(count)),
            };
            let len = systems::bytes(bytes.len());
            format!("This is the path {}, of {len}{unused}.", text())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_dumps_of_many_programs_gives_the_same_bytes() {
        let bytes = b"\x01\x00/tmp/a.sock\0";
        for text in [
            "01002f746d702f612e736f636b00",
            "01 00 2f 74 6d 70 2f 61 2e 73 6f 63 6b 00",
            "0x01,0x00,0x2f,0x74,0x6d,0x70,0x2f,0x61,0x2e,0x73,0x6f,0x63,0x6b,0x00",
            r"\x01\x00\x2f\x74\x6d\x70\x2f\x61\x2e\x73\x6f\x63\x6b\x00",
            "00000000: 0100 2f74 6d70 2f61 2e73 6f63 6b00       ../tmp/a.sock.",
            "00000000  01 00 2f 74 6d 70 2f 61  2e 73 6f 63 6b 00        |../tmp/a.sock.|\n0000000e",
            "0000000 01 00 2f 74 6d 70 2f 61 2e 73 6f 63 6b 00\n0000016",
        ] {
            assert_eq!(read(text.as_bytes()).as_deref(), Some(&bytes[..]), "{text}");
        }
    }

    #[test]
    fn read_text_that_is_not_a_dump_gives_nothing() {
        for text in ["", "/run/a", "0", "010", "01 0", "01 00 2g", "cafe.sock"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert!(!begins_with_family(b"\x02\x00"));
        assert!(!begins_with_family(b"\xca\xfe"));
        assert!(begins_with_family(b"\x00\x01/"));
        assert!(begins_with_family(b"\x05\x01/a\0"));
    }

    #[test]
    fn name_of_each_form_is_told() {
        let first = |bytes: &[u8]| answer(bytes).first;
        assert_eq!(
            first(b"\x01"),
            "This is shorter than the family of an address."
        );
        assert_eq!(
            first(b"\x02\x00a"),
            "This is not an address of AF_UNIX: its family is 02 00."
        );
        assert_eq!(
            first(b"\x01\x00"),
            "The address is unnamed: the socket is not bound."
        );
        assert_eq!(first(b"\x01\x00/a\0"), "This is the path /a, of 2 bytes.");
        assert_eq!(first(b"\x01\x00/a"), "This is the path /a, of 2 bytes.");
        assert_eq!(
            first(b"\x01\x00@a\0xy"),
            "This is the path ./@a, of 2 bytes with 2 bytes after its NUL."
        );
        assert_eq!(
            first(b"\x01\x00\0ab"),
            "This is the abstract name @ab, of 2 bytes."
        );
        assert_eq!(
            first(b"\x01\x00\0ab\0"),
            "This is the abstract name @ab with 1 NUL after it."
        );
        assert_eq!(first(b"\x01\x00a"), "This is the path a, of 1 byte.");
        assert_eq!(answer(b"\x01\x00/a\0").status, Status::Done);
        assert_eq!(
            answer(&[b"\x01\x00", &[b'a'; 120][..]].concat()).status,
            Status::Not
        );
        assert_eq!(
            first(b"\x01\x00\0ab\0\0"),
            "This is the abstract name @ab with 2 NULs after it."
        );
    }
}
