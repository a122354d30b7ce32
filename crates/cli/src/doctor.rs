//! `sunpath doctor`: why a user cannot connect to a socket.
//!
//! [`walk`] follows the path file by file, with the permissions of the user ([`subject`], [`acl`]).
//! [`file`] examines the file at the end of the path without a connection, and [`sockets`](crate::sockets) finds its
//! socket in the kernel's list. If there is no file, [`missing`] looks for servers of a similar name.

mod acl;
mod diagnosis;
mod file;
mod health;
mod lost;
mod missing;
mod misspelt;
mod names;
mod server;
mod stop;
mod subject;
mod walk;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::Args;
use sunpath::sys::SUN_PATH_MAX;

use self::diagnosis::Diagnosis;
use self::subject::Subject;
use self::walk::Walk;
use crate::escape::escape_path;
use crate::kind::Kind;
use crate::output::{Failure, Format, Status};
use crate::sockets::Sockets;
use crate::target::{NAME_MAX, Target, too_long_name};

/// Finds out why you, or another user, cannot connect to a socket.
///
/// The first line is the answer. After it comes what was found, and what to do. No connection is made, so no
/// server notices the question. Root sees most: an ordinary user cannot see which processes of other users hold
/// a socket, nor into directories that are closed.
///
/// Exit status: 0 if the user can connect, 1 if not or if the server cannot accept, 3 if that could not be found
/// out.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Asks for this user, by name or number, instead of for you.
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// The kind of socket that the client makes.
    #[arg(long, value_name = "KIND", default_value = "stream")]
    kind: Kind,
    /// PATH or @NAME.
    #[arg(value_name = "PATH")]
    target: OsString,
    #[command(flatten)]
    format: Format,
}

/// A question, and what is known before the path is followed.
#[derive(Debug)]
struct Question<'q> {
    subject: &'q Subject,
    kind: Kind,
    sockets: &'q Sockets,
}

/// Runs `sunpath doctor`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let subject = Subject::new(arguments.user.as_deref())?;
    let target = Target::read_any(&arguments.target)?;
    let sockets = Sockets::read();
    let question = Question {
        subject: &subject,
        kind: arguments.kind,
        sockets: &sockets,
    };
    let diagnosis = match &target {
        Target::Abstract(name) => names::diagnose(&question, name),
        Target::Path(path) => of_path(&question, path),
    };
    diagnosis
        .into_answer(&target, &question)
        .print(arguments.format)
}

fn of_path(question: &Question<'_>, path: &Path) -> Diagnosis {
    if path.as_os_str().is_empty() {
        let first = "The path is empty, and the kernel would make up an abstract name for it.";
        return Diagnosis::new(Status::Not, "empty", first)
            .advise("Give the path of a socket file.");
    }
    if let Some(len) = too_long_name(path) {
        let first =
            format!("A name in the path is too long: it has {len} bytes, and {NAME_MAX} fit.");
        return Diagnosis::new(Status::Not, "too-long", first)
            .advise("Choose a shorter name: no file system takes this one.");
    }
    let walk = Walk::along(path, question.subject);
    let diagnosis = match &walk.end {
        Ok(found) => file::diagnose(question, found),
        Err(stop) => stop::diagnose(question, path, stop),
    };
    let diagnosis = diagnosis.with_walk(walk);
    match path.as_os_str().len() > SUN_PATH_MAX {
        true => too_long(path, diagnosis),
        false => diagnosis,
    }
}

/// Puts before the diagnosis of a path that a plain call of connect(2) does not take it.
fn too_long(path: &Path, diagnosis: Diagnosis) -> Diagnosis {
    let len = path.as_os_str().len();
    let first =
        format!("The path is too long for one call: it has {len} bytes, and {SUN_PATH_MAX} fit.");
    let truncated = PathBuf::from(std::ffi::OsStr::from_bytes(
        &path.as_os_str().as_bytes()[..SUN_PATH_MAX],
    ));
    let mut whole = diagnosis.behind("too-long", first);
    if truncated.symlink_metadata().is_ok() {
        whole = whole.found(format!(
            "a program has truncated the path: there is {}",
            text(&truncated)
        ));
    }
    whole.advise("sunpath connect takes the path, and sunpath explain shows how programs can.")
}

/// Returns a path as text for a terminal.
fn text(path: &Path) -> String {
    escape_path(path.as_os_str().as_bytes())
}
