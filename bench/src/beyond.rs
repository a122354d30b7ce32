//! Measures the workloads of `libraries/beyond.rs`, and compares them with `c/packed.c` and with one
//! call for each message.

use sunpath_bench::STARTS;

use crate::Result;
use crate::build::{self, Candidate};
use crate::measure::{self, Work};
use crate::page::{self, Table, number};
use crate::picture::{self, Series};
use crate::rounds;
use crate::tables::few;

/// The sizes of the receives, each as a title and as a part of the key.
const LENGTHS: [(&str, &str); 2] = [("64 KiB", "65536"), ("4 KiB", "4096")];

/// The number of messages that are sent at once.
const SIZES: [&str; 3] = ["8", "32", "128"];
const ONE_A_CALL: &str = "oneway.datagram";

/// The program that does a workload. The programs are in the order of the candidates of `packing`.
#[derive(Clone, Copy)]
enum Of {
    C,
    Sunpath,
    Beyond,
    PackedC,
}

/// The ways to send and receive many messages. Each has a key for each of `SIZES`.
const WAYS: [(&str, Of, [&str; 3]); 6] = [
    ("sendmmsg, recvmmsg in C", Of::C, BATCHES),
    ("sendmmsg, recvmmsg", Of::Sunpath, BATCHES),
    ("packed into a seqpacket record in C", Of::PackedC, RECORDS),
    ("packed into a seqpacket record", Of::Beyond, RECORDS),
    ("packed into a write to a stream in C", Of::PackedC, WRITES),
    ("packed into a write to a stream", Of::Beyond, WRITES),
];
const BATCHES: [&str; 3] = ["batch.8", "batch.32", "batch.128"];
const RECORDS: [&str; 3] = [
    "packed.seqpacket.8",
    "packed.seqpacket.32",
    "packed.seqpacket.128",
];
const WRITES: [&str; 3] = ["packed.stream.8", "packed.stream.32", "packed.stream.128"];

pub fn run() -> Result<()> {
    build::rust(&["--bin", "beyond"])?;
    let beyond = build::program("beyond")?;
    let [sunpath, _] = build::sunpath()?;
    let packed = Candidate {
        name: "C",
        program: build::compile("packed.c", "packed-c", &[])?,
    };
    packing(&[build::c()?, sunpath, beyond.clone(), packed])?;
    starts(&beyond)
}

/// Measures the ways to send many messages, compared with one call for each message. Publishes the table
/// and its picture.
fn packing(candidates: &[Candidate; 4]) -> Result<()> {
    let mut head = vec!["messages of 64 bytes".to_owned()];
    head.extend(SIZES.map(|size| format!("time, {size} at once")));
    head.extend(["instructions, 32 at once", "system calls, 32 at once"].map(str::to_owned));
    let mut table = Table::new(&head);

    let candidate = |of: Of| &candidates[of as usize];
    let row = |title: &str, of: Of, key: &'static str, times: &[f64]| -> Result<_> {
        let counts = measure::count(candidate(of), &Work::batch(key))?;
        let mut cells = vec![title.to_owned()];
        cells.extend(times.iter().map(|time| format!("{time:.3}")));
        cells.extend([number(counts.instructions), few(counts.calls)]);
        Ok(cells)
    };
    table.row(&row("one a call", Of::Sunpath, ONE_A_CALL, &[1.0; 3])?);

    let mut runs = vec![(candidate(Of::Sunpath), ONE_A_CALL)];
    for (_, of, keys) in WAYS {
        runs.extend(keys.map(|key| (candidate(of), key)));
    }
    let ratios = rounds::ratios(&runs)?;
    let mut series = SIZES.map(|size| Series {
        name: format!("{size} at once"),
        ratios: Vec::new(),
    });
    for ((title, of, keys), times) in WAYS.iter().zip(ratios[1..].chunks(SIZES.len())) {
        for (series, time) in series.iter_mut().zip(times) {
            series.ratios.push(Some(*time));
        }
        table.row(&row(title, *of, keys[1], times)?);
    }
    let rows = WAYS.map(|(title, ..)| title);
    let title = "Time of a message, as a ratio to one call a message";
    page::draw("packing.svg", &picture::ratios(title, "1", &rows, &series))?;
    page::publish_with_picture("packing", "packing.svg", &table)
}

/// Measures how the time of a receive depends on where the buffer begins in its page. Publishes the
/// table and its picture.
fn starts(beyond: &Candidate) -> Result<()> {
    let titles: Vec<_> = STARTS[1..]
        .iter()
        .map(|start| format!("{start} bytes"))
        .collect();
    let mut head = vec!["begins, in its page".to_owned()];
    head.extend(LENGTHS.map(|(length, _)| format!("time, {length}")));
    let mut table = Table::new(&head);
    let series: Vec<_> = LENGTHS
        .iter()
        .map(|(name, length)| {
            let starts = STARTS.iter().map(|start| format!("start.{length}.{start}"));
            let keys: Vec<_> = starts.collect();
            let runs: Vec<_> = keys.iter().map(|key| (beyond, &key[..])).collect();
            Ok(Series {
                name: (*name).to_owned(),
                ratios: rounds::ratios(&runs)?
                    .into_iter()
                    .skip(1)
                    .map(Some)
                    .collect(),
            })
        })
        .collect::<Result<_>>()?;
    for (row, title) in titles.iter().enumerate() {
        let ratio = |series: &Series| format!("{:.2}", series.ratios[row].unwrap_or_default());
        let mut cells = vec![title.clone()];
        cells.extend(series.iter().map(ratio));
        table.row(&cells);
    }
    let rows: Vec<_> = titles.iter().map(String::as_str).collect();
    let title = "Sent and received, as a ratio to a receive buffer at the beginning of a page";
    page::draw("starts.svg", &picture::ratios(title, "1", &rows, &series))?;
    page::publish_with_picture("starts", "starts.svg", &table)
}
