//! How to reach an address from Rust, from C and from a shell, and what to do if it does not fit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sunpath::sys::{SUN_PATH_MAX, SunPathError};

use crate::escape::escape;
use crate::output::Line;
use crate::shell::word;
use crate::target::{Target, too_long_name};

/// A path that is longer than this is called `path` in the lines for Rust and C.
const SHORT: usize = 30;

/// Returns the lines for an address that was accepted, or refused with an error.
pub(crate) fn lines(target: &Target, error: Option<SunPathError>) -> Vec<Line> {
    let (heading, pairs) = match (target, error) {
        (Target::Path(path), None) => ("How to reach it", fitting(path)),
        (Target::Abstract(name), None) => ("How to reach it", of_abstract(target, name)),
        (Target::Path(path), Some(SunPathError::TooLong { .. })) => match too_long_name(path) {
            None => ("How to reach it anyway", too_long(path)),
            Some(len) => {
                let text =
                    format!("Choose a shorter name: no file system takes one of {len} bytes.");
                ("What to do", vec![("", text)])
            }
        },
        (Target::Path(_), Some(_)) => ("What to do", vec![("", "Give the socket a path.".into())]),
        (Target::Abstract(_), Some(_)) => {
            ("What to do", vec![("", "Choose a shorter name.".into())])
        }
    };
    let mut lines = vec![Line::Heading(heading.into())];
    lines.extend(
        pairs
            .iter()
            .map(|(label, text)| Line::Text(format!("{label:6} {text}").trim_end().into())),
    );
    lines
}

type Pairs = Vec<(&'static str, String)>;

fn fitting(path: &Path) -> Pairs {
    let bytes = path.as_os_str().as_bytes();
    vec![
        (
            "Rust",
            format!("sunpath::UnixStream::connect({})?", literal(bytes, "path")),
        ),
        (
            "C",
            format!(
                "sunpath_connect(SOCK_STREAM, {}, NULL, &error)",
                literal(bytes, "path")
            ),
        ),
        ("shell", format!("sunpath connect {}", word(&as_path(path)))),
    ]
}

fn too_long(path: &Path) -> Pairs {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let parent = path.parent().unwrap_or(Path::new(""));
    let parent = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let mut pairs = vec![
        (
            "Rust",
            "client: sunpath::UnixStream::connect_at(CWD, path)?".into(),
        ),
        (
            "",
            "server: sunpath::BindOptions::new().listen(path)?".into(),
        ),
        (
            "C",
            "client: sunpath_connect(SOCK_STREAM, path, NULL, &error)".into(),
        ),
        (
            "",
            "server: sunpath_bind(SOCK_STREAM, path, NULL, &server, &error)".into(),
        ),
        (
            "",
            "without libsunpath: open the directory with O_PATH, and connect to".into(),
        ),
        (
            "",
            "the path /proc/self/fd/N/NAME, where N is its descriptor".into(),
        ),
        ("shell", format!("sunpath connect {}", word(&as_path(path)))),
    ];
    if name.len() <= SUN_PATH_MAX {
        let name = word(&as_path(Path::new(name)));
        pairs.push((
            "",
            format!("cd {} && nc -U {name}", word(parent.as_os_str())),
        ));
    } else {
        pairs.push((
            "",
            "The name alone does not fit, so a link helps the client:".into(),
        ));
        let link = "/tmp/short";
        let path = word(path.as_os_str());
        pairs.push(("", format!("ln -s {path} {link} && nc -U {link}")));
    }
    pairs
}

fn of_abstract(target: &Target, name: &[u8]) -> Pairs {
    vec![
        (
            "Rust",
            format!(
                "UnixStream::connect_addr(&UnixAddr::from_abstract({})?)?",
                rust_bytes(name)
            ),
        ),
        (
            "C",
            format!(
                "sunpath_addr_from_abstract({}, {}, &addr, &len, &error)",
                literal(name, "name"),
                name.len()
            ),
        ),
        (
            "shell",
            format!("sunpath connect {}", word(OsStr::new(&target.text()))),
        ),
    ]
}

/// Returns the path as this command reads it: `./` precedes one that begins with `@` or `-`.
fn as_path(path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::new();
    if let Some(b'@' | b'-') = path.as_os_str().as_bytes().first() {
        word.push("./");
    }
    word.push(path);
    word
}

/// Returns a string literal that means the same in C and Rust, or the variable's name.
fn literal(bytes: &[u8], variable: &str) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= SHORT && escape(bytes) == text => {
            format!("\"{}\"", text.replace('"', "\\\""))
        }
        _ => variable.into(),
    }
}

fn rust_bytes(bytes: &[u8]) -> String {
    if bytes.len() > SHORT {
        return "name".into();
    }
    let quote = if bytes.is_ascii() && !bytes.contains(&0) {
        ""
    } else {
        "b"
    };
    format!("{quote}\"{}\"", bytes.escape_ascii())
}
