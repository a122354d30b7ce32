//! Tests that the lists of errors agree with those of `sunpath`, to which they refer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The errors that a function documents, and the functions to whose errors it refers.
#[derive(Default)]
struct Errors {
    errnos: BTreeSet<String>,
    references: BTreeSet<String>,
}

/// Returns the items of the lists in the sections `# Errors` of a file, each with the function after it.
fn items(text: &str) -> Vec<(String, String)> {
    let (mut items, mut open, mut is_errors) = (Vec::new(), Vec::new(), false);
    for line in text.lines().map(str::trim_start) {
        if let Some(docs) = line.strip_prefix("///") {
            let docs = docs.trim_start();
            match docs.strip_prefix("- ") {
                _ if docs.starts_with("# ") => is_errors = docs == "# Errors",
                _ if !is_errors => {}
                Some(item) => open.push(item.to_owned()),
                None => open.iter_mut().last().into_iter().for_each(|item| {
                    item.push(' ');
                    item.push_str(docs);
                }),
            }
        } else if let Some((_, function)) = line.split_once("fn ") {
            let name = function.split(['(', '<']).next().unwrap().to_owned();
            items.extend(open.drain(..).map(|item| (name.clone(), item)));
            is_errors = false;
        }
    }
    items
}

fn errnos(item: &str) -> impl Iterator<Item = &str> {
    let is_errno = |word: &&str| {
        word.len() > 3
            && word.starts_with('E')
            && word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    item.split('`').skip(1).step_by(2).filter(is_errno)
}

/// Returns the names of the methods that an item links, and whether each is a method of `sunpath`.
fn links(item: &str) -> impl Iterator<Item = (&str, bool)> {
    let texts = item.split("[`").skip(1);
    let texts = texts.filter_map(|text| text.split('`').next());
    texts.map(|text| {
        (
            text.rsplit("::").next().unwrap(),
            text.starts_with("sunpath::"),
        )
    })
}

fn read(dir: &Path, all: &mut BTreeMap<String, Errors>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, all);
            continue;
        }
        for (function, item) in items(&fs::read_to_string(path).unwrap()) {
            let errors = all.entry(function).or_default();
            errors.errnos.extend(errnos(&item).map(str::to_owned));
            errors
                .references
                .extend(links(&item).map(|(name, _)| name.to_owned()));
            // "as for `recv` and `read`"
            let words = item.split('`').skip(1).step_by(2);
            errors.references.extend(words.map(str::to_owned));
        }
    }
}

/// Returns whether a function, or one to which it refers, documents an error.
fn documents(all: &BTreeMap<String, Errors>, name: &str, errno: &str, depth: u32) -> bool {
    let Some(errors) = all.get(name) else {
        return false;
    };
    let mut references = errors.references.iter();
    errors.errnos.contains(errno)
        || depth > 0 && references.any(|name| documents(all, name, errno, depth - 1))
}

#[test]
fn errors_are_those_of_the_method_of_sunpath() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = BTreeMap::new();
    read(&package.join("../../src"), &mut all);
    let mut compared = 0;
    for file in fs::read_dir(package.join("src")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for (function, item) in items(&text) {
            for (method, _) in links(&item).filter(|(_, is_foreign)| *is_foreign) {
                for errno in errnos(&item) {
                    assert!(
                        documents(&all, method, errno, 3),
                        "{function}: sunpath's {method} does not fail with {errno}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100, "the lists have been found: {compared}");
}
