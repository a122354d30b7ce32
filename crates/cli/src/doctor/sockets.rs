//! The sockets that the kernel lists, and who holds them.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use sunpath::diag::{self, Entry, Queue, SocketKind, State};
use sunpath::error::Cause;
use sunpath::{Error, Shutdown, SunPath};

use crate::kind::Kind;
use crate::processes::{Process, Processes};
use crate::target::Target;
use crate::user::user_name;

/// How often a list that changed while it was read is asked for again.
const TRIES: usize = 5;

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
#[derive(Debug)]
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
        let (entries, error) = list();
        let mut servers: Vec<_> = entries.into_iter().map(|entry| (entry, false)).collect();
        for namespace in other_namespaces() {
            let entered = thread::spawn(move || {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(namespace.as_fd(), kind).map(|()| list().0)
            });
            let entries = entered.join().ok().and_then(Result::ok).unwrap_or_default();
            servers.extend(entries.into_iter().map(|entry| (entry, true)));
        }
        let servers = servers.into_iter().map(|(entry, elsewhere)| Server {
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
        // Some file systems report another device to stat(2) than to the kernel's list. There the number
        // of the inode and the name of the file have to do.
        let similar = |server: &&Server| {
            let inode = server.entry.file().map(sunpath::diag::FileId::inode);
            let name = server.path();
            inode == Some(file.ino() as u32)
                && name.is_some_and(|name| name.file_name() == path.file_name())
        };
        self.servers
            .iter()
            .find(exact)
            .or_else(|| self.servers.iter().find(similar))
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

/// Returns when a process started, in clock ticks after the boot: field 22 of `/proc/<pid>/stat`. A
/// process that has ended comes last.
fn start_time(process: &Process) -> u64 {
    let stat = fs::read(process.proc("stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The name of the process is in parentheses, and may have any character.
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let field = after_name.split(' ').nth(22 - 3);
    field.and_then(|time| time.parse().ok()).unwrap_or(u64::MAX)
}

/// Lists the named sockets of the network namespace of this thread, with the error if it is not complete.
fn list() -> (Vec<Entry>, Option<Error>) {
    let mut last = (Vec::new(), None);
    for _ in 0..TRIES {
        last = list_once();
        if last.1.and_then(Error::cause) != Some(Cause::ListChanged) {
            break;
        }
    }
    last
}

fn list_once() -> (Vec<Entry>, Option<Error>) {
    let mut buf = vec![0; diag::BUFFER];
    let sockets = match diag::list(&mut buf) {
        Ok(sockets) => sockets,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut entries = Vec::new();
    for entry in sockets {
        match entry {
            Ok(entry) if is_server(&entry) => entries.push(entry),
            Ok(_) => {}
            Err(error) => return (entries, Some(error)),
        }
    }
    (entries, None)
}

/// Returns whether a socket has a name and is not an end of a connection. An accepted socket has
/// the name of its listener, but nobody can connect to the accepted socket.
fn is_server(entry: &Entry) -> bool {
    let is_end = entry.state() == State::Connected && entry.kind() != SocketKind::Datagram;
    !is_end && !entry.addr().is_unnamed()
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
