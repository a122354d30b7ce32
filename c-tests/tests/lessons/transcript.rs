//! The transcript of a lesson: what its C program prints, and the declared differences of other lanes.
//!
//! A line that begins with a capital letter and a space is a difference. The line of a difference
//! follows the line of C that it replaces, names a lane by its letter, and ends with ` # ` and the
//! reason. The text `-` means that the lane prints nothing there.

use std::fmt::Write;

/// A line of C, with the lines that other lanes print in its place.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) differences: Vec<Difference>,
}

/// The line that one lane prints in place of a line of C.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) letter: char,
    /// The line, or nothing if the lane does not print any.
    pub(crate) text: Option<String>,
    pub(crate) reason: String,
}

/// A transcript, without the comments at its head.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Transcript {
    pub(crate) lines: Vec<Line>,
}

impl Transcript {
    /// Reads a transcript, or says which line is wrong.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut lines: Vec<Line> = Vec::new();
        for text in text.lines().skip_while(|line| line.starts_with('#')) {
            let Some((letter, rest)) = letter_of(text) else {
                lines.push(Line {
                    text: text.to_owned(),
                    ..Line::default()
                });
                continue;
            };
            let Some((text, reason)) = rest.split_once("  # ") else {
                return Err(format!("a difference without a reason: {text}"));
            };
            let Some(last) = lines.last_mut() else {
                return Err(format!("a difference before any line of C: {text}"));
            };
            last.differences.push(Difference {
                letter,
                text: (text != "-").then(|| text.to_owned()),
                reason: reason.to_owned(),
            });
        }
        Ok(Self { lines })
    }

    /// Returns what a lane prints.
    pub(crate) fn of_lane(&self, letter: Option<char>) -> String {
        let mut all = String::new();
        for line in &self.lines {
            let declared = |difference: &&Difference| Some(difference.letter) == letter;
            let text = match line.differences.iter().find(declared) {
                Some(difference) => difference.text.as_deref(),
                None => Some(&*line.text),
            };
            if let Some(text) = text {
                writeln!(all, "{text}").expect("a string takes all");
            }
        }
        all
    }

    /// Returns the transcript with what C prints now. A difference stays with its line if C still
    /// prints that line in the same place among equal lines.
    pub(crate) fn blessed(&self, printed: &str) -> Self {
        let mut old = self.lines.iter();
        let lines = printed.lines().map(|text| {
            let mut rest = old.clone();
            let differences = match rest.find(|line| line.text == text) {
                Some(line) => {
                    old = rest;
                    line.differences.clone()
                }
                None => Vec::new(),
            };
            let text = text.to_owned();
            Line { text, differences }
        });
        Self {
            lines: lines.collect(),
        }
    }

    /// Returns the text of the file for this lesson.
    pub(crate) fn write(&self, lesson: &str) -> String {
        let mut all = format!(
            "# What the programs of {lesson} print. The C program wrote this:\n\
             # SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test lessons\n\
             # S: what safe Rust prints instead, P: Python, L: C with libsunpath; `-` is nothing.\n"
        );
        for line in &self.lines {
            writeln!(all, "{}", line.text).expect("a string takes all");
            for difference in &line.differences {
                let Difference {
                    letter,
                    text,
                    reason,
                } = difference;
                let text = text.as_deref().unwrap_or("-");
                writeln!(all, "{letter} {text}  # {reason}").expect("a string takes all");
            }
        }
        all
    }
}

/// Returns the letter and the rest of a line that declares a difference.
fn letter_of(line: &str) -> Option<(char, &str)> {
    let (letter, rest) = line.split_once(' ')?;
    let mut letters = letter.chars();
    let letter = letters.next().filter(char::is_ascii_uppercase)?;
    letters.next().is_none().then_some((letter, rest))
}

/// Returns the part of a line that tells which call it is about: what comes before its result.
fn call_of(line: &str) -> &str {
    let end = line.find(" = ").or_else(|| line.find(": "));
    &line[..end.unwrap_or(line.len())]
}

/// Returns the lines in which two texts differ, as diff(1) marks them: `-` is only in the first, `+` only
/// in the second. Two results of the same call are a pair, and are one below the other. Without
/// pairs, a line of both texts would often be missing in one place and new in another.
pub(crate) fn diff(from: &str, to: &str) -> String {
    let [from, to] = [from, to].map(|text| text.lines().collect::<Vec<_>>());
    let score = |i: usize, j: usize| match (from[i], to[j]) {
        (a, b) if a == b => 2,
        (a, b) => usize::from(call_of(a) == call_of(b)),
    };
    // scores[i][j] is the best score of pairs of lines of from[i..] and to[j..], in their order.
    let mut scores = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in (0..from.len()).rev() {
        for j in (0..to.len()).rev() {
            let pair = scores[i + 1][j + 1] + score(i, j);
            scores[i][j] = pair.max(scores[i + 1][j]).max(scores[i][j + 1]);
        }
    }
    let (mut i, mut j, mut all) = (0, 0, String::new());
    let mut add = |mark, line| writeln!(all, "{mark}{line}").expect("a string takes all");
    while i < from.len() || j < to.len() {
        let best = scores[i][j];
        let has_both = i < from.len() && j < to.len();
        if has_both && from[i] == to[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == to.len() || i < from.len() && scores[i + 1][j] == best {
            add('-', from[i]);
            i += 1;
        } else if i == from.len() || scores[i][j + 1] == best {
            add('+', to[j]);
            j += 1;
        } else {
            add('-', from[i]);
            add('+', to[j]);
            (i, j) = (i + 1, j + 1);
        }
    }
    all
}

#[test]
fn transcript_gives_each_lane_its_lines() {
    let text = "# head\na = ok\nS a = EINVAL  # why\nP -  # why not\nb = 2\n";
    let transcript = Transcript::read(text).unwrap();
    assert_eq!(transcript.of_lane(None), "a = ok\nb = 2\n");
    assert_eq!(transcript.of_lane(Some('S')), "a = EINVAL\nb = 2\n");
    assert_eq!(transcript.of_lane(Some('P')), "b = 2\n");
    let written = transcript.write("00_none");
    assert_eq!(Transcript::read(&written), Ok(transcript));
    assert!(Transcript::read("a = ok\nS a = EINVAL\n").is_err());
    assert!(Transcript::read("S a = EINVAL  # why\n").is_err());
}

#[test]
fn transcript_that_is_blessed_keeps_its_differences() {
    let old = Transcript::read("a = 1\nP a = 2  # why\nb = 1\nS -  # why\na = 1\n").unwrap();
    let new = old.blessed("c = 1\na = 1\na = 1\n");
    assert_eq!(new.of_lane(None), "c = 1\na = 1\na = 1\n");
    assert_eq!(new.of_lane(Some('P')), "c = 1\na = 2\na = 1\n");
    assert_eq!(new.of_lane(Some('S')), new.of_lane(None));
}

#[test]
fn diff_has_only_the_lines_that_differ() {
    assert_eq!(diff("a\nb\nc\n", "a\nb\nc\n"), "");
    assert_eq!(diff("a\nb\nc\n", "a\nx\nc\n"), "-b\n+x\n");
    assert_eq!(diff("a\nb\n", "b\nc\n"), "-a\n+c\n");
    assert_eq!(diff("", "a\n"), "+a\n");
}

#[test]
fn diff_pairs_two_results_of_a_call() {
    let from = "accept() = ok\npoll() = 2\naccept() = ok\nrecv() = 4\npoll() = 1\nmode: 1\n";
    let to = "accept() = ok\npoll() = 1\nrecv() = 4\npoll() = 0\nmode: 2\n";
    let expected =
        "-poll() = 2\n+poll() = 1\n-accept() = ok\n-poll() = 1\n+poll() = 0\n-mode: 1\n+mode: 2\n";
    assert_eq!(diff(from, to), expected);
}
