//! Follows a path as the kernel does, and checks at each step what the user may do.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{PROC_SUPER_MAGIC, statfs};

use super::subject::{Access, Denied, Subject};

/// The number of symbolic links after which the kernel gives up: ELOOP.
const LINKS: usize = 40;

/// Where a path leads, and every file on the way.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) steps: Vec<Step>,
    pub(crate) end: Result<Found, Stop>,
}

/// A file on the way.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) path: PathBuf,
    pub(crate) file: Metadata,
    /// Where it leads, if it is a symbolic link.
    pub(crate) link: Option<PathBuf>,
}

/// The file at the end of the way.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its path, without links.
    pub(crate) path: PathBuf,
    pub(crate) file: Metadata,
}

/// Why the way ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The user may not look up names in a directory.
    NotEntered {
        dir: PathBuf,
        file: Box<Metadata>,
        why: Denied,
    },
    /// A directory has no such name. `link` is the link that led there.
    Missing {
        dir: PathBuf,
        name: OsString,
        is_last: bool,
        link: Option<PathBuf>,
    },
    /// A file is used as a directory.
    NotDirectory { path: PathBuf, file: Box<Metadata> },
    /// Too many links.
    Loop { link: PathBuf },
    /// The kernel protects a link in a directory where everybody may make links.
    LinkProtected { link: PathBuf, owner: u32 },
    /// This process may not look, so nothing is known about the user.
    Hidden { dir: PathBuf },
    /// Something else went wrong.
    Other { path: PathBuf, error: io::Error },
}

impl Walk {
    /// Follows the path. A relative path begins at the working directory.
    pub(crate) fn along(path: &Path, subject: &Subject) -> Self {
        let mut walk = Walker {
            subject,
            at: if path.is_absolute() {
                "/".into()
            } else {
                PathBuf::new()
            },
            left: components(path),
            is_directory: path.as_os_str().as_bytes().ends_with(b"/"),
            links: 0,
            open_links: Vec::new(),
            steps: Vec::new(),
        };
        let end = walk.run();
        Self {
            steps: walk.steps,
            end,
        }
    }
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| !matches!(part, Component::RootDir | Component::CurDir))
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

struct Walker<'s> {
    subject: &'s Subject,
    /// The directory that has been reached, without links except for those of /proc.
    at: PathBuf,
    left: VecDeque<OsString>,
    /// Whether a slash at the end asks for a directory.
    is_directory: bool,
    links: usize,
    /// The links of which a part of the target is left, each with the number of names that come after it.
    open_links: Vec<(PathBuf, usize)>,
    steps: Vec<Step>,
}

impl Walker<'_> {
    fn run(&mut self) -> Result<Found, Stop> {
        while let Some(name) = self.left.pop_front() {
            let left = self.left.len();
            self.open_links.retain(|(_, after)| left >= *after);
            let dir = self.here().to_owned();
            let dir_file = self.metadata(&dir)?;
            if !dir_file.is_dir() {
                return Err(Stop::NotDirectory {
                    path: dir,
                    file: dir_file.into(),
                });
            }
            if let Err(why) = self.subject.may(&dir, &dir_file, Access::Enter) {
                self.push(dir.clone(), &dir_file, None);
                return Err(Stop::NotEntered {
                    dir,
                    file: dir_file.into(),
                    why,
                });
            }
            self.push(dir.clone(), &dir_file, None);
            let path = self.at.join(&name);
            if name == OsStr::new("..") {
                self.at = match fs::canonicalize(&path) {
                    Ok(path) => path,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        return Err(self.missing(dir, name));
                    }
                    Err(error) => return Err(other(&path, error)),
                };
                continue;
            }
            let file = match fs::symlink_metadata(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(self.missing(dir, name));
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(Stop::Hidden { dir });
                }
                Err(error) => return Err(other(&path, error)),
            };
            match file.is_symlink() {
                true => self.follow(path, file, &dir_file)?,
                false => self.at = path,
            }
        }
        let path = self.here().to_owned();
        let file = self.metadata(&path)?;
        self.push(path.clone(), &file, None);
        if self.is_directory && !file.is_dir() {
            return Err(Stop::NotDirectory {
                path,
                file: file.into(),
            });
        }
        Ok(Found { path, file })
    }

    fn missing(&mut self, dir: PathBuf, name: OsString) -> Stop {
        let is_last = self.left.is_empty();
        let link = self.open_links.pop().map(|(link, _)| link);
        Stop::Missing {
            dir,
            name,
            is_last,
            link,
        }
    }

    fn follow(&mut self, path: PathBuf, file: Metadata, dir: &Metadata) -> Result<(), Stop> {
        let target = fs::read_link(&path).map_err(|error| match error.kind() {
            // A link of /proc is read by the owner of its process alone.
            io::ErrorKind::PermissionDenied => Stop::Hidden { dir: path.clone() },
            _ => other(&path, error),
        })?;
        let owner = file.uid();
        self.push(path.clone(), &file, Some(target.clone()));
        self.links += 1;
        if self.links > LINKS {
            let first = self.steps.iter().find(|step| step.link.is_some());
            let link = first.map_or(path, |step| step.path.clone());
            return Err(Stop::Loop { link });
        }
        let is_shared = dir.mode() & 0o1002 == 0o1002; // sticky, and everybody may write
        let is_trusted = [self.subject.uid(), dir.uid()].contains(&owner);
        if is_shared && !is_trusted && links_are_protected() {
            return Err(Stop::LinkProtected { link: path, owner });
        }
        if is_magic(&path, &target) {
            self.at = path;
            return Ok(());
        }
        if target.is_absolute() {
            self.at = "/".into();
        }
        let rest = std::mem::take(&mut self.left);
        self.open_links.push((path, rest.len()));
        self.left = components(&target).into_iter().chain(rest).collect();
        Ok(())
    }

    fn here(&self) -> &Path {
        match self.at.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.at,
        }
    }

    fn metadata(&self, path: &Path) -> Result<Metadata, Stop> {
        let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
        fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Stop::Hidden { dir },
            _ => other(path, error),
        })
    }

    fn push(&mut self, path: PathBuf, file: &Metadata, link: Option<PathBuf>) {
        if !self.steps.iter().any(|step| step.path == path) {
            let file = file.clone();
            self.steps.push(Step { path, file, link });
        }
    }
}

fn other(path: &Path, error: io::Error) -> Stop {
    let path = path.to_owned();
    Stop::Other { path, error }
}

/// Returns whether a link of /proc leads to a file of a process, such as `/proc/<pid>/root`. The kernel does
/// not read the text of such a link, which is the path that the process sees.
fn is_magic(link: &Path, target: &Path) -> bool {
    let dir = link.parent().unwrap_or(Path::new("/"));
    let is_proc = statfs(dir).is_ok_and(|dir| dir.f_type == PROC_SUPER_MAGIC);
    is_proc && (target.is_absolute() || !dir.join(target).exists()) && link.exists()
}

fn links_are_protected() -> bool {
    let text = fs::read("/proc/sys/fs/protected_symlinks").unwrap_or_default();
    text.starts_with(b"1")
}
