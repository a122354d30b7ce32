//! The steps from a path to a socket that is bound to it.

use core::ffi::c_int;

use crate::error::{Cause, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::files::alias::proc_alias;
use crate::files::at::{bind_in_parent, bind_to_temporary, is_too_long};
use crate::files::name::{Name, join_name};
use crate::files::path::SplitPath;
use crate::syscall::{self, Identity, Status};

use super::access::Access;
use super::file::BoundFile;
use super::private::Private;
use super::remove::{remove_if, status_of};
use super::sample::missing_feature;
use super::turn::Turn;
use super::{BindOptions, Existing, errors};

/// The number of attempts for a name that other processes take and release in between.
const ATTEMPTS: usize = 1000;

impl BindOptions {
    /// Makes a bound socket of any type, and its file, which is not bound yet. The socket listens
    /// if `listens` is true. The lock is not taken if `has_lock` is true. On failure the file is
    /// dropped before the socket.
    pub(super) fn make(
        &self,
        kind: c_int,
        file: BoundFile,
        path: &SplitPath<'_>,
        listens: bool,
        has_lock: bool,
    ) -> Result<(OwnedFd, BoundFile), Error> {
        self.access.check()?;
        let socket = self.socket(kind)?;
        let mut file = file; // `file` is declared after the socket, so that it is dropped first.
        let in_place = !self.access.is_asked() || can_be_held(socket.as_fd(), file.dir.as_fd())?;
        if self.takes_lock() && !has_lock {
            file.lock(path)?;
        }
        self.remove_existing(&file, path)?;
        let backlog = listens.then_some(self.backlog);
        match in_place {
            true => self.bind_in_place(socket.as_fd(), &mut file, path, backlog),
            false => self.bind_in_private(socket.as_fd(), &mut file, path, backlog),
        }?;
        file.unlink_on_drop = self.unlink_on_drop;
        Ok((socket, file))
    }

    /// Binds to the name itself. For a takeover, or if no address has space for the name, it binds
    /// to a temporary name in the same directory, and moves the file when it is ready. If a mode,
    /// an owner or a group is asked for, the file has the mark (see `Access`) until it is ready.
    fn bind_in_place(
        &self,
        socket: BorrowedFd<'_>,
        file: &mut BoundFile,
        path: &SplitPath<'_>,
        backlog: Option<c_int>,
    ) -> Result<(), Error> {
        if self.access.is_asked() {
            self.access.prepare(socket)?;
        }
        let name = file.name;
        let in_place =
            self.existing != Existing::Takeover && self.bind_to_name(socket, file, path)?;
        if !in_place {
            let bind = &|name: &[u8]| bind_in_parent(socket, path, file.dir.as_fd(), name);
            file.name = join_name(&[&bind_to_temporary(bind)?])?;
        }
        let bound = self.complete(file, path)?;
        file.bound = Some(bound);
        if let Some(backlog) = backlog {
            syscall::listen(socket, backlog)?;
        }
        if !in_place {
            let ready = (file.dir.as_fd(), file.name.as_bytes());
            let published = self.publish(ready, file, path, &name, bound);
            if published.is_err() {
                let _ = file.remove();
            }
            file.name = name;
            return published;
        }
        Ok(())
    }

    /// Binds to the name. Returns `false` if the name does not fit.
    fn bind_to_name(
        &self,
        socket: BorrowedFd<'_>,
        file: &BoundFile,
        path: &SplitPath<'_>,
    ) -> Result<bool, Error> {
        let name = file.name.as_bytes();
        for _ in 0..ATTEMPTS {
            match bind_in_parent(socket, path, file.dir.as_fd(), name) {
                Err(error) if is_too_long(&error) => return Ok(false),
                Err(error) if self.must_clear(&error) => {
                    // If no file is in the way here, the path may lead to another directory by now.
                    if !file.clear_stale(name, path)? && !path.leads_to(file.dir.as_fd())? {
                        return Err(errors::moved(Cause::DirectoryMoved));
                    }
                }
                bound => return bound.map(|()| true),
            }
        }
        Err(errors::in_use())
    }

    /// Returns whether the error means that a file is in the way that may be stale.
    fn must_clear(&self, error: &Error) -> bool {
        self.existing == Existing::ReplaceStale
            && matches!(error.errno(), Errno::EADDRINUSE | Errno::EEXIST)
    }

    /// Removes a file that may be removed, or fails if a file is in the way. This function is
    /// called before bind(2), so that a file that exists after bind(2) is ours.
    fn remove_existing(&self, file: &BoundFile, path: &SplitPath<'_>) -> Result<(), Error> {
        let name = file.name.as_bytes();
        match (self.existing, status_of(file.dir.as_fd(), name)) {
            (Existing::ReplaceStale, Ok(_)) => file.clear_stale(name, path).map(drop),
            (Existing::Takeover, Ok(status)) if status.is_socket() => Ok(()),
            (_, Ok(status)) => Err(errors::path_in_use(&status)),
            // Usually nothing is there. If the path cannot be examined, bind(2) fails, too, and reports
            // why.
            (_, Err(_)) => Ok(()),
        }
    }

    /// Finds out which file was bound, and sets its mode and its owner.
    ///
    /// bind(2) used the path, and this function uses the open directory. If the path led to another
    /// directory when bind(2) used it, the file is in that other directory, and is removed.
    fn complete(&self, file: &mut BoundFile, path: &SplitPath<'_>) -> Result<Identity, Error> {
        let (dir, name) = (file.dir.as_fd(), file.name.as_bytes());
        let is_asked = self.access.is_asked();
        let completed = match is_asked {
            true => self.access.apply(dir, name),
            false => status_of(dir, name).and_then(|status| match status.is_socket() {
                true => Ok(status.identity()),
                false => Err(errors::moved(Cause::FileMoved)),
            }),
        };
        let Err(error) = completed else {
            return completed;
        };
        let named = |dir| status_of(dir, name).map(|status| status.identity());
        match error.errno() {
            Errno::ESTALE | Errno::ENOENT if !path.leads_to(dir)? => {
                let is_ours = |_: &[u8], status: &Status| {
                    Ok(match is_asked {
                        true => Access::is_ours(status),
                        false => status.is_socket() && status.owner() == syscall::geteuid(),
                    })
                };
                let _ = remove_if(path.open_parent()?.as_fd(), name, &is_ours);
                Err(errors::moved(Cause::DirectoryMoved))
            }
            Errno::ESTALE if is_asked => match missing_feature(dir, path)? {
                Some(lack) => {
                    file.bound = named(dir).ok();
                    Err(errors::file_system_lacks(lack))
                }
                None => Err(errors::moved(Cause::FileMoved)),
            },
            Errno::ESTALE | Errno::ENOENT => Err(errors::moved(Cause::FileMoved)),
            _ => {
                // The file is ours and is removed when `file` is dropped.
                file.bound = named(dir).ok();
                Err(error)
            }
        }
    }

    /// Binds in a directory that no other user can reach, and publishes the file when it is ready.
    fn bind_in_private(
        &self,
        socket: BorrowedFd<'_>,
        file: &mut BoundFile,
        path: &SplitPath<'_>,
        backlog: Option<c_int>,
    ) -> Result<(), Error> {
        let parent = file.dir.as_fd();
        let mut private = match Private::make(parent) {
            // Another process has replaced the directory, or the file system does not store what
            // makes it private.
            Err(error) if error.errno() == Errno::ESTALE => {
                let lack = missing_feature(parent, path)?;
                return Err(lack.map_or(error, errors::file_system_lacks));
            }
            made => made.map_err(|error| self.access.chmod_error(error))?,
        };
        // Some systems cannot mark a socket before bind. There the private directory alone keeps
        // others out.
        let _ = self.access.prepare(socket);
        private.bind(socket, path)?;
        let (dir, made) = (private.dir.as_fd(), Private::FILE);
        self.access.apply_in_private(dir, made)?;
        let status = status_of(dir, made)?;
        self.access.verify(&status)?;
        if let Some(backlog) = backlog {
            syscall::listen(socket, backlog)?;
        }
        let bound = status.identity();
        // If the next call fails, dropping `file` removes the file, under its old or its new name.
        file.bound = Some(bound);
        self.publish((dir, made), file, path, &file.name, bound)
    }

    /// Gives a finished socket file its name.
    fn publish(
        &self,
        ready: Entry<'_>,
        file: &BoundFile,
        path: &SplitPath<'_>,
        name: &Name,
        bound: Identity,
    ) -> Result<(), Error> {
        let named = (file.dir.as_fd(), name.as_bytes());
        if self.existing == Existing::Takeover {
            // Without the turn, an old server that is ending could rename the new file for a
            // moment, to check whether it is its own.
            let _turn = Turn::take(file.dir.as_fd());
            return take_over(ready, named, bound);
        }
        for _ in 0..ATTEMPTS {
            match syscall::rename_to_new(ready, named) {
                Err(error) if self.must_clear(&error) => {
                    file.clear_stale(name.as_bytes(), path)?;
                }
                Err(error) if error.errno() == Errno::EEXIST => break,
                Err(error) => return Err(error),
                Ok(()) => return check_leads_to(named, bound),
            }
        }
        Err(errors::in_use())
    }
}

/// Returns whether the file that is bound in a directory can be recognized afterwards, and held by
/// a descriptor. The result is `false` if other users may rename the file and give its name to
/// another file of our user.
fn can_be_held(socket: BorrowedFd<'_>, dir: BorrowedFd<'_>) -> Result<bool, Error> {
    Ok(proc_alias(socket)?.is_some() && !syscall::fstat(dir)?.lets_others_rename())
}

/// A name in an open directory.
type Entry<'a> = (BorrowedFd<'a>, &'a [u8]);

/// Puts the finished socket file `bound` in the place of another socket file, or at a free name.
/// The swap never replaces a file that is not a socket.
///
/// The two files are swapped, and the other file is checked before it is removed. rename(2) would
/// replace a file that appeared after the check. That risk remains where files cannot be swapped.
fn take_over(ready: Entry<'_>, named: Entry<'_>, bound: Identity) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        // The file is checked before the swap, because a file that is not a socket must stay where
        // it is.
        match check_is_socket(named).and_then(|()| syscall::exchange(ready, named)) {
            Ok(()) => return remove_swapped(ready, named, bound),
            Err(error) if error.errno() == Errno::ENOENT => {
                match syscall::rename_to_new(ready, named) {
                    Ok(()) => return check_leads_to(named, bound),
                    Err(error) if error.errno() == Errno::EEXIST => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) if syscall::is_lacking(&error) => {
                syscall::renameat(ready, named)?;
                return check_leads_to(named, bound);
            }
            Err(error) => return Err(error),
        }
    }
    Err(errors::in_use())
}

/// Removes the file that was swapped with ours, or swaps the two back.
fn remove_swapped(ready: Entry<'_>, named: Entry<'_>, bound: Identity) -> Result<(), Error> {
    let remove = || check_is_socket(ready).and_then(|()| syscall::unlinkat(ready.0, ready.1, 0));
    let checked = check_leads_to(named, bound);
    if checked.is_err_and(|error| error.errno() == Errno::ESTALE) {
        // Another server has taken the path over since the swap.
        let _ = remove();
        return checked;
    }
    let removed = checked.and_then(|()| remove());
    if removed.is_err() {
        let _ = syscall::exchange(ready, named);
    }
    removed
}

fn check_is_socket((dir, name): Entry<'_>) -> Result<(), Error> {
    let status = status_of(dir, name)?;
    match status.is_socket() {
        true => Ok(()),
        false => Err(errors::path_in_use(&status)),
    }
}

/// Checks that a name leads to the file that was bound, and not to a copy of that file.
fn check_leads_to((dir, name): Entry<'_>, bound: Identity) -> Result<(), Error> {
    match status_of(dir, name) {
        Ok(status) if status.identity() == bound => Ok(()),
        Err(error) if error.errno() != Errno::ENOENT => Err(error),
        _ => Err(errors::moved(Cause::FileMoved)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Call;
    use crate::fd::CWD;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::{format, fs, process};

    /// Simulates a system where bind(2) follows a dangling link: the socket is bound where the link
    /// leads, and the link has the name.
    #[test]
    fn bind_through_a_link_fails_and_leaves_the_link() {
        // TMPDIR may be longer than sun_path.
        let dir = Path::new("/tmp").join(format!("sunpath-link-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let [link, elsewhere] = ["a.sock", "elsewhere"].map(|name| dir.join(name));
        symlink("elsewhere", &link).unwrap();
        let bytes = link.as_os_str().as_bytes();
        let path = SplitPath::new(Call::Bind, CWD, bytes).unwrap();
        let _socket = UnixListener::bind(&elsewhere).unwrap();

        let options = BindOptions::new();
        for options in [options, options.mode(0o600)] {
            let mut file = BoundFile::at(&path).unwrap();
            let completed = options.complete(&mut file, &path).unwrap_err();
            assert_eq!(completed.errno(), Errno::ESTALE);
            drop(file);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(elsewhere.exists());
        }
        // A link that existed before is in the way.
        let mut refused = options.listen(bytes).unwrap_err();
        assert_eq!(refused.errno(), Errno::EADDRINUSE);
        fs::remove_file(&elsewhere).unwrap();
        refused = options.listen(bytes).unwrap_err();
        assert_eq!(refused.errno(), Errno::EADDRINUSE);
        assert!(!elsewhere.exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
