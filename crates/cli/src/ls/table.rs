//! The list as a table, with one line for each connection.

use std::fmt::Write as _;
use std::io::Write as _;

use sunpath::Shutdown;
use sunpath::diag::{Entry, Peer, Queue, SocketKind, State};
use tabwriter::TabWriter;

use super::snapshot::{Other, Snapshot, name};
use crate::escape::escape;

/// The number of processes that are shown for one end.
const SHOWN: usize = 2;

/// Returns the lines of the table. The first one is its header.
pub(crate) fn lines(snapshot: &Snapshot, chosen: &[&Entry]) -> String {
    let mut text = String::from("KIND\tSTATE\tQUEUE\tPROCESS\tPEER\tNAME\n");
    for entry in chosen {
        let other = snapshot.other(entry);
        if let Other::Listed(peer) = other {
            if is_second(entry, peer) {
                continue;
            }
        }
        row(snapshot, entry, other, &mut text);
    }
    align(&text)
}

/// Aligns the columns, which tabs end.
fn align(text: &str) -> String {
    let mut columns = TabWriter::new(Vec::with_capacity(text.len() * 2));
    let written = columns.write_all(text.as_bytes());
    match written.ok().and_then(|()| columns.into_inner().ok()) {
        Some(aligned) => String::from_utf8_lossy(&aligned).into_owned(),
        None => text.into(),
    }
}

/// Returns whether the line of the peer tells about both ends of a connection. That is the end with a name,
/// or else the one with the lower inode.
pub(crate) fn is_second(entry: &Entry, peer: &Entry) -> bool {
    let rank = |entry: &Entry| (entry.addr().is_unnamed(), entry.inode());
    peer.peer() == Peer::Inode(entry.inode()) && rank(peer) < rank(entry)
}

fn row(snapshot: &Snapshot, entry: &Entry, other: Other<'_>, text: &mut String) {
    let name = name(entry).unwrap_or_else(|| "-".into());
    let _ = write!(text, "{}\t{}\t", kind(entry), state(entry));
    queue(entry, other, text);
    text.push('\t');
    processes(snapshot, entry, text);
    text.push('\t');
    end(snapshot, other, text);
    let _ = writeln!(text, "\t{name}");
}

pub(crate) fn kind(entry: &Entry) -> &'static str {
    match entry.kind() {
        SocketKind::Stream => "stream",
        SocketKind::Datagram => "datagram",
        SocketKind::Seqpacket => "seqpacket",
        _ => "unknown",
    }
}

pub(crate) fn state(entry: &Entry) -> &'static str {
    match (entry.state(), entry.shutdown()) {
        // Nobody can connect to it any more.
        (State::Listening, Some(Shutdown::Read | Shutdown::Both)) => "shut down",
        (State::Listening, _) => "listening",
        (State::Connected, _) => "connected",
        (State::Unconnected, _) => "unconnected",
        _ => "unknown",
    }
}

fn queue(entry: &Entry, other: Other<'_>, text: &mut String) {
    let _ = match (entry.queue(), other) {
        (Queue::Clients { waiting, backlog }, _) => write!(text, "{waiting}/{backlog}"),
        (Queue::Bytes { unread, .. }, Other::Listed(peer))
            if peer.peer() == Peer::Inode(entry.inode()) =>
        {
            match peer.queue() {
                Queue::Bytes { unread: there, .. } => write!(text, "{unread}+{there} B"),
                Queue::Clients { .. } => write!(text, "{unread} B"),
            }
        }
        (Queue::Bytes { unread, .. }, _) => write!(text, "{unread} B"),
    };
}

/// Writes the processes that hold a socket, or the user that owns it if none is known.
fn processes(snapshot: &Snapshot, entry: &Entry, text: &mut String) {
    let mut pids = 0;
    let mut last = None;
    for (process, _) in snapshot.processes.holders(entry.inode()) {
        if last == Some(process.pid) {
            continue;
        }
        last = Some(process.pid);
        pids += 1;
        if pids <= SHOWN {
            let before = if pids == 1 { "" } else { ", " };
            let command = escape(&process.command);
            let _ = write!(text, "{before}{command}[{}]", process.pid);
        }
    }
    match (pids, entry.uid()) {
        (0, Some(uid)) => _ = write!(text, "? of user {uid}"),
        (0, None) => text.push('?'),
        (..=SHOWN, _) => {}
        (pids, _) => _ = write!(text, " and {} more", pids - SHOWN),
    }
}

fn end(snapshot: &Snapshot, other: Other<'_>, text: &mut String) {
    match other {
        Other::None => text.push('-'),
        Other::Closed => text.push_str("closed"),
        Other::Waits => text.push_str("waits to be accepted"),
        Other::NotListed(inode) => _ = write!(text, "socket {inode}, not in this list"),
        Other::Listed(peer) => named(snapshot, peer, text),
        Other::WaitsFor(listener) => {
            text.push_str("waits for ");
            named(snapshot, listener, text);
        }
    }
}

fn named(snapshot: &Snapshot, entry: &Entry, text: &mut String) {
    if let Some(name) = name(entry) {
        let _ = write!(text, "{name} ");
    }
    processes(snapshot, entry, text);
}
