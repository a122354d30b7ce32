//! A suite: a folder of `suites/` with a table of cases, a folder for each lane, and a transcript.
//! The lanes are compared with the transcript case by case.
//!
//! The table is `cases.txt` or `cases.def`. Each line of `cases.txt` is a case, which a lane reads
//! from standard input. Each line of `cases.def` names a function that every lane has. A suite may
//! have both. If the system lacks what a case needs, every lane prints `not run: ...` with the
//! reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::compare::{Transcript, id_of};
use crate::differences;
use crate::lane::{self, Beside, Lane};
use crate::table;

/// A folder of `suites/`.
#[derive(Debug)]
pub struct Suite {
    /// The name of the folder.
    pub name: String,
}

/// One case of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The id: `A02.bare`.
    pub id: String,
    /// The question that the case asks, if it is in `cases.def`.
    pub title: String,
    /// The requirement of the case, if not every user or system meets it.
    pub needs: Option<&'static str>,
    /// The line of `cases.txt`, or empty text for a case of `cases.def`.
    pub line: String,
}

/// The verdict on one lane's line for a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The suite does not have this lane.
    Absent,
    /// The lane printed what C printed when the transcript was written.
    Equal,
    /// The lane printed the line that the transcript declares for it.
    Declared,
    /// The lane printed something else.
    Wrong,
}

/// The result of a case in all lanes.
#[derive(Debug, Default)]
pub struct Report {
    /// The line of C, if it may be recorded: every lane that has to be equal to C printed the same
    /// line.
    pub agreed: Option<String>,
    /// One verdict for each lane, in the order of the table of lanes. The list is empty if a
    /// program failed.
    pub verdicts: Vec<Verdict>,
    /// The reason why this system cannot run the case.
    pub not_run: Option<String>,
    /// A text for each fault.
    pub faults: Vec<String>,
}

impl Suite {
    /// Returns all suites, in the order of their names.
    ///
    /// # Panics
    ///
    /// - If `suites/` cannot be read.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let folder = lane::root().join("suites");
        let entries = fs::read_dir(folder).expect("suites/ can be read");
        let mut suites: Vec<_> = entries
            .map(|entry| entry.expect("suites/ can be read").file_name())
            .map(|name| Self {
                name: name.to_string_lossy().into_owned(),
            })
            .collect();
        suites.sort_by(|a, b| a.name.cmp(&b.name));
        suites
    }

    /// Returns the text of `cases.txt`, empty if the suite has none.
    #[must_use]
    pub fn lines(&self) -> String {
        fs::read_to_string(self.folder().join("cases.txt")).unwrap_or_default()
    }

    /// Returns the text of `cases.def`, empty if the suite has none.
    #[must_use]
    pub fn functions(&self) -> String {
        fs::read_to_string(self.folder().join("cases.def")).unwrap_or_default()
    }

    /// Returns the cases of both tables, in their order.
    #[must_use]
    pub fn cases(&self) -> Vec<Case> {
        let lines = table::case_lines(self.lines().as_bytes());
        let lines = lines.into_iter().map(Case::of_line);
        let functions = self.functions();
        lines
            .chain(functions.lines().filter_map(Case::of_def))
            .collect()
    }

    /// Returns the path of the transcript of Linux, or of the file with the lines in which another
    /// kernel differs.
    #[must_use]
    pub fn transcript_path(&self, kernel: Option<&str>) -> PathBuf {
        let name = kernel.unwrap_or("transcript");
        self.folder().join(name).with_extension("txt")
    }

    /// Returns the transcript of Linux or of another kernel as it is recorded. A new suite has an empty one.
    ///
    /// # Panics
    ///
    /// - If a file has a syntax error.
    #[must_use]
    pub fn transcript(&self, kernel: Option<&str>) -> Transcript {
        let linux = self.recorded(None);
        match kernel {
            None => linux,
            own => linux.overlaid(self.recorded(own)),
        }
    }

    /// Returns the text of the file with the kernel's lines, after new lines of the C lane.
    ///
    /// # Panics
    ///
    /// - If a file has a syntax error.
    #[must_use]
    pub fn blessed(&self, kernel: Option<&str>, lines: &BTreeMap<String, String>) -> String {
        let cases = self.cases();
        let ids = cases.iter().map(|case| case.id.as_str());
        let recorded = self.recorded(kernel);
        match kernel {
            None => recorded.blessed(ids, lines),
            Some(_) => recorded.blessed_over(&self.recorded(None), ids, lines),
        }
    }

    /// Reads the transcript file of Linux or of another kernel, as it is recorded.
    fn recorded(&self, kernel: Option<&str>) -> Transcript {
        let path = self.transcript_path(kernel);
        let text = fs::read_to_string(&path).unwrap_or_default();
        Transcript::read(&text).unwrap_or_else(|faults| panic!("{}:\n{faults}", path.display()))
    }

    /// Runs a case in every lane and compares each with the transcript, or with C if the transcript is
    /// to be written.
    #[must_use]
    pub fn run(
        &self,
        case: &Case,
        lanes: &[Lane],
        transcript: &Transcript,
        beside: Beside,
        bless: bool,
    ) -> Report {
        let _lock = lane::lock(&lane::root().join("Cargo.toml"), beside);
        let mut report = Report::default();
        let mut lines = Vec::new();
        for lane in lanes {
            if !lane.is_in(&self.name) {
                lines.push((lane, None));
                continue;
            }
            match self.run_lane(lane, case) {
                Ok(line) => lines.push((lane, Some(line))),
                Err(fault) => report.faults.push(format!("{}: {fault}", lane.name)),
            }
        }
        if report.faults.is_empty() {
            report.judge(self, case, &lines, transcript, bless);
        }
        report
    }

    /// Runs a lane with all cases except those of `leave_out`, under the program that
    /// `SUNPATH_UNDER` names.
    ///
    /// # Errors
    ///
    /// - The output of that program if it found a fault, or the reason why the lane cannot be run.
    pub fn run_under(&self, lane: &Lane, leave_out: &[&str]) -> Result<(), String> {
        let lines = self.lines();
        if !lines.is_empty() {
            lane.run_under(&self.name, &[], lines.as_bytes())?;
        }
        let cases = self.cases();
        let functions = cases.iter().filter(|case| case.line.is_empty());
        let ids = functions.map(|case| case.id.as_str());
        let ids: Vec<_> = ids.filter(|id| !leave_out.contains(id)).collect();
        match ids.is_empty() {
            true => Ok(()),
            false => lane.run_under(&self.name, &ids, b""),
        }
    }

    /// Returns the one line that a lane prints for a case.
    fn run_lane(&self, lane: &Lane, case: &Case) -> Result<String, String> {
        let printed = match case.line.as_str() {
            "" => lane.run(&self.name, &[&case.id], b"")?,
            line => lane.run(&self.name, &[], line.as_bytes())?,
        };
        match printed.strip_suffix('\n') {
            Some(line) if id_of(line) == case.id && !line.contains('\n') => Ok(line.to_owned()),
            _ => Err(format!("not one line of this case: {printed}")),
        }
    }

    fn folder(&self) -> PathBuf {
        lane::folder(&self.name)
    }
}

/// Returns how the lanes of a case may run. The lanes of the case may run at the same time as the
/// lanes of other cases if each lane has its own abstract names.
#[must_use]
pub fn beside() -> Beside {
    static OWN_NAMES: OnceLock<bool> = OnceLock::new();
    if *OWN_NAMES.get_or_init(lane::has_own_abstract_names) {
        Beside::Others
    } else {
        Beside::Nobody
    }
}

impl Case {
    fn of_line(line: String) -> Self {
        Self {
            id: line.split(' ').next().unwrap_or_default().to_owned(),
            title: String::new(),
            needs: None,
            line,
        }
    }

    /// Reads a line such as `CASE(I01, one, NOTHING, rights, "title")`.
    pub(crate) fn of_def(line: &str) -> Option<Self> {
        let (arguments, title) = line.strip_prefix("CASE(")?.split_once('"')?;
        let mut arguments = arguments.split(", ");
        let (id, name, needs) = (arguments.next()?, arguments.next()?, arguments.next()?);
        Some(Self {
            id: format!("{id}.{name}"),
            title: title.strip_suffix("\")")?.to_owned(),
            needs: match needs {
                "ROOT" => Some("root"),
                "MANY" => Some("many descriptors"),
                "PEERPIDFD" => Some("SO_PEERPIDFD"),
                "PADDED" => Some("padded control messages"),
                _ => None,
            },
            line: String::new(),
        })
    }
}

impl Report {
    fn judge(
        &mut self,
        suite: &Suite,
        case: &Case,
        lines: &[(&Lane, Option<String>)],
        transcript: &Transcript,
        bless: bool,
    ) {
        let Some((_, Some(c))) = lines.first() else {
            return self.faults.push("the suite has no C lane".to_owned());
        };
        self.not_run = reason_not_run(c).map(str::to_owned);
        let expected = match (&self.not_run, transcript.line(&case.id)) {
            (Some(reason), _) if bless => {
                return self
                    .faults
                    .push(format!("a case has to run to be blessed: {reason}"));
            }
            (Some(reason), _) if reason == "needs root" && is_root() => {
                return self
                    .faults
                    .push("root runs every case that needs root".to_owned());
            }
            (None, Some(recorded)) if !bless => recorded,
            (None, None) if !bless => {
                return self.faults.push(format!(
                    "the transcript lacks this case. To record C's line:\n  SUNPATH_BLESS=1 cargo \
                     test -p sunpath-c-tests --test conformance {}::{}",
                    suite.name, case.id
                ));
            }
            _ => c,
        };
        let mut agreed = true;
        let mut wrong: Vec<(&str, &str, Vec<&Lane>)> = Vec::new();
        for (lane, line) in lines {
            let Some(line) = line else {
                self.verdicts.push(Verdict::Absent);
                continue;
            };
            let declared = lane
                .letter
                .filter(|_| self.not_run.is_none())
                .and_then(|letter| transcript.declared(letter, &case.id));
            let should = declared.map_or(expected, |declared| &declared.line);
            let leaked = line.contains("; leaked ");
            if line == should && !leaked {
                let verdict = declared.map_or(Verdict::Equal, |_| Verdict::Declared);
                self.verdicts.push(verdict);
                continue;
            }
            self.verdicts.push(Verdict::Wrong);
            agreed &= lane.letter.is_some();
            match wrong
                .iter_mut()
                .find(|(s, l, _)| (*s, *l) == (should, line))
            {
                Some((_, _, lanes)) => lanes.push(lane),
                None => wrong.push((should, line, vec![lane])),
            }
        }
        for (should, line, lanes) in wrong {
            self.faults.push(difference(suite, &lanes, should, line, c));
        }
        self.agreed = (agreed && self.not_run.is_none()).then(|| c.clone());
    }
}

/// Returns a text that compares what lanes should have printed with what they printed, call by
/// call. The text ends with the line to add to the transcript if a lane differs from C on purpose.
fn difference(suite: &Suite, lanes: &[&Lane], should: &str, line: &str, c: &str) -> String {
    let names: Vec<_> = lanes.iter().map(|lane| lane.name).collect();
    let names = names.join(", ");
    if should == line {
        return format!("{names}: descriptors stay open:\n{line}");
    }
    let mut text = format!("- is expected, + is what was printed by {names}:\n");
    differences::write_difference(&mut text, should, line);
    for lane in lanes.iter().filter(|_| line != c) {
        let Some(letter) = lane.letter else { continue };
        text += &format!(
            "If {} differs from C on purpose, paste this below C's line in \
             c-tests/suites/{}/transcript.txt and give the reason:\n{letter} {line}  # why\n",
            lane.name, suite.name
        );
    }
    text
}

fn reason_not_run(line: &str) -> Option<&str> {
    Some(line.split_once("\tnot run: ")?.1)
}

/// Returns whether this is root of the whole system, with the capabilities to become other users and to
/// make namespaces.
fn is_root() -> bool {
    const CHANGE_IDS_AND_NAMESPACES: u64 = 1 << 6 | 1 << 7 | 1 << 21;
    let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or_default();
    users.split_whitespace().eq(["0", "0", "4294967295"])
        && capabilities & CHANGE_IDS_AND_NAMESPACES == CHANGE_IDS_AND_NAMESPACES
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSCRIPT: &str = "a.b\tone\nS a.b\tuno  # why\n";

    const fn lane(name: &'static str, letter: Option<char>) -> Lane {
        Lane {
            name,
            folder: name,
            letter,
            command: |_| Vec::new(),
        }
    }

    const LANES: [Lane; 3] = [lane("C", None), lane("raw", None), lane("safe", Some('S'))];

    /// Returns the report on these lines of C, raw and safe.
    fn report(lines: [&str; 3], bless: bool) -> Report {
        let suite = Suite {
            name: "some".to_owned(),
        };
        let case = Case::of_def("CASE(a, b, NOTHING, file, \"title\")").expect("it is a case");
        let transcript = Transcript::read(TRANSCRIPT).expect("it is in order");
        let lines = LANES.iter().zip(lines.map(|line| Some(line.to_owned())));
        let mut report = Report::default();
        report.judge(&suite, &case, &Vec::from_iter(lines), &transcript, bless);
        report
    }

    #[test]
    fn report_on_lanes_as_they_should_be_is_without_faults() {
        for bless in [false, true] {
            let report = report(["a.b\tone", "a.b\tone", "a.b\tuno"], bless);
            let verdicts = [Verdict::Equal, Verdict::Equal, Verdict::Declared];
            assert_eq!(report.verdicts, verdicts);
            assert!(report.faults.is_empty());
            assert_eq!(report.agreed.as_deref(), Some("a.b\tone"));
        }
    }

    #[test]
    fn report_names_the_lane_that_differs() {
        let wrong = |lines| {
            let verdicts = report(lines, false).verdicts;
            let wrong = verdicts
                .into_iter()
                .map(|verdict| verdict == Verdict::Wrong);
            Vec::from_iter(wrong)
        };
        let [one, uno, two] = ["a.b\tone", "a.b\tuno", "a.b\ttwo"];
        assert_eq!(wrong([two, one, uno]), [true, false, false]);
        assert_eq!(wrong([one, uno, uno]), [false, true, false]);
        assert_eq!(wrong([one, one, one]), [false, false, true]);
        assert_eq!(wrong([one, one, two]), [false, false, true]);
        let faults = report([two, one, uno], false).faults;
        let fault = "- is expected, + is what was printed by C:\n- one\n+ two\n";
        assert_eq!(faults, [fault]);
        let faults = report([two, two, two], false).faults;
        assert!(faults[0].contains("printed by C, raw:\n"));
    }

    #[test]
    fn report_offers_the_line_to_paste_where_a_lane_may_differ() {
        let [one, two] = ["a.b\tone", "a.b\ttwo"];
        for bless in [false, true] {
            let safe = report([one, one, two], bless);
            assert!(safe.faults[0].ends_with(":\nS a.b\ttwo  # why\n"));
            assert_eq!(safe.agreed.as_deref(), Some(one));
            let raw = report([one, two, "a.b\tuno"], bless);
            assert!(!raw.faults[0].contains("# why"));
            assert_eq!(raw.agreed, None);
            let all = report([two, two, two], bless);
            assert!(!all.faults.join("").contains("# why"));
        }
    }

    #[test]
    fn report_blessed_follows_c_and_takes_no_leak() {
        let two = ["a.b\ttwo", "a.b\ttwo", "a.b\tuno"];
        assert!(report(two, true).faults.is_empty());
        let leak = ["a.b\ttwo; leaked 1", "a.b\ttwo; leaked 1", "a.b\tuno"];
        let report = report(leak, true);
        assert_eq!(
            report.verdicts,
            [Verdict::Wrong, Verdict::Wrong, Verdict::Declared]
        );
        assert_eq!(report.agreed, None);
    }

    #[test]
    fn report_on_a_case_that_is_not_run_wants_every_lane_to_say_so() {
        let absent = "a.b\tnot run: no such option";
        assert_eq!(report([absent; 3], false).verdicts, [Verdict::Equal; 3]);
        assert_eq!(
            report([absent, absent, "a.b\tuno"], false).verdicts,
            [Verdict::Equal, Verdict::Equal, Verdict::Wrong]
        );
        assert!(!report([absent; 3], true).faults.is_empty());
    }

    #[test]
    fn table_of_names_is_read() {
        let case = Case::of_def("CASE(I01, one, ROOT, rights, \"one, \\\"two\\\"\")");
        let case = case.expect("it is a case");
        assert_eq!((&*case.id, &*case.title), ("I01.one", "one, \\\"two\\\""));
        assert_eq!(case.needs, Some("root"));
        assert_eq!(
            Case::of_def(" *   CASE(id, name, needs, file, title)"),
            None
        );
    }

    #[test]
    fn suites_are_found_with_their_tables() {
        let suites = Suite::all();
        assert!(suites.len() >= 6);
        assert!(suites.iter().all(|suite| !suite.cases().is_empty()));
    }
}
