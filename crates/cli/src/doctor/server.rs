//! Answers what a server does with a client: accepts it, lets it wait, or refuses it.

use std::path::Path;

use sunpath::error::Errno;
use sunpath::{CWD, UnixDatagram};

use super::Question;
use super::diagnosis::Diagnosis;
use super::health::Hindrance;
use crate::kind::Kind;
use crate::output::Status;
use crate::sockets::{Server, waiting_text};

/// Returns what a server does with its socket.
pub(crate) fn verb(server: &Server) -> &'static str {
    match server.kind() {
        Some(Kind::Datagram) => "receives messages",
        _ if server.is_listening() => "listens",
        _ => "is bound",
    }
}

/// Diagnoses a socket that a process holds, and that the user may reach. `path` is its path, if it has
/// one.
pub(crate) fn diagnose(question: &Question<'_>, server: &Server, path: Option<&Path>) -> Diagnosis {
    let who = server.text();
    let Some(kind) = server.kind() else {
        return Diagnosis::unknown("The socket is of a kind that this program does not know.");
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
        (Err(error), _) => Diagnosis::unknown(format!(
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
