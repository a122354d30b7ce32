//! Compares sunpath and other libraries with C: instructions, system calls, allocations, time.

use std::collections::BTreeMap;

use crate::Result;
use crate::build::{self, Candidate, LIBRARIES};
use crate::measure::{self, Counts, WORKS, Work};
use crate::page::{self, Table, number};
use crate::picture::{self, Series};
use crate::rounds;

/// The results by workload and by library, with `None` where a library cannot do the work.
type Grid<T> = Vec<Vec<Option<T>>>;

/// The places of C and of sunpath among the candidates. C as it can be written comes between them.
const C: usize = 0;
const SUNPATH: usize = 2;

/// C in both of its forms, sunpath in its three and all other libraries, with the keys of the workloads of
/// each.
struct Everybody {
    candidates: Vec<Candidate>,
    keys: Vec<Vec<String>>,
}

impl Everybody {
    fn built() -> Result<Self> {
        let mut candidates = vec![build::c()?, build::careful_c()?];
        candidates.extend(build::all()?);
        candidates.insert(SUNPATH + 2, build::sunpath_with_lto()?);
        let keys = candidates
            .iter()
            .map(measure::keys)
            .collect::<Result<_>>()?;
        Ok(Self { candidates, keys })
    }

    fn can(&self, work: &Work, candidate: usize) -> bool {
        self.keys[candidate].iter().any(|key| key == work.key)
    }
}

/// Makes the tables of instructions, system calls and allocations.
pub fn counts() -> Result<()> {
    let all = Everybody::built()?;
    let can = |work: &Work, candidate: usize| all.can(work, candidate);

    eprintln!("counting instructions");
    let counts = grid(&all.candidates, can, measure::count)?;
    instructions(&all.candidates, &counts)?;

    eprintln!("counting system calls");
    system_calls(&all)?;

    eprintln!("counting allocations");
    let library = build::compile("count.c", "count.so", &["-shared", "-fPIC"])?;
    let count =
        |candidate: &Candidate, work: &Work| measure::allocations(candidate, work, &library);
    allocations(&all.candidates, &grid(&all.candidates, can, count)?)
}

/// Measures every workload that each library can do, on all processors at once.
fn grid<T: Send + Clone>(
    candidates: &[Candidate],
    can: impl Fn(&Work, usize) -> bool,
    measure: impl Fn(&Candidate, &Work) -> Result<T> + Sync,
) -> Result<Grid<T>> {
    let all = WORKS
        .iter()
        .flat_map(|work| (0..candidates.len()).map(move |candidate| (work, candidate)));
    let able: Vec<_> = all
        .clone()
        .map(|(work, candidate)| can(work, candidate))
        .collect();
    let cells: Vec<_> = all
        .zip(&able)
        .filter_map(|(cell, able)| able.then_some(cell))
        .collect();
    let results = measure::each(&cells, |(work, candidate)| {
        measure(&candidates[*candidate], work)
    })?;
    let mut results = results.into_iter();
    let cells: Vec<_> = able
        .iter()
        .map(|able| if *able { results.next() } else { None })
        .collect();
    Ok(cells.chunks(candidates.len()).map(<[_]>::to_vec).collect())
}

fn instructions(candidates: &[Candidate], counts: &Grid<Counts>) -> Result<()> {
    let mut table = Table::new(&head("instructions", candidates, &["ratio"]));
    let mut ratios = Grid::new();
    for (work, row) in WORKS.iter().zip(counts) {
        let instructions: Vec<_> = row
            .iter()
            .map(|counts| Some(counts.as_ref()?.instructions))
            .collect();
        let to_c: Vec<_> = instructions
            .iter()
            .map(|of_peer| ratio(*of_peer, instructions[C]))
            .collect();
        let mut cells = vec![work.title.to_owned()];
        cells.extend(instructions.iter().map(|count| cell(*count, number)));
        let bold = cell(to_c[SUNPATH], |ratio| format!("**{ratio:.2}**"));
        cells.insert(SUNPATH + 2, bold);
        table.row(&cells);
        ratios.push(to_c);
    }
    let picture = "instructions.svg";
    draw(
        picture,
        "Instructions in user space, as a ratio to C",
        candidates,
        WORKS.iter(),
        &ratios,
    )?;
    let versions = LIBRARIES.iter().filter_map(|(name, package)| {
        Some(page::version((*package)?).map(|version| format!("{name} {version}")))
    });
    let versions = versions.collect::<Result<Vec<_>>>()?.join(", ");
    let machine = format!("{}.\nLibraries: {versions}.", page::machine()?);
    page::publish("machine", &machine)?;
    page::publish_with_picture("instructions", picture, &table)
}

fn system_calls(all: &Everybody) -> Result<()> {
    let calls = grid(
        &all.candidates,
        |work, candidate| all.can(work, candidate),
        measure::calls_by_name,
    )?;
    let mut table = Table::new(&head("system calls", &all.candidates, &["by name"]));
    for (work, row) in WORKS.iter().zip(calls) {
        if row.iter().flatten().all(BTreeMap::is_empty) {
            continue;
        }
        let total = |calls: &BTreeMap<String, f64>| calls.values().sum();
        let mut cells = vec![work.title.to_owned()];
        cells.extend(row.iter().map(|calls| cell(calls.as_ref().map(total), few)));
        let names = |calls: &Option<BTreeMap<String, f64>>| {
            let names = calls.iter().flatten().map(named).collect::<Vec<_>>();
            names.join(", ")
        };
        let (in_c, names) = (names(&row[C]), names(&row[SUNPATH]));
        let by_name = match in_c == names {
            true => names,
            false => format!("{names}; in C {in_c}"),
        };
        cells.insert(SUNPATH + 2, by_name);
        table.row(&cells);
    }
    page::publish("system calls", &table.to_string())
}

fn named((name, number): (&String, &f64)) -> String {
    match (number - 1.0).abs() < 0.001 {
        true => name.clone(),
        false => format!("{} {name}", few(*number)),
    }
}

fn allocations(candidates: &[Candidate], counts: &Grid<f64>) -> Result<()> {
    let mut table = Table::new(&head("heap allocations", candidates, &[]));
    for (work, row) in WORKS.iter().zip(counts) {
        if row.iter().flatten().any(|count| *count >= 0.001) {
            let mut cells = vec![work.title.to_owned()];
            cells.extend(row.iter().map(|count| cell(*count, few)));
            table.row(&cells);
        }
    }
    page::publish("allocations", &table.to_string())
}

/// Makes the table of times as ratios to C.
pub fn times() -> Result<()> {
    let all = Everybody::built()?;
    let candidates = &all.candidates[..];
    eprintln!("taking the time");
    let mut table = Table::new(&head("time, as a ratio to C", &candidates[1..], &[]));
    let mut ratios = Grid::new();
    for work in timed() {
        let able: Vec<_> = (0..candidates.len())
            .map(|candidate| all.can(work, candidate))
            .collect();
        let runs = candidates.iter().zip(&able).filter(|(_, able)| **able);
        let runs: Vec<_> = runs.map(|(candidate, _)| (candidate, work.key)).collect();
        let mut results = rounds::ratios(&runs)?.into_iter();
        let row: Vec<_> = able
            .iter()
            .map(|able| if *able { results.next() } else { None })
            .collect();
        let mut cells = vec![work.title.to_owned()];
        cells.extend(
            row[1..]
                .iter()
                .map(|ratio| cell(*ratio, |ratio| format!("{ratio:.2}"))),
        );
        table.row(&cells);
        ratios.push(row);
    }
    let picture = format!("time-{}.svg", page::vendor()?.to_lowercase());
    draw(
        &picture,
        "Time, as a ratio to C in the same round",
        candidates,
        timed(),
        &ratios,
    )?;
    page::publish_times("time", Some(&picture), &table)
}

/// Returns the titles of the columns of a table. The columns `more` come after sunpath's.
fn head<'h>(title: &'h str, candidates: &'h [Candidate], more: &[&'h str]) -> Vec<&'h str> {
    let mut head = vec![title];
    head.extend(candidates.iter().map(|candidate| candidate.name));
    head.splice(SUNPATH + 2..SUNPATH + 2, more.iter().copied());
    head
}

/// Returns the workloads whose time is measured: all except the workload that runs at compile time.
fn timed() -> impl Iterator<Item = &'static Work> {
    WORKS.iter().filter(|work| work.key != "address.constant")
}

/// Draws the ratios to C, without C itself.
fn draw(
    file: &str,
    title: &str,
    candidates: &[Candidate],
    works: impl Iterator<Item = &'static Work>,
    ratios: &Grid<f64>,
) -> Result<()> {
    let rows: Vec<_> = works.map(|work| work.title).collect();
    let series: Vec<_> = (1..candidates.len())
        .map(|candidate| Series {
            name: candidates[candidate].name.to_owned(),
            ratios: ratios.iter().map(|row| row[candidate]).collect(),
        })
        .collect();
    page::draw(file, &picture::ratios(title, "C", &rows, &series))
}

fn ratio(of_peer: Option<f64>, of_c: Option<f64>) -> Option<f64> {
    Some(of_peer? / of_c?)
}

fn cell(value: Option<f64>, shown: impl Fn(f64) -> String) -> String {
    value.map_or("–".to_owned(), shown)
}

/// Returns a count of calls as text. The count is a fraction if many messages share a call.
pub fn few(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
