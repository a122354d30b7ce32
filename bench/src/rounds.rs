//! Measures times as ratios. The compared programs run in turn, so that other load of the machine
//! affects all of them.

use crate::Result;
use crate::build::Candidate;
use crate::measure;

/// The time that one run should take, in nanoseconds.
const RUN: f64 = 30e6;
const ROUNDS: usize = 9;

/// Measures how long each run takes, as a ratio to the first of the runs in the same round. Returns the
/// median of all rounds for each. All workloads are repeated equally often.
pub fn ratios(runs: &[(&Candidate, &str)]) -> Result<Vec<f64>> {
    let (first, key) = runs[0];
    let mut repetitions = 256;
    let took = loop {
        let took = measure::time(first, key, repetitions)?;
        if took > RUN / 10.0 {
            break took;
        }
        repetitions *= 8;
    };
    let repetitions = (f64::from(repetitions) * RUN / took).max(1.0) as u32;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut took = vec![0.0; runs.len()];
        // Each round begins with another run, so that none is always the first.
        for place in (0..runs.len()).map(|place| (place + round) % runs.len()) {
            let (candidate, key) = runs[place];
            took[place] = measure::time(candidate, key, repetitions)?;
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
