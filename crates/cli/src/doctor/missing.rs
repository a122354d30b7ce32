//! Where a server may be if nothing is at the path: in another directory, with its file removed, or
//! in another view of the file system.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Question;
use super::diagnosis::Diagnosis;
use super::file::verb;
use crate::escape::{escape, escape_path};
use crate::output::Status;
use crate::processes::Process;
use crate::sockets::Server;

/// The place where a path leads to nothing.
pub(crate) struct Gap<'g> {
    pub(crate) dir: &'g Path,
    pub(crate) name: &'g OsStr,
    pub(crate) is_last: bool,
    pub(crate) link: Option<&'g Path>,
}

impl Gap<'_> {
    /// Returns the path of what is not there.
    fn path(&self) -> PathBuf {
        match self.dir == Path::new(".") {
            true => self.name.into(),
            false => self.dir.join(self.name),
        }
    }
}

/// Diagnoses a path at which nothing is.
pub(crate) fn diagnose(question: &Question<'_>, path: &Path, gap: Gap<'_>) -> Diagnosis {
    let gone = gap.path();
    if let Some(link) = gap.link {
        if let Some(server) = same_name(question, &gone) {
            return lost(server, &gone, None);
        }
        let first = format!(
            "The link {} leads to {}, which does not exist.",
            text(link),
            text(&gone)
        );
        return Diagnosis::new(Status::Not, "dangling-link", first)
            .advise("Start the server, or make the link again with the path of its socket.");
    }
    let with_server = same_name(question, path)
        .map(|server| lost(server, path, None))
        .or_else(|| relative(question, path))
        .or_else(|| misspelt(path, &gap))
        .or_else(|| elsewhere(question, path));
    with_server.unwrap_or_else(|| nothing(&gap))
}

fn text(path: &Path) -> String {
    escape_path(path.as_os_str().as_bytes())
}

/// Diagnoses a path for which no server was found either.
fn nothing(gap: &Gap<'_>) -> Diagnosis {
    let gone = gap.path();
    let is_dir_removed = fs::metadata(gap.dir).is_ok_and(|dir| dir.nlink() == 0);
    let first = match gap.is_last {
        _ if is_dir_removed => format!(
            "Nothing is there: the directory {} was removed.",
            text(gap.dir)
        ),
        true => format!(
            "Nothing is there: {} has no {}.",
            text(gap.dir),
            escape(gap.name.as_bytes())
        ),
        false => format!(
            "Nothing is there: the directory {} does not exist.",
            text(&gone)
        ),
    };
    let mut diagnosis = Diagnosis::new(Status::Not, "missing", first)
        .found("no process of this network namespace has a socket of this name");
    let sockets = sockets_in(gap.dir);
    if gap.is_last && !sockets.is_empty() {
        let names: Vec<_> = sockets.iter().map(|name| escape(name.as_bytes())).collect();
        diagnosis = diagnosis.found(format!(
            "{} has these sockets: {}",
            text(gap.dir),
            names.join(", ")
        ));
    }
    diagnosis.advise(match is_dir_removed {
        true => "Change to the directory again, as it is now: cd \"$PWD\".",
        false => "Start the server, or find out from its configuration which path it uses.",
    })
}

/// Returns the names of at most five sockets in a directory.
fn sockets_in(dir: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()));
    let mut names: Vec<_> = sockets.map(|entry| entry.file_name()).collect();
    names.sort();
    names.truncate(5);
    names
}

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
fn bound_in(server: &Server, bound: &Path) -> Option<PathBuf> {
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
pub(crate) fn lost(server: &Server, path: &Path, instead: Option<&str>) -> Diagnosis {
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

/// Diagnoses a server whose socket has a relative name, which leads to another directory.
fn relative(question: &Question<'_>, path: &Path) -> Option<Diagnosis> {
    let is_same = |bound: &Path| !bound.is_absolute() && bound.file_name() == path.file_name();
    let mut servers = question.sockets.with_paths();
    let (server, bound) = servers.find(|(_, bound)| is_same(bound))?;
    let whole = bound_in(server, &bound);
    let dir = whole.as_ref().and_then(|whole| whole.parent());
    let place = dir.map_or("a directory that you may not read".into(), text);
    let first = format!(
        "{} {} at a relative path, {}, in {place}.",
        server.subject(),
        verb(server),
        text(&bound)
    );
    Some(
        Diagnosis::new(Status::Not, "relative", first)
            .with_server(server)
            .advise(
                "Give the server an absolute path: a relative one begins where it was started.",
            ),
    )
}

/// Diagnoses a path that is not one: a URL, a variable that no shell replaced, white space at the end.
fn misspelt(path: &Path, gap: &Gap<'_>) -> Option<Diagnosis> {
    let bytes = path.as_os_str().as_bytes();
    let schemes = [
        &b"unix://"[..],
        b"unix:",
        b"http+unix://",
        b"file://",
        b"ipc://",
    ];
    let url = schemes
        .iter()
        .find_map(|scheme| bytes.strip_prefix(*scheme));
    let (reason, first, meant) = if let Some(rest) = url {
        ("url", "It is a URL, not a path", rest.to_vec())
    } else if bytes.starts_with(b"~/") {
        let first = "It begins with ~, which only a shell replaces";
        let Some(home) = std::env::var_os("HOME") else {
            let diagnosis = Diagnosis::new(Status::Not, "tilde", format!("{first}."));
            return Some(diagnosis.advise("Write the path out."));
        };
        let mut meant = home.into_vec();
        meant.extend(&bytes[1..]);
        ("tilde", first, meant)
    } else if bytes.contains(&b'$') {
        let first = "It has a $, and only a shell replaces variables.";
        return Some(Diagnosis::new(Status::Not, "variable", first).advise("Write the path out."));
    } else if bytes.trim_ascii_end().len() < bytes.len() {
        (
            "white-space",
            "It ends with white space",
            bytes.trim_ascii_end().to_vec(),
        )
    } else {
        return in_other_case(gap);
    };
    let meant = PathBuf::from(OsString::from_vec(meant));
    let exists = match meant.symlink_metadata() {
        Ok(_) => "which exists",
        Err(_) => "where nothing is either",
    };
    let first = format!("{first}: it seems to mean {}, {exists}.", text(&meant));
    Some(Diagnosis::new(Status::Not, reason, first).advise("Correct the path in the client."))
}

/// Diagnoses a name that is there in other letters.
fn in_other_case(gap: &Gap<'_>) -> Option<Diagnosis> {
    let entries = fs::read_dir(gap.dir).ok()?.flatten();
    let mut names = entries.map(|entry| entry.file_name());
    let similar = names.find(|name| name.eq_ignore_ascii_case(gap.name))?;
    let first = format!(
        "Nothing is there: {} has {}, in other letters.",
        text(gap.dir),
        escape(similar.as_bytes())
    );
    Some(Diagnosis::new(Status::Not, "letters", first).advise("Correct the path in the client."))
}

/// Diagnoses a server that has a socket of the same name in another directory.
fn elsewhere(question: &Question<'_>, path: &Path) -> Option<Diagnosis> {
    let mut servers = question.sockets.with_paths();
    let is_same = |bound: &Path| bound.file_name() == path.file_name() && bound.exists();
    let (server, bound) = servers.find(|(_, bound)| is_same(bound))?;
    let first = format!(
        "Nothing is there: {} {} at {}.",
        server.text(),
        verb(server),
        text(&bound)
    );
    Some(
        Diagnosis::new(Status::Not, "elsewhere", first)
            .with_server(server)
            .advise("Give the client and the server the same path."),
    )
}
