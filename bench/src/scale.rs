//! Measures large scales: 19,000 connections in a process, a path of a thousand bytes, and two
//! thousand sockets in a directory. The programs are `libraries/crowd.rs` and `libraries/files.rs`,
//! and the C programs of the same names.

use std::process::Command;

use crate::Result;
use crate::build::{self, Candidate, output};
use crate::measure::{self, Counts, Work};
use crate::page::{self, Table, number};
use crate::picture::{self, Series};
use crate::rounds::{self, medians, sorted};
use crate::tables::few;

/// The most connections. There are fewer if the limit of descriptors does not allow that many.
const CONNECTIONS: u64 = 19_000;
/// The number of descriptors that are reserved for uses other than connections.
const OTHERS: u64 = 16;
const ROUNDS: usize = 21;

/// The values that the program `crowd` prints after the memory, in this order.
const CROWD: [&str; 4] = [
    "accept with the address, of the first thousand",
    "accept with the address, of the last thousand",
    "round trip, among a thousand",
    "round trip, among all",
];

/// Pairs of workloads, each with its key and title. Both files of a pair do the same work, the
/// second file on a large scale.
const FILES: [[(&str, &str); 2]; 2] = [
    [
        (
            "connect.short",
            "connect, accept, close both: path of 20 bytes",
        ),
        ("connect.long", "the same by a path of 1014 bytes"),
    ],
    [
        ("stale.0", "a file left by a server replaced"),
        ("stale.2000", "the same beside 2000 sockets"),
    ],
];

pub fn run() -> Result<()> {
    build::rust(&["--bin", "crowd", "--bin", "files"])?;
    let candidates = |name, source, program| -> Result<_> {
        let program = build::compile(source, program, &[])?;
        Ok([Candidate { name: "C", program }, build::program(name)?])
    };
    let mut times = crowd(&candidates("crowd", "crowd.c", "crowd-c")?)?;
    times.extend(files(&candidates("files", "files.c", "files-c")?)?);

    let rows: Vec<_> = CROWD
        .into_iter()
        .chain(FILES.iter().flatten().map(|(_, title)| *title))
        .collect();
    let series = [Series {
        name: "sunpath".to_owned(),
        ratios: times.into_iter().map(Some).collect(),
    }];
    let title = "Time, as a ratio to C in the same round";
    page::draw("scale.svg", &picture::ratios(title, "C", &rows, &series))
}

/// Measures many connections, and returns sunpath's times as ratios to those of C.
fn crowd(candidates: &[Candidate; 2]) -> Result<Vec<f64>> {
    let connections = raise_limit()?.saturating_sub(OTHERS).min(CONNECTIONS) / 1000 * 1000;
    let mut rounds: [Vec<Vec<f64>>; 2] = Default::default();
    for round in 0..ROUNDS {
        for candidate in [round % 2, 1 - round % 2] {
            let mut command = Command::new("env");
            let command = measure::program(&mut command, &candidates[candidate])?;
            let (numbers, _) = output(command.arg(connections.to_string()))?;
            let numbers: std::result::Result<_, _> =
                numbers.split_whitespace().map(str::parse).collect();
            rounds[candidate].push(numbers?);
        }
    }
    let to_c: Vec<Vec<f64>> = rounds[0]
        .iter()
        .zip(&rounds[1])
        .map(|(c, sunpath)| {
            c.iter()
                .zip(sunpath)
                .map(|(c, sunpath)| sunpath / c)
                .collect()
        })
        .collect();
    let memory = rounds.each_ref().map(|rounds| medians(rounds)[0]);
    // The ratios are within one run: the last thousand connections to the first thousand, and all
    // connections to a thousand.
    let growth = rounds.each_ref().map(|rounds| {
        let growth: Vec<_> = rounds
            .iter()
            .map(|row| vec![1.0, row[2] / row[1], 1.0, row[4] / row[3]])
            .collect();
        medians(&growth)
    });

    let head = format!("{connections} connections in one process");
    let mut table = Table::new(&[&head, "C", "sunpath", "sunpath to C", "half of the rounds"]);
    table.row(&[
        "memory of each, bytes".to_owned(),
        format!("{:.1}", memory[0]),
        format!("{:.1}", memory[1]),
        format!("{:+.1}", memory[1] - memory[0]),
        String::new(),
    ]);
    let ratios = medians(&to_c);
    for (place, title) in CROWD.iter().enumerate() {
        let all = sorted(to_c.iter().map(|row| row[place + 1]).collect());
        let quarter = all.len() / 4;
        table.row(&[
            (*title).to_owned(),
            format!("{:.2}", growth[0][place]),
            format!("{:.2}", growth[1][place]),
            format!("{:.2}", ratios[place + 1]),
            format!("{:.2} to {:.2}", all[quarter], all[all.len() - 1 - quarter]),
        ]);
    }
    page::publish("crowd", &table.to_string())?;
    Ok(ratios[1..].to_vec())
}

/// Raises the limit of descriptors to its maximum, for the programs that are started. Returns the limit.
fn raise_limit() -> Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the variable has space for a limit.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the limit is live.
    match known && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } == 0 {
        true => Ok(limit.rlim_cur),
        false => Err(std::io::Error::last_os_error().into()),
    }
}

/// Measures socket files, and returns sunpath's times as ratios to those of C.
fn files(candidates: &[Candidate; 2]) -> Result<Vec<f64>> {
    let mut table = Table::new(&[
        "socket files",
        "instructions, C",
        "sunpath",
        "system calls, C",
        "sunpath",
        "time to the row above, C",
        "sunpath",
        "time, sunpath to C",
    ]);
    let mut to_c = Vec::new();
    for both in &FILES {
        let runs: Vec<_> = both
            .iter()
            .flat_map(|(key, _)| candidates.iter().map(move |candidate| (candidate, *key)))
            .collect();
        let times = rounds::ratios(&runs)?;
        for (place, (key, title)) in both.iter().enumerate() {
            let count = |candidate| measure::count(candidate, &Work::calls(key));
            let counts: [Counts; 2] = [count(&candidates[0])?, count(&candidates[1])?];
            let now = &times[2 * place..][..2];
            let mut cells = vec![(*title).to_owned()];
            cells.extend(counts.iter().map(|counts| number(counts.instructions)));
            cells.extend(counts.iter().map(|counts| few(counts.calls)));
            cells.extend((0..2).map(|candidate| match place {
                0 => String::new(),
                _ => format!("{:.2}", now[candidate] / times[candidate]),
            }));
            cells.push(format!("{:.2}", now[1] / now[0]));
            table.row(&cells);
            to_c.push(now[1] / now[0]);
        }
    }
    page::publish("files", &table.to_string())?;
    Ok(to_c)
}
