//! Where a server may be if nothing is at the path, and what the path was meant to be.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::diagnosis::Diagnosis;
use super::server::verb;
use super::{Question, lost, misspelt, text};
use crate::escape::escape;
use crate::output::Status;

/// The place where a path leads to nothing.
pub(crate) struct Gap<'g> {
    pub(crate) dir: &'g Path,
    pub(crate) name: &'g OsStr,
    pub(crate) is_last: bool,
    pub(crate) link: Option<&'g Path>,
}

impl Gap<'_> {
    /// Returns the path of what is not there.
    fn path(&self) -> PathBuf {
        match self.dir == Path::new(".") {
            true => self.name.into(),
            false => self.dir.join(self.name),
        }
    }
}

/// Diagnoses a path at which nothing is.
pub(crate) fn diagnose(question: &Question<'_>, path: &Path, gap: Gap<'_>) -> Diagnosis {
    let gone = gap.path();
    if let Some(link) = gap.link {
        if let Some(server) = lost::same_name(question, &gone) {
            return lost::diagnose(server, &gone, None);
        }
        let first = format!(
            "The link {} leads to {}, which does not exist.",
            text(link),
            text(&gone)
        );
        return Diagnosis::new(Status::Not, "dangling-link", first)
            .advise("Start the server, or make the link again with the path of its socket.");
    }
    let with_server = lost::same_name(question, path)
        .map(|server| lost::diagnose(server, path, None))
        .or_else(|| misspelt::diagnose(question, path))
        .or_else(|| relative(question, path))
        .or_else(|| in_other_case(&gap))
        .or_else(|| elsewhere(question, path));
    with_server.unwrap_or_else(|| nothing(&gap))
}

/// Diagnoses a path for which no server was found either.
fn nothing(gap: &Gap<'_>) -> Diagnosis {
    let gone = gap.path();
    let is_dir_removed = fs::metadata(gap.dir).is_ok_and(|dir| dir.nlink() == 0);
    let first = match gap.is_last {
        _ if is_dir_removed => format!(
            "Nothing is there: the directory {} was removed.",
            text(gap.dir)
        ),
        true => format!(
            "Nothing is there: {} has no {}.",
            text(gap.dir),
            escape(gap.name.as_bytes())
        ),
        false => format!(
            "Nothing is there: the directory {} does not exist.",
            text(&gone)
        ),
    };
    let mut diagnosis = Diagnosis::new(Status::Not, "missing", first)
        .found("no process of this network namespace has a socket of this name");
    if gap.is_last {
        diagnosis = found_in(gap.dir, diagnosis);
    }
    diagnosis.advise(match is_dir_removed {
        true => "Change to the directory again, as it is now: cd \"$PWD\".",
        false => "Start the server, or find out from its configuration which path it uses.",
    })
}

/// Adds the names of at most five sockets that are in a directory.
pub(crate) fn found_in(dir: &Path, diagnosis: Diagnosis) -> Diagnosis {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()));
    let mut names: Vec<_> = sockets.map(|entry| entry.file_name()).collect();
    names.sort();
    names.truncate(5);
    if names.is_empty() {
        return diagnosis;
    }
    let names: Vec<_> = names.iter().map(|name| escape(name.as_bytes())).collect();
    diagnosis.found(format!(
        "{} has these sockets: {}",
        text(dir),
        names.join(", ")
    ))
}

/// Diagnoses a server whose socket has a relative name, which leads to another directory.
fn relative(question: &Question<'_>, path: &Path) -> Option<Diagnosis> {
    let is_same = |bound: &Path| !bound.is_absolute() && bound.file_name() == path.file_name();
    let mut servers = question.sockets.with_paths();
    let (server, bound) = servers.find(|(_, bound)| is_same(bound))?;
    let whole = lost::bound_in(server, &bound);
    let dir = whole.as_ref().and_then(|whole| whole.parent());
    let place = dir.map_or("a directory that you may not read".into(), text);
    let first = format!(
        "{} {} at a relative path, {}, in {place}.",
        server.subject(),
        verb(server),
        text(&bound)
    );
    Some(
        Diagnosis::new(Status::Not, "relative", first)
            .with_server(server)
            .advise(
                "Give the server an absolute path: a relative one begins where it was started.",
            ),
    )
}

/// Diagnoses a name that is there in other letters.
fn in_other_case(gap: &Gap<'_>) -> Option<Diagnosis> {
    let entries = fs::read_dir(gap.dir).ok()?.flatten();
    let mut names = entries.map(|entry| entry.file_name());
    let similar = names.find(|name| name.eq_ignore_ascii_case(gap.name))?;
    let first = format!(
        "Nothing is there: {} has {}, in other letters.",
        text(gap.dir),
        escape(similar.as_bytes())
    );
    Some(Diagnosis::new(Status::Not, "letters", first).advise("Correct the path in the client."))
}

/// Diagnoses a server that has a socket of the same name in another directory.
fn elsewhere(question: &Question<'_>, path: &Path) -> Option<Diagnosis> {
    let mut servers = question.sockets.with_paths();
    let is_same = |bound: &Path| bound.file_name() == path.file_name() && bound.exists();
    let (server, bound) = servers.find(|(_, bound)| is_same(bound))?;
    let first = format!(
        "Nothing is there: {} {} at {}.",
        server.text(),
        verb(server),
        text(&bound)
    );
    Some(
        Diagnosis::new(Status::Not, "elsewhere", first)
            .with_server(server)
            .advise("Give the client and the server the same path."),
    )
}
