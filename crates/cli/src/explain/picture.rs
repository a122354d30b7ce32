//! The bytes of an address, as a picture.

use sunpath::sys::{SUN_PATH_OFFSET, sockaddr_un};

use crate::escape::escape;
use crate::output::Line;
use crate::target::Target;

/// The number of bytes that a line shows.
const WIDTH: usize = 12;

/// Returns all bytes of the struct, in memory order. `len` is the length of the address.
pub(crate) fn bytes_of(addr: &sockaddr_un, len: usize) -> Vec<u8> {
    let mut bytes = addr.sun_family.to_ne_bytes().to_vec();
    if bytes.len() < SUN_PATH_OFFSET {
        bytes.insert(0, len as u8); // sun_len
    }
    bytes.extend(addr.sun_path.iter().map(|byte| byte.to_ne_bytes()[0]));
    bytes
}

/// Returns the picture: each line has an offset, bytes, and their meaning.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Line> {
    let mut lines = vec![Line::Heading("The bytes of struct sockaddr_un".into())];
    let (family, path) = bytes.split_at(bytes.len().min(SUN_PATH_OFFSET));
    lines.push(line(0, family, "sun_family = AF_UNIX"));
    for (index, part) in path.chunks(WIDTH).enumerate() {
        let text = if index == 0 {
            "sun_path = "
        } else {
            "           "
        };
        let at = SUN_PATH_OFFSET + index * WIDTH;
        lines.push(line(at, part, &format!("{text}{}", shown(part))));
    }
    lines
}

fn line(at: usize, bytes: &[u8], meaning: &str) -> Line {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let width = WIDTH * 3 - 1;
    Line::Text(format!("{at:>3}  {:width$}  {meaning}", digits.join(" ")))
}

/// Returns a text with one character for each byte, as far as the bytes are printable ASCII.
fn shown(bytes: &[u8]) -> String {
    let each = bytes.iter().map(|byte| match byte {
        0 => "\u{b7}".into(),
        b'\\' => "\\".into(),
        byte if byte.is_ascii_graphic() || *byte == b' ' => escape(&[*byte]),
        _ => "\u{25aa}".into(),
    });
    each.collect::<Vec<_>>().concat()
}

/// Returns how the length that is passed to the kernel comes about.
pub(crate) fn lengths(target: &Target, size: usize) -> Vec<Line> {
    let len = target.as_bytes().len();
    let before = SUN_PATH_OFFSET;
    let sum = match target {
        Target::Path(_) => format!(
            "{} for bind and connect: {before} before the path, {len} of it, 1 for the NUL",
            before + len + 1
        ),
        Target::Abstract(_) => format!(
            "{} for bind and connect: {before} before the name, 1 for its NUL, {len} of it",
            before + 1 + len
        ),
    };
    let unused = size - (before + len + 1);
    let mut lines = vec![
        Line::Heading("The length".into()),
        Line::Text(sum),
        Line::Text(format!(
            "{unused} of the struct's {size} bytes are not used"
        )),
    ];
    if let Target::Abstract(_) = target {
        let text = "sizeof(struct sockaddr_un) would name another socket, with NULs at its end";
        lines.push(Line::Text(text.into()));
    }
    lines
}
