//! A comparison whose lanes are run once, and some of whose cases need what not every system has:
//! root, a namespace, an option of a newer kernel. Such a case prints `not run: ...` there, which
//! every lane has to say alike, and the test on standard error.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use crate::compare::Transcript;
use crate::lane;

/// A folder with a `transcript.txt`, and one program a lane.
#[derive(Debug)]
pub struct Suite {
    folder: &'static str,
    /// By the lane's letter; C's is the first.
    programs: &'static [(char, &'static str)],
    outputs: OnceLock<Vec<String>>,
}

impl Suite {
    /// The suite in a folder of this package, with the program of each lane by the lane's letter,
    /// C's first.
    #[must_use]
    pub const fn new(folder: &'static str, programs: &'static [(char, &'static str)]) -> Self {
        Self {
            folder,
            programs,
            outputs: OnceLock::new(),
        }
    }

    /// Holds a lane against the transcript, which `SUNPATH_BLESS` in the environment writes anew
    /// from the C lane before. Only lane S may differ where it is declared to.
    ///
    /// # Panics
    ///
    /// - Where the lane differs.
    pub fn check(&self, letter: char) {
        let outputs = self.outputs();
        let lanes = self.programs.iter().zip(outputs);
        let (_, output) = lanes
            .into_iter()
            .find(|((of, _), _)| *of == letter)
            .expect("the suite has this lane");
        let c = not_run(&outputs[0]);
        assert_eq!(
            not_run(output),
            c,
            "cases that lane {letter} and lane C did not run"
        );
        let missing = c.into_iter().map(id_of).collect();
        let transcript = Transcript::read(&without(&self.transcript(), &missing));
        let result = transcript.and_then(|transcript| {
            transcript.check(letter, letter == 'S', &without(output, &missing))
        });
        if let Err(faults) = result {
            panic!("lane {letter} against {}:\n{faults}", self.path());
        }
    }

    /// As root of the whole system every case that needs root is run.
    ///
    /// # Panics
    ///
    /// - Where it is not.
    pub fn check_root(&self) {
        let missing = not_run(&self.outputs()[0]);
        let needs_root = missing.iter().any(|line| line.ends_with("needs root"));
        assert!(!(is_root() && needs_root), "{missing:?}");
    }

    /// No lane prints a line with this word, and the transcript has none, so that none is blessed.
    ///
    /// # Panics
    ///
    /// - Where there is one.
    pub fn check_no_line(&self, word: &str) {
        for text in self.outputs().iter().chain([&self.transcript()]) {
            let lines: Vec<_> = text.lines().filter(|line| line.contains(word)).collect();
            assert!(lines.is_empty(), "{word}: {lines:?}");
        }
    }

    /// What the lanes print; with the transcript written anew if that is wanted.
    fn outputs(&self) -> &[String] {
        self.outputs.get_or_init(|| {
            // What a user has in flight is counted over all processes.
            let _alone = lane::alone_with(Path::new(&self.path()));
            let run = |(_, program): &(char, &str)| lane::run(program, None);
            let outputs: Vec<_> = self.programs.iter().map(run).collect();
            let missing = not_run(&outputs[0]);
            if env::var_os("SUNPATH_BLESS").is_some() {
                assert!(missing.is_empty(), "all cases have to run: {missing:?}");
                let old = Transcript::read(&self.transcript()).expect("the transcript is in order");
                fs::write(self.path(), old.blessed(&outputs[0])).expect("it can be written");
            }
            for line in missing {
                // Past the capture of the test runner: what was not tested is to be seen.
                let _ = writeln!(io::stderr(), "WARNING: {}: {line}", self.folder);
            }
            outputs
        })
    }

    fn path(&self) -> String {
        format!(
            "{}/{}/transcript.txt",
            env!("CARGO_MANIFEST_DIR"),
            self.folder
        )
    }

    fn transcript(&self) -> String {
        fs::read_to_string(self.path()).expect("the transcript is there")
    }
}

fn id_of(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

fn not_run(output: &str) -> Vec<&str> {
    let is_not_run = |line: &&str| line.contains("\tnot run: ");
    output.lines().filter(is_not_run).collect()
}

/// The lines that hold for cases that ran, `missing` being the others.
fn without(text: &str, missing: &BTreeSet<&str>) -> String {
    let ran = |line: &&str| !missing.contains(id_of(line.strip_prefix("S ").unwrap_or(line)));
    text.lines()
        .filter(ran)
        .flat_map(|line| [line, "\n"])
        .collect()
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
