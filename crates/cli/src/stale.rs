//! Searches for stale socket files under a directory.
//!
//! The kernel is asked about each file by the library, which makes a proof. The list of sockets is not a
//! proof, because it lacks the sockets of network namespaces that this process may not enter. It can only
//! show that a file is in use.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use serde_json::{Map, Value, json};
use sunpath::files::{StaleFile, stale_in};
use sunpath::{Liveness, probe};
use walkdir::WalkDir;

use crate::escape::{escape_path, insert};
use crate::output::{Answer, Failure, Line, Status};
use crate::sockets::{Server, Sockets};

/// The numbers of file systems that several machines, or a guest and its host, can share, from `<linux/magic.h>`. A
/// server on another machine looks dead to this kernel.
const SHARED: [u32; 13] = [
    0x0000_6969, // NFS
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB2
    0x0000_517b, // SMB
    0x0102_1997, // 9P
    0x6573_5546, // FUSE, and with it virtiofs and sshfs
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
    0x7375_7245, // Coda
    0x7461_636f, // OCFS2
    0x0116_1970, // GFS2
    0x0bd0_0bd0, // Lustre
    0x786f_4256, // VirtualBox
];

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Each file with the proof that no process holds its socket.
    pub(crate) stale: Vec<StaleFile>,
    /// The number of socket files that a process holds.
    pub(crate) live: usize,
    /// The files and directories about which nothing could be found out, and why.
    pub(crate) untold: Vec<(PathBuf, String)>,
}

impl Search {
    /// Searches a directory and those below it that are on the same file system. Symbolic links are not followed,
    /// except for the directory itself.
    pub(crate) fn under(dir: &Path) -> Result<Self, Failure> {
        Self::under_by(dir, is_shared)
    }

    fn under_by(dir: &Path, is_shared: fn(&Path) -> bool) -> Result<Self, Failure> {
        let named = escape_path(dir.as_os_str().as_bytes());
        match dir.metadata() {
            Ok(file) if file.is_dir() => {}
            Ok(_) => return Err(Failure::usage(format!("{named} is not a directory"))),
            Err(error) => return Err(Failure::usage(format!("{named}: {error}"))),
        }
        let mut search = Self::default();
        let mut sockets = BTreeSet::new();
        let files = WalkDir::new(dir).same_file_system(true).sort_by_file_name();
        for file in files {
            match file {
                Ok(file) if file.file_type().is_socket() => _ = sockets.insert(file.into_path()),
                Ok(_) => {}
                Err(error) => search.could_not_read(dir, &error),
            }
        }
        let dirs: BTreeSet<_> = sockets.iter().filter_map(|path| path.parent()).collect();
        for dir in dirs {
            let in_dir = sockets.iter().filter(|path| path.parent() == Some(dir));
            search.ask_about(dir, in_dir.map(PathBuf::as_path), is_shared(dir));
        }
        search.set_aside_aliases();
        Ok(search)
    }

    fn could_not_read(&mut self, dir: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(dir).to_owned();
        let why = match error.io_error() {
            Some(error) => error.to_string(),
            None => error.to_string(),
        };
        self.untold.push((path, why));
    }

    /// Asks about the socket files of one directory. If other machines share its file system, none of them is
    /// stale.
    fn ask_about<'p>(&mut self, dir: &Path, sockets: impl Iterator<Item = &'p Path>, shared: bool) {
        let mut stale = Vec::new();
        if !shared {
            match stale_in(dir) {
                Ok(files) => stale.extend(files.filter_map(Result::ok)),
                Err(error) => self.untold.push((dir.into(), error.to_string())),
            }
        }
        for path in sockets.filter(|path| stale.iter().all(|file| file.path() != *path)) {
            let why = match probe(path) {
                Ok(Liveness::Live) => {
                    self.live += 1;
                    continue;
                }
                // It has been removed, replaced or left since.
                Ok(Liveness::Absent | Liveness::NotSocket) => continue,
                Ok(Liveness::Dead) if shared => {
                    "no process of this machine holds it, but other machines may share the file \
                     system"
                        .into()
                }
                Ok(_) => "the kernel does not tell whether a process holds it".into(),
                Err(error) => error.to_string(),
            };
            self.untold.push((path.into(), why));
        }
        self.stale.extend(stale);
    }

    /// Sets aside the files that a server may have bound by way of another file system. A file in a layer of
    /// overlayfs is such a file: no process holds it, but its removal would remove the server's file.
    fn set_aside_aliases(&mut self) {
        if self.stale.is_empty() {
            return;
        }
        let sockets = Sockets::read();
        let holder = |path: &Path| {
            let file = path.symlink_metadata().ok()?;
            sockets.of_alike(path, &file).map(Server::text)
        };
        let untold = &mut self.untold;
        self.stale.retain(|file| {
            let holder = holder(file.path());
            if let Some(holder) = &holder {
                let why = format!("{holder} holds it by way of another file system");
                untold.push((file.path().into(), why));
            }
            holder.is_none()
        });
    }

    /// Returns the answer of a command that removes nothing.
    pub(crate) fn answer(&self) -> Answer {
        let status = match (self.stale.len(), self.untold.len()) {
            (1.., _) => Status::Done,
            (0, 1..) => Status::Unknown,
            (0, 0) => Status::Not,
        };
        let first = match self.stale.len() {
            0 if self.untold.is_empty() => "No socket file is stale.".into(),
            0 => "No socket file is known to be stale.".into(),
            1 => "1 socket file is stale.".into(),
            files => format!("{files} socket files are stale."),
        };
        let first = first + &self.remainder();
        let mut rest: Vec<_> = self
            .stale
            .iter()
            .map(|file| line(file.path(), ""))
            .collect();
        rest.extend(self.untold_lines());
        let stale = self.stale.iter().map(|file| object(file.path(), &[]));
        let mut json = json!({ "answer": first, "stale": stale.collect::<Value>() });
        self.insert_remainder(&mut json);
        Answer {
            status,
            first,
            rest,
            json,
        }
    }

    /// Returns the end of the first line: what else there is.
    pub(crate) fn remainder(&self) -> String {
        let mut text = match self.live {
            0 => String::new(),
            1 => " 1 is in use.".into(),
            files => format!(" {files} are in use."),
        };
        text += &match self.untold.len() {
            0 => String::new(),
            1 => " Nothing could be found out about 1 path.".into(),
            paths => format!(" Nothing could be found out about {paths} paths."),
        };
        text
    }

    /// Returns the lines about what could not be found out.
    pub(crate) fn untold_lines(&self) -> Vec<Line> {
        if self.untold.is_empty() {
            return Vec::new();
        }
        let heading = Line::Heading("Nothing could be found out about".into());
        let lines = self.untold.iter().map(|(path, why)| line(path, why));
        [heading].into_iter().chain(lines).collect()
    }

    /// Adds the rest of the search to the JSON of an answer.
    pub(crate) fn insert_remainder(&self, json: &mut Value) {
        let untold = self.untold.iter();
        let untold = untold.map(|(path, why)| object(path, &[("reason", why)]));
        json["in_use"] = self.live.into();
        json["unknown"] = untold.collect();
    }
}

/// Returns whether other machines can share the file system of a directory.
pub(crate) fn is_shared(dir: &Path) -> bool {
    statfs(dir).is_ok_and(|dir| SHARED.contains(&(dir.f_type as u32)))
}

/// Returns a line about a path.
pub(crate) fn line(path: &Path, why: &str) -> Line {
    let path = escape_path(path.as_os_str().as_bytes());
    match why {
        "" => Line::Text(path),
        why => Line::Text(format!("{path}: {why}")),
    }
}

/// Returns a JSON object about a path.
pub(crate) fn object(path: &Path, fields: &[(&str, &str)]) -> Value {
    let mut object = Map::new();
    insert(&mut object, "path", path.as_os_str().as_bytes());
    for (key, value) in fields {
        object.insert((*key).into(), (*value).into());
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// No test can mount a file system of another machine, so the question is answered for it.
    #[test]
    fn stale_on_a_file_system_that_is_shared_nothing_is_stale() {
        let dir = tempfile::tempdir().unwrap();
        let live = UnixListener::bind(dir.path().join("live")).unwrap();
        drop(UnixListener::bind(dir.path().join("dead")).unwrap());
        // A child that another test starts holds the socket until it executes its program.
        while probe(dir.path().join("dead")) != Ok(Liveness::Dead) {
            std::thread::yield_now();
        }
        let search = Search::under_by(dir.path(), |_| true).unwrap();
        assert_eq!((search.stale.len(), search.live), (0, 1));
        let [(path, why)] = search.untold.as_slice() else {
            panic!("{search:?}");
        };
        assert_eq!(path, &dir.path().join("dead"));
        assert!(why.contains("other machines"), "{why}");
        let search = Search::under_by(dir.path(), |_| false).unwrap();
        assert_eq!((search.stale.len(), search.live), (1, 1));
        assert!(!is_shared(Path::new("/proc")));
        drop(live);
    }
}
