//! The kernel's list of sockets, in this network namespace and in others.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use sunpath::Error;
use sunpath::diag::{self, Entry, Query};
use sunpath::error::Cause;

/// How often a list that changed while it was read is asked for again.
const TRIES: usize = 5;

/// Lists the sockets of this network namespace, with the error if the list is not complete.
pub(crate) fn list(query: Query) -> (Vec<Entry>, Option<Error>) {
    let mut last = (Vec::new(), None);
    for _ in 0..TRIES {
        last = list_once(query);
        if last.1.and_then(Error::cause) != Some(Cause::ListChanged) {
            break;
        }
    }
    last
}

fn list_once(query: Query) -> (Vec<Entry>, Option<Error>) {
    let mut buf = vec![0; diag::BUFFER];
    let mut entries = Vec::new();
    let error = match query.list(&mut buf) {
        Ok(sockets) => sockets
            .map(|entry| entry.map(|entry| entries.push(entry)))
            .find_map(Result::err),
        Err(error) => Some(error),
    };
    (entries, error)
}

/// Lists the sockets of the other network namespaces that this process may enter: those of all processes
/// for root, and none for an ordinary user.
pub(crate) fn list_elsewhere(query: Query) -> Vec<Entry> {
    let each = other_namespaces().into_iter().map(|namespace| {
        // Only this thread moves, and it ends.
        let entered = thread::spawn(move || {
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), kind).map(|()| list(query).0)
        });
        entered.join().ok().and_then(Result::ok).unwrap_or_default()
    });
    each.flatten().collect()
}

/// Opens the network namespaces of other processes.
fn other_namespaces() -> Vec<File> {
    let identity = |file: &Metadata| (file.dev(), file.ino());
    let own = fs::metadata("/proc/self/ns/net");
    let mut known: HashSet<_> = own.iter().map(identity).collect();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let is_process = entry.file_name().to_str()?.parse::<u32>().is_ok();
        let file = File::open(entry.path().join("ns/net"))
            .ok()
            .filter(|_| is_process)?;
        known
            .insert(identity(&file.metadata().ok()?))
            .then_some(file)
    });
    files.collect()
}
