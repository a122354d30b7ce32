//! `sunpath ls`: the sockets of this network namespace, each with its other end, its processes and its
//! queue; and the stale socket files under a directory.

mod json;
mod pattern;
mod snapshot;
mod table;
mod watch;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use anstyle::Style;
use clap::Args;
use serde_json::Value;

use self::pattern::Pattern;
use self::snapshot::Snapshot;
use crate::output::{Answer, Failure, Format, Status};
use crate::stale::Search;

/// Lists sockets with both ends, processes and queues, or stale socket files.
///
/// A connection is one line, with the process of each end. The column QUEUE has 2/511 if 2 clients wait for a
/// listener with a backlog of 511, and otherwise the bytes that wait to be read: 3 B, or for a connection 3+0
/// B, at this end and at the peer. A process that may not be read is shown as ?, with the user that owns the
/// socket.
///
/// The list has the sockets of this network namespace. A socket that is missing from it may be alive in a
/// container. Only --stale tells which socket files are stale, because it asks the kernel about each file.
///
/// Exit status: 0 if there is something in the list, 1 if not, 3 if that could not be found out.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Lists the stale socket files under the directory PATTERN, or under the working directory, on one file
    /// system.
    #[arg(long, conflicts_with_all = ["listening", "watch"])]
    stale: bool,
    /// Lists listeners alone.
    #[arg(short, long)]
    listening: bool,
    /// Shows the list on the terminal again each second. New lines begin with +.
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    watch: bool,
    /// A part of the name as it is printed, of the name of a process, or the number of a process. With *, ?
    /// or [...] it is the whole, as in '/run/*'.
    pattern: Option<OsString>,
    #[command(flatten)]
    format: Format,
}

/// Runs `sunpath ls`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    if arguments.stale {
        let dir = arguments.pattern.as_deref().unwrap_or(OsStr::new("."));
        return Search::under(Path::new(dir))?
            .answer()
            .print(arguments.format);
    }
    let pattern = Pattern::read(arguments.pattern.as_deref())?;
    if arguments.watch {
        return watch::run(arguments.listening, &pattern);
    }
    let snapshot = Snapshot::take(arguments.listening);
    let chosen = snapshot.matching(&pattern);
    let first = snapshot.summary(&chosen, &pattern);
    let status = snapshot.status(&chosen, &pattern);
    if arguments.format.json || arguments.format.quiet {
        let json = match arguments.format.json {
            true => json::whole(&snapshot, &chosen, &first),
            false => Value::Null,
        };
        let rest = Vec::new();
        let answer = Answer {
            status,
            first,
            rest,
            json,
        };
        return answer.print(arguments.format);
    }
    let mut out = anstream::stdout().lock();
    let style = crate::output::style(status);
    writeln!(out, "{style}{first}{style:#}")?;
    if !chosen.is_empty() {
        let table = table::lines(&snapshot, &chosen);
        let (header, rows) = table.split_once('\n').unwrap_or((&table, ""));
        let bold = Style::new().bold();
        writeln!(out, "{bold}{header}{bold:#}")?;
        drop(out);
        // The rows have no colour, and standard output takes all of them in one call.
        io::stdout().write_all(rows.as_bytes())?;
    }
    Ok(status)
}
