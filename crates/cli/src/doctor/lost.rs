//! Servers whose socket file is not where they bound it: it was removed or replaced, or is in another view of
//! the file system.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Question;
use super::diagnosis::Diagnosis;
use super::server::verb;
use super::text;
use crate::output::Status;
use crate::processes::Process;
use crate::sockets::Server;

/// Returns the server that is bound to this path, or to another path of the same file name in the same
/// directory.
pub(crate) fn same_name<'q>(question: &Question<'q>, path: &Path) -> Option<&'q Server> {
    let wanted = without_links(path);
    let matches = |server: &Server, bound: &Path| {
        if bound == path {
            return true;
        }
        if bound.file_name() != path.file_name() {
            return false;
        }
        match bound.is_absolute() {
            true => wanted.is_some() && without_links(bound) == wanted,
            false => bound_in(server, bound)
                .is_some_and(|bound| wanted.is_some() && without_links(&bound) == wanted),
        }
    };
    let mut servers = question.sockets.with_paths();
    servers
        .find(|(server, bound)| matches(server, bound))
        .map(|(server, _)| server)
}

/// Returns the path of a relative name, if the server has not changed its directory since.
pub(crate) fn bound_in(server: &Server, bound: &Path) -> Option<PathBuf> {
    let process = server.processes.first()?;
    let dir = fs::read_link(process.proc("cwd")).ok()?;
    Some(dir.join(bound))
}

/// Returns the path with its directory as the kernel finds it, or `None` if there is no such directory.
fn without_links(path: &Path) -> Option<PathBuf> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = fs::canonicalize(dir.unwrap_or(Path::new("."))).ok()?;
    Some(dir.join(path.file_name()?))
}

/// Diagnoses a server that is bound to the path, although its file is not there. `instead` is what is there.
pub(crate) fn diagnose(server: &Server, path: &Path, instead: Option<&str>) -> Diagnosis {
    let who = server.subject();
    let path = without_links(path).unwrap_or_else(|| path.into());
    let process = server.processes.first();
    let seen = process.and_then(|process| Some((process, Place::of(process, server, &path)?)));
    if let Some((process, place)) = seen {
        let place_text = match &place {
            Place::Root(root) => format!("root directory of its own, {}", text(root)),
            Place::Mounts => "mount namespace of its own".into(),
        };
        let first = format!("{who} {} in a {place_text}.", verb(server));
        let inner = path.strip_prefix("/").unwrap_or(&path);
        let seen = process.proc("root").join(inner);
        return Diagnosis::new(Status::Not, "other-mounts", first)
            .with_server(server)
            .found(format!("the socket file is {}", text(&seen)))
            .advise(match place {
                Place::Root(root) => {
                    format!("From here its path is {}.", text(&root.join(inner)))
                }
                Place::Mounts => "Put the socket into a directory that both see. A service with PrivateTmp= has a /tmp of its own, and a container has its own files unless a directory is mounted.".into(),
            });
    }
    // The files of a process that may not be read cannot be seen either.
    let or_elsewhere = match process {
        Some(_) => "",
        None => ", or is in a mount namespace of its own",
    };
    let (reason, fate, advice) = match instead {
        None => ("removed", "removed".into(), "Restart the server."),
        Some(what) => (
            "replaced",
            format!("replaced by a {what}"),
            "Remove what is at the path now, and restart the server.",
        ),
    };
    let first = format!(
        "{who} {}, but its socket file was {fate}{or_elsewhere}.",
        verb(server)
    );
    let diagnosis = Diagnosis::new(Status::Not, reason, first).with_server(server);
    let diagnosis = match process {
        Some(_) => diagnosis.advise(advice),
        None => diagnosis
            .advise("Ask as root, who can see which of the two it is.")
            .advise(advice),
    };
    diagnosis.advise("Find out which program removes the file: a second start that unlinks it, a cleaner of /tmp, or a restart of the service.")
}

/// Where the socket file is, as the server sees it.
enum Place {
    /// The server has changed its root directory.
    Root(PathBuf),
    /// The server has other file systems mounted.
    Mounts,
}

impl Place {
    /// Looks for the socket file as the process sees it. Returns `None` if the file does not exist
    /// there, or this process has no permission to see it.
    fn of(process: &Process, server: &Server, path: &Path) -> Option<Self> {
        let root = process.proc("root");
        let seen = fs::symlink_metadata(root.join(path.strip_prefix("/").ok()?)).ok()?;
        let is_its = server
            .entry
            .file()
            .is_some_and(|id| id.inode() == seen.ino() as u32);
        if !is_its {
            return None;
        }
        let identity = |file: Metadata| (file.dev(), file.ino());
        let mounts = |path: PathBuf| fs::metadata(path).map(identity).ok();
        if mounts(process.proc("ns/mnt")) != mounts("/proc/self/ns/mnt".into()) {
            return Some(Self::Mounts);
        }
        let root = fs::read_link(root).ok()?;
        (root != Path::new("/")).then_some(Self::Root(root))
    }
}
