//! Makes `docs/differences.md` from the declared lines of all transcripts. The page lists what safe
//! Rust does differently from C, and why.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::compare::{Declared, Transcript, id_of};
use crate::lane;
use crate::suite::{Case, Suite};

/// The letter of the safe lane.
const SAFE: char = 'S';

const HEAD: &str = "\
# Where safe Rust differs from C

Every case of `c-tests/` runs as C, as Rust over `sunpath-sys` and as safe Rust over `sunpath`, on
the running kernel. Rust over `sunpath-sys` equals C without exception. This page lists every case
in which `sunpath` differs on purpose: `-` is what C does, `+` is what `sunpath` does instead, and the
sentence above each group is the reason. [The list of cases](../c-tests/CASES.md) says which question each case
asks the kernel.

This page is generated from the lines of the transcripts that begin with `S `, and a test compares it
with them: `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test conformance`.

";

/// Returns the path of the page.
#[must_use]
pub fn path() -> PathBuf {
    lane::root().with_file_name("docs/differences.md")
}

/// Returns the page.
#[must_use]
pub fn page(suites: &[Suite]) -> String {
    let mut text = HEAD.to_owned();
    text += "| suite | cases | different from C |\n| --- | ---: | ---: |\n";
    for suite in suites {
        let transcript = suite.transcript(None);
        let (name, cases) = (&suite.name, transcript.len());
        let count = transcript.differences(SAFE).count();
        // A suite without differences has no section.
        let _ = match count {
            0 => writeln!(text, "| {name} | {cases} | 0 |"),
            _ => writeln!(text, "| [{name}](#{name}) | {cases} | {count} |"),
        };
    }
    for suite in suites {
        let transcript = suite.transcript(None);
        if transcript.differences(SAFE).next().is_some() {
            let _ = writeln!(text, "\n## {}", suite.name);
            write_suite(&mut text, suite, &transcript);
        }
    }
    text
}

/// Writes the differences of a suite, grouped by their reasons.
fn write_suite(text: &mut String, suite: &Suite, transcript: &Transcript) {
    let cases = suite.cases();
    for (reason, group) in groups(transcript.differences(SAFE)) {
        let _ = writeln!(text, "\n**{reason}**\n\n```diff");
        for (c, declared) in group {
            write_case(text, &cases, c, declared);
        }
        text.push_str("```\n");
    }
}

/// Differences with the same reason: C's lines, and the declared ones.
pub(crate) type Group<'a> = (&'a str, Vec<(&'a str, &'a Declared)>);

/// Groups differences by their reasons, in the order of their first appearance.
pub(crate) fn groups<'a>(
    differences: impl Iterator<Item = (&'a str, &'a Declared)>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (c, declared) in differences {
        match groups
            .iter_mut()
            .find(|(reason, _)| *reason == declared.reason)
        {
            Some((_, group)) => group.push((c, declared)),
            None => groups.push((&declared.reason, vec![(c, declared)])),
        }
    }
    groups
}

/// Writes one difference with the id and the title of its case.
pub(crate) fn write_case(text: &mut String, cases: &[Case], c: &str, declared: &Declared) {
    let id = id_of(c);
    let case = cases.iter().find(|case| case.id == id);
    let _ = match case.map_or("", |case| &case.title) {
        "" => writeln!(text, "@@ {id} @@"),
        title => writeln!(text, "@@ {id}: {title} @@"),
    };
    write_difference(text, c, &declared.line);
}

/// Writes both lines, call by call. A call that is equal in both appears once. A different call
/// appears first as in C and then as in Rust.
pub(crate) fn write_difference(text: &mut String, c: &str, safe: &str) {
    let calls = |line| str::split(body_of(line), "; ").collect::<Vec<_>>();
    let (c, safe) = (calls(c), calls(safe));
    let mut write = |sign, calls: &[&str]| {
        for call in calls {
            let _ = writeln!(text, "{sign} {call}");
        }
    };
    if c.len() == safe.len() {
        for (c, safe) in c.chunks(1).zip(safe.chunks(1)) {
            if c == safe {
                write(' ', c);
            } else {
                write('-', c);
                write('+', safe);
            }
        }
        return;
    }
    let same = |(a, b): &(&&str, &&str)| a == b;
    let first = c.iter().zip(&safe).take_while(same).count();
    let (begin, c) = c.split_at(first);
    let safe = &safe[first..];
    let backwards = c.iter().rev().zip(safe.iter().rev());
    let last = backwards.take_while(same).count();
    let (c, end) = c.split_at(c.len() - last);
    write(' ', begin);
    write('-', c);
    write('+', &safe[..safe.len() - last]);
    write(' ', end);
}

/// Returns the text after the tab.
fn body_of(line: &str) -> &str {
    line.split_once('\t').map_or(line, |(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(c: &str, safe: &str) -> String {
        let mut text = String::new();
        write_difference(&mut text, c, safe);
        text
    }

    #[test]
    fn difference_shows_what_is_alike_once() {
        let lines = ["x\ta = ok; b = ok; c = 1", "x\ta = ok; b = EINVAL; c = 1"];
        let shown = "  a = ok\n- b = ok\n+ b = EINVAL\n  c = 1\n";
        assert_eq!(difference(lines[0], lines[1]), shown);
        assert_eq!(difference("x\ta", "x\tb"), "- a\n+ b\n");
        assert_eq!(
            difference("x\ta; b; c", "x\td; b; e"),
            "- a\n+ d\n  b\n- c\n+ e\n"
        );
        assert_eq!(difference("x\ta; b; c", "x\ta; c"), "  a\n- b\n  c\n");
        assert_eq!(difference("x\ta; a", "x\ta"), "  a\n- a\n");
        assert_eq!(difference("x\ta", "x\ta; a"), "  a\n+ a\n");
    }
}
