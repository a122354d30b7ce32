//! Guards sunpath's instructions: compares them with the recorded ones, and with those of C on the
//! same machine.
//!
//! Valgrind shows every program the same processor, so the counts change only with the compilers
//! and the C library. Another C compiler changes C's counts and not ours. Another C library changes
//! both in proportion. The bound is therefore the higher of two: the recorded count, and the recorded
//! ratio to C. More system calls than C makes, or a heap allocation, are never allowed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::build::{self, HERE};
use crate::measure::{self, Counts, WORKS};

/// A count is too high if it exceeds the bound by more than this fraction, and also by more than
/// `SLACK_INSTRUCTIONS`.
const SLACK: f64 = 0.05;
const SLACK_INSTRUCTIONS: f64 = 2.0;

const HEAD: &str = "\
# What `guard` holds sunpath to: the key of a workload, C's instructions and sunpath's when they were
# recorded. Written by `guard --record`.
";

fn file() -> PathBuf {
    Path::new(HERE).join("guard.txt")
}

/// Returns C's counts and sunpath's, in the order of the workloads.
fn measured() -> Result<Vec<(Counts, Counts)>> {
    let (c, sunpath) = (build::c()?, build::sunpath()?);
    measure::each(&WORKS, |work| {
        Ok((measure::count(&c, work)?, measure::count(&sunpath, work)?))
    })
}

pub fn record() -> Result<()> {
    let mut text = HEAD.to_owned();
    for (work, (c, sunpath)) in WORKS.iter().zip(measured()?) {
        let (c, sunpath) = (c.instructions, sunpath.instructions);
        writeln!(text, "{:<20} {c:>8.2} {sunpath:>8.2}", work.key)?;
    }
    print!("{text}");
    Ok(fs::write(file(), text)?)
}

pub fn check() -> Result<()> {
    let recorded = fs::read_to_string(file())?;
    let library = build::compile("count.c", "count.so", &["-shared", "-fPIC"])?;
    let candidate = build::sunpath()?;
    let allocations = measure::each(&WORKS, |work| {
        measure::allocations(&candidate, work, &library)
    })?;
    let mut failures = 0;
    println!("{:<20} {:>8} {:>8} {:>8}", "", "C", "sunpath", "bound");
    for ((work, (c, sunpath)), allocations) in WORKS.iter().zip(measured()?).zip(allocations) {
        let (c_then, then) = in_record(&recorded, work.key)?;
        let now = sunpath.instructions;
        let fair = then.max(then / c_then * c.instructions);
        let bound = (fair * (1.0 + SLACK)).max(fair + SLACK_INSTRUCTIONS);
        let failure = if now > bound {
            Some("TOO MANY INSTRUCTIONS")
        } else if sunpath.calls > c.calls + 0.001 {
            Some("MORE SYSTEM CALLS THAN C")
        } else if allocations >= 0.001 {
            Some("ALLOCATES")
        } else {
            None
        };
        failures += u32::from(failure.is_some());
        let verdict = match failure {
            Some(failure) => failure,
            None if now < then * (1.0 - SLACK) => "fewer than recorded: record again",
            None => "",
        };
        let line = format!(
            "{:<20} {:>8.2} {now:>8.2} {bound:>8.2}  {verdict}",
            work.key, c.instructions
        );
        println!("{}", line.trim_end());
    }
    match failures {
        0 => Ok(()),
        failures => Err(format!("{failures} workloads take more than guard.txt allows").into()),
    }
}

/// Returns the recorded instructions of C and of sunpath for a key.
fn in_record(recorded: &str, key: &str) -> Result<(f64, f64)> {
    let mut lines = recorded
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    match lines.find(|words| words.first() == Some(&key)).as_deref() {
        Some([_, c, sunpath]) => Ok((c.parse()?, sunpath.parse()?)),
        _ => Err(format!("guard.txt lacks {key}").into()),
    }
}
