//! Examines the file at the end of a path, and says what it means for a client.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use sunpath::error::Errno;
use sunpath::{Liveness, probe};

use super::diagnosis::{Diagnosis, type_of};
use super::server::verb;
use super::stop::refused;
use super::subject::Access;
use super::walk::Found;
use super::{Question, lost, missing, server, text};
use crate::output::Status;
use crate::sockets::Sockets;
use crate::stale::is_shared;

/// Diagnoses a path that leads to a file.
pub(crate) fn diagnose(question: &Question<'_>, found: &Found) -> Diagnosis {
    let Found { path, file } = found;
    if !file.file_type().is_socket() {
        let what = type_of(file);
        if let Some(server) = lost::same_name(question, path) {
            return lost::diagnose(server, path, Some(what));
        }
        let first = format!("It is a {what}, not a socket.");
        let mut diagnosis = Diagnosis::new(Status::Not, "not-a-socket", first);
        if file.is_dir() {
            diagnosis = missing::found_in(path, diagnosis);
        }
        return diagnosis.advise("Give the path of the socket file, which sunpath ls can find.");
    }
    if is_open_socket(path) {
        let first = "It is an open socket of a process, not a socket file.";
        return Diagnosis::new(Status::Not, "not-a-socket", first)
            .advise("Give the path that the socket is bound to, which sunpath ls can find.");
    }
    if let Err(why) = question.subject.may(path, file, Access::Write) {
        return refused(question, path, file, &why, Access::Write);
    }
    // The links before it have been checked for the user, and may be closed to the one who asks.
    match probe(&found.path) {
        Ok(Liveness::Live) => live(question, found),
        Ok(Liveness::Dead) => {
            let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
            dead(question, found, is_shared(dir.unwrap_or(Path::new("."))))
        }
        Ok(Liveness::NotSocket | Liveness::Absent) => {
            Diagnosis::unknown("The file changed while it was asked about.")
        }
        Ok(_) => {
            Diagnosis::unknown("This kernel does not tell whether a process holds the socket.")
        }
        Err(error) if error.errno() == Errno::EACCES && !question.subject.is_asker() => {
            Diagnosis::unknown(
                "You may not write to the socket, so whether it is alive could not be asked.",
            )
            .advise("Ask as root.")
        }
        Err(error) => Diagnosis::unknown(format!(
            "The kernel did not tell whether it is alive: {error}."
        )),
    }
}

/// Returns whether a path is that of a descriptor in /proc, and the descriptor that of a socket.
fn is_open_socket(path: &Path) -> bool {
    path.read_link()
        .is_ok_and(|target| target.as_os_str().as_bytes().starts_with(b"socket:["))
}

/// Diagnoses a socket file that no process of this machine holds. Other machines may share its file system.
fn dead(question: &Question<'_>, found: &Found, is_shared: bool) -> Diagnosis {
    let Found { path, file } = found;
    if file.nlink() == 0 {
        let path = text(path);
        let first =
            format!("The socket file is stale: {path} is a mount of a file that was removed.");
        return Diagnosis::new(Status::Not, "mounted", first)
            .found("no process holds the socket file, and it has no name any more")
            .advise("Mount the directory of the socket instead of its file, because a server that is restarted makes a new file. To reach the new file now, mount it again, or restart the container.");
    }
    if let Some(server) = question.sockets.of_alike(path, file) {
        let first = format!(
            "{} {} on this file by way of another file system.",
            server.subject(),
            verb(server)
        );
        return Diagnosis::new(Status::Not, "other-file-system", first)
            .with_server(server)
            .advise("Use the path that the server is bound to: to the kernel, a file of overlayfs and the file in its layer are two files. Do not remove this one.");
    }
    if let Some(server) = lost::same_name(question, path) {
        return lost::diagnose(server, path, Some("stale one"));
    }
    if is_shared {
        let first = "No process of this machine holds the socket, and other machines may share its file system.";
        return Diagnosis::new(Status::Not, "shared-file-system", first)
            .advise("If the server runs on another machine, or outside of this virtual machine, its socket file cannot be used here. Forward the socket by TCP, or by ssh -L.")
            .advise("If the server is to run on this machine, start it.");
    }
    let first = "The socket file is stale: the server that made it has ended.";
    Diagnosis::new(Status::Not, "stale", first)
        .found("no process holds the socket file")
        .advise("Start the server.")
        .advise("If it does not start because the address is in use, remove the file. A server that uses sunpath::BindOptions::singleton() replaces a stale file by itself.")
}

/// Diagnoses a socket file that a process holds.
fn live(question: &Question<'_>, found: &Found) -> Diagnosis {
    let of_file = |sockets: &Sockets| sockets.of_file(&found.path, &found.file).cloned();
    // A server that has started since then is in a new list.
    let server = of_file(question.sockets).or_else(|| of_file(&Sockets::read()));
    let Some(server) = server else {
        return Diagnosis::new(
            Status::Unknown,
            "other-namespace",
            "A process in another network namespace holds the socket, so whether it accepts is unknown.",
        )
        .found("the socket is alive, and is not in the list of this network namespace")
        .advise("Ask as root, or where the server runs, such as in its container.");
    };
    server::diagnose(question, &server, Some(&found.path)).with_server(&server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::subject::Subject;
    use crate::doctor::walk::Walk;
    use crate::kind::Kind;
    use std::os::unix::net::UnixListener;

    fn ask(path: &Path, ask: impl Fn(&Question<'_>, &Found) -> Diagnosis) -> String {
        let subject = Subject::new(None).unwrap();
        let question = Question {
            subject: &subject,
            kind: Kind::Stream,
            sockets: &Sockets::default(),
        };
        let found = Walk::along(path, &subject).end.unwrap();
        format!("{:?}", ask(&question, &found))
    }

    /// The list of sockets was read before the server started.
    #[test]
    fn file_of_a_server_that_is_not_in_the_list_yet_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let _listener = UnixListener::bind(&path).unwrap();
        let answer = ask(&path, diagnose);
        assert!(answer.contains("\"reachable\""), "{answer}");
    }

    /// No test can mount a file system of another machine, so the question is answered for it.
    #[test]
    fn file_on_a_file_system_that_is_shared_is_not_said_to_be_stale() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        drop(UnixListener::bind(&path).unwrap());
        for (is_shared, reason) in [(true, "\"shared-file-system\""), (false, "\"stale\"")] {
            let answer = ask(&path, |question, found| dead(question, found, is_shared));
            assert!(answer.contains(reason), "{answer}");
        }
    }
}
