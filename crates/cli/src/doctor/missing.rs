//! Where a server may be if nothing is at the path, and what the path was meant to be.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::diagnosis::Diagnosis;
use super::server::verb;
use super::{Question, lost, text};
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
        .or_else(|| relative(question, path))
        .or_else(|| misspelt(path, &gap))
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
    let sockets = sockets_in(gap.dir);
    if gap.is_last && !sockets.is_empty() {
        let names: Vec<_> = sockets.iter().map(|name| escape(name.as_bytes())).collect();
        diagnosis = diagnosis.found(format!(
            "{} has these sockets: {}",
            text(gap.dir),
            names.join(", ")
        ));
    }
    diagnosis.advise(match is_dir_removed {
        true => "Change to the directory again, as it is now: cd \"$PWD\".",
        false => "Start the server, or find out from its configuration which path it uses.",
    })
}

/// Returns the names of at most five sockets in a directory.
fn sockets_in(dir: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()));
    let mut names: Vec<_> = sockets.map(|entry| entry.file_name()).collect();
    names.sort();
    names.truncate(5);
    names
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

/// Diagnoses a path that is not one: a URL, a variable that no shell replaced, white space at the end.
fn misspelt(path: &Path, gap: &Gap<'_>) -> Option<Diagnosis> {
    let bytes = path.as_os_str().as_bytes();
    let schemes = [
        &b"unix://"[..],
        b"unix:",
        b"http+unix://",
        b"file://",
        b"ipc://",
    ];
    let url = schemes
        .iter()
        .find_map(|scheme| bytes.strip_prefix(*scheme));
    let (reason, first, meant) = if let Some(rest) = url {
        ("url", "It is a URL, not a path", rest.to_vec())
    } else if bytes.starts_with(b"~/") {
        let first = "It begins with ~, which only a shell replaces";
        let Some(home) = std::env::var_os("HOME") else {
            let diagnosis = Diagnosis::new(Status::Not, "tilde", format!("{first}."));
            return Some(diagnosis.advise("Write the path out."));
        };
        let mut meant = home.into_vec();
        meant.extend(&bytes[1..]);
        ("tilde", first, meant)
    } else if bytes.contains(&b'$') {
        let first = "It has a $, and only a shell replaces variables.";
        return Some(Diagnosis::new(Status::Not, "variable", first).advise("Write the path out."));
    } else if bytes.trim_ascii_end().len() < bytes.len() {
        (
            "white-space",
            "It ends with white space",
            bytes.trim_ascii_end().to_vec(),
        )
    } else {
        return in_other_case(gap);
    };
    let meant = PathBuf::from(OsString::from_vec(meant));
    let exists = match meant.symlink_metadata() {
        Ok(_) => "which exists",
        Err(_) => "where nothing is either",
    };
    let first = format!("{first}: it seems to mean {}, {exists}.", text(&meant));
    Some(Diagnosis::new(Status::Not, reason, first).advise("Correct the path in the client."))
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
