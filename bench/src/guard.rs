//! Guards sunpath's instructions: compares their count with the recorded count, and with the count
//! of C on the same machine. The programs are built at the three levels of optimization that users
//! choose: 3, the default of a release, 2 and "s".
//!
//! Valgrind shows every program the same processor, so the counts change only with the compilers
//! and the C library. Another C compiler changes C's counts and not ours. Another C library changes
//! both in proportion. The bound is therefore the higher of two: the recorded count, and the recorded
//! ratio to C. More system calls than C makes, or a heap allocation, are never allowed. No level may
//! be much worse than another: at 2 the bound is also a tenth over the count at 3, and at "s" it is
//! also one and a half times the count of C.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::build::{self, Candidate, HERE};
use crate::measure::{self, Counts, WORKS};

/// A count is too high if it exceeds the bound by more than this fraction, and also by more than
/// `SLACK_INSTRUCTIONS`.
const SLACK: f64 = 0.05;
const SLACK_INSTRUCTIONS: f64 = 2.0;

/// The largest ratio that the count at opt-level 2 may have to the count at opt-level 3.
const AT_2: f64 = 1.1;
/// The largest ratio that the count at opt-level "s" may have to the count of C.
const FOR_SIZE: f64 = 1.5;

const HEAD: &str = "\
# What `guard` holds sunpath to: the key of a workload, and the instructions when they were recorded.
# Four numbers are of C with -O2, and of sunpath at opt-level 3: as an ordinary program is written, in
# its cheapest forms, and as an ordinary program with the feature `inline-syscalls`. One is of the
# ordinary program at opt-level 2. Two are of C with -Os, and of the ordinary program at opt-level
# \"s\". Written by `guard --record`.
";

/// The programs that are measured, in the order of the numbers in the record.
const C: usize = 0;
const ORDINARY: usize = 1;
const BEST: usize = 2;
const INLINE: usize = 3;
const ORDINARY_AT_2: usize = 4;
const C_FOR_SIZE: usize = 5;
const ORDINARY_FOR_SIZE: usize = 6;
const CANDIDATES: usize = 7;

/// The forms of sunpath, each with the program of C that it is compared with.
const FORMS: [(usize, usize, &str); 5] = [
    (ORDINARY, C, ""),
    (BEST, C, "best"),
    (INLINE, C, "inline"),
    (ORDINARY_AT_2, C, "at 2"),
    (ORDINARY_FOR_SIZE, C_FOR_SIZE, "at s"),
];

fn file() -> PathBuf {
    Path::new(HERE).join("guard.txt")
}

fn candidates() -> Result<[Candidate; CANDIDATES]> {
    let [ordinary, best] = build::sunpath()?;
    Ok([
        build::c()?,
        ordinary,
        best,
        build::sunpath_inline()?,
        build::sunpath_at_2()?,
        build::c_for_size()?,
        build::sunpath_for_size()?,
    ])
}

/// Returns the counts of every candidate, in the order of the workloads.
fn measured(candidates: &[Candidate; CANDIDATES]) -> Result<Vec<[Counts; CANDIDATES]>> {
    measure::each(&WORKS, |work| {
        let mut counts: [Counts; CANDIDATES] = Default::default();
        for (counts, candidate) in counts.iter_mut().zip(candidates) {
            *counts = measure::count(candidate, work)?;
        }
        Ok(counts)
    })
}

pub fn record() -> Result<()> {
    let mut text = HEAD.to_owned();
    for (work, counts) in WORKS.iter().zip(measured(&candidates()?)?) {
        write!(text, "{:<20}", work.key)?;
        for counts in counts {
            write!(text, " {:>8.2}", counts.instructions)?;
        }
        writeln!(text)?;
    }
    print!("{text}");
    Ok(fs::write(file(), text)?)
}

pub fn check() -> Result<()> {
    let recorded = fs::read_to_string(file())?;
    let library = build::compile("count.c", "count.so", &["-shared", "-fPIC"])?;
    let candidates = candidates()?;
    let allocations = measure::each(&WORKS, |work| {
        let count = |candidate| measure::allocations(candidate, work, &library);
        let forms = [ORDINARY, BEST, INLINE].map(|form| count(&candidates[form]));
        forms.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let mut failures = 0;
    println!("{:<20} {:>8} {:>8} {:>8}", "", "C", "sunpath", "bound");
    for ((work, counts), allocations) in WORKS.iter().zip(measured(&candidates)?).zip(allocations) {
        let then = in_record(&recorded, work.key)?;
        for (form, of_c, name) in FORMS {
            let (now, c) = (counts[form].instructions, &counts[of_c]);
            let fair = then[form].max(then[form] / then[of_c] * c.instructions);
            let bound = (fair * (1.0 + SLACK)).max(fair + SLACK_INSTRUCTIONS);
            let level = match form {
                ORDINARY_AT_2 => counts[ORDINARY].instructions * AT_2 + SLACK_INSTRUCTIONS,
                ORDINARY_FOR_SIZE if is_held_for_size(work.key) => c.instructions * FOR_SIZE,
                _ => f64::INFINITY,
            };
            // A level has no allocations that the default level does not have.
            let allocations = allocations.get(form - ORDINARY).unwrap_or(&0.0);
            let failure = if now > bound {
                Some("TOO MANY INSTRUCTIONS")
            } else if now > level {
                Some("TOO MANY INSTRUCTIONS FOR THIS LEVEL")
            } else if counts[form].calls > c.calls + 0.001 {
                Some("MORE SYSTEM CALLS THAN C")
            } else if *allocations > allowed(work.key, name) + 0.001 {
                Some("ALLOCATES")
            } else {
                None
            };
            failures += u32::from(failure.is_some());
            let verdict = match failure {
                Some(failure) => failure,
                None if now < then[form] * (1.0 - SLACK) => "fewer than recorded: record again",
                None => "",
            };
            let (c, bound) = (c.instructions, bound.min(level));
            let line = format!(
                "{:<20} {c:>8.2} {now:>8.2} {bound:>8.2}  {name} {verdict}",
                work.key
            );
            println!("{}", line.trim_end());
        }
    }
    match failures {
        0 => Ok(()),
        failures => Err(format!("{failures} counts are over what guard.txt allows").into()),
    }
}

/// Returns whether the count at "s" is bounded by C's: for addresses that are made or read back, for
/// round trips and for one descriptor.
fn is_held_for_size(key: &str) -> bool {
    ["address.", "parse.", "roundtrip.", "fd.1"]
        .iter()
        .any(|start| key.starts_with(start))
}

/// Returns how often the program itself allocates in a repetition: ordinary programs collect the
/// descriptors that they receive into a `Vec`, and careful programs have an array.
fn allowed(key: &str, form: &str) -> f64 {
    match key.split_once('.') {
        Some(("fd", "1")) => 0.0,
        Some(("fd", _)) if form != "best" => 1.0,
        _ => 0.0,
    }
}

/// Returns the recorded instructions of every candidate for a key.
fn in_record(recorded: &str, key: &str) -> Result<[f64; CANDIDATES]> {
    let mut lines = recorded
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|words| words.first() == Some(&key));
    let numbers: Vec<f64> = match line.as_deref() {
        Some([_, numbers @ ..]) => numbers
            .iter()
            .map(|number| number.parse())
            .collect::<std::result::Result<_, _>>()?,
        _ => Vec::new(),
    };
    numbers
        .try_into()
        .map_err(|_| format!("guard.txt lacks {key}").into())
}
