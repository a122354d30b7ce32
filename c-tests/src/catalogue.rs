//! Makes `CASES.md`, the list of all cases with their ids and titles, from the tables of the
//! suites.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::lane;
use crate::suite::{Case, Suite};

/// The groups of cases, by the letter of their ids.
const SUBJECTS: [(char, &str); 12] = [
    ('A', "addresses: how they are made and read"),
    ('B', "abstract names and autobind"),
    ('C', "bind, connect and the file system"),
    (
        'D',
        "stale socket files, and servers that follow each other",
    ),
    ('E', "permissions and modes"),
    ('F', "long paths"),
    ('G', "streams"),
    ('H', "datagrams and sequenced packets"),
    ('I', "passing descriptors"),
    ('J', "the peer's credentials"),
    ('K', "options and details"),
    ('P', "problems that programs and libraries have met"),
];

const HEAD: &str = "\
# The cases

All cases of all suites, with the question that each asks the kernel. [README.md](README.md) explains suites, lanes
and ids, and how to add a case. The answers are in the `transcript.txt` of each suite, and
[differences.md](../docs/differences.md) lists those in which safe Rust differs from C, and
[python-differences.md](../docs/python-differences.md) those in which Python differs.

This page is generated from the tables of the suites, and a test compares it with them:
`SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test conformance pages::`.

";

/// Returns the path of the page.
#[must_use]
pub fn path() -> PathBuf {
    lane::root().join("CASES.md")
}

/// Returns the page.
///
/// # Panics
///
/// - If an id begins with an unknown letter.
#[must_use]
pub fn page(suites: &[Suite]) -> String {
    let mut text = HEAD.to_owned();
    text += "| letter | subject | cases | next free id |\n| --- | --- | ---: | --- |\n";
    let cases: Vec<_> = suites.iter().flat_map(Suite::cases).collect();
    let mut numbers: BTreeMap<char, Vec<u32>> = BTreeMap::new();
    for (letter, number) in cases.iter().filter_map(|case| number_of(&case.id)) {
        numbers.entry(letter).or_default().push(number);
    }
    for (letter, subject) in SUBJECTS {
        let used = numbers.remove(&letter).unwrap_or_default();
        let next = used.iter().max().map_or(1, |last| last + 1);
        let _ = writeln!(
            text,
            "| {letter} | {subject} | {} | {letter}{next:02} |",
            used.len()
        );
    }
    let unknown = BTreeSet::from_iter(numbers.into_keys());
    assert!(unknown.is_empty(), "SUBJECTS lacks the letters {unknown:?}");
    for suite in suites {
        let _ = writeln!(text, "\n## {}", suite.name);
        write_table(&mut text, &suite.lines(), true);
        write_table(&mut text, &suite.functions(), false);
    }
    text
}

/// Returns the letter and the number of an id: `J` and 9 for `J09.name`. Returns `None` for an id
/// such as `bare.108`, which belongs to a case that is repeated for a range.
fn number_of(id: &str) -> Option<(char, u32)> {
    let (front, _) = id.split_once('.').unwrap_or((id, ""));
    let letter = front.chars().next().filter(char::is_ascii_uppercase)?;
    Some((letter, front[1..].parse().ok()?))
}

/// Returns what a suite asks about: the first paragraph of the comment with which its table begins.
pub(crate) fn subject(suite: &Suite) -> String {
    let table = suite.lines() + &suite.functions();
    let words = |line| {
        let starts = ["#", "/*", " *"];
        let found = starts
            .iter()
            .find_map(|start| str::strip_prefix(line, start));
        found.map(str::trim)
    };
    let head = table.lines().map_while(words);
    let paragraph: Vec<_> = head.take_while(|words| !words.is_empty()).collect();
    paragraph.join(" ")
}

/// Writes the comments of the table as paragraphs, and the cases below them as a list.
fn write_table(text: &mut String, table: &str, is_txt: bool) {
    let mut comment = String::new();
    let mut is_head = true;
    let mut in_list = false;
    for line in table.lines() {
        let words = if is_txt {
            line.strip_prefix('#')
        } else {
            let words = line.strip_prefix("/*").or(line.strip_prefix(" *"));
            words.map(|words| words.strip_suffix("*/").unwrap_or(words))
        };
        if let Some(words) = words {
            let _ = writeln!(comment, "{}", words.trim());
            continue;
        }
        if !comment.is_empty() {
            // The head of the table goes on to explain the notation, which only authors of cases
            // need.
            let paragraph = comment.trim().split("\n\n").next().unwrap_or_default();
            let _ = writeln!(text, "\n{paragraph}");
            if !is_head {
                text.push('\n');
            }
            (is_head, in_list) = (false, !is_head);
            comment.clear();
        }
        if let Some(entry) = entry(line, is_txt) {
            if !in_list {
                text.push('\n');
                in_list = true;
            }
            let _ = writeln!(text, "- {entry}");
        }
    }
}

/// Returns the line of a case in the list.
fn entry(line: &str, is_txt: bool) -> Option<String> {
    if !is_txt {
        let case = Case::of_def(line)?;
        let needs = case.needs.map(|needs| format!(" (needs {needs})"));
        let needs = needs.unwrap_or_default();
        return Some(format!("`{}`: {}{needs}", case.id, case.title));
    }
    if let Some(range) = line.strip_prefix("for ") {
        let (range, case) = range.split_once(' ')?;
        let (id, calls) = case.split_once(' ')?;
        let (first, last) = range.split_once("..")?;
        let [first, last] = [first, last].map(|number| id.replace("$n", number));
        return Some(format!("`{first}` to `{last}`: `{calls}`"));
    }
    let (id, calls) = line.split_once(' ')?;
    Some(format!("`{id}`: `{calls}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_tells_the_number_of_an_id() {
        assert_eq!(number_of("J09.name"), Some(('J', 9)));
        assert_eq!(number_of("A10"), Some(('A', 10)));
        assert_eq!(number_of("bare.108"), None);
    }

    #[test]
    fn catalogue_shows_each_kind_of_case() {
        let def = "CASE(I01, one, ROOT, rights, \"one descriptor\")";
        let shown = "`I01.one`: one descriptor (needs root)";
        assert_eq!(entry(def, false).as_deref(), Some(shown));
        let one = entry("A10 bind(s, \"\")", true);
        assert_eq!(one.as_deref(), Some("`A10`: `bind(s, \"\")`"));
        let many = entry("for 0..112 bare.$n bind(s, \"a{$n}\")", true);
        let shown = "`bare.0` to `bare.112`: `bind(s, \"a{$n}\")`";
        assert_eq!(many.as_deref(), Some(shown));
        assert_eq!(entry("", true), None);
    }
}
