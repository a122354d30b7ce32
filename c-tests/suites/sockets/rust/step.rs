//! Runs the table of cases in `cases.txt`, for both Rust lanes.

use std::fs;
use std::io;

use sunpath_c_tests::notation::Bytes;

pub(crate) use crate::step::Step;

/// The sockets on which the calls of a case are made.
pub(crate) trait Lane: Default {
    /// Makes the call and returns its answer.
    fn answer(&mut self, step: &Step) -> String;
}

/// Runs the table on standard input, each case with sockets and files of its own, and prints a line
/// for each.
///
/// # Errors
///
/// - The table cannot be read, or a file of the current directory cannot be removed.
///
/// # Panics
///
/// - If a line of the table is not a case.
pub(crate) fn run<L: Lane>() -> io::Result<()> {
    for line in io::stdin().lines() {
        let line = line?;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, mut text) = line.split_once(' ').expect("a case has an id and a call");
        let mut lane = L::default();
        let mut answers = Vec::new();
        loop {
            let (step, rest) =
                Step::read(text).unwrap_or_else(|| panic!("{id}: not a call of the table: {text}"));
            let called = &text[..text.len() - rest.len()];
            answers.push(format!("{called} = {}", lane.answer(&step)));
            match rest.strip_prefix("; ") {
                Some(rest) => text = rest,
                None if rest.is_empty() => break,
                None => panic!("{id}: not a call of the table: {rest}"),
            }
        }
        println!("{id}\t{}", answers.join("; "));
        drop(lane);
        for entry in fs::read_dir(".")? {
            fs::remove_file(entry?.path())?;
        }
    }
    Ok(())
}

/// Returns the result of a receive as text, with the bytes in each slice.
pub(crate) fn received<'a>(result: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = result.to_string();
    let mut left = result;
    for piece in pieces {
        if left == 0 {
            break;
        }
        let here = left.min(piece.len());
        text += &format!(", {}", Bytes(&piece[..here]));
        left -= here;
    }
    text
}

/// Returns how many datagrams were sent before one was refused, and the errno of the refusal.
pub(crate) fn filled(count: usize, refused: &str) -> String {
    let limit = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen")
        .expect("the system tells net.unix.max_dgram_qlen");
    if Ok(count) == limit.trim().parse().map(|limit: usize| limit + 1) {
        format!("max_dgram_qlen + 1, then {refused}")
    } else {
        format!("{count}, then {refused}")
    }
}
