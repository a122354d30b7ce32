//! Measures one workload of one program. The program runs twice, the second time with more
//! repetitions. Subtracting the results excludes the cost of the rest of the process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::Result;
use crate::build::{Candidate, folder, output};

/// A workload: its key, its title, and how often it is repeated in each of the two runs.
pub struct Work {
    pub key: &'static str,
    pub title: &'static str,
    few: u32,
    many: u32,
}

impl Work {
    /// Makes a workload of few instructions or calls.
    pub const fn short(key: &'static str, title: &'static str) -> Self {
        work(key, title, SHORT)
    }

    /// Makes a workload of many calls that needs no title.
    pub const fn calls(key: &'static str) -> Self {
        work(key, "", CALLS)
    }

    /// Makes a workload whose repetitions are messages, and that needs no title.
    pub const fn batch(key: &'static str) -> Self {
        work(key, "", BATCHES)
    }
}

const fn work(key: &'static str, title: &'static str, (few, many): (u32, u32)) -> Work {
    Work {
        key,
        title,
        few,
        many,
    }
}

const SHORT: (u32, u32) = (1000, 5000);
const CALLS: (u32, u32) = (100, 1100);
const BATCHES: (u32, u32) = (512, 4608);

pub const WORKS: [Work; 22] = [
    work("address.path20", "address from a path of 20 bytes", SHORT),
    work("address.path107", "address from a path of 107 bytes", SHORT),
    work(
        "address.abstract20",
        "address from an abstract name of 20 bytes",
        SHORT,
    ),
    work("address.constant", "address known at compile time", SHORT),
    work("parse.path20", "address read back: path of 20 bytes", SHORT),
    work(
        "parse.path107",
        "address read back: path of 107 bytes",
        SHORT,
    ),
    work(
        "parse.abstract20",
        "address read back: abstract name of 20 bytes",
        SHORT,
    ),
    work("parse.unnamed", "address read back: unnamed", SHORT),
    work(
        "connect",
        "connect, accept with the address, close both",
        CALLS,
    ),
    work("roundtrip.stream", "round trip of 1 byte, stream", CALLS),
    work(
        "roundtrip.datagram",
        "round trip of 1 byte, datagram",
        CALLS,
    ),
    work(
        "roundtrip.seqpacket",
        "round trip of 1 byte, seqpacket",
        CALLS,
    ),
    work(
        "echo",
        "64 bytes sent, echoed by a function of a server, received",
        CALLS,
    ),
    work("bulk", "64 KiB sent and received", (50, 250)),
    work("sendto", "datagram by address, sender read", CALLS),
    work("oneway.datagram", "datagram, one a call", CALLS),
    work("batch.8", "datagram, 8 a call", BATCHES),
    work("batch.32", "datagram, 32 a call", BATCHES),
    work("batch.128", "datagram, 128 a call", BATCHES),
    work("fd.1", "1 descriptor passed", CALLS),
    work("fd.4", "4 descriptors passed", CALLS),
    work("fd.253", "253 descriptors passed", (10, 60)),
];

/// The cost of one repetition.
#[derive(Clone, Default)]
pub struct Counts {
    /// Instructions in user space.
    pub instructions: f64,
    /// System calls.
    pub calls: f64,
}

/// Counts instructions and system calls by callgrind. The counts are the same in every run.
pub fn count(candidate: &Candidate, work: &Work) -> Result<Counts> {
    let totals = |repetitions: u32| -> Result<[f64; 2]> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg("--collect-systime=yes");
        let (_, log) = output(run(&mut command, candidate, work.key, repetitions)?)?;
        // ==PID== Collected : INSTRUCTIONS CALLS TIME
        let totals = log.lines().find_map(|line| line.split_once("Collected : "));
        let (_, totals) = totals.ok_or("callgrind has collected nothing")?;
        let mut totals = totals.split(' ').map(str::parse);
        let mut next = || totals.next().ok_or("callgrind has not collected enough");
        Ok([next()??, next()??])
    };
    let [instructions, calls] = difference(work, totals)?;
    Ok(Counts {
        instructions,
        calls,
    })
}

/// Counts heap allocations by a preloaded library.
pub fn allocations(candidate: &Candidate, work: &Work, library: &Path) -> Result<f64> {
    let [allocations] = difference(work, |repetitions| {
        let mut command = Command::new("env");
        command.arg(format!("LD_PRELOAD={}", library.display()));
        let (_, log) = output(run(&mut command, candidate, work.key, repetitions)?)?;
        let number = log
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("allocations "));
        Ok([number.ok_or("the allocations were not counted")?.parse()?])
    })?;
    Ok(allocations)
}

/// Returns how often each system call is made in one repetition, as strace reports it.
pub fn calls_by_name(candidate: &Candidate, work: &Work) -> Result<BTreeMap<String, f64>> {
    let totals = |repetitions: u32| -> Result<BTreeMap<String, f64>> {
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-U", "name,calls"]);
        let (_, log) = output(run(&mut command, candidate, work.key, repetitions)?)?;
        let lines = log.lines().filter_map(|line| line.trim().split_once(' '));
        let calls = lines.filter_map(|(name, calls)| Some((name, calls.trim().parse().ok()?)));
        Ok(calls
            .map(|(name, calls)| (name.to_owned(), calls))
            .collect())
    };
    let (few, mut calls) = (totals(work.few)?, totals(work.many)?);
    calls.remove("total");
    for (name, number) in &mut calls {
        *number -= few.get(name).unwrap_or(&0.0);
        *number /= f64::from(work.many - work.few);
    }
    calls.retain(|_, number| *number >= 0.001);
    Ok(calls)
}

/// Returns the nanoseconds that this many repetitions take.
pub fn time(candidate: &Candidate, key: &str, repetitions: u32) -> Result<f64> {
    let (nanoseconds, _) = output(run(&mut Command::new("env"), candidate, key, repetitions)?)?;
    Ok(nanoseconds.trim().parse()?)
}

/// Returns the processor time, in nanoseconds, of a process that does this many repetitions. The
/// time includes user space and the kernel.
pub fn processor_time(candidate: &Candidate, key: &str, repetitions: u32) -> Result<f64> {
    let mut command = Command::new("env");
    let child = run(&mut command, candidate, key, repetitions)?
        .stdout(Stdio::null())
        .spawn()?;
    // SAFETY: all zeroes is a valid rusage.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    // SAFETY: both pointers lead to live values. Nothing else waits for this child.
    let ended = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut used) };
    if ended < 0 || status != 0 {
        return Err(format!("{command:?}: status {status}").into());
    }
    let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    Ok((micros(used.ru_utime) + micros(used.ru_stime)) * 1e3)
}

/// Returns the keys of the workloads that a program can do.
pub fn keys(candidate: &Candidate) -> Result<Vec<String>> {
    let (keys, _) = output(Command::new(&candidate.program).arg("list"))?;
    Ok(keys.lines().map(str::to_owned).collect())
}

fn difference<const N: usize>(
    work: &Work,
    totals: impl Fn(u32) -> Result<[f64; N]>,
) -> Result<[f64; N]> {
    let (few, mut per_repetition) = (totals(work.few)?, totals(work.many)?);
    for (number, few) in per_repetition.iter_mut().zip(few) {
        *number = (*number - few) / f64::from(work.many - work.few);
    }
    Ok(per_repetition)
}

/// Adds the arguments that run a workload to a command.
fn run<'c>(
    command: &'c mut Command,
    candidate: &Candidate,
    key: &str,
    repetitions: u32,
) -> Result<&'c mut Command> {
    let repetitions = repetitions.to_string();
    Ok(program(command, candidate)?.args(["run", key, &repetitions]))
}

/// Adds a candidate's program to a command, and makes the command run in the folder for socket
/// files, with `PATH` as its only environment variable.
///
/// The position of the stack depends on the environment and on the length of the program's path, and
/// the cost of a copy depends on the position of its bytes. Both are therefore kept the same in every
/// run.
pub fn program<'c>(command: &'c mut Command, candidate: &Candidate) -> Result<&'c mut Command> {
    let folder = folder()?;
    let sockets = folder.join("sockets");
    fs::create_dir_all(&sockets)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.current_dir(sockets).env_clear().env("PATH", path);
    Ok(command.arg(Path::new("..").join(candidate.program.strip_prefix(folder)?)))
}

/// Calls `work` with each thing, on all processors at once, until one call fails. Returns the
/// results in the order of the things.
pub fn each<T: Sync, R: Send>(
    things: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = Mutex::new(things.iter().enumerate());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some((place, thing)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let result = work(thing);
                    if result.is_err() {
                        next.lock().unwrap().by_ref().for_each(drop);
                    }
                    results.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
