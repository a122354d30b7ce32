//! Compares the system calls that sunpath makes with and without the C library: instructions, and
//! processor time.

use crate::Result;
use crate::build;
use crate::measure::{self, WORKS};
use crate::page::{self, Table, number};
use crate::rounds;

/// The workloads of few system calls, in which a call has the largest share.
const KEYS: [&str; 8] = [
    "connect",
    "roundtrip.stream",
    "roundtrip.datagram",
    "roundtrip.seqpacket",
    "bulk",
    "sendto",
    "oneway.datagram",
    "fd.1",
];

pub fn run() -> Result<()> {
    let [sunpath, _] = build::sunpath()?;
    let candidates = [
        build::c()?,
        sunpath,
        build::sunpath_inline()?,
        build::rustix()?,
    ];
    let works = WORKS.iter().filter(|work| KEYS.contains(&work.key));
    let works: Vec<_> = works.collect();
    let counts = measure::each(&works, |work| {
        let count = |candidate| Ok(measure::count(candidate, work)?.instructions);
        candidates.iter().map(count).collect::<Result<Vec<_>>>()
    })?;
    let names = candidates.each_ref().map(|candidate| candidate.name);
    let mut head = vec!["work".to_owned()];
    head.extend(names.map(|name| format!("instructions, {name}")));
    head.extend(names[1..].iter().map(|name| format!("time to C, {name}")));
    let mut table = Table::new(&head);
    for (work, counts) in works.iter().zip(counts) {
        let runs = candidates.each_ref().map(|candidate| (candidate, work.key));
        let times = rounds::processor_ratios(&runs)?;
        let mut cells = vec![work.title.to_owned()];
        cells.extend(counts.into_iter().map(number));
        cells.extend(times[1..].iter().map(|ratio| format!("{ratio:.2}")));
        table.row(&cells);
    }
    page::publish_times("inline", None, &table)
}
