//! Compares sunpath and other libraries with C: instructions, system calls, allocations, time.

use crate::Result;
use crate::build::{self, Candidate, LIBRARIES};
use crate::measure::{self, Counts, WORKS, Work};
use crate::page::{self, Table, number};
use crate::picture::{self, Series};
use crate::rounds;

/// The results by workload and by library, with `None` where a library cannot do the work.
type Grid<T> = Vec<Vec<Option<T>>>;

/// C, sunpath in both of its builds and all other libraries, with the keys of the workloads of each.
struct Everybody {
    candidates: Vec<Candidate>,
    keys: Vec<Vec<String>>,
}

impl Everybody {
    fn built() -> Result<Self> {
        let mut candidates = vec![build::c()?];
        candidates.extend(build::all()?);
        candidates.insert(2, build::sunpath_with_lto()?);
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

    eprintln!("counting instructions and system calls");
    let counts = grid(&all.candidates, can, measure::count)?;
    instructions(&all.candidates, &counts)?;
    system_calls(&all.candidates, &counts)?;

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
            .map(|of_peer| ratio(*of_peer, instructions[0]))
            .collect();
        let mut cells = vec![work.title.to_owned(), cell(instructions[0], number)];
        cells.push(cell(instructions[1], number));
        cells.push(cell(to_c[1], |ratio| format!("**{ratio:.2}**")));
        cells.extend(instructions[2..].iter().map(|count| cell(*count, number)));
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

fn system_calls(candidates: &[Candidate], counts: &Grid<Counts>) -> Result<()> {
    let by_name: Vec<_> = WORKS
        .iter()
        .flat_map(|work| [(work, 0), (work, 1)])
        .collect();
    let by_name = measure::each(&by_name, |(work, candidate)| {
        let calls = measure::calls_by_name(&candidates[*candidate], work)?;
        Ok(calls.iter().map(named).collect::<Vec<_>>().join(", "))
    })?;
    let mut table = Table::new(&head("system calls", candidates, &["by name"]));
    for ((work, row), names) in WORKS.iter().zip(counts).zip(by_name.chunks(2)) {
        if row.iter().flatten().all(|counts| counts.calls < 0.001) {
            continue;
        }
        let calls: Vec<_> = row
            .iter()
            .map(|counts| cell(counts.as_ref().map(|c| c.calls), few))
            .collect();
        let mut cells = vec![work.title.to_owned(), calls[0].clone(), calls[1].clone()];
        cells.push(match names[0] == names[1] {
            true => names[0].clone(),
            false => format!("{}; in C {}", names[1], names[0]),
        });
        cells.extend_from_slice(&calls[2..]);
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
    let picture = "time.svg";
    draw(
        picture,
        "Time, as a ratio to C in the same round",
        candidates,
        timed(),
        &ratios,
    )?;
    page::publish_with_picture("time", picture, &table)
}

/// Returns the head of a table, in which `more` comes after C and sunpath.
fn head<'h>(title: &'h str, candidates: &'h [Candidate], more: &[&'h str]) -> Vec<&'h str> {
    let mut head = vec![title];
    head.extend(candidates.iter().map(|candidate| candidate.name));
    head.splice(3..3, more.iter().copied());
    head
}

/// Returns the workloads whose time is measured: all except the one that runs at compile time.
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

/// Returns a number of calls as text. It is a fraction where many messages share a call.
pub fn few(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
