//! The lane of Python's `socket` module, and `docs/python-differences.md`, the page of what the
//! module does differently from C.
//!
//! The lane runs a whole suite in one process, because an interpreter takes longer to start than a
//! case takes to run. It may differ from C in any case, as the lines of a transcript that begin with
//! `P` declare. A case that the module has no call for is `not asked`, with a reason that the lane
//! finds itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::catalogue::subject;
use crate::compare::{Declared, Transcript, id_of, reason_not_asked};
use crate::differences::{Group, groups, write_case, write_difference};
use crate::lane::{self, FreshDir, Lane};
use crate::suite::{Case, Suite, beside};

/// The letter of the lane.
pub const LETTER: char = 'P';

/// The lane. It is not in the table of lanes, because it does not run case by case.
pub const LANE: Lane = Lane {
    name: "python",
    folder: "python",
    letter: Some(LETTER),
    command: |name| {
        // Isolated, without site packages and without compiled files beside the sources. The names
        // of files are UTF-8 in every locale.
        let options = ["-I", "-S", "-B", "-X", "utf8"].map(str::to_owned);
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/lanes/python.py");
        let mut command = vec![program_of_python().unwrap_or("python3").to_owned()];
        command.extend(options);
        command.extend([program.to_owned(), name.to_owned()]);
        command
    },
};

/// Names the interpreter that the lane needs.
pub const NEED: &str = "python3 of version 3.9 or newer";

/// Returns the program that runs Python, if this machine has one that is new enough for the lane.
#[must_use]
pub fn program_of_python() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let programs = ["/usr/bin/python3", "python3"];
        programs.into_iter().find_map(new_enough)
    });
    found.as_deref()
}

/// Returns the interpreter that a command starts, if its version is new enough. The command of a version
/// manager is a script, which starts slowly and may print something of its own.
fn new_enough(command: &str) -> Option<String> {
    let program = "import sys; print(sys.executable); sys.exit(sys.version_info < (3, 9))";
    let mut python = Command::new(command);
    let output = python.args(["-I", "-S", "-c", program]).output().ok()?;
    let executable = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !executable.is_empty()).then_some(executable)
}

/// The number of cases of a suite that the lane asks, and the number of answers that equal those of
/// C.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The cases in which Python answers as C.
    pub equal: usize,
    /// The cases with a declared difference.
    pub different: usize,
    /// The cases that the module has no call for.
    pub not_asked: usize,
    /// The cases that this system cannot run.
    pub not_run: usize,
}

/// Runs the lane, and compares its lines with the transcript. With `bless` the cases that the lane
/// does not ask are recorded in the transcript.
///
/// # Errors
///
/// - The reason why the program cannot be run, or a text for each case that is different and not
///   declared to be.
///
/// # Panics
///
/// - If the transcript cannot be read or written.
pub fn compare(suite: &Suite, bless: bool) -> Result<Counts, String> {
    let _lock = lane::lock(&lane::root().join("Cargo.toml"), beside());
    let printed = LANE.run(&suite.name, &[], suite.lines().as_bytes())?;
    let mut transcript = suite.transcript(None);
    if bless {
        for line in printed.lines() {
            transcript.record_not_asked(LETTER, line);
        }
        let cases = suite.cases();
        let ids = cases.iter().map(|case| case.id.as_str());
        let text = transcript.blessed(ids, &BTreeMap::new());
        fs::write(suite.transcript_path(None), text).expect("the transcript can be written");
    }
    let ids = suite.cases().into_iter().map(|case| case.id);
    judge(&suite.name, &ids.collect::<Vec<_>>(), &transcript, &printed)
}

/// The number of faults that are printed. A reader would not read more.
const MOST_FAULTS: usize = 10;

fn judge(
    suite: &str,
    ids: &[String],
    transcript: &Transcript,
    printed: &str,
) -> Result<Counts, String> {
    let lines: BTreeMap<_, _> = printed.lines().map(|line| (id_of(line), line)).collect();
    let (mut counts, mut faults) = (Counts::default(), Vec::new());
    for id in ids {
        // The conformance test reports a case that C has not recorded.
        let Some(c) = transcript.line(id) else {
            continue;
        };
        let declared = transcript.declared(LETTER, id);
        let should = declared.map_or(c, |declared| &declared.line);
        match lines.get(id.as_str()) {
            None => faults.push(format!("{id}: python does not print the case\n")),
            Some(line) if line.contains("\tnot run: ") => counts.not_run += 1,
            Some(line) if *line == should => match declared {
                None => counts.equal += 1,
                Some(declared) if declared.is_not_asked() => counts.not_asked += 1,
                Some(_) => counts.different += 1,
            },
            Some(line) => {
                let mut fault = format!("{id}\n- is expected, + is what was printed by python:\n");
                write_difference(&mut fault, should, line);
                fault += &match reason_not_asked(line) {
                    Some(_) => format!(
                        "To record it:\n  SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test \
                         conformance python::{suite}\n"
                    ),
                    None if *line == c => "It is what C prints.\n".to_owned(),
                    None => format!(
                        "If Python differs from C, paste this below C's line in \
                         c-tests/suites/{suite}/transcript.txt and give the reason:\n\
                         {LETTER} {line}  # why\n"
                    ),
                };
                faults.push(fault);
            }
        }
    }
    let all = faults.len();
    faults.truncate(MOST_FAULTS);
    match all {
        0 => Ok(counts),
        1..=MOST_FAULTS => Err(faults.concat()),
        _ => Err(faults.concat() + &format!("{all} cases differ\n")),
    }
}

const HEAD: &str = "\
# What Python's socket module does differently from C

Python's `socket` module makes the same system calls as a program in C, and the kernel answers both alike. But the
module shows some answers as another type, and refuses some arguments before it calls the kernel. This page lists
where, for Unix domain sockets: first what to do about it, and then each case in which a program in Python prints
something else than a program in C.

";

const READING: &str = "
## How to read the differences

A case is one question to the kernel, such as: what does `bind` do with a path of 108 bytes? Each case was run in C and
in Python. In the sections below, `-` is what the program in C printed, `+` is what the program in Python printed
instead, and a line without a sign is the same in both. A case that is not on this page gives the same in both.
[The list of cases](../c-tests/CASES.md) has the question of each case.

The lines are written as calls in C, so that they can be compared:

- `s`, `c`, `a`, `p` and `q` are sockets: a server, its client, the socket that `accept` returned, and a pair.
- `\"a{108}\"` is 108 times the byte `a`.
- The number in `bind(s, \"norm\\0\", 7)` is the length of the address, in bytes, that the program in C passes: 2 for the
  family, and then the path. A program in Python passes a path as `str`, without the NUL, or an abstract name as
  `bytes`, which begin with a NUL. The module computes the length.
- The answer `7, \"norm\\0\"` is such an address, with its length. Python returns it as the `str` `'norm'`, and it is
  written as in C if it is the same path. A byte that is not UTF-8 is a surrogate in this `str`, and `os.fsencode`
  makes the byte again.
- Everything else that Python returns is written as Python shows it: `b\"\\0uxp\"`, `''`, `None`.
- `2, unnamed` is C's address without a name, `untouched` a buffer for an address in which the kernel wrote nothing.
- An error is written as its errno: `EADDRINUSE`. An exception without an errno is written with its type and text.
- The last line of many cases lists the files that are there at the end.
- `@@ A18.datagram: ... @@` begins a case: its id, and its question if it has one.

This page is generated from recorded lines, the [transcripts](../c-tests/README.md#words). A test compares these lines
with what the running Python prints. It needs Python 3.9 or newer, and nothing but the standard library:

```sh
cargo test -p sunpath-c-tests --test conformance python::                   # compare
SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test conformance python::   # and write this page
```

";

/// The reasons of the transcripts, in the order of the page, and what a program in Python can do.
/// The code in the advice comes from `lanes/python_advice.py`.
const ADVICE: [(&str, &str); 10] = [
    (
        "an unnamed address comes back from getsockname, getpeername and accept as the empty str",
        "Test it with `if not address:`.",
    ),
    (
        "an unnamed address comes back from recvfrom as None",
        "Test it with `if not address:`.",
    ),
    (
        "an abstract name comes back as bytes that begin with a NUL; a path comes back as str",
        "`os.fsencode(address)` returns bytes for both. The name is abstract if the first byte is 0.",
    ),
    (
        "a path or a name that is too long is refused before any call, by an OSError whose errno is \
         None; the kernel answers EINVAL",
        "Check `len(os.fsencode(path)) < 108` before. Afterwards `error.errno is None` tells this \
         error from those of the kernel.",
    ),
    (
        "a path that is too long is refused before any call, by an OSError whose errno is None; a \
         program in C returns ENAMETOOLONG",
        "The same. [Lesson 09](../examples/09_long/README.md) binds to such a path by a short alias.",
    ),
    (
        "a path of 108 bytes is refused before any call, by an OSError whose errno is None; the kernel \
         takes it without its NUL",
        "The same. A path of 107 bytes is the longest.",
    ),
    (
        "a path that is too long is refused, and never truncated",
        "Nothing. Only a program in C can truncate a path by accident.",
    ),
    (
        "anything but str and bytes is refused before any call, by a TypeError",
        "Pass `os.fspath(path)` if the path is a `pathlib.Path`.",
    ),
    (
        "a descriptor that is not a socket is refused by socket.socket(fileno=...), before any other call",
        "Catch the `OSError` of `socket.socket(fileno=fd)`.",
    ),
    (
        "a socket with a timeout is nonblocking, so connect fails at once if the server's queue is \
         full; with SO_SNDTIMEO it waits for space",
        "Catch `BlockingIOError`, and connect again later. To wait in the kernel, leave out the timeout \
         and call `setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack(\"ll\", seconds, \
         microseconds))`.",
    ),
];

/// Follows the advice of the page.
///
/// # Errors
///
/// - The code that is not in the program, or what the program printed because a piece of advice is
///   wrong.
///
/// # Panics
///
/// - If the program cannot be read or run.
pub fn follow_advice() -> Result<(), String> {
    let program = lane::root().join("lanes/python_advice.py");
    let text = fs::read_to_string(&program).expect("the program can be read");
    for (_, advice) in ADVICE {
        for code in advice.split('`').skip(1).step_by(2) {
            if !text.contains(code) {
                return Err(format!("{} does not have {code}\n", program.display()));
            }
        }
    }
    let dir = FreshDir::new();
    let mut python = Command::new(program_of_python().unwrap_or("python3"));
    python.args(["-I", "-S", "-B"]).arg(program);
    let output = python.current_dir(dir.path()).output();
    let output = output.expect("python3 runs");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The number of cases of a group that are printed. Most of the others differ in a length alone.
const SHOWN: usize = 4;

/// Returns the path of the page.
#[must_use]
pub fn path() -> PathBuf {
    lane::root().with_file_name("docs/python-differences.md")
}

/// Returns the page.
///
/// # Panics
///
/// - If a reason has no advice, or a piece of advice has no case.
#[must_use]
pub fn page(suites: &[Suite]) -> String {
    let suites = suites.iter().filter(|suite| LANE.is_in(&suite.name));
    let suites: Vec<_> = suites
        .map(|suite| (suite, suite.cases(), suite.transcript(None)))
        .collect();
    let transcripts: Vec<_> = suites.iter().map(|(.., transcript)| transcript).collect();
    let mut text = HEAD.to_owned();
    write_advice(&mut text, &transcripts);
    text += READING;
    text += "| suite | cases | the same | different | not asked |\n| --- | ---: | ---: | ---: | ---: |\n";
    for (suite, _, transcript) in &suites {
        let (name, cases) = (&suite.name, transcript.len());
        let different = different(transcript).count();
        let not_asked = not_asked(transcript).count();
        let same = cases - different - not_asked;
        let _ = writeln!(
            text,
            "| [{name}](#{name}) | {cases} | {same} | {different} | {not_asked} |"
        );
    }
    for (suite, cases, transcript) in &suites {
        let _ = writeln!(text, "\n## {}\n\n{}", suite.name, subject(suite));
        for group in groups(different(transcript)) {
            write_group(&mut text, cases, &group);
        }
    }
    text += "\n## What is not asked\n\nThese cases run in C alone, because the module has no call for their question.\n\n";
    text += "| suite | cases | why |\n| --- | --- | --- |\n";
    for (suite, _, transcript) in &suites {
        for (reason, group) in groups(not_asked(transcript)) {
            let ids = in_words(group.iter().map(|(c, _)| id_of(c)));
            let _ = writeln!(text, "| {} | {ids} | {} |", suite.name, sentence(reason));
        }
    }
    text
}

/// Returns the cases of a suite in which Python answers something else.
fn different(transcript: &Transcript) -> impl Iterator<Item = (&str, &Declared)> {
    let declared = transcript.differences(LETTER);
    declared.filter(|(_, declared)| !declared.is_not_asked())
}

/// Returns the cases of a suite that the module has no call for.
fn not_asked(transcript: &Transcript) -> impl Iterator<Item = (&str, &Declared)> {
    let declared = transcript.differences(LETTER);
    declared.filter(|(_, declared)| declared.is_not_asked())
}

/// Writes each reason, with what a program in Python can do.
fn write_advice(text: &mut String, transcripts: &[&Transcript]) {
    *text +=
        "## In short\n\n| What differs | What to do in Python | Cases |\n| --- | --- | ---: |\n";
    let all = transcripts.iter().copied().flat_map(different);
    let mut groups = groups(all);
    for (reason, advice) in ADVICE {
        let at = groups.iter().position(|(found, _)| *found == reason);
        let at = at.unwrap_or_else(|| panic!("ADVICE has a reason that no case has: {reason}"));
        let (_, group) = groups.remove(at);
        let _ = writeln!(
            text,
            "| {} | {advice} | {} |",
            sentence(reason),
            group.len()
        );
    }
    let without: Vec<_> = groups.iter().map(|(reason, _)| *reason).collect();
    assert!(
        without.is_empty(),
        "no advice in ADVICE of src/python.rs for: {without:?}"
    );
}

/// Writes the first cases of a group, and the ids of the others.
fn write_group(text: &mut String, cases: &[Case], (reason, group): &Group<'_>) {
    let _ = writeln!(text, "\n**{}**\n\n```diff", sentence(reason));
    // Cases such as B04.7 and B04.8 differ in a length alone, so one of them is enough.
    let mut families = BTreeSet::new();
    let (shown, others): (Vec<_>, Vec<_>) = group
        .iter()
        .partition(|(c, _)| families.insert(family_of(id_of(c))) && families.len() <= SHOWN);
    for (c, declared) in &shown {
        let declared: &Declared = declared;
        write_case(text, cases, c, declared);
    }
    text.push_str("```\n");
    if !others.is_empty() {
        let ids = in_words(others.iter().map(|(c, _)| id_of(c)));
        let _ = writeln!(text, "\nIn the same way: {ids}.");
    }
}

/// Returns a reason as a sentence.
fn sentence(reason: &str) -> String {
    let first = reason.chars().take(1).flat_map(char::to_uppercase);
    first.chain(reason.chars().skip(1)).chain(['.']).collect()
}

/// Returns the id without a number at its end: `B04.` for `B04.7`.
fn family_of(id: &str) -> &str {
    match id.rsplit_once('.') {
        Some((family, number)) if number.parse::<u32>().is_ok() => family,
        _ => id,
    }
}

/// Returns ids with commas between them. Those of one family whose numbers follow each other are a range: `B04.1
/// to B04.9`.
fn in_words<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    let number = |id: &str| id.rsplit_once('.').and_then(|(_, n)| n.parse::<u32>().ok());
    for id in ids {
        match ranges.last_mut() {
            Some((_, last))
                if family_of(last) == family_of(id)
                    && number(id).is_some_and(|n| number(last) == n.checked_sub(1)) =>
            {
                *last = id;
            }
            _ => ranges.push((id, id)),
        }
    }
    let words = ranges.into_iter().map(|(first, last)| match first == last {
        true => first.to_owned(),
        false => format!("{first} to {last}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSCRIPT: &str =
        "a\tone\nb\ttwo\nP b\tdue  # it is Italian\nc\tthree\nP c\tnot asked: why\n";

    fn judged(lines: &str) -> Result<Counts, String> {
        let transcript = Transcript::read(TRANSCRIPT).expect("it is in order");
        let ids = ["a", "b", "c"].map(str::to_owned);
        judge("some", &ids, &transcript, lines)
    }

    #[test]
    fn python_is_compared_with_c_or_with_what_is_declared() {
        let counts = judged("a\tone\nb\tdue\nc\tnot asked: why\n");
        let expected = Counts {
            equal: 1,
            different: 1,
            not_asked: 1,
            not_run: 0,
        };
        assert_eq!(counts, Ok(expected));
        let counts = judged("a\tnot run: needs root\nb\tdue\nc\tnot asked: why\n");
        assert_eq!(counts.map(|counts| counts.not_run), Ok(1));
    }

    #[test]
    fn python_that_is_not_as_declared_is_a_fault() {
        let fault = |lines: &str| judged(lines).expect_err("it is seen");
        let other = fault("a\tuno\nb\tdue\nc\tnot asked: why\n");
        assert!(other.contains("- one\n+ uno\n") && other.ends_with("P a\tuno  # why\n"));
        let again = fault("a\tone\nb\ttwo\nc\tnot asked: why\n");
        assert!(again.starts_with("b\n") && again.ends_with("It is what C prints.\n"));
        let said = fault("a\tone\nb\tdue\nc\tthree\n");
        assert!(said.starts_with("c\n"));
        let unsaid = fault("a\tnot asked: no\nb\tdue\nc\tnot asked: why\n");
        assert!(unsaid.ends_with("python::some\n"));
        let absent = fault("a\tone\nb\tdue\n");
        assert_eq!(absent, "c: python does not print the case\n");
    }

    #[test]
    fn ids_that_follow_each_other_are_a_range() {
        let words = |ids: &[&str]| in_words(ids.iter().copied());
        assert_eq!(
            words(&["B04.1", "B04.2", "B04.3", "B04.x"]),
            "B04.1 to B04.3, B04.x"
        );
        assert_eq!(words(&["B04.1", "B05.2", "B05.4"]), "B04.1, B05.2, B05.4");
        assert_eq!(
            words(&["A06.0", "A06.1", "A06.-1"]),
            "A06.0 to A06.1, A06.-1"
        );
    }
}
