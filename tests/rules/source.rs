//! Rust sources with and without their comments and literals. The lexer knows just enough for the
//! rules.

use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    /// The name of the module: the stem of a file in `src/`, or the folder of `src/` that contains
    /// the file.
    pub(crate) module: String,
    pub(crate) text: String,
    /// `text` with comments and literals blanked out, byte for byte.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(module: &str, text: &str) -> Self {
        let (path, module) = (format!("{module}.rs"), module.to_owned());
        Self {
            path,
            module,
            text: text.to_owned(),
            code: blank_comments_and_literals(text),
        }
    }

    pub(crate) fn fault(&self, at: usize, what: &str) -> String {
        format!(
            "{}:{}: {what}",
            self.path,
            self.code[..at].matches('\n').count() + 1
        )
    }
}

pub(crate) fn sources(dir: &str) -> Vec<Source> {
    fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(dir), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no source in {dir}");
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(root.join(dir)).unwrap();
        let module = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let source = Source::new(
            module.trim_end_matches(".rs"),
            &fs::read_to_string(&path).unwrap(),
        );
        Source {
            path: path.strip_prefix(root).unwrap().display().to_string(),
            ..source
        }
    };
    files.into_iter().map(read).collect()
}

/// Returns the words of `code`, each with its byte offset.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let pieces = code
        .split(move |c: char| !in_word(c))
        .filter(|piece| !piece.is_empty());
    pieces.map(move |piece| (piece.as_ptr() as usize - code.as_ptr() as usize, piece))
}

pub(crate) fn without_tests(code: &str) -> String {
    without_items(code, "#[cfg(", |head| {
        let attribute = &head[..head.find(']').unwrap_or(head.len())];
        words(attribute).any(|(_, word)| word == "test") && !attribute.contains("not(test")
    })
}

pub(crate) fn without_modules(code: &str) -> String {
    without_items(code, "mod ", |head| {
        head.find('{') < head.find(';').or(Some(usize::MAX))
    })
}

/// Returns `code` after blanking out every item that begins with `start` and is `chosen`.
fn without_items(code: &str, start: &str, chosen: impl Fn(&str) -> bool) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for (at, _) in code.match_indices(start) {
        if !chosen(&code[at..]) {
            continue;
        }
        let mut depth = 0;
        for byte in &mut bytes[at..] {
            depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
            let last = (*byte == b'}' || *byte == b';') && depth == 0;
            if *byte != b'\n' {
                *byte = b' ';
            }
            if last {
                break;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn blank_comments_and_literals(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut last = ' ';
    while let Some(c) = rest.chars().next() {
        let quiet = quiet_length(rest, last);
        let length = quiet.unwrap_or(c.len_utf8());
        let blank = |byte: u8| {
            if byte == b'\n' || quiet.is_none() {
                byte
            } else {
                b' '
            }
        };
        out.extend(rest.bytes().take(length).map(blank));
        last = c;
        rest = &rest[length..];
    }
    String::from_utf8(out).unwrap()
}

/// Returns the length of the comment or literal that `rest` begins with, if there is one.
fn quiet_length(rest: &str, last: char) -> Option<usize> {
    let after = |found: Option<usize>, length: usize| found.map_or(rest.len(), |at| at + length);
    if rest.starts_with("//") {
        return Some(after(rest.find('\n'), 0));
    }
    if rest.starts_with("/*") {
        let mut depth = 0;
        for at in 0..rest.len() {
            match rest.as_bytes()[at..] {
                [b'/', b'*', ..] => depth += 1,
                [b'*', b'/', ..] if depth == 1 => return Some(at + 2),
                [b'*', b'/', ..] => depth -= 1,
                _ => {}
            }
        }
        return Some(rest.len());
    }
    if !last.is_alphanumeric() && last != '_' {
        let raw = rest.trim_start_matches(['b', 'c']);
        let hashed = raw.strip_prefix('r').map(|raw| raw.trim_start_matches('#'));
        if let Some(body) = hashed.and_then(|raw| raw.strip_prefix('"')) {
            let open = rest.len() - body.len();
            let close = format!("\"{}", "#".repeat(raw.len() - body.len() - "r\"".len()));
            return Some(
                body.find(&close)
                    .map_or(rest.len(), |at| open + at + close.len()),
            );
        }
    }
    if rest.starts_with('"') {
        return Some(quoted_length(rest, b'"'));
    }
    let mut chars = rest.strip_prefix('\'')?.chars();
    match (chars.next()?, chars.next()?) {
        ('\\', _) => Some(quoted_length(rest, b'\'')),
        (c, '\'') => Some(c.len_utf8() + 2),
        _ => None,
    }
}

fn quoted_length(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        if byte == quote && !escaped {
            return at + 1;
        }
        escaped = byte == b'\\' && !escaped;
    }
    rest.len()
}
