//! Measures times as ratios. The compared programs run in turn, so that other load of the machine
//! affects all of them.

use crate::Result;
use crate::build::Candidate;
use crate::measure;

/// The time that one run should take, in nanoseconds.
const RUN: f64 = 30e6;
/// The time for a run whose processor time is measured, in nanoseconds. It is longer, because the
/// processor time includes the start of the process.
const LONG_RUN: f64 = 300e6;
const ROUNDS: usize = 9;

/// Measures how long each run takes, as a ratio to the first of the runs in the same round. Returns the
/// median of all rounds for each. All workloads are repeated equally often.
pub fn ratios(runs: &[(&Candidate, &str)]) -> Result<Vec<f64>> {
    ratios_of(RUN, measure::time, runs)
}

/// Does what [`ratios`] does for the processor time of the process. Other load of the machine
/// hardly changes that time.
pub fn processor_ratios(runs: &[(&Candidate, &str)]) -> Result<Vec<f64>> {
    ratios_of(LONG_RUN, measure::processor_time, runs)
}

fn ratios_of(
    run: f64,
    measure: impl Fn(&Candidate, &str, u32) -> Result<f64>,
    runs: &[(&Candidate, &str)],
) -> Result<Vec<f64>> {
    let (first, key) = runs[0];
    let mut repetitions = 256;
    let took = loop {
        let took = measure(first, key, repetitions)?;
        if took > run / 10.0 {
            break took;
        }
        repetitions *= 8;
    };
    let repetitions = (f64::from(repetitions) * run / took).max(1.0) as u32;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut took = vec![0.0; runs.len()];
        // Each round begins with another run, so that none is always the first.
        for place in (0..runs.len()).map(|place| (place + round) % runs.len()) {
            let (candidate, key) = runs[place];
            took[place] = measure(candidate, key, repetitions)?;
        }
        rounds.push(took.iter().map(|time| time / took[0]).collect());
    }
    Ok(medians(&rounds))
}

/// Returns the median of each column.
pub fn medians(rows: &[Vec<f64>]) -> Vec<f64> {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect();
    (0..rows[0].len())
        .map(|place| sorted(column(place))[rows.len() / 2])
        .collect()
}

pub fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}
