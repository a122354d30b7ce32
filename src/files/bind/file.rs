//! The file of a bound socket, from bind to removal, and the lock beside it.

use core::ffi::c_int;

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, OwnedFd};
use crate::files::name::{Name, join_name, lock_name};
use crate::files::path::SplitPath;
use crate::syscall::{self, Identity, O_PATH, Process};

use super::remove::{in_use, remove_if, status_of};
use super::turn::Turn;

/// How a lock file is opened, and made if there is none. No symbolic link is followed, and a FIFO is
/// not waited for.
const LOCK_FILE: c_int = sys::O_RDWR | sys::O_CREAT | sys::O_NOFOLLOW | sys::O_NONBLOCK;

/// The file that bind makes, and with [`lock`](Self::lock) the lock file beside it. Dropping it
/// removes both, each only if it is still the same file, in the process that made it. The socket
/// outlives it: as long as that is open, no other file can get the same inode.
pub(super) struct SocketFile {
    pub(super) dir: OwnedFd,
    pub(super) name: Name,
    /// The file, once it is bound.
    pub(super) bound: Option<Identity>,
    pub(super) unlink_on_drop: bool,
    /// The process whose file it is.
    pub(super) process: Process,
    lock: Option<Lock>,
}

/// A lock file that we hold. The kernel lets go of it when the last descriptor is closed: ours, and
/// those of children that were forked, which have the socket as well.
struct Lock {
    _fd: OwnedFd,
    name: Name,
    file: Identity,
}

impl SocketFile {
    /// Opens the directory of a path. Nothing is bound yet.
    pub(super) fn at(path: &SplitPath<'_>) -> Result<Self, Error> {
        if path.last.ends_with(b"/") || matches!(path.last, b"." | b"..") {
            // Such a path names a directory, which is in the way or does not exist.
            path.open(O_PATH | sys::O_DIRECTORY)?;
            return Err(in_use());
        }
        let name = join_name(&[path.last])?;
        Ok(Self {
            dir: path.open_parent()?,
            name,
            bound: None,
            unlink_on_drop: true,
            process: Process::current(),
            lock: None,
        })
    }

    /// Takes the lock of the name: of all that ask for it one holds it, for as long as it lives.
    ///
    /// Who holds it removes the file before letting go. So a lock on a file that has no name any
    /// more is worth nothing, and is taken anew.
    pub(super) fn lock(&mut self) -> Result<(), Error> {
        let (dir, name) = (self.dir.as_fd(), lock_name(self.name.as_bytes())?);
        loop {
            let fd = syscall::openat(dir, name.as_bytes(), LOCK_FILE)?;
            let file = syscall::fstat(fd.as_fd())?.identity();
            syscall::flock(fd.as_fd()).map_err(|error| match error.errno() {
                Errno::EAGAIN => in_use(),
                _ => error,
            })?;
            match status_of(dir, name.as_bytes()) {
                Ok(named) if named.identity() == file => {}
                Err(error) if error.errno() != Errno::ENOENT => return Err(error),
                _ => continue,
            }
            let status = syscall::fstat(fd.as_fd())?;
            // What is not a lock file of ours is neither changed nor removed.
            if !status.is_empty_file() || status.owner() != syscall::geteuid() {
                return Err(in_use());
            }
            // The umask may have taken what the next start needs.
            if status.mode() != 0o600 {
                syscall::fchmod(fd.as_fd(), 0o600)?;
            }
            // From here on it is removed if anything fails.
            self.lock = Some(Lock {
                _fd: fd,
                name,
                file,
            });
            return Ok(());
        }
    }

    /// Removes the file if it still is the one that was bound, and this the process that did it.
    pub(super) fn remove(&self) -> Result<(), Error> {
        match self.process.is_current() {
            true => self.remove_as_its_process(),
            false => Err(Error::new(Call::Unlinkat, Errno::EPERM)),
        }
    }

    fn remove_as_its_process(&self) -> Result<(), Error> {
        let stale = || Error::new(Call::Unlinkat, Errno::ESTALE);
        let file = self.bound.ok_or_else(stale)?;
        // Without it a file that comes now is moved away, for as long as it is looked at.
        let _turn = Turn::take(self.dir.as_fd());
        // First without touching it: another's file stays where it is.
        let (dir, name) = (self.dir.as_fd(), self.name.as_bytes());
        if status_of(dir, name)?.identity() != file {
            return Err(stale());
        }
        let removed = remove_if(dir, name, |_, status| Ok(status.identity() == file));
        match removed {
            Ok(true) => Ok(()),
            Ok(false) => Err(stale()),
            // A full disk may have no room for a second name, and a file is removed all the same.
            Err(error) if error.call() == Call::Renameat && error.errno() != Errno::ENOENT => {
                syscall::unlinkat(dir, name, 0)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        if self.unlink_on_drop && self.bound.is_some() {
            let _ = self.remove_as_its_process();
        }
        if let Some(lock) = &self.lock {
            let (dir, name) = (self.dir.as_fd(), lock.name.as_bytes());
            if status_of(dir, name).is_ok_and(|named| named.identity() == lock.file) {
                let _ = syscall::unlinkat(dir, name, 0);
            }
        }
    }
}
