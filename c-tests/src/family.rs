//! A family of cases: a folder with a table, a program a lane, and the transcript that the lanes are
//! held against, one case at a time.
//!
//! The table is `cases.txt`, whose lines are the cases and which a lane reads from standard input, or
//! `cases.def`, which names functions that each lane has and takes as argument. What a case needs of
//! the system and does not find it says in its line, `not run: ...`, alike in every lane.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::compare::{Transcript, id_of};
use crate::lane::{self, Beside};
use crate::table;

/// The lanes of every family, C's first.
pub const LANES: [&str; 3] = ["C", "raw", "safe"];

/// A folder of this package, and its programs.
#[derive(Debug)]
pub struct Family {
    /// The name of the folder.
    pub name: &'static str,
    /// The program of each lane, in the order of [`LANES`].
    pub programs: [&'static str; 3],
    /// Ids of the cases that are run while nothing else is: what they count is counted over all
    /// processes of a user.
    pub alone: &'static [&'static str],
    /// Ids of the cases in which valgrind answers in the kernel's place, and otherwise.
    pub unknown_under: &'static [&'static str],
}

/// One case of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is called: `A02.bare`.
    pub id: String,
    /// What it is about, where the table says it.
    pub title: String,
    /// Its line of `cases.txt`, empty for a case of `cases.def`.
    line: String,
}

/// What the lanes said to a case.
#[derive(Debug, Default)]
pub struct Report {
    /// C's line.
    pub c: String,
    /// Which lanes printed what they should.
    pub green: [bool; 3],
    /// Whether the safe lane is declared to differ.
    pub declared: bool,
    /// What the case does not find here.
    pub not_run: Option<String>,
    /// All that is wrong.
    pub faults: Vec<String>,
}

impl Family {
    /// The cases of the table, in its order.
    ///
    /// # Panics
    ///
    /// - Where the folder has no table that can be read.
    #[must_use]
    pub fn cases(&self) -> Vec<Case> {
        let read = |name| fs::read_to_string(self.folder().join(name));
        if let Ok(text) = read("cases.txt") {
            let case = |line: String| Case {
                id: line.split(' ').next().unwrap_or_default().to_owned(),
                title: String::new(),
                line,
            };
            return table::case_lines(text.as_bytes())
                .into_iter()
                .map(case)
                .collect();
        }
        let text = read("cases.def").unwrap_or_else(|error| panic!("{}: {error}", self.name));
        text.lines().filter_map(read_def).collect()
    }

    /// Where the transcript is.
    #[must_use]
    pub fn transcript_path(&self) -> PathBuf {
        self.folder().join("transcript.txt")
    }

    /// The transcript as it is recorded.
    ///
    /// # Panics
    ///
    /// - Where there is none, or it is not in order.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        let path = self.transcript_path();
        let text = fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Transcript::read(&text).unwrap_or_else(|faults| panic!("{}:\n{faults}", path.display()))
    }

    /// How a case may be run.
    #[must_use]
    pub fn beside(&self, case: &Case) -> Beside {
        static OWN_NAMES: OnceLock<bool> = OnceLock::new();
        let is_alone = self.alone.iter().any(|id| case.id.starts_with(id));
        if is_alone || !OWN_NAMES.get_or_init(lane::has_own_abstract_names) {
            Beside::Nobody
        } else {
            Beside::Others
        }
    }

    /// Runs a case in every lane and holds each against the transcript, or against C if the
    /// transcript is to be written anew.
    #[must_use]
    pub fn run(&self, case: &Case, transcript: &Transcript, bless: bool) -> Report {
        let _lock = lane::lock(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"),
            self.beside(case),
        );
        let mut report = Report::default();
        let mut lines = Vec::new();
        for (lane, program) in LANES.into_iter().zip(self.programs) {
            let line = run_lane(program, case).unwrap_or_else(|fault| {
                report.faults.push(format!("{lane}: {fault}"));
                String::new()
            });
            lines.push(line);
        }
        if !report.faults.is_empty() {
            return report;
        }
        report.c.clone_from(&lines[0]);
        report.not_run = reason_not_run(&lines[0]).map(str::to_owned);
        report.judge(case, &lines, transcript, bless);
        report
    }

    /// Runs a lane with all cases, under what `SUNPATH_UNDER` names.
    ///
    /// # Errors
    ///
    /// - What that found, or why the lane cannot be run.
    pub fn run_under(&self, program: &str) -> Result<(), String> {
        if let Ok(table) = fs::read(self.folder().join("cases.txt")) {
            return lane::run_under(program, &[], &table);
        }
        let cases = self.cases();
        let ids = cases.iter().map(|case| case.id.as_str());
        let known: Vec<_> = ids.filter(|id| !self.unknown_under.contains(id)).collect();
        lane::run_under(program, &known, b"")
    }

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }
}

impl Report {
    fn judge(&mut self, case: &Case, lines: &[String], transcript: &Transcript, bless: bool) {
        let declared = transcript.declared(&case.id);
        let c = match (&self.not_run, transcript.line(&case.id)) {
            (Some(reason), _) if bless => {
                return self
                    .faults
                    .push(format!("to be blessed it has to run: {reason}"));
            }
            (Some(reason), _) if reason == "needs root" && is_root() => {
                return self
                    .faults
                    .push("root runs every case that needs root".to_owned());
            }
            (None, Some(recorded)) if !bless => recorded,
            (None, None) if !bless => {
                return self
                    .faults
                    .push(format!("not in the transcript: {}", self.c));
            }
            _ => &self.c,
        }
        .to_owned();
        self.declared = self.not_run.is_none() && declared.is_some();
        let safe = declared
            .filter(|_| self.declared)
            .map_or(&c, |declared| &declared.line);
        for (lane, (line, should)) in lines.iter().zip([&c, &c, safe]).enumerate() {
            self.green[lane] = line == should && !line.contains("; leaked ");
            if !self.green[lane] {
                let difference = format!("should  {should}\n{:7} {line}", LANES[lane]);
                self.faults.push(difference);
            }
        }
    }
}

/// What a lane prints for a case, which is one line.
fn run_lane(program: &str, case: &Case) -> Result<String, String> {
    let said = match case.line.as_str() {
        "" => lane::run(program, &[&case.id], b"")?,
        line => lane::run(program, &[], line.as_bytes())?,
    };
    match said.strip_suffix('\n') {
        Some(line) if id_of(line) == case.id && !line.contains('\n') => Ok(line.to_owned()),
        _ => Err(format!("not one line of this case: {said}")),
    }
}

fn reason_not_run(line: &str) -> Option<&str> {
    Some(line.split_once("\tnot run: ")?.1)
}

/// `CASE(I01, one, NOTHING, rights, "title")`.
fn read_def(line: &str) -> Option<Case> {
    let (arguments, title) = line.strip_prefix("CASE(")?.split_once('"')?;
    let (id, rest) = arguments.split_once(", ")?;
    let (name, _) = rest.split_once(", ")?;
    Some(Case {
        id: format!("{id}.{name}"),
        title: title.strip_suffix("\")")?.to_owned(),
        line: String::new(),
    })
}

/// Root of the whole system, with the capabilities to become others and to make namespaces.
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

    /// The report on these lines of C, raw and safe.
    fn report(lines: [&str; 3], bless: bool) -> Report {
        let case = read_def("CASE(a, b, NOTHING, file, \"title\")").expect("it is a case");
        let transcript = Transcript::read(TRANSCRIPT).expect("it is in order");
        let mut report = Report {
            c: lines[0].to_owned(),
            not_run: reason_not_run(lines[0]).map(str::to_owned),
            ..Report::default()
        };
        report.judge(&case, &lines.map(str::to_owned), &transcript, bless);
        report
    }

    #[test]
    fn report_on_lanes_as_they_should_be_is_green() {
        for bless in [false, true] {
            let report = report(["a.b\tone", "a.b\tone", "a.b\tuno"], bless);
            assert_eq!(report.green, [true; 3]);
            assert!(report.faults.is_empty() && report.declared);
        }
    }

    #[test]
    fn report_names_the_lane_that_differs() {
        let green = |lines| report(lines, false).green;
        let [one, uno, two] = ["a.b\tone", "a.b\tuno", "a.b\ttwo"];
        assert_eq!(green([two, one, uno]), [false, true, true]);
        assert_eq!(green([one, uno, uno]), [true, false, true]);
        assert_eq!(green([one, one, one]), [true, true, false]);
        assert_eq!(green([one, one, two]), [true, true, false]);
        let faults = report([two, one, uno], false).faults;
        assert_eq!(faults, ["should  a.b\tone\nC       a.b\ttwo"]);
    }

    #[test]
    fn report_blessed_follows_c_and_takes_no_leak() {
        let two = ["a.b\ttwo", "a.b\ttwo", "a.b\tuno"];
        assert!(report(two, true).faults.is_empty());
        let leak = ["a.b\ttwo; leaked 1", "a.b\ttwo; leaked 1", "a.b\tuno"];
        assert_eq!(report(leak, true).green, [false, false, true]);
    }

    #[test]
    fn report_on_a_case_that_is_not_run_wants_every_lane_to_say_so() {
        let absent = "a.b\tnot run: no such option";
        assert_eq!(report([absent; 3], false).green, [true; 3]);
        assert!(!report([absent; 3], false).declared);
        assert_eq!(
            report([absent, absent, "a.b\tuno"], false).green,
            [true, true, false]
        );
        assert!(!report([absent; 3], true).faults.is_empty());
    }

    #[test]
    fn table_of_names_is_read() {
        let case = read_def("CASE(I01, one, NOTHING, rights, \"one, \\\"two\\\"\")");
        let case = case.expect("it is a case");
        assert_eq!((&*case.id, &*case.title), ("I01.one", "one, \\\"two\\\""));
        assert_eq!(read_def(" *   CASE(id, name, needs, file, title)"), None);
    }
}
