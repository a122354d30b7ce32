//! Compares what lanes printed, and says in words what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// As many differences as are worth reading at once.
const SHOWN: usize = 10;

/// The recorded transcript of the C lane, and beside it the lines in which another lane differs.
///
/// ```text
/// A02.bare<TAB>bind(s, "norm", 6) = ok; ...
/// S A10<TAB>bind(s, "", 110) = refused ...  # why
/// ```
#[derive(Debug, Default)]
pub struct Transcript {
    header: Vec<String>,
    lines: Vec<String>,
    /// By lane and case: the line and its reason.
    declared: BTreeMap<(char, String), (String, String)>,
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    ///
    /// - What is wrong with it, a line each.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut transcript = Self::default();
        let mut faults = String::new();
        for line in text.lines() {
            let mut chars = line.chars();
            match (chars.next(), chars.next()) {
                (None | Some('#'), _) => transcript.header.push(line.to_owned()),
                (Some(lane), Some(' ')) => {
                    let Some((body, reason)) = chars.as_str().rsplit_once("  # ") else {
                        let _ = writeln!(faults, "no reason behind \"  # \": {line}");
                        continue;
                    };
                    let key = (lane, id_of(body).to_owned());
                    let value = (body.to_owned(), reason.to_owned());
                    if transcript.declared.insert(key, value).is_some() {
                        let _ = writeln!(faults, "declared twice: {line}");
                    }
                }
                _ => transcript.lines.push(line.to_owned()),
            }
        }
        if faults.is_empty() {
            Ok(transcript)
        } else {
            Err(faults)
        }
    }

    /// The transcript with new lines of the C lane; header and declared differences are kept, and
    /// those of cases that are no more are dropped.
    #[must_use]
    pub fn blessed(&self, c: &str) -> String {
        let mut text = String::new();
        for line in &self.header {
            let _ = writeln!(text, "{line}");
        }
        for line in c.lines() {
            let _ = writeln!(text, "{line}");
            for ((lane, id), (body, reason)) in &self.declared {
                if id == id_of(line) {
                    let _ = writeln!(text, "{lane} {body}  # {reason}");
                }
            }
        }
        text
    }

    /// Holds what a lane printed against the transcript. `differs` says whether differences of
    /// this lane may be declared at all.
    ///
    /// # Errors
    ///
    /// - Every case that is missing, extra or twice; every difference that is not declared; every
    ///   declared difference that does not occur or is none.
    pub fn check(&self, lane: char, differs: bool, output: &str) -> Result<(), String> {
        let mut faults = Vec::new();
        let mut printed = BTreeMap::new();
        for line in output.lines() {
            if printed.insert(id_of(line), line).is_some() {
                faults.push(format!("printed twice: {line}"));
            }
        }
        let mut known = BTreeSet::new();
        for c in &self.lines {
            let id = id_of(c);
            known.insert(id);
            let declared = self
                .declared
                .get(&(lane, id.to_owned()))
                .map(|(line, _)| line);
            match (printed.get(id).copied(), declared) {
                (None, _) => faults.push(format!("not printed: {c}")),
                (Some(is), None) if is != c => faults.push(format!(
                    "differs, not declared:\n  C recorded  {c}\n  {lane} printed   {is}"
                )),
                (Some(is), Some(said)) if is == c => faults.push(format!(
                    "declared, but equal to C:\n  C recorded  {c}\n  {lane} declared  {said}"
                )),
                (Some(is), Some(said)) if is != said => faults.push(format!(
                    "differs, and not as declared:\n  C recorded  {c}\n  \
                     {lane} declared  {said}\n  {lane} printed   {is}"
                )),
                _ => {}
            }
        }
        for (id, line) in &printed {
            if !known.contains(id) {
                faults.push(format!("not in the transcript: {line}"));
            }
        }
        for ((of, id), (line, _)) in self.declared.iter().filter(|((of, _), _)| *of == lane) {
            if !differs {
                faults.push(format!(
                    "lane {of} may not differ, but is declared to: {line}"
                ));
            } else if !known.contains(id.as_str()) {
                faults.push(format!("declared for a case that C does not print: {line}"));
            }
        }
        let order = |lines: Vec<&str>| lines.into_iter().map(id_of).eq(known_order(&self.lines));
        if faults.is_empty() && !order(output.lines().collect()) {
            faults.push("the cases are in another order than in the transcript".to_owned());
        }
        report(&faults)
    }
}

/// Holds one lane's lines against another's, for lanes that may not differ at all.
///
/// # Errors
///
/// - The first lines that differ, both with their lane's name, and how many there are.
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

/// What stands before the tab.
fn id_of(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

fn known_order(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().map(|line| id_of(line))
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

    fn fault(text: &str, output: &str) -> String {
        let transcript = Transcript::read(text).expect("the transcript is in order");
        transcript
            .check('S', true, output)
            .expect_err("a fault is seen")
    }

    #[test]
    fn transcript_with_declared_difference_is_held() {
        let transcript = Transcript::read(TEXT).expect("the transcript is in order");
        assert_eq!(transcript.check('S', true, "a\tone\nb\tdeux\n"), Ok(()));
        assert_eq!(transcript.check('C', false, "a\tone\nb\ttwo\n"), Ok(()));
    }

    #[test]
    fn transcript_sees_every_kind_of_fault() {
        assert!(fault(TEXT, "a\tun\nb\tdeux\n").starts_with("differs, not declared"));
        assert!(fault(TEXT, "a\tone\nb\ttwo\n").starts_with("declared, but equal"));
        assert!(fault(TEXT, "a\tone\nb\tzwei\n").starts_with("differs, and not as declared"));
        assert!(fault(TEXT, "b\tdeux\n").starts_with("not printed: a"));
        assert!(fault(TEXT, "a\tone\nb\tdeux\nc\t3\n").starts_with("not in the transcript"));
        assert!(fault(TEXT, "a\tone\na\tone\nb\tdeux\n").starts_with("printed twice"));
        assert!(fault(TEXT, "b\tdeux\na\tone\n").starts_with("the cases are in another order"));
        let orphan = format!("{TEXT}S c\tdrei  # gone\n");
        assert!(fault(&orphan, "a\tone\nb\tdeux\n").starts_with("declared for a case"));
    }

    #[test]
    fn transcript_without_reason_is_refused() {
        assert!(Transcript::read("b\ttwo\nS b\tdeux\n").is_err());
        assert!(Transcript::read("S b\tdeux  # why\nS b\tzwei  # why\n").is_err());
    }

    #[test]
    fn transcript_lane_that_may_not_differ_is_seen() {
        let text = TEXT.replace("S b", "R b");
        let transcript = Transcript::read(&text).expect("the transcript is in order");
        let fault = transcript
            .check('R', false, "a\tone\nb\tdeux\n")
            .expect_err("R may not");
        assert!(fault.starts_with("lane R may not differ"), "{fault}");
    }

    #[test]
    fn transcript_blessed_keeps_header_and_declared_lines() {
        let transcript = Transcript::read(TEXT).expect("the transcript is in order");
        assert_eq!(transcript.blessed("a\tone\nb\ttwo\n"), TEXT);
        assert_eq!(transcript.blessed("a\tuno\n"), "# header\na\tuno\n");
    }

    #[test]
    fn lines_that_differ_are_shown_with_their_lanes() {
        assert_eq!(same_lines(["C", "raw"], ["x\ny", "x\ny"]), Ok(()));
        let fault = same_lines(["C", "raw"], ["x\ny", "x\nz"]).expect_err("they differ");
        assert_eq!(fault, "line 2:\n  C    y\n  raw  z");
        assert!(same_lines(["C", "raw"], ["x", "x\nz"]).is_err());
    }
}
