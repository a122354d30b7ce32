//! What C does not do by itself, measured against what it does: `peers/beyond.rs`.

use sunpath_bench::STARTS;

use crate::Result;
use crate::build::{self, Peer};
use crate::measure::{self, Counts, Work};
use crate::page::{self, Table, number};
use crate::picture::{self, Series};
use crate::rounds;
use crate::tables::few;

/// How much is received, and the key of it.
const LENGTHS: [(&str, &str); 2] = [("64 KiB", "65536"), ("4 KiB", "4096")];

/// So many messages at once.
const SIZES: [&str; 3] = ["8", "32", "128"];
const ONE_A_CALL: &str = "batch.1";
/// Ways to send and receive them, and the keys in the order of the sizes.
const WAYS: [(&str, [&str; 3]); 3] = [
    (
        "sendmmsg, recvmmsg of datagrams",
        ["batch.8", "batch.32", "batch.128"],
    ),
    (
        "packed into a seqpacket record",
        [
            "packed.seqpacket.8",
            "packed.seqpacket.32",
            "packed.seqpacket.128",
        ],
    ),
    (
        "packed into a write to a stream",
        ["packed.stream.8", "packed.stream.32", "packed.stream.128"],
    ),
];

pub fn run() -> Result<()> {
    build::rust(&["--bin", "beyond"])?;
    let (sunpath, beyond) = (build::sunpath()?, build::program("beyond")?);
    packing(&sunpath, &beyond)?;
    starts(&beyond)
}

/// Many messages: with a call for each, with a call for many, packed.
fn packing(sunpath: &Peer, beyond: &Peer) -> Result<()> {
    let peer = |key: &str| {
        if key.starts_with("packed") {
            beyond
        } else {
            sunpath
        }
    };
    let mut head = vec!["messages of 64 bytes".to_owned()];
    head.extend(SIZES.map(|size| format!("time, {size} at once")));
    head.extend(["instructions, 32 at once", "system calls, 32 at once"].map(str::to_owned));
    let mut table = Table::new(&head);

    let count = |key| measure::count(peer(key), &Work::batch(key));
    let cells = |title: &str, times: [f64; 3], counts: &Counts| {
        let mut cells = vec![title.to_owned()];
        cells.extend(times.map(|time| format!("{time:.3}")));
        cells.extend([number(counts.instructions), few(counts.calls)]);
        cells
    };
    table.row(&cells("one a call", [1.0; 3], &count(ONE_A_CALL)?));
    let mut series = SIZES.map(|size| Series {
        name: format!("{size} at once"),
        ratios: Vec::new(),
    });
    let all = WAYS.iter().flat_map(|(_, keys)| keys).copied();
    let runs: Vec<_> = [ONE_A_CALL].into_iter().chain(all).collect();
    let runs: Vec<_> = runs.iter().map(|key| (peer(key), *key)).collect();
    let ratios = rounds::ratios(&runs)?;
    for ((title, keys), times) in WAYS.iter().zip(ratios[1..].chunks(SIZES.len())) {
        for (series, time) in series.iter_mut().zip(times) {
            series.ratios.push(Some(*time));
        }
        table.row(&cells(
            title,
            [times[0], times[1], times[2]],
            &count(keys[1])?,
        ));
    }
    let rows = WAYS.map(|(title, _)| title);
    let title = "Time of a message, as a ratio to one call a message";
    page::draw("packing.svg", &picture::ratios(title, "1", &rows, &series))?;
    page::publish_with_picture("packing", "packing.svg", &table)
}

/// Where in its page a receive buffer begins.
fn starts(beyond: &Peer) -> Result<()> {
    let mut titles: Vec<_> = STARTS[1..]
        .iter()
        .map(|start| format!("{start} bytes"))
        .collect();
    titles.push("RecvBuffer".to_owned());
    let mut head = vec!["begins, in its page".to_owned()];
    head.extend(LENGTHS.map(|(length, _)| format!("time, {length}")));
    let mut table = Table::new(&head);
    let series: Vec<_> = LENGTHS
        .iter()
        .map(|(name, length)| {
            let starts = STARTS.iter().map(|start| format!("start.{length}.{start}"));
            let keys: Vec<_> = starts.chain([format!("start.{length}.buffer")]).collect();
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
