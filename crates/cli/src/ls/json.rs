//! The list as JSON, with one object for each socket.

use serde_json::{Map, Value, json};
use sunpath::diag::{Entry, Queue};
use sunpath::{Shutdown, SunPath};

use super::snapshot::{Other, Snapshot};
use super::table::{kind, state};
use crate::escape::insert;

/// Returns the whole answer.
pub(crate) fn whole(snapshot: &Snapshot, chosen: &[&Entry], first: &str) -> Value {
    let sockets = chosen.iter().map(|entry| socket(snapshot, entry));
    json!({
        "answer": first,
        "complete": snapshot.error.is_none(),
        "error": snapshot.error.map(|error| error.to_string()),
        "unreadable_processes": snapshot.processes.unreadable,
        "hidden_processes": snapshot.processes.hidden,
        "sockets": sockets.collect::<Value>(),
    })
}

fn socket(snapshot: &Snapshot, entry: &Entry) -> Value {
    let mut object = Map::new();
    object.insert("kind".into(), kind(entry).into());
    object.insert("state".into(), state(entry).into());
    object.insert("inode".into(), entry.inode().into());
    object.insert("cookie".into(), entry.cookie().into());
    object.insert("uid".into(), entry.uid().into());
    match entry.addr().name() {
        SunPath::Unnamed => {}
        SunPath::Pathname(path) => insert(&mut object, "path", path),
        SunPath::Abstract(name) => insert(&mut object, "abstract", name),
    }
    if let Some(file) = entry.file() {
        let file = json!({ "device": file.device(), "inode_low_32_bits": file.inode() });
        object.insert("file".into(), file);
    }
    let shut_down = match entry.shutdown() {
        None => Value::Null,
        Some(Shutdown::Read) => "read".into(),
        Some(Shutdown::Write) => "write".into(),
        Some(Shutdown::Both) => "both".into(),
    };
    object.insert("shut_down".into(), shut_down);
    match entry.queue() {
        Queue::Clients { waiting, backlog } => {
            object.insert("waiting".into(), waiting.into());
            object.insert("backlog".into(), backlog.into());
        }
        Queue::Bytes { unread, unsent } => {
            object.insert("unread_bytes".into(), unread.into());
            object.insert("unreceived_memory".into(), unsent.into());
        }
    }
    object.insert("peer".into(), peer(snapshot.other(entry)));
    object.insert("processes".into(), processes(snapshot, entry));
    object.into()
}

fn peer(other: Other<'_>) -> Value {
    let (state, inode) = match other {
        Other::None => return Value::Null,
        Other::Listed(peer) => ("open", Some(peer.inode())),
        Other::NotListed(inode) => ("not listed", Some(inode)),
        Other::WaitsFor(listener) => {
            return json!({ "state": "waits", "inode": null, "listener": listener.inode() });
        }
        Other::Waits => ("waits", None),
        Other::Closed => ("closed", None),
    };
    json!({ "state": state, "inode": inode })
}

/// Returns the processes that hold a socket, each with its descriptors.
fn processes(snapshot: &Snapshot, entry: &Entry) -> Value {
    let mut processes: Vec<(u32, &[u8], Vec<u32>)> = Vec::new();
    for (process, descriptor) in snapshot.processes.holders(entry.inode()) {
        match processes.last_mut() {
            Some((pid, _, descriptors)) if *pid == process.pid => descriptors.push(descriptor),
            _ => processes.push((process.pid, &process.command, vec![descriptor])),
        }
    }
    let object = |(pid, command, descriptors): (u32, &[u8], Vec<u32>)| {
        let mut object = Map::new();
        object.insert("pid".into(), pid.into());
        insert(&mut object, "command", command);
        object.insert("descriptors".into(), descriptors.into());
        Value::from(object)
    };
    processes.into_iter().map(object).collect()
}
