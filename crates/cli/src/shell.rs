//! Words for the command line of a shell.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::escape::escape;

/// Returns a word that a shell reads as these bytes. It has no control character: bash, zsh, ksh and
/// POSIX.1-2024 shells read `$'...'`.
pub(crate) fn word(word: &OsStr) -> String {
    let bytes = word.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(is_plain) {
        return escape(bytes);
    }
    let text = escape(bytes).replace("\\\\", "\\");
    match text.as_bytes() == bytes && !text.contains('\'') {
        true => format!("'{text}'"),
        false => format!("$'{}'", octal(bytes)),
    }
}

fn octal(bytes: &[u8]) -> String {
    let each = bytes.iter().map(|byte| match byte {
        b'\\' | b'\'' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).into(),
        _ => format!("\\{byte:03o}"),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn word_of_hostile_names_is_read_by_bash_as_these_bytes() {
        for name in [
            &b"/run/app.sock"[..],
            b"a b",
            b"it's",
            b"a\nb\x1b[2J",
            b"\xff1",
            b"back\\slash",
            "gr\u{f6}\u{df}e".as_bytes(),
            b"$HOME`id`\"",
        ] {
            let word = word(OsStr::from_bytes(name));
            assert!(word.chars().all(|char| !char.is_control()), "{word:?}");
            let script = format!("printf %s {word}");
            let run = Command::new("bash").args(["-c", &script]).output();
            let Ok(output) = run else {
                return eprintln!("SKIPPED: needs bash");
            };
            assert_eq!(output.stdout, name, "{word}");
        }
    }
}
