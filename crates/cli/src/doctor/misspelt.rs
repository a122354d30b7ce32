//! Paths that are not paths: a URL, or what only a shell replaces.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::Question;
use super::diagnosis::Diagnosis;
use crate::output::Status;
use crate::target::Target;

/// How programs write the address of a socket, with the byte that ends the path in it.
const URLS: [(&[u8], u8); 9] = [
    (b"unix:path=", b','), // D-Bus
    (b"unix:abstract=", b','),
    (b"unix-abstract:", 0), // gRPC
    (b"unix://", 0),
    (b"unix:", 0),
    (b"http://unix:", b':'), // nginx
    (b"http+unix://", b'/'), // the path is one percent-encoded name
    (b"file://", 0),
    (b"ipc://", 0),
];

/// Diagnoses a path that a program took from a text that means another path.
pub(crate) fn diagnose(question: &Question<'_>, path: &Path) -> Option<Diagnosis> {
    let bytes = path.as_os_str().as_bytes();
    let trimmed = bytes.trim_ascii_end();
    let (reason, first, meant) = if let Some(meant) = meant_by_url(bytes) {
        ("url", "It is a URL, not a path", Some(meant))
    } else if let [quote @ (b'"' | b'\''), inner @ .., last] = bytes {
        let meant = (quote == last).then(|| path_of(inner.into()));
        ("quotes", "It has quotes, which only a shell removes", meant)
    } else if let Some(rest) = bytes.strip_prefix(b"~") {
        let first = "It begins with ~, which only a shell replaces";
        let home = std::env::var_os("HOME").filter(|_| rest.starts_with(b"/"));
        let meant = home.map(|home| path_of([home.as_bytes(), rest].concat()));
        ("tilde", first, meant)
    } else if bytes.contains(&b'$') {
        (
            "variable",
            "It has a $, and only a shell replaces variables",
            None,
        )
    } else if trimmed.len() < bytes.len() {
        let meant = Some(path_of(trimmed.into()));
        ("white-space", "It ends with white space", meant)
    } else {
        return None;
    };
    let Some(meant) = meant else {
        let diagnosis = Diagnosis::new(Status::Not, reason, format!("{first}."));
        return Some(diagnosis.advise("Write the path out."));
    };
    let is_there = match &meant {
        Target::Path(path) => path.symlink_metadata().is_ok(),
        Target::Abstract(name) => question.sockets.of_abstract(name).next().is_some(),
    };
    let exists = match is_there {
        true => "which exists",
        false => "where nothing is either",
    };
    let first = format!("{first}: it seems to mean {}, {exists}.", meant.text());
    Some(Diagnosis::new(Status::Not, reason, first).advise("Correct the path in the client."))
}

fn path_of(bytes: Vec<u8>) -> Target {
    Target::Path(PathBuf::from(OsString::from_vec(bytes)))
}

/// Returns what a URL means.
fn meant_by_url(bytes: &[u8]) -> Option<Target> {
    let (prefix, rest, end) = URLS
        .iter()
        .find_map(|(prefix, end)| Some((*prefix, bytes.strip_prefix(*prefix)?, *end)))?;
    let is_encoded = end == b'/' && !rest.starts_with(b"/");
    let end = match end {
        b'/' if !is_encoded => None, // a path that is not encoded
        end => rest.iter().position(|byte| *byte == end),
    };
    let meant = percent_decoded(&rest[..end.unwrap_or(rest.len())]);
    Some(match prefix {
        b"unix:abstract=" | b"unix-abstract:" => Target::Abstract(meant),
        _ => path_of(meant),
    })
}

/// Replaces `%XX` by the byte with this number.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| Some(char::from(byte).to_digit(16)? as u8);
    let mut decoded = Vec::with_capacity(text.len());
    let mut left = text;
    while let [first, rest @ ..] = left {
        let escaped = match left {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        decoded.push(escaped.map_or(*first, |(high, low)| high << 4 | low));
        left = if escaped.is_some() { &left[3..] } else { rest };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_of_many_programs_means_the_same_path() {
        for url in [
            "unix:/run/a.sock",
            "unix:///run/a.sock",
            "unix:path=/run/a.sock,guid=0123",
            "http://unix:/run/a.sock:/uri",
            "http+unix://%2Frun%2Fa.sock/v1.41/info",
            "http+unix:///run/a.sock",
        ] {
            let meant = meant_by_url(url.as_bytes());
            assert_eq!(meant, Some(path_of(b"/run/a.sock".into())), "{url}");
        }
        for url in ["unix:abstract=/tmp/a,guid=0123", "unix-abstract:/tmp/a"] {
            let meant = meant_by_url(url.as_bytes());
            assert_eq!(meant, Some(Target::Abstract(b"/tmp/a".into())), "{url}");
        }
        assert_eq!(meant_by_url(b"/run/unix:a"), None);
    }

    #[test]
    fn percent_without_two_digits_stays() {
        assert_eq!(percent_decoded(b"%41%4z%+1%"), b"A%4z%+1%");
    }
}
