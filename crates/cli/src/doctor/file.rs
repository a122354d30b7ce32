//! Examines the file at the end of a path, and says what it means for a client.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use sunpath::error::Errno;
use sunpath::{CWD, Liveness, UnixDatagram, probe};

use super::diagnosis::{Diagnosis, type_of};
use super::health::Hindrance;
use super::stop::refused;
use super::subject::Access;
use super::walk::Found;
use super::{Question, missing};
use crate::escape::escape_path;
use crate::kind::Kind;
use crate::output::Status;
use crate::sockets::{Server, Sockets, waiting_text};

/// Diagnoses a path that leads to a file.
pub(crate) fn diagnose(question: &Question<'_>, found: &Found) -> Diagnosis {
    let Found { path, file } = found;
    if !file.file_type().is_socket() {
        let what = type_of(file);
        if let Some(server) = missing::same_name(question, path) {
            return missing::lost(server, path, Some(what));
        }
        let first = format!("It is a {what}, not a socket.");
        return Diagnosis::new(Status::Not, "not-a-socket", first)
            .advise("Give the path of the socket file, which sunpath ls can find.");
    }
    if path.is_symlink() {
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
        Ok(Liveness::Dead) => dead(question, found),
        Ok(Liveness::NotSocket | Liveness::Absent) => {
            unknown("The file changed while it was asked about.")
        }
        Ok(_) => unknown("This kernel does not tell whether a process holds the socket."),
        Err(error) if error.errno() == Errno::EACCES && !question.subject.is_asker() => {
            unknown("You may not write to the socket, so whether it is alive could not be asked.")
                .advise("Ask as root.")
        }
        Err(error) => unknown(format!(
            "The kernel did not tell whether it is alive: {error}."
        )),
    }
}

fn unknown(first: impl Into<String>) -> Diagnosis {
    Diagnosis::new(Status::Unknown, "unknown", first)
}

/// Diagnoses a socket file that no process holds.
fn dead(question: &Question<'_>, found: &Found) -> Diagnosis {
    let Found { path, file } = found;
    if file.nlink() == 0 {
        let path = escape_path(path.as_os_str().as_bytes());
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
    if let Some(server) = missing::same_name(question, path) {
        return missing::lost(server, path, Some("stale one"));
    }
    let first = "The socket file is stale: the server that made it has ended.";
    Diagnosis::new(Status::Not, "stale", first)
        .found("no process holds the socket file")
        .advise("Start the server.")
        .advise("If it does not start because the address is in use, remove the file. A server that uses sunpath::BindOptions::singleton() replaces a stale file by itself.")
}

/// Returns what a server does with its socket.
pub(crate) fn verb(server: &Server) -> &'static str {
    match server.kind() {
        Some(Kind::Datagram) => "receives messages",
        _ if server.is_listening() => "listens",
        _ => "is bound",
    }
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
    of_server(question, &server, Some(&found.path)).with_server(&server)
}

/// Diagnoses a socket that a process holds, and that the user may reach. `path` is its path, if it has
/// one.
pub(crate) fn of_server(
    question: &Question<'_>,
    server: &Server,
    path: Option<&Path>,
) -> Diagnosis {
    let who = server.text();
    let Some(kind) = server.kind() else {
        return unknown("The socket is of a kind that this program does not know.");
    };
    if kind != question.kind {
        let first = format!(
            "It is a {} socket of {who}, not a {} socket.",
            kind.text(),
            question.kind.text()
        );
        return Diagnosis::new(Status::Not, "other-kind", first)
            .advise(format!("Make a {0} socket in the client: connect reports EPROTOTYPE for any other. To ask again: sunpath doctor --kind {0}.", kind.text()));
    }
    if kind == Kind::Datagram {
        return of_receiver(question, server, path);
    }
    if !server.is_listening() {
        let first = format!(
            "{} has bound the socket, but does not listen on it.",
            server.subject()
        );
        return Diagnosis::new(Status::Not, "not-listening", first).advise(
            "Wait until the server calls listen. If it never does, it is still starting, or hangs.",
        );
    }
    if server.is_shut_down() {
        let first = format!(
            "{} has shut its listener down, and takes no connection.",
            server.subject()
        );
        return Diagnosis::new(Status::Not, "shut-down", first)
            .advise("Restart the server: a listener that was shut down does not accept again.");
    }
    let (waiting, backlog) = server.clients().unwrap_or_default();
    let hindrance = Hindrance::of(server);
    let clients = waiting_text(waiting);
    if waiting > backlog {
        let state = hindrance.map_or("is not accepting", Hindrance::text);
        let first = format!("The queue is full: {who} {state}, and {clients}.");
        let advice = match hindrance {
            Some(hindrance) => hindrance.advice(server),
            None if server.processes.is_empty() => "Find out as root whether the server is stopped, hangs, or has too few descriptors or workers.".into(),
            None => "Find out why the server is not accepting: it hangs, or has too few workers.".into(),
        };
        return Diagnosis::new(Status::Not, "full", first)
            .advise(advice)
            .advise(
                "Until then, a client that waits hangs, and one that does not wait gets EAGAIN.",
            )
            .advise(format!(
                "A larger backlog helps against bursts alone: it is {backlog} now."
            ));
    }
    let subject = question.subject.text();
    match hindrance {
        // A server may have all descriptors that it needs, as long as no client waits.
        Some(hindrance) if waiting > 0 || hindrance == Hindrance::Stopped => {
            let state = hindrance.text();
            let first = format!("{subject} can connect, but {who} {state}, and {clients}.");
            hindered(hindrance, server, first)
        }
        _ => {
            let place = if server.elsewhere {
                ", in another network namespace"
            } else {
                ""
            };
            let first = format!("{subject} can connect: {who} listens{place}, and {clients}.");
            Diagnosis::new(Status::Done, "reachable", first)
        }
    }
}

/// Diagnoses a server whose socket is fine.
fn hindered(hindrance: Hindrance, server: &Server, first: String) -> Diagnosis {
    Diagnosis::new(Status::Not, hindrance.reason(), first).advise(hindrance.advice(server))
}

/// Diagnoses a datagram socket, by a socket of this process that is connected to it and sends nothing.
fn of_receiver(question: &Question<'_>, server: &Server, path: Option<&Path>) -> Diagnosis {
    let connected = UnixDatagram::unbound().and_then(|socket| {
        match path {
            Some(path) => socket.connect_to_at(CWD, path)?,
            None => socket.connect_to(&server.entry.addr())?,
        }
        Ok(socket)
    });
    let who = server.text();
    let stopped = Hindrance::of(server).filter(|hindrance| *hindrance == Hindrance::Stopped);
    match (
        connected.and_then(|socket| socket.try_send_space()),
        stopped,
    ) {
        (Ok(true), None) => {
            let first = format!(
                "{} can send: {who} receives messages.",
                question.subject.text()
            );
            Diagnosis::new(Status::Done, "reachable", first)
        }
        (Ok(true), Some(stopped)) => {
            let first = format!(
                "{} can send, but {who} is stopped.",
                question.subject.text()
            );
            hindered(stopped, server, first)
        }
        (Ok(false), None) => {
            let first = format!("The queue is full: {who} is not receiving its messages.");
            Diagnosis::new(Status::Not, "full", first)
                .advise("Find out why the server is not receiving: it hangs.")
        }
        (Ok(false), Some(stopped)) => {
            let first = format!("The queue is full: {who} is stopped.");
            Diagnosis::new(Status::Not, "full", first).advise(stopped.advice(server))
        }
        (Err(error), _) if error.errno() == Errno::EPERM => {
            let first = format!("{} takes messages from one peer alone.", server.subject());
            Diagnosis::new(Status::Not, "other-peer", first).advise(
                "The server has connected its datagram socket, so others may not send to it.",
            )
        }
        (Err(error), _) => unknown(format!(
            "The kernel did not tell whether {who} receives: {error}."
        )),
    }
}

/// A question to a connected datagram socket.
trait SendSpace {
    /// Returns whether the peer's queue takes a message now.
    fn try_send_space(&self) -> Result<bool, sunpath::Error>;
}

impl SendSpace for UnixDatagram {
    fn try_send_space(&self) -> Result<bool, sunpath::Error> {
        self.wait_writable(Some(std::time::Duration::from_millis(1)))
    }
}
