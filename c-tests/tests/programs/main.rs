//! Runs random programs: calls in the language of `sockets/cases.txt`, which the C, raw and safe
//! lanes make on this kernel. All three must get the same answers.
//!
//! `cargo test` runs a short selection. `SUNPATH_LONG=1 cargo test --release -p sunpath-c-tests
//! --test programs -- --nocapture` runs for long.
#![cfg(target_os = "linux")]

mod generate;
#[path = "../lanes/mod.rs"]
mod lanes;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::thread;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sunpath_c_tests::compare;

use generate::programs;
use lanes::lanes_of;

/// The number of programs that one process of each lane runs.
const BATCH: usize = 500;

/// For each call, how often all lanes had the same answer, and how often that answer was not an
/// errno.
type Counts = BTreeMap<String, [usize; 2]>;

/// Runs programs in all lanes.
///
/// # Errors
///
/// - The reason why a lane died, or the first lines that differ.
fn run(programs: &[String], counts: &mut Counts) -> Result<(), String> {
    let mut table = String::new();
    for (number, program) in programs.iter().enumerate() {
        writeln!(table, "{number} {program}").expect("a String takes all");
    }
    let table = table.as_bytes();
    let outputs: Vec<_> = thread::scope(|scope| {
        let lanes = lanes_of("sockets");
        let started: Vec<_> = lanes
            .map(|lane| (lane, scope.spawn(|| lane.run("sockets", &[], table))))
            .collect();
        let joined = started.into_iter().map(|(lane, thread)| {
            let output = thread.join().expect("output does not panic");
            (lane, output)
        });
        joined.collect()
    });
    let mut outputs = outputs.into_iter();
    let (_, c) = outputs.next().expect("C is the first lane");
    let c = c?;
    if c.lines().count() != programs.len() {
        return Err("not a line for each program".to_owned());
    }
    for (lane, output) in outputs {
        let (name, output) = (lane.name, output?);
        if lane.letter.is_none() {
            compare::same_lines(["C", name], [&c, &output])?;
            continue;
        }
        if output.lines().count() != programs.len() {
            return Err(format!("{name}: not a line for each program"));
        }
        let mut lines = c.lines().zip(output.lines());
        lines.try_for_each(|(c, line)| {
            agree(c, line, counts).map_err(|call| format!("C    {c}\n{name:4} {line}\nat {call}"))
        })?;
    }
    Ok(())
}

/// Returns the calls of a line, each with its answer.
fn answers(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let (_, calls) = line.split_once('\t').unwrap_or_default();
    calls
        .split("; ")
        .map(|call| call.split_once(" = ").unwrap_or((call, "")))
}

/// Compares the safe lane's line with C's, call by call.
///
/// # Errors
///
/// - The first call with another answer.
fn agree(c: &str, safe: &str, counts: &mut Counts) -> Result<(), String> {
    if answers(c).count() != answers(safe).count() {
        return Err("the number of calls".to_owned());
    }
    for ((call, c), (same, safe)) in answers(c).zip(answers(safe)) {
        let name = call.split('(').next().unwrap_or_default();
        let agrees = match safe {
            // The socket of this letter could not be made. C then makes the call with descriptor
            // -1, which poll(2) ignores.
            "no socket" | "not offered" => c.ends_with("EBADF") || (name, c) == ("poll", "none"),
            // Every descriptor is close-on-exec when it is made.
            "1" if name == "cloexec" => matches!(c, "0" | "1"),
            _ => safe == c,
        };
        if call != same || !agrees {
            return Err(call.to_owned());
        }
        let [made, succeeded] = counts.entry(name.to_owned()).or_default();
        *made += 1;
        *succeeded += usize::from(!c.starts_with('E'));
    }
    Ok(())
}

/// Removes parts of a program as long as the answers of the lanes still differ. Returns the
/// difference, or `None` if the answers are the same.
fn shrunk(mut program: Vec<String>) -> Option<String> {
    let fault = |parts: &[String]| run(&[parts.join("; ")], &mut Counts::new()).err();
    let mut simplest = fault(&program)?;
    let mut at = 0;
    while program.len() > 1 && at < program.len() {
        let part = program.remove(at);
        match fault(&program) {
            Some(fault) => (simplest, at) = (fault, 0),
            None => {
                program.insert(at, part);
                at += 1;
            }
        }
    }
    Some(simplest)
}

#[test]
fn programs_of_random_calls_are_answered_alike_in_all_lanes() {
    let long = env::var_os("SUNPATH_LONG").is_some();
    let batches = if long { 1000 } else { 4 };
    let mut runner = TestRunner::default();
    let programs = vec(programs(), BATCH);
    let mut counts = Counts::new();
    for _ in 0..batches {
        let tree = programs.new_tree(&mut runner).expect("none is refused");
        let programs = tree.current();
        let lines: Vec<_> = programs.iter().map(|parts| parts.join("; ")).collect();
        if let Err(fault) = run(&lines, &mut counts) {
            let alone = programs.into_iter().find_map(shrunk);
            panic!("{}", alone.unwrap_or(fault));
        }
    }
    let total: usize = counts.values().map(|[made, _]| made).sum();
    println!("{} programs, {total} calls compared", batches * BATCH);
    for (name, [made, succeeded]) in &counts {
        println!("{name:12} {made:9}, {succeeded:9} of them without an errno");
    }
    for call in generate::calls() {
        let succeeded = counts.get(call).map_or(0, |[_, succeeded]| *succeeded);
        assert_ne!(succeeded, 0, "no {call} succeeded");
    }
}
