//! The sockets that the kernel lists, and who holds them.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sunpath::diag::{Entry, Query, Queue, SocketKind, State};
use sunpath::{Error, Shutdown, SunPath};

use crate::kind::Kind;
use crate::listing::{list, list_elsewhere};
use crate::processes::{Process, Processes};
use crate::target::Target;
use crate::user::user_name;

/// A socket that has a name: a listener, one that is to become a listener, or a datagram socket.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) entry: Entry,
    /// The processes that hold it, as far as they may be read.
    pub(crate) processes: Vec<Process>,
    /// Whether it is in another network namespace than this process.
    pub(crate) elsewhere: bool,
}

impl Server {
    /// Returns who holds the socket, as the subject of a sentence in the middle of it.
    pub(crate) fn text(&self) -> String {
        match (self.processes.first(), self.entry.uid()) {
            (Some(process), _) => process.text(),
            (None, Some(uid)) => format!("a process of user {}", user_name(uid)),
            (None, None) => "a process that you may not read".into(),
        }
    }

    /// Returns who holds the socket, as the first words of a sentence.
    pub(crate) fn subject(&self) -> String {
        match self.processes.first() {
            Some(process) => process.text(),
            None => {
                let text = self.text();
                text[..1].to_uppercase() + &text[1..]
            }
        }
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        match self.entry.kind() {
            SocketKind::Stream => Some(Kind::Stream),
            SocketKind::Datagram => Some(Kind::Datagram),
            SocketKind::Seqpacket => Some(Kind::Seqpacket),
            _ => None,
        }
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.entry.state() == State::Listening
    }

    /// Returns whether the socket takes no connection because it was shut down.
    pub(crate) fn is_shut_down(&self) -> bool {
        matches!(self.entry.shutdown(), Some(Shutdown::Read | Shutdown::Both))
    }

    /// Returns the number of waiting clients and the backlog of a listener.
    pub(crate) fn clients(&self) -> Option<(u32, u32)> {
        match self.entry.queue() {
            Queue::Clients { waiting, backlog } => Some((waiting, backlog)),
            Queue::Bytes { .. } => None,
        }
    }

    /// Returns the name that the socket is bound to.
    pub(crate) fn target(&self) -> Target {
        Target::from(self.entry.addr().name())
    }

    /// Returns the path that the socket is bound to, if it is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match self.target() {
            Target::Path(path) if !path.as_os_str().is_empty() => Some(path),
            _ => None,
        }
    }
}

/// Returns how many clients wait, as a part of a sentence.
pub(crate) fn waiting_text(count: u32) -> String {
    match count {
        0 => "no clients wait".into(),
        1 => "1 client waits".into(),
        _ => format!("{count} clients wait"),
    }
}

/// All sockets with a name that this process can find out about.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    servers: Vec<Server>,
    /// The number of processes whose descriptors this process may not read.
    pub(crate) unreadable: usize,
    /// Why the list is not complete.
    pub(crate) error: Option<Error>,
}

impl Sockets {
    /// Lists the sockets of this network namespace, and those of others that this process may enter.
    pub(crate) fn read() -> Self {
        let processes = Processes::read();
        let (here, error) = list(Query::new());
        let here = here.into_iter().map(|entry| (entry, false));
        let elsewhere = list_elsewhere(Query::new()).into_iter();
        let all = here.chain(elsewhere.map(|entry| (entry, true)));
        let servers = all.filter(|(entry, _)| is_server(entry));
        let servers = servers.map(|(entry, elsewhere)| Server {
            entry,
            processes: oldest_first(processes.of(entry.inode())),
            elsewhere,
        });
        Self {
            servers: servers.collect(),
            unreadable: processes.unreadable,
            error,
        }
    }

    /// Returns the socket of a file.
    pub(crate) fn of_file(&self, path: &Path, file: &Metadata) -> Option<&Server> {
        let exact = |server: &&Server| {
            server
                .entry
                .file()
                .is_some_and(|id| id.matches(file.dev(), file.ino()))
        };
        self.servers
            .iter()
            .find(exact)
            .or_else(|| self.of_alike(path, file))
    }

    /// Returns the socket of a file with the same name and number of the inode, of whatever device. Some file
    /// systems report another device to stat(2) than to the kernel's list. For a file that seems to be
    /// stale, it is a socket that was bound by way of another file system, such as overlayfs.
    pub(crate) fn of_alike(&self, path: &Path, file: &Metadata) -> Option<&Server> {
        let is_alike = |server: &&Server| {
            let inode = server.entry.file().map(sunpath::diag::FileId::inode);
            let name = server.path();
            inode == Some(file.ino() as u32)
                && name.is_some_and(|name| name.file_name() == path.file_name())
        };
        self.servers.iter().find(is_alike)
    }

    /// Returns the socket with an abstract name in this network namespace, and then those in others.
    pub(crate) fn of_abstract<'s>(&'s self, name: &'s [u8]) -> impl Iterator<Item = &'s Server> {
        let has_name = |server: &&Server| server.entry.addr().name() == SunPath::Abstract(name);
        self.servers.iter().filter(has_name)
    }

    /// Returns the sockets that are bound to a path.
    pub(crate) fn with_paths(&self) -> impl Iterator<Item = (&Server, PathBuf)> {
        self.servers
            .iter()
            .filter_map(|server| Some((server, server.path()?)))
    }
}

/// Sorts the holders of a socket. A server is older than the children that have copies of its descriptors,
/// whatever their numbers are.
fn oldest_first(mut processes: Vec<Process>) -> Vec<Process> {
    if processes.len() > 1 {
        processes.sort_by_cached_key(|process| (start_time(process), process.pid));
    }
    processes
}

/// Returns when a process started, in clock ticks after the boot. A process that has ended comes last.
fn start_time(process: &Process) -> u64 {
    let time = process.stat(22);
    time.and_then(|time| time.parse().ok()).unwrap_or(u64::MAX)
}

/// Returns whether a socket has a name and is not an end of a connection. An accepted socket has
/// the name of its listener, but nobody can connect to the accepted socket.
fn is_server(entry: &Entry) -> bool {
    let is_end = entry.state() == State::Connected && entry.kind() != SocketKind::Datagram;
    !is_end && !entry.addr().is_unnamed()
}
