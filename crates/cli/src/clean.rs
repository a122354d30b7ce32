//! `sunpath clean`: removes the stale socket files under a directory.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use sunpath::files::StaleFile;

use crate::output::{Answer, Failure, Format, Line, Status};
use crate::stale::{Search, line, object};

/// Removes stale socket files, which no process holds any more.
///
/// Without --remove, only tells which files would be removed. The kernel is asked about each file, as a server
/// does that replaces a stale one, and is asked again while the file is removed. A server that starts
/// meanwhile keeps its file. Other files, and lock files, are not touched. Directories on other file
/// systems are not searched, and nothing is removed where other machines may share the file system.
///
/// Exit status: 0 if the work is done, 1 if a file could not be removed, 3 if nothing could be found out about a
/// file or directory.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Removes the files.
    #[arg(long)]
    remove: bool,
    /// The directory, which is searched with those below it.
    dir: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// What happened to a stale file.
struct Cleaned {
    path: PathBuf,
    /// `true` if it was removed, or was not there any more.
    is_gone: bool,
    /// Why it stays.
    error: String,
}

/// Runs `sunpath clean`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let mut search = Search::under(&arguments.dir)?;
    let stale = std::mem::take(&mut search.stale);
    let answer = match arguments.remove {
        true => removed(&search, stale.into_iter().map(clean).collect()),
        false => would_remove(&search, &stale),
    };
    answer.print(arguments.format)
}

fn clean(file: StaleFile) -> Cleaned {
    let path = file.path().to_owned();
    let (is_gone, error) = match file.remove() {
        Ok(_) => (true, String::new()),
        Err(error) => (false, error.to_string()),
    };
    Cleaned {
        path,
        is_gone,
        error,
    }
}

fn would_remove(search: &Search, stale: &[StaleFile]) -> Answer {
    let first = match stale.len() {
        0 => "There is no stale socket file to remove.".into(),
        1 => "1 stale socket file would be removed with --remove.".into(),
        files => format!("{files} stale socket files would be removed with --remove."),
    };
    let lines = stale.iter().map(|file| line(file.path(), "")).collect();
    let files = stale.iter().map(|file| object(file.path(), &[]));
    let json = json!({ "would_remove": files.collect::<Value>() });
    finish(search, first, lines, json, Status::Done)
}

fn removed(search: &Search, cleaned: Vec<Cleaned>) -> Answer {
    let (gone, stay): (Vec<_>, Vec<_>) = cleaned.into_iter().partition(|file| file.is_gone);
    let mut first = match gone.len() {
        0 => "No stale socket file was removed.".into(),
        1 => "1 stale socket file was removed.".into(),
        files => format!("{files} stale socket files were removed."),
    };
    match stay.len() {
        0 => {}
        1 => first += " 1 could not be removed.",
        files => first += &format!(" {files} could not be removed."),
    }
    let mut lines: Vec<_> = gone.iter().map(|file| line(&file.path, "")).collect();
    if !stay.is_empty() {
        lines.push(Line::Heading("Not removed".into()));
        lines.extend(stay.iter().map(|file| line(&file.path, &file.error)));
    }
    let files = gone.iter().map(|file| object(&file.path, &[]));
    let failed = stay
        .iter()
        .map(|file| object(&file.path, &[("reason", &file.error)]));
    let json = json!({
        "removed": files.collect::<Value>(),
        "not_removed": failed.collect::<Value>(),
    });
    let status = if stay.is_empty() {
        Status::Done
    } else {
        Status::Not
    };
    finish(search, first, lines, json, status)
}

/// Adds what else the search found.
fn finish(
    search: &Search,
    first: String,
    mut rest: Vec<Line>,
    mut json: Value,
    status: Status,
) -> Answer {
    let first = first + &search.remainder();
    rest.extend(search.untold_lines());
    json["answer"] = first.clone().into();
    search.insert_remainder(&mut json);
    let status = match status {
        Status::Done if !search.untold.is_empty() => Status::Unknown,
        status => status,
    };
    Answer {
        status,
        first,
        rest,
        json,
    }
}
