//! The sockets, their processes and their waiting clients, at one time.

use std::collections::HashMap;
use std::thread;

use sunpath::diag::{self, Entry, Peer, Query, Queue, SocketKind, State};
use sunpath::{Error, SunPath};

use super::pattern::Pattern;
use crate::escape::{escape, escape_abstract, escape_path};
use crate::listing::list;
use crate::output::Status;
use crate::processes::Processes;

/// The sockets of this network namespace, and what is known about their processes.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) entries: Vec<Entry>,
    pub(crate) processes: Processes,
    /// Why the list is not complete.
    pub(crate) error: Option<Error>,
    /// The place of each socket in `entries`, by its inode.
    places: HashMap<u32, u32>,
    /// The listener that each waiting client waits for, by the inodes of both.
    waits_for: HashMap<u32, u32>,
}

/// The other end of a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other<'s> {
    /// There is none.
    None,
    /// The socket is in the list.
    Listed(&'s Entry),
    /// The socket is in another network namespace, or was made or closed while the list was read.
    NotListed(u32),
    /// The connection waits to be accepted by this listener.
    WaitsFor(&'s Entry),
    /// The connection waits to be accepted by a listener that is not known.
    Waits,
    /// The other end is closed.
    Closed,
}

impl Snapshot {
    /// Reads the sockets and the processes. With `listening`, clients are left out.
    pub(crate) fn take(listening: bool) -> Self {
        let query = match listening {
            true => Query::new().listening(),
            false => Query::new(),
        };
        let ((entries, error), processes) = thread::scope(|scope| {
            let processes = scope.spawn(Processes::read);
            let (mut entries, error) = list(query);
            // A socket can come twice if others changed while the list was read.
            entries.sort_unstable_by_key(Entry::inode);
            entries.dedup_by_key(|entry| entry.inode());
            // A thread that panics has printed why; the list is right without the processes.
            ((entries, error), processes.join().unwrap_or_default())
        });
        let place = |(place, entry): (usize, &Entry)| (entry.inode(), place as u32);
        let places = entries.iter().enumerate().map(place).collect();
        let mut snapshot = Self {
            entries,
            processes,
            error,
            places,
            waits_for: HashMap::new(),
        };
        if !listening {
            snapshot.ask_who_waits();
        }
        snapshot
    }

    /// Asks for the clients that wait for each listener. They are left out if the kernel cannot report
    /// them because they are too many.
    fn ask_who_waits(&mut self) {
        let mut buf = vec![0; diag::BUFFER];
        for listener in &self.entries {
            let waits = matches!(listener.queue(), Queue::Clients { waiting: 1.., .. });
            if !waits {
                continue;
            }
            if let Ok(clients) = diag::waiting(listener.inode(), &mut buf) {
                let clients = clients.map(|client| (client, listener.inode()));
                self.waits_for.extend(clients);
            }
        }
    }

    fn by_inode(&self, inode: u32) -> Option<&Entry> {
        self.entries.get(*self.places.get(&inode)? as usize)
    }

    /// Returns the other end of a socket.
    pub(crate) fn other(&self, entry: &Entry) -> Other<'_> {
        match entry.peer() {
            Peer::None => Other::None,
            Peer::Inode(inode) => match self.by_inode(inode) {
                Some(peer) => Other::Listed(peer),
                None => Other::NotListed(inode),
            },
            Peer::NoInode => {
                let listener = self.waits_for.get(&entry.inode());
                match listener.and_then(|inode| self.by_inode(*inode)) {
                    Some(listener) => Other::WaitsFor(listener),
                    // The sockets of a connection are shut down when the other end is closed. Those
                    // of datagrams are not, and they wait for nobody.
                    None if entry.shutdown().is_none() && entry.kind() != SocketKind::Datagram => {
                        Other::Waits
                    }
                    None => Other::Closed,
                }
            }
        }
    }

    /// Returns the sockets that the pattern, or the other end of which it, asks for.
    pub(crate) fn matching(&self, pattern: &Pattern) -> Vec<&Entry> {
        let mut chosen: Vec<_> = match pattern.is_any() {
            true => self.entries.iter().collect(),
            false => {
                let matches = |entry: &&Entry| {
                    self.is_asked_for(entry, pattern)
                        || match self.other(entry) {
                            Other::Listed(other) | Other::WaitsFor(other) => {
                                self.is_asked_for(other, pattern)
                            }
                            _ => false,
                        }
                };
                self.entries.iter().filter(matches).collect()
            }
        };
        // Names come first, and listeners before what they accepted.
        chosen.sort_by_cached_key(|entry| {
            let name = entry.addr();
            let state = entry.state() != State::Listening;
            (name.is_unnamed(), name, state, entry.inode())
        });
        chosen
    }

    fn is_asked_for(&self, entry: &Entry, pattern: &Pattern) -> bool {
        let of_name = || name(entry).is_some_and(|name| pattern.matches(&name));
        let of_process = || {
            self.processes.holders(entry.inode()).any(|(process, _)| {
                pattern.matches_number(process.pid) || pattern.matches(&escape(&process.command))
            })
        };
        of_name() || of_process()
    }

    /// Returns the first line of the answer.
    pub(crate) fn summary(&self, chosen: &[&Entry], pattern: &Pattern) -> String {
        let mut text = match (chosen.len(), pattern) {
            (0, _) if self.error.is_some() => String::new(),
            (0, Pattern::Any) => "There is no such socket in this network namespace.".into(),
            (0, _) => format!(
                "No socket in this network namespace matches {}.",
                pattern.text()
            ),
            (1, _) => "1 socket.".into(),
            (sockets, _) => {
                let count = |state| chosen.iter().filter(|e| e.state() == state).count();
                let listening = count(State::Listening);
                let connected = count(State::Connected);
                format!("{sockets} sockets: {listening} listening, {connected} connected.")
            }
        };
        if let Some(error) = self.error {
            text += &match self.entries.is_empty() {
                true => format!("The kernel does not list its sockets: {error}."),
                false if text.is_empty() => format!("The list is not complete: {error}."),
                false => format!(" The list is not complete: {error}."),
            };
        }
        text + &self.who_is_not_known(chosen)
    }

    /// Returns how many processes could not be read.
    fn who_is_not_known(&self, chosen: &[&Entry]) -> String {
        let mut text = match self.processes.unreadable {
            0 => String::new(),
            1 => " 1 process could not be read.".into(),
            processes => format!(" {processes} processes could not be read."),
        };
        if self.processes.hidden {
            text += " /proc hides processes.";
        }
        if !text.is_empty() {
            let held = |entry: &&&Entry| self.processes.holders(entry.inode()).next().is_some();
            let known = chosen.iter().filter(held).count();
            text += &match chosen.len() - known {
                0 => String::new(),
                1 => " The holder of 1 socket is not known.".into(),
                unknown => format!(" The holders of {unknown} sockets are not known."),
            };
        }
        text
    }

    /// Returns the exit status of the list.
    pub(crate) fn status(&self, chosen: &[&Entry], pattern: &Pattern) -> Status {
        // A process that could not be read may be the one that was asked for.
        let is_unread = self.processes.unreadable > 0 || self.processes.hidden;
        let may_match = is_unread && !pattern.is_any() && !pattern.is_of_names_alone();
        match (self.error, chosen.len()) {
            (Some(_), _) => Status::Unknown,
            (None, 0) if may_match => Status::Unknown,
            (None, 0) => Status::Not,
            (None, _) => Status::Done,
        }
    }
}

/// Returns the name of a socket as it is printed.
pub(crate) fn name(entry: &Entry) -> Option<String> {
    match entry.addr().name() {
        SunPath::Unnamed => None,
        SunPath::Pathname(path) => Some(escape_path(path)),
        SunPath::Abstract(name) => Some(escape_abstract(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No kernel fails on demand while it lists sockets, so the error of another call takes the place of
    /// its error.
    #[test]
    fn snapshot_that_is_not_complete_says_so() {
        let (_a, _b) = sunpath::UnixStream::pair().unwrap();
        let mut snapshot = Snapshot::take(false);
        snapshot.processes = Processes::default();
        snapshot.error = sunpath::UnixStream::connect("/no/such/file").err();
        let all = snapshot.matching(&Pattern::Any);
        assert_eq!(snapshot.status(&all, &Pattern::Any), Status::Unknown);
        let text = snapshot.summary(&all, &Pattern::Any);
        let end = " The list is not complete: connect: ENOENT (no such file or directory).";
        assert!(text.ends_with(end), "{text}");
        let pattern = Pattern::read(Some("/no/such".as_ref())).unwrap();
        assert_eq!(snapshot.summary(&[], &pattern), end.trim_start());

        snapshot.entries.clear();
        let text = snapshot.summary(&[], &Pattern::Any);
        assert!(text.starts_with("The kernel does not list its sockets: connect: ENOENT"));
        assert_eq!(snapshot.status(&[], &Pattern::Any), Status::Unknown);
    }

    #[test]
    fn snapshot_without_a_match_is_not_known_if_a_process_could_not_be_read() {
        let mut snapshot = Snapshot::take(true);
        let status = |snapshot: &Snapshot, pattern: &str| {
            let pattern = Pattern::read(Some(pattern.as_ref())).unwrap();
            snapshot.status(&[], &pattern)
        };
        (snapshot.error, snapshot.processes) = (None, Processes::default());
        assert_eq!(status(&snapshot, "nobody"), Status::Not);
        snapshot.processes.unreadable = 1;
        assert_eq!(status(&snapshot, "nobody"), Status::Unknown);
        assert_eq!(status(&snapshot, "/run/a"), Status::Not);
        assert_eq!(status(&snapshot, "@a"), Status::Not);
        snapshot.processes.unreadable = 0;
        snapshot.processes.hidden = true;
        assert_eq!(status(&snapshot, "nobody"), Status::Unknown);
        let text = snapshot.summary(&[], &Pattern::Any);
        assert!(text.ends_with(" /proc hides processes."), "{text}");
    }
}
