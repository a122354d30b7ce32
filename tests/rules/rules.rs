//! The rules. Each rule is a function that takes a source file and returns its faults.

use std::ops::Range;

use crate::source::{Source, without_modules, without_tests, words};
use crate::{MAX_LINES, UNSAFE_MODULES};

/// The cfg keys that name a system. Code must not use them: it asks for capabilities by name
/// (`have_...`), and only `build.rs` says which system has which one.
const SYSTEM_KEYS: &[&str] = &["target_os", "target_vendor", "target_family", "target_env"];
/// Words that are found anywhere in an identifier.
const SYSTEM_NAMES: &[&str] = &[
    "linux",
    "macos",
    "darwin",
    "freebsd",
    "netbsd",
    "openbsd",
    "dragonfly",
    "solaris",
    "illumos",
    "android",
    "haiku",
    "fuchsia",
    "cygwin",
    "redox",
];
/// Words that are too short to be searched anywhere. The names are found only as a whole word of an
/// identifier.
const SHORT_SYSTEM_NAMES: &[&str] = &["apple", "bsd", "ios", "aix", "hurd", "nto", "qnx", "sunos"];

/// Returns the modules that a file declares, in the order of their declarations.
pub(crate) fn declared_modules(source: &Source) -> Vec<String> {
    let declared = source.code.lines().filter_map(|line| {
        let (_, name) = line.trim_end().strip_suffix(';')?.split_once("mod ")?;
        Some(name.to_owned())
    });
    declared.collect()
}

pub(crate) fn upward_uses(source: &Source, layers: &[String]) -> Vec<String> {
    let rank = |module: &str| layers.iter().position(|known| known == module);
    if source.module == "lib" {
        return Vec::new();
    }
    let code = without_tests(&source.code);
    let mut faults = Vec::new();
    for (at, _) in words(&code).filter(|(_, word)| *word == "crate") {
        if code[..at].ends_with('$') {
            continue;
        }
        let Some(path) = code[at..].strip_prefix("crate::") else {
            continue;
        };
        for used in first_segments(path) {
            let fault = match rank(used) {
                None => format!("crate::{used}: name the module that defines it"),
                Some(rank_of_used) if Some(rank_of_used) > rank(&source.module) => {
                    format!("{} uses {used}, which is a higher layer", source.module)
                }
                Some(_) => continue,
            };
            faults.push(source.fault(at, &fault));
        }
    }
    // `super` reaches another module only from the top level of a file that is in `src/` itself.
    let top = without_modules(&code);
    for (at, _) in words(&code).filter(|(_, word)| *word == "super") {
        let rest = &code[at..];
        let in_folder = source.path.matches('/').count() > 1;
        let at_top = top[at..].starts_with("super::") && !in_folder;
        if at_top || rest.starts_with("super::super::") {
            faults.push(source.fault(at, "super:: leaves the file: write crate::"));
        }
    }
    faults
}

/// Returns the first name of `path`, or the first name of each path if `path` begins with a group.
fn first_segments(path: &str) -> Vec<&str> {
    fn first(path: &str) -> &str {
        match path.starts_with('*') {
            true => "*",
            false => words(path).next().map_or("", |(_, word)| word),
        }
    }
    match path.strip_prefix('{') {
        None => vec![first(path)],
        Some(group) => items(group).into_iter().map(first).collect(),
    }
}

/// Returns the items of a group, after its opening brace.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b',' | b'}' if depth == 0 => {
                let item = group[start..at].trim();
                items.extend((!item.is_empty()).then_some(item));
                start = at + 1;
                if byte == b'}' {
                    break;
                }
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    items
}

/// Finds `unsafe` blocks and impls outside [`UNSAFE_MODULES`]. An `unsafe fn` with a `# Safety`
/// section may be in any module, and its body may contain the one block that passes this contract
/// on.
pub(crate) fn unsafe_outside_its_modules(source: &Source) -> Vec<String> {
    if UNSAFE_MODULES.contains(&source.module.as_str()) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut passes_on = 0..0;
    for (at, _) in words(&source.code).filter(|(_, word)| *word == "unsafe") {
        let rest = &source.code[at + "unsafe".len()..];
        let fault = if rest.trim_start().starts_with("fn") {
            passes_on = body(&source.code, at);
            match docs_above(source, at).contains(&"# Safety") {
                true => continue,
                false => "unsafe fn without a `# Safety` section".to_owned(),
            }
        } else if passes_on.contains(&at) && rest.trim_start().starts_with('{') {
            passes_on = 0..0;
            continue;
        } else {
            format!("unsafe outside {UNSAFE_MODULES:?}")
        };
        faults.push(source.fault(at, &fault));
    }
    faults
}

/// Returns the range between the braces that follow `at`.
fn body(code: &str, at: usize) -> Range<usize> {
    let start = code[at..].find('{').map_or(code.len(), |open| at + open);
    let mut depth = 0;
    for (offset, byte) in code.bytes().enumerate().skip(start) {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        if depth == 0 {
            return start..offset;
        }
    }
    start..code.len()
}

/// Finds methods that `Socket<T>` has for some kinds only and that are not written by
/// `methods_of!`. rustdoc ignores the bound on the pages of aliases, so without the macro
/// `UnixStream` would show the methods of `UnixDatagram`.
pub(crate) fn methods_on_wrong_pages(source: &Source) -> Vec<String> {
    let impls = source.code.match_indices("impl<T: ");
    let narrow = impls.filter(|(at, _)| {
        let head = source.code[*at..].split('{').next().unwrap_or_default();
        let head: String = head.split_whitespace().collect();
        head.ends_with(">Socket<T>") && head != "impl<T:Kind>Socket<T>"
    });
    narrow
        .map(|(at, _)| source.fault(at, "write the methods by methods_of!"))
        .collect()
}

/// Finds files that use each other, directly or through other files. A file that declares and
/// re-exports the modules in its folder does not use them in this sense.
pub(crate) fn cycles(sources: &[Source]) -> Vec<String> {
    let uses: Vec<Vec<usize>> = sources
        .iter()
        .map(|source| {
            let mut used: Vec<usize> = used_paths(source)
                .iter()
                .filter_map(|path| file_of(sources, path))
                .filter(|used| sources[*used].path != source.path)
                .collect();
            used.sort_unstable();
            used.dedup();
            used
        })
        .collect();
    let reaches = |from: usize, to: usize| {
        let (mut seen, mut left) = (vec![false; sources.len()], vec![from]);
        while let Some(file) = left.pop() {
            for &used in &uses[file] {
                if used == to {
                    return true;
                }
                if !seen[used] {
                    seen[used] = true;
                    left.push(used);
                }
            }
        }
        false
    };
    let mut faults = Vec::new();
    for (file, used) in uses.iter().enumerate() {
        for &used in used.iter().filter(|used| reaches(**used, file)) {
            let (user, used) = (&sources[file].path, &sources[used].path);
            faults.push(format!("{user} uses {used}, which leads back to it"));
        }
    }
    faults
}

/// Returns the module paths, from the crate's root, that a file's code names.
fn used_paths(source: &Source) -> Vec<Vec<String>> {
    let code = without_tests(&source.code);
    let own = module_path(source);
    let mut paths = Vec::new();
    for (at, word) in words(&code) {
        let begin = match word {
            "crate" if !code[..at].ends_with('$') => Vec::new(),
            "self" => own.clone(),
            "super" if !code[..at].ends_with("super::") => {
                own[..own.len().saturating_sub(1)].to_vec()
            }
            _ => continue,
        };
        let Some(rest) = code[at + word.len()..].strip_prefix("::") else {
            continue;
        };
        let statement = code[..at].rsplit([';', '}', '{']).next().unwrap_or("");
        let is_reexport = word == "self" && statement.contains("pub") && statement.contains("use");
        if !is_reexport {
            expand(&begin, rest, &mut paths);
        }
    }
    paths
}

/// Adds to `paths` the path that `rest` begins with, below `begin`. If it ends in a group, as in
/// `a::{b, c::d}`, adds each path of the group.
fn expand(begin: &[String], rest: &str, paths: &mut Vec<Vec<String>>) {
    let mut path = begin.to_vec();
    let mut rest = rest;
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            for item in items(group) {
                expand(&path, item, paths);
            }
            return;
        }
        let name = words(rest).next().filter(|(at, _)| *at == 0);
        let Some((_, name)) = name else { break };
        match name {
            "super" => drop(path.pop()),
            "self" => {}
            _ => path.push(name.to_owned()),
        }
        match rest[name.len()..].strip_prefix("::") {
            Some(below) => rest = below,
            None => break,
        }
    }
    paths.push(path);
}

/// Returns the module path of a file.
fn module_path(source: &Source) -> Vec<String> {
    let inside = source.path.trim_start_matches("src/");
    let path = inside.trim_end_matches(".rs").split('/');
    path.filter(|name| *name != "lib")
        .map(str::to_owned)
        .collect()
}

/// Returns the file that defines the deepest module of a path.
fn file_of(sources: &[Source], path: &[String]) -> Option<usize> {
    (1..=path.len()).rev().find_map(|len| {
        sources
            .iter()
            .position(|source| module_path(source) == path[..len])
    })
}

/// Finds `unsafe` blocks and impls without a SAFETY comment directly above. Clippy checks this too,
/// but only in code that is compiled for this system.
pub(crate) fn unargued_unsafe(source: &Source) -> Vec<String> {
    let opens = |at: usize| {
        let rest = source.code[at + "unsafe".len()..].trim_start();
        rest.starts_with('{') || rest.starts_with("impl")
    };
    let argued = |at: usize| {
        let line = source.code[..at].matches('\n').count();
        let lines = source.text.lines().zip(source.code.lines());
        let lines: Vec<_> = lines.take(line).collect();
        let above = lines
            .iter()
            .rev()
            .map(|(text, code)| (text.trim(), code.trim()));
        // The iterator goes back to the beginning of the statement, and the comment is above it.
        let over = above.skip_while(|(text, code)| {
            !code.is_empty() && !code.ends_with(['{', '}', ';']) && !text.starts_with("//")
        });
        over.take_while(|(text, _)| text.starts_with("//"))
            .any(|(text, _)| text.starts_with("// SAFETY: "))
    };
    let found = words(&source.code).filter(|(at, word)| *word == "unsafe" && opens(*at));
    let bare = found.filter(|(at, _)| !argued(*at));
    bare.map(|(at, _)| source.fault(at, "no `// SAFETY: ` directly above"))
        .collect()
}

pub(crate) fn system_names(source: &Source) -> Vec<String> {
    let named = |(at, word): &(usize, &str)| {
        let word = word.to_ascii_lowercase();
        let in_cfg = source.code[..*at].ends_with("cfg(") || source.code[..*at].ends_with("not(");
        SYSTEM_KEYS.contains(&word.as_str())
            || SYSTEM_NAMES.iter().any(|name| word.contains(name))
            || word
                .split('_')
                .any(|part| SHORT_SYSTEM_NAMES.contains(&part))
            || (word == "windows" && in_cfg)
    };
    let found = words(&source.code).filter(named);
    found
        .map(|(at, word)| source.fault(at, &format!("{word} names an operating system")))
        .collect()
}

/// Types by which one thread can make another thread wait.
const LOCKS: &[&str] = &[
    "Mutex",
    "RwLock",
    "ReentrantLock",
    "Condvar",
    "Once",
    "OnceLock",
    "LazyLock",
    "mpsc",
];

pub(crate) fn locks(source: &Source) -> Vec<String> {
    let code = without_tests(&source.code);
    let found = words(&code).filter(|(_, word)| LOCKS.contains(word));
    found
        .map(|(at, word)| source.fault(at, &format!("{word} can make a handler or a child wait")))
        .collect()
}

pub(crate) fn silent_about_errors(source: &Source) -> Vec<String> {
    let code = without_tests(&source.code);
    let mut faults = Vec::new();
    for (at, _) in words(&code).filter(|(_, word)| *word == "pub") {
        let Some((name, returns)) = public_function(&code[at..]) else {
            continue;
        };
        let fallible = words(returns).any(|(_, word)| word.ends_with("Result"));
        if fallible && !lists_errors(&docs_above(source, at)) {
            faults.push(source.fault(at, &format!("{name}: no `# Errors` bullet with an errno")));
        }
    }
    faults
}

/// Returns the name and the return type of the function, if `code` begins with a `pub fn`.
fn public_function(code: &str) -> Option<(&str, &str)> {
    const MODIFIERS: [&str; 5] = ["const", "async", "unsafe", "extern", "pub"];
    if !code["pub".len()..].starts_with(char::is_whitespace) {
        return None;
    }
    let mut tail = words(code).skip_while(|(_, word)| MODIFIERS.contains(word));
    let (_, "fn") = tail.next()? else { return None };
    let (at, name) = tail.next()?;
    let (mut depth, mut last) = (0, b' ');
    for (offset, byte) in code.bytes().enumerate().skip(at + name.len()) {
        match byte {
            b'(' | b'<' => depth += 1,
            b'>' if last == b'-' => {}
            b')' | b'>' => depth -= 1,
            _ => {}
        }
        if byte == b')' && depth == 0 {
            let rest = &code[offset + 1..];
            let end = rest.find(['{', ';']).unwrap_or(rest.len());
            return Some((name, rest[..end].split(" where").next()?));
        }
        last = byte;
    }
    None
}

/// Returns the lines of documentation above the item at `at`, without the attributes between them.
fn docs_above(source: &Source, at: usize) -> Vec<&str> {
    let line = source.code[..at].matches('\n').count();
    let lines = source.text.lines().zip(source.code.lines());
    let lines: Vec<_> = lines.take(line).collect();
    let above = lines
        .iter()
        .rev()
        .map(|(text, code)| (text.trim(), code.trim()));
    let attached =
        above.take_while(|(text, code)| !text.is_empty() && !code.ends_with(['}', ';', '{']));
    let docs = attached.filter_map(|(text, _)| text.strip_prefix("///"));
    let mut docs: Vec<_> = docs.map(str::trim).collect();
    docs.reverse();
    docs
}

fn lists_errors(docs: &[&str]) -> bool {
    let section = docs.iter().skip_while(|line| **line != "# Errors").skip(1);
    section
        .take_while(|line| !line.starts_with("# "))
        .any(|line| {
            let Some(bullet) = line.strip_prefix("- ").or(line.strip_prefix("* ")) else {
                return false;
            };
            let name = bullet.trim_start_matches(['[', '`']);
            let errno = name
                .split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap_or("");
            bullet.starts_with("[`")
                || (errno.starts_with('E') && errno == errno.to_uppercase() && errno.len() > 3)
        })
}

pub(crate) fn cfg_lines(source: &Source) -> Vec<String> {
    const FORMS: [&str; 3] = ["cfg(", "cfg!(", "cfg_attr("];
    let lines = source.code.lines().zip(source.text.lines()).zip(1..);
    let cfg =
        |code: &str| FORMS.iter().any(|form| code.contains(form)) && !code.contains("cfg(test)");
    let found = lines.filter(|((code, _), _)| cfg(code));
    found
        .map(|((_, text), line)| format!("{}:{line}: {}", source.path, text.trim()))
        .collect()
}

pub(crate) fn too_long(source: &Source) -> Option<String> {
    let start = source
        .code
        .find("#[cfg(test)]")
        .unwrap_or(source.code.len());
    let lines = source.code[..start].lines().count();
    let fault = "is there a second module in it?";
    (lines > MAX_LINES).then(|| format!("{}: {lines} lines: {fault}", source.path))
}
