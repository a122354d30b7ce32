//! Examines the file at the end of a path, and says what it means for a client.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use sunpath::error::Errno;
use sunpath::{CWD, Liveness, UnixDatagram, probe};

use super::diagnosis::{Diagnosis, type_of};
use super::sockets::{Server, waiting_text};
use super::stop::refused;
use super::subject::{Access, owner_text};
use super::walk::Found;
use super::{Question, missing};
use crate::kind::Kind;
use crate::output::Status;

/// Diagnoses a path that leads to a file.
pub(crate) fn diagnose(question: &Question<'_>, found: &Found) -> Diagnosis {
    let file = &found.file;
    if !file.file_type().is_socket() {
        let first = format!("It is a {}, not a socket.", type_of(file));
        return Diagnosis::new(Status::Not, "not-a-socket", first)
            .advise("Give the path of the socket file, which sunpath ls can find.");
    }
    let denied = question.subject.may(&found.path, file, Access::Write).err();
    if let Some(why) = denied {
        let what = format!("write to the socket ({})", owner_text(file));
        return refused(question, &what, file, &why, Access::Write);
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
    match missing::same_name(question, &found.path) {
        Some(server) => {
            let first = format!(
                "{} {}, but its socket file was replaced by a stale one.",
                server.subject(),
                verb(server),
            );
            Diagnosis::new(Status::Not, "replaced", first)
                .with_server(server)
                .found("no process holds the socket file that is there now")
                .advise("Restart the server. Find out which program removes its file: a second start, or a cleaner.")
        }
        None => Diagnosis::new(
            Status::Not,
            "stale",
            "The socket file is stale: the server that made it has ended.",
        )
        .found("no process holds the socket file")
        .advise("Start the server.")
        .advise("If it does not start because the address is in use, remove the file. A server that uses sunpath::BindOptions::singleton() replaces a stale file by itself."),
    }
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
    let Some(server) = question.sockets.of_file(&found.path, &found.file) else {
        return Diagnosis::new(
            Status::Unknown,
            "other-namespace",
            "A process in another network namespace holds the socket, so whether it accepts is unknown.",
        )
        .found("the socket is alive, and is not in the list of this network namespace")
        .advise("Ask as root, or where the server runs, such as in its container.");
    };
    of_server(question, server, Some(&found.path)).with_server(server)
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
    if waiting > backlog {
        let first = format!(
            "The queue is full: {who} is not accepting, and {}.",
            waiting_text(waiting)
        );
        return Diagnosis::new(Status::Not, "full", first)
            .advise("Find out why the server is not accepting: no free descriptors, a stopped process, too few workers. Until then, a client that waits hangs, and one that does not wait gets EAGAIN.")
            .advise(format!("A larger backlog helps against bursts alone: it is {backlog} now."));
    }
    let place = if server.elsewhere {
        ", in another network namespace"
    } else {
        ""
    };
    let first = format!(
        "{} can connect: {who} listens{place}, and {}.",
        question.subject.text(),
        waiting_text(waiting)
    );
    Diagnosis::new(Status::Done, "reachable", first)
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
    match connected.and_then(|socket| socket.try_send_space()) {
        Ok(true) => {
            let first = format!(
                "{} can send: {who} receives messages.",
                question.subject.text()
            );
            Diagnosis::new(Status::Done, "reachable", first)
        }
        Ok(false) => {
            let first = format!("The queue is full: {who} is not receiving its messages.");
            Diagnosis::new(Status::Not, "full", first)
                .advise("Find out why the server is not receiving: it hangs, or was stopped.")
        }
        Err(error) if error.errno() == Errno::EPERM => {
            let first = format!("{} takes messages from one peer alone.", server.subject());
            Diagnosis::new(Status::Not, "other-peer", first).advise(
                "The server has connected its datagram socket, so others may not send to it.",
            )
        }
        Err(error) => unknown(format!(
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
