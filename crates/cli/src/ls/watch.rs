//! `sunpath ls --watch`: the list on a terminal, again each second.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use anstyle::Style;
use rustix::fd::AsFd;
use rustix::termios::tcgetwinsize;

use super::pattern::Pattern;
use super::snapshot::Snapshot;
use super::table;
use crate::output::{Failure, Status};

/// How long a list is shown.
const PAUSE: Duration = Duration::from_secs(1);
/// Moves the cursor to the first line, and lets long lines end at the edge instead of continuing below.
const BEGIN: &str = "\x1b[H\x1b[?7l";
/// Erases what an earlier list has left on the line.
const END_OF_LINE: &str = "\x1b[K\n";
/// Erases what an earlier list has left below, and lets long lines continue again.
const END: &str = "\x1b[J\x1b[?7h";

/// Shows the list until the command is interrupted or the terminal is closed.
pub(crate) fn run(listening: bool, pattern: &Pattern) -> Result<Status, Failure> {
    let mut out = io::stdout().lock();
    if !out.is_terminal() {
        let text = "--watch needs a terminal as standard output";
        return Err(Failure::usage(text.into()));
    }
    let mut shown = None;
    out.write_all(b"\x1b[2J")?;
    loop {
        let snapshot = Snapshot::take(listening);
        let chosen = snapshot.matching(pattern);
        let first = snapshot.summary(&chosen, pattern);
        let table = table::lines(&snapshot, &chosen);
        let (screen, lines) = screen(&first, &table, shown.as_ref(), rows(&out));
        out.write_all(screen.as_bytes())?;
        out.flush()?;
        shown = Some(lines);
        thread::sleep(PAUSE);
    }
}

/// Returns the number of lines of a terminal, or a usual one if the terminal does not know it.
fn rows(terminal: impl AsFd) -> usize {
    match tcgetwinsize(terminal) {
        Ok(size) if size.ws_row > 0 => size.ws_row.into(),
        _ => 24,
    }
}

/// Returns what is written to the terminal, and the lines of the table. A line that was not shown before begins
/// with `+`.
fn screen(
    first: &str,
    table: &str,
    shown: Option<&HashSet<String>>,
    rows: usize,
) -> (String, HashSet<String>) {
    let bold = Style::new().bold();
    let mut screen = format!("{BEGIN}{bold}{first}{bold:#}{END_OF_LINE}");
    let mut lines = HashSet::new();
    for (place, line) in table.lines().enumerate() {
        // The columns are as wide as the names, so lines are compared without spaces.
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_new = place > 0 && shown.is_some_and(|shown| !shown.contains(&words));
        lines.insert(words);
        // The first line of the screen is the answer, and the cursor stays on the last one.
        if place + 2 < rows {
            let mark = if is_new { '+' } else { ' ' };
            let style = if is_new || place == 0 {
                bold
            } else {
                Style::new()
            };
            screen += &format!("{style}{mark} {line}{style:#}{END_OF_LINE}");
        }
    }
    screen += END;
    (screen, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watch_marks_what_is_new() {
        let (before, shown) = screen("2 sockets.", "KIND\na\nb\n", None, 24);
        assert!(!before.contains('+'), "the first list has nothing new");
        let (after, _) = screen("3 sockets.", "KIND\na\n b\nc\n", Some(&shown), 24);
        let marked: Vec<_> = after.lines().filter(|line| line.contains('+')).collect();
        assert_eq!(marked.len(), 1, "{after:?}");
        assert!(marked[0].contains("+ c"));
    }

    #[test]
    fn watch_shows_no_more_lines_than_the_terminal_has() {
        let table = format!("KIND\n{}", "row\n".repeat(50));
        for rows in [3, 4, 24] {
            let (screen, _) = screen("50 sockets.", &table, None, rows);
            assert_eq!(screen.lines().count(), rows, "with the line of the cursor");
        }
    }
}
