//! Compares what lanes printed, and describes the differences.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The number of differences that are printed at once. A reader would not read more.
const SHOWN: usize = 10;

/// The recorded transcript of the C lane, with the lines in which other lanes differ. A line of
/// another lane begins with the letter of its lane.
///
/// ```text
/// A02.bare<TAB>bind(s, "norm", 6) = ok; ...
/// S A10<TAB>bind(s, "", 110) = refused ...  # why
/// P A13<TAB>not asked: why
/// ```
///
/// A lane that has no call for a case prints that the case is `not asked`, with the reason.
#[derive(Debug, Default)]
pub struct Transcript {
    header: Vec<String>,
    /// The lines that C prints, with the id of each case.
    lines: Vec<String>,
    /// The declared differences, by the letter of the lane and the id of the case.
    declared: BTreeMap<(char, String), Declared>,
}

/// The line that a lane prints where C prints another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The line, with its id.
    pub line: String,
    /// The reason for the difference.
    pub reason: String,
}

/// The text between the id and the reason, for a case that a lane does not ask.
const NOT_ASKED: &str = "\tnot asked: ";

/// Returns the reason why a lane does not ask a case, if this is its line.
#[must_use]
pub fn reason_not_asked(line: &str) -> Option<&str> {
    Some(line.split_once(NOT_ASKED)?.1)
}

impl Declared {
    /// A line that a lane printed because it has no call for the case.
    fn not_asked(line: &str) -> Option<Self> {
        Some(Self {
            line: line.to_owned(),
            reason: reason_not_asked(line)?.to_owned(),
        })
    }

    /// Returns whether the lane has no call for the case.
    #[must_use]
    pub fn is_not_asked(&self) -> bool {
        reason_not_asked(&self.line).is_some()
    }

    /// Writes the line as the transcript has it.
    fn write(&self, text: &mut String, letter: char) {
        let _ = match self.is_not_asked() {
            true => writeln!(text, "{letter} {}", self.line),
            false => writeln!(text, "{letter} {}  # {}", self.line, self.reason),
        };
    }
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    ///
    /// - A line for each fault.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut transcript = Self::default();
        let mut faults = Vec::new();
        for line in text.lines() {
            let mut chars = line.chars();
            match (chars.next(), chars.next()) {
                (None | Some('#'), _) => transcript.header.push(line.to_owned()),
                (Some(letter), Some(' ')) => {
                    let with_reason = || {
                        let (line, reason) = chars.as_str().rsplit_once("  # ")?;
                        let [line, reason] = [line, reason].map(str::to_owned);
                        Some(Declared { line, reason })
                    };
                    let declared = Declared::not_asked(chars.as_str()).or_else(with_reason);
                    let Some(declared) = declared else {
                        faults.push(format!("no reason after \"  # \": {line}"));
                        continue;
                    };
                    let key = (letter, id_of(&declared.line).to_owned());
                    let old = transcript.declared.insert(key, declared);
                    if old.is_some() {
                        faults.push(format!("declared twice: {line}"));
                    }
                }
                _ => transcript.lines.push(line.to_owned()),
            }
        }
        report(&faults)?;
        Ok(transcript)
    }

    /// Returns what C printed in this case.
    #[must_use]
    pub fn line(&self, id: &str) -> Option<&str> {
        self.lines
            .iter()
            .map(String::as_str)
            .find(|line| id_of(line) == id)
    }

    /// Returns how the lane with this letter is declared to differ in this case.
    #[must_use]
    pub fn declared(&self, letter: char, id: &str) -> Option<&Declared> {
        self.declared.get(&(letter, id.to_owned()))
    }

    /// Returns all declared differences of the lane with this letter, each with C's line, in the
    /// order of the transcript.
    pub fn differences(&self, letter: char) -> impl Iterator<Item = (&str, &Declared)> {
        self.lines
            .iter()
            .filter_map(move |line| Some((line.as_str(), self.declared(letter, id_of(line))?)))
    }

    /// Records that the lane with this letter has no call for a case, if its line says so.
    /// Otherwise removes such a record, and returns false.
    pub fn record_not_asked(&mut self, letter: char, line: &str) -> bool {
        let key = (letter, id_of(line).to_owned());
        match Declared::not_asked(line) {
            Some(declared) => {
                self.declared.insert(key, declared);
                true
            }
            None => {
                if self.declared.get(&key).is_some_and(Declared::is_not_asked) {
                    self.declared.remove(&key);
                }
                false
            }
        }
    }

    /// Returns how many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether there are no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the transcript of another kernel: this transcript, but with the lines of `own` for
    /// the cases that `own` has.
    #[must_use]
    pub fn overlaid(mut self, own: Self) -> Self {
        for line in own.lines {
            let id = id_of(&line).to_owned();
            self.declared.retain(|(_, of), _| *of != id);
            match self.lines.iter_mut().find(|line| id_of(line) == id) {
                Some(old) => *old = line,
                None => self.lines.push(line),
            }
        }
        self.declared.extend(own.declared);
        self
    }

    /// Returns this transcript of another kernel, with new lines of the C lane. The transcript has
    /// a line only for a case in which that kernel differs from the kernel of `base`, and for a
    /// declared difference.
    #[must_use]
    pub fn blessed_over<'a>(
        &self,
        base: &Self,
        ids: impl IntoIterator<Item = &'a str>,
        new: &BTreeMap<String, String>,
    ) -> String {
        let differs = |id: &str| {
            let line = new.get(id).map(String::as_str).or(self.line(id));
            line != base.line(id) || self.declared.keys().any(|(_, of)| of == id)
        };
        self.blessed(ids.into_iter().filter(|id| differs(id)), new)
    }

    /// Returns the transcript with new lines of the C lane in the order of these cases. The header
    /// and the declared differences are kept, except for differences of cases that no longer exist.
    #[must_use]
    pub fn blessed<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
        new: &BTreeMap<String, String>,
    ) -> String {
        let mut text = String::new();
        for line in &self.header {
            let _ = writeln!(text, "{line}");
        }
        for id in ids {
            let Some(line) = new.get(id).map(String::as_str).or(self.line(id)) else {
                continue;
            };
            let _ = writeln!(text, "{line}");
            for ((letter, of), declared) in &self.declared {
                if of == id {
                    declared.write(&mut text, *letter);
                }
            }
        }
        text
    }

    /// Compares the transcript with the table of cases and with the letters of the lanes that may differ.
    ///
    /// # Errors
    ///
    /// - A line for every case that the table or the transcript lacks, and for a different order. A
    ///   line also for a declared difference if its case or lane does not exist, or if its line is
    ///   the same as C's.
    pub fn check_cases<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
        letters: &[char],
    ) -> Result<(), String> {
        let mut faults = Vec::new();
        let ids: Vec<_> = ids.collect();
        let recorded: Vec<_> = self.lines.iter().map(|line| id_of(line)).collect();
        for id in ids.iter().filter(|id| !recorded.contains(id)) {
            faults.push(format!("not in the transcript: {id}"));
        }
        for id in recorded.iter().filter(|id| !ids.contains(id)) {
            faults.push(format!("in the transcript, but no case: {id}"));
        }
        if faults.is_empty() && recorded != ids {
            faults.push("the cases are in another order than in the transcript".to_owned());
        }
        for ((letter, id), declared) in &self.declared {
            let c = self.line(id);
            if c.is_none_or(|c| c == declared.line) {
                faults.push(format!("no difference from C: {letter} {}", declared.line));
            }
            if !letters.contains(letter) {
                faults.push(format!(
                    "no lane that may differ: {letter} {}",
                    declared.line
                ));
            }
        }
        report(&faults)
    }
}

/// Compares one lane's lines with another's, for lanes that may not differ at all.
///
/// # Errors
///
/// - The first lines that differ, with the names of their lanes, and how many lines differ.
pub fn same_lines(names: [&str; 2], outputs: [&str; 2]) -> Result<(), String> {
    let [mut left, mut right] = outputs.map(str::lines);
    let width = names[0].len().max(names[1].len());
    let mut faults = Vec::new();
    for number in 1.. {
        let lines = [left.next(), right.next()];
        if lines == [None, None] {
            break;
        }
        if lines[0] != lines[1] {
            let shown = lines.map(|line| line.unwrap_or("(nothing)"));
            faults.push(format!(
                "line {number}:\n  {:width$}  {}\n  {:width$}  {}",
                names[0], shown[0], names[1], shown[1]
            ));
        }
    }
    report(&faults)
}

/// Returns the text before the tab.
pub(crate) fn id_of(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

fn report(faults: &[String]) -> Result<(), String> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut text = faults[..faults.len().min(SHOWN)].join("\n");
    if faults.len() > SHOWN {
        let _ = write!(text, "\n... and {} more", faults.len() - SHOWN);
    }
    Err(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# header\na\tone\nb\ttwo\nS b\tdeux  # it is French\n";

    fn transcript(text: &str) -> Transcript {
        Transcript::read(text).expect("the transcript is in order")
    }

    fn fault(text: &str, ids: &[&str]) -> String {
        let result = transcript(text).check_cases(ids.iter().copied(), &['S']);
        result.expect_err("a fault is seen")
    }

    #[test]
    fn transcript_gives_lines_and_differences() {
        let transcript = transcript(TEXT);
        assert_eq!(
            transcript.check_cases(["a", "b"].into_iter(), &['S']),
            Ok(())
        );
        assert_eq!(transcript.line("a"), Some("a\tone"));
        assert_eq!(transcript.line("c"), None);
        let declared = Declared {
            line: "b\tdeux".to_owned(),
            reason: "it is French".to_owned(),
        };
        assert!(transcript.differences('S').eq([("b\ttwo", &declared)]));
    }

    #[test]
    fn transcript_that_is_not_of_the_cases_is_seen() {
        assert!(fault(TEXT, &["a", "b", "c"]).starts_with("not in the transcript: c"));
        assert!(fault(TEXT, &["b"]).starts_with("in the transcript, but no case: a"));
        assert!(fault(TEXT, &["b", "a"]).starts_with("the cases are in another order"));
        let orphan = format!("{TEXT}S c\tdrei  # gone\n");
        assert!(fault(&orphan, &["a", "b"]).starts_with("no difference from C: S c"));
        let equal = TEXT.replace("deux", "two");
        assert!(fault(&equal, &["a", "b"]).starts_with("no difference from C: S b"));
    }

    #[test]
    fn transcript_without_reason_or_of_another_lane_is_refused() {
        assert!(Transcript::read("b\ttwo\nS b\tdeux\n").is_err());
        assert!(Transcript::read("S b\tdeux  # why\nS b\tzwei  # why\n").is_err());
        let raw = TEXT.replace("S b", "R b");
        assert!(fault(&raw, &["a", "b"]).starts_with("no lane that may differ: R b"));
    }

    #[test]
    fn transcript_blessed_keeps_header_and_declared_lines() {
        let transcript = transcript(TEXT);
        let new = |id: &str, line: &str| BTreeMap::from([(id.to_owned(), line.to_owned())]);
        assert_eq!(transcript.blessed(["a", "b"], &BTreeMap::new()), TEXT);
        let uno = TEXT.replace("one", "uno");
        assert_eq!(transcript.blessed(["a", "b"], &new("a", "a\tuno")), uno);
        let added = "# header\nc\tthree\na\tone\n";
        assert_eq!(transcript.blessed(["c", "a"], &new("c", "c\tthree")), added);
    }

    #[test]
    fn transcript_has_the_cases_that_a_lane_cannot_say() {
        let line = "a\tnot asked: it has no word  # for it";
        let mut transcript = transcript(TEXT);
        assert!(!transcript.record_not_asked('S', "b\tdeux"));
        assert!(transcript.record_not_asked('S', line));
        let text = TEXT.replace("one\n", &format!("one\nS {line}\n"));
        assert_eq!(transcript.blessed(["a", "b"], &BTreeMap::new()), text);
        let again = Transcript::read(&text).expect("the transcript is in order");
        assert_eq!(again.declared('S', "a"), transcript.declared('S', "a"));
        assert_eq!(reason_not_asked(line), Some("it has no word  # for it"));
        assert!(!transcript.record_not_asked('S', "a\tuno"));
        assert_eq!(transcript.blessed(["a", "b"], &BTreeMap::new()), TEXT);
    }

    #[test]
    fn transcript_of_another_kernel_has_what_differs() {
        let linux = || transcript(TEXT);
        let own = transcript("# own\nb\tzwei\n");
        let here = linux().overlaid(transcript("# own\nb\tzwei\n"));
        assert_eq!(
            (here.line("a"), here.line("b")),
            (Some("a\tone"), Some("b\tzwei"))
        );
        assert_eq!(here.declared('S', "b"), None);
        let new = |a: &str, b: &str| {
            let new =
                [("a", a), ("b", b)].map(|(id, line)| (id.to_owned(), format!("{id}\t{line}")));
            own.blessed_over(&linux(), ["a", "b"], &BTreeMap::from(new))
        };
        assert_eq!(new("one", "two"), "# own\n");
        assert_eq!(new("uno", "two"), "# own\na\tuno\n");
        let declared = transcript("# own\nb\ttwo\nS b\tdos  # it is Spanish\n");
        let old = declared.blessed_over(&linux(), ["a", "b"], &BTreeMap::new());
        assert_eq!(old, "# own\nb\ttwo\nS b\tdos  # it is Spanish\n");
        let orphan = linux().overlaid(transcript("c\tdrei\n"));
        assert!(orphan.check_cases(["a", "b"].into_iter(), &['S']).is_err());
    }

    #[test]
    fn lines_that_differ_are_shown_with_their_lanes() {
        assert_eq!(same_lines(["C", "raw"], ["x\ny", "x\ny"]), Ok(()));
        let fault = same_lines(["C", "raw"], ["x\ny", "x\nz"]).expect_err("they differ");
        assert_eq!(fault, "line 2:\n  C    y\n  raw  z");
        assert!(same_lines(["C", "raw"], ["x", "x\nz"]).is_err());
    }
}
