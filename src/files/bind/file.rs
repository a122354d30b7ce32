//! The file of a bound socket, from bind to removal, and the lock file beside it.

use core::ffi::c_int;

use sunpath_sys as sys;

use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::files::name::{Name, join_name, lock_name};
use crate::files::path::SplitPath;
use crate::syscall::{self, Identity, LOCK_FILE_MODE, O_PATH, Process};

use super::remove::{remove_if, status_of};
use super::sample::looks_like_new_files;
use super::turn::Turn;

/// The flags with which a lock file is opened. A symbolic link is not followed, and the open does
/// not wait for the other end of a FIFO. The lock file is opened for reading alone, because a file
/// that is open for writing would keep its file system from being remounted read-only.
const LOCK_FILE: c_int = sys::O_NOFOLLOW | sys::O_NONBLOCK;

/// The number of times that a lock file is opened again because it was unlinked before it was
/// locked.
const LOCK_ATTEMPTS: usize = 1000;

/// The file that bind makes, and with [`lock`](Self::lock) the lock file beside it. Dropping it
/// removes both files, in the process that made them, unless another file has taken the name. The
/// socket, or the descriptor of [`pin`](Self::pin), outlives this value: as long as one of the two
/// is open, no other file can get the same inode.
pub(super) struct BoundFile {
    pub(super) dir: OwnedFd,
    pub(super) name: Name,
    /// The identity of the file, after it is bound.
    pub(super) bound: Option<Identity>,
    pub(super) unlink_on_drop: bool,
    /// The process to which the file belongs.
    pub(super) process: Process,
    lock: Option<HeldLock>,
}

/// A lock file that we hold. The kernel releases the lock when the last descriptor is closed. A
/// forked child has copies of both the descriptor and the socket, so the lock is held in every
/// process that has the socket.
struct HeldLock {
    _fd: OwnedFd,
    name: Name,
    file: Identity,
    /// `true` if this crate made the file. A file that another program made is not removed, because
    /// that program may wait for the lock of this very file.
    is_ours: bool,
}

impl BoundFile {
    /// Opens the directory of a path. Nothing is bound yet.
    pub(super) fn at(path: &SplitPath<'_>) -> Result<Self, Error> {
        if path.last.ends_with(b"/") || matches!(path.last, b"." | b"..") {
            // A path that ends with `/`, `.` or `..` names a directory. Either the directory exists
            // and is in the way, or opening the directory reports that it does not exist.
            path.open(O_PATH | sys::O_DIRECTORY)?;
            return Err(Error::address_in_use(InUse::Directory));
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

    /// Takes the lock of the name. One process holds the lock at a time, until the process dies or
    /// releases the lock.
    ///
    /// The holder unlinks the lock file before releasing the lock. A lock on an unlinked file
    /// therefore proves nothing: the file is opened again.
    pub(super) fn lock(&mut self, path: &SplitPath<'_>) -> Result<(), Error> {
        let (dir, name) = (self.dir.as_fd(), lock_name(self.name.as_bytes())?);
        for _ in 0..LOCK_ATTEMPTS {
            let (fd, is_made) = open_and_lock(dir, name.as_bytes())?;
            let status = syscall::fstat(fd.as_fd())?;
            let file = status.identity();
            match status_of(dir, name.as_bytes()) {
                Ok(named) if named.identity() == file => {}
                Err(error) if error.errno() != Errno::ENOENT => return Err(error),
                _ => continue,
            }
            // A file that sunpath did not make as a lock file is neither changed nor removed.
            let is_usual = status.owner() == syscall::geteuid() && status.has_one_name();
            if !status.is_empty_file() || !is_usual && !looks_like_new_files(&status, dir, path)? {
                return Err(Error::address_in_use(InUse::LockFile));
            }
            // Another process of this crate may have made the file, and lost the race for the lock.
            // The sticky bit shows that this crate made the file, but not every file system keeps
            // the bit.
            let is_ours = is_made || status.mode() & sys::S_ISVTX != 0;
            // The umask may have removed a permission that the next start needs. A failure is
            // ignored: on a file system that sets modes itself, the next start has the same
            // permission as this one.
            if is_ours && status.mode() & 0o777 != 0o600 {
                // Some systems refuse the sticky bit on a regular file.
                let changed = syscall::fchmod(fd.as_fd(), LOCK_FILE_MODE);
                let _ = changed.or_else(|_| syscall::fchmod(fd.as_fd(), 0o600));
            }
            // From here on, the lock file is removed if anything fails.
            self.lock = Some(HeldLock {
                _fd: fd,
                name,
                file,
                is_ours,
            });
            return Ok(());
        }
        Err(Error::address_in_use(InUse::Lock))
    }

    /// Returns whether the file is at its name in its directory.
    pub(super) fn is_in_place(&self) -> Result<bool, Error> {
        match status_of(self.dir.as_fd(), self.name.as_bytes()) {
            Ok(named) => Ok(Some(named.identity()) == self.bound),
            Err(error) if error.errno() == Errno::ENOENT => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the lock of this value is also the lock of `other`, a file with the same
    /// name in the same directory. A lock on a lock file that was unlinked is no longer the lock of
    /// the name.
    pub(super) fn holds_lock_of(&self, other: &Self) -> Result<bool, Error> {
        let Some(lock) = &self.lock else {
            return Ok(false);
        };
        let dir = other.dir.as_fd();
        let same_dir =
            syscall::fstat(dir)?.identity() == syscall::fstat(self.dir.as_fd())?.identity();
        let named = status_of(dir, lock.name.as_bytes());
        Ok(same_dir && named.is_ok_and(|named| named.identity() == lock.file))
    }

    /// Replaces `old`, whose file was removed. If `takes_lock` is true, this value takes over the
    /// lock of `old`, because both have the same lock file.
    pub(super) fn replace(mut self, old: &mut Self, takes_lock: bool) {
        if takes_lock {
            self.lock = old.lock.take();
        }
        old.unlink_on_drop = false;
        *old = self;
    }

    /// Opens the file, so that its inode is not reused. Returns `None` if the file is not in place.
    /// The socket must still be open.
    pub(super) fn pin(&self) -> Result<Option<OwnedFd>, Error> {
        let flags = O_PATH | sys::O_NOFOLLOW;
        match syscall::openat(self.dir.as_fd(), self.name.as_bytes(), flags) {
            Ok(file) => {
                let is_ours = Some(syscall::fstat(file.as_fd())?.identity()) == self.bound;
                Ok(is_ours.then_some(file))
            }
            Err(error) if error.errno() == Errno::ENOENT => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the file, or returns the reason why it cannot be removed. The lock is released in
    /// any case.
    pub(super) fn unlink(mut self) -> Result<(), Error> {
        self.unlink_on_drop = false;
        self.remove()
    }

    /// Removes the file if it is still the file that was bound, and if this process bound it.
    pub(super) fn remove(&self) -> Result<(), Error> {
        match self.process.is_current() {
            true => self.remove_as_its_process(),
            false => {
                let cause = Cause::BoundElsewhere;
                Err(Error::with_cause(Call::Unlinkat, Errno::EPERM, cause))
            }
        }
    }

    fn remove_as_its_process(&self) -> Result<(), Error> {
        let stale = || Error::with_cause(Call::Unlinkat, Errno::ESTALE, Cause::FileMoved);
        let file = self.bound.ok_or_else(stale)?;
        let turn = Turn::take(self.dir.as_fd());
        // The file is compared before it is touched, so another program's file is not removed.
        let (dir, name) = (self.dir.as_fd(), self.name.as_bytes());
        if status_of(dir, name)?.identity() != file {
            return Err(stale());
        }
        // During our turn no process of this crate puts another file here, so the file is unlinked
        // by its name, and a watcher of the directory sees that name deleted. Without a turn the
        // file is renamed first.
        if turn.is_held() {
            return syscall::unlinkat(dir, name, 0);
        }
        match remove_if(dir, name, &|_, status| Ok(status.identity() == file)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(stale()),
            Err(error) if error.errno() == Errno::ENOENT => Err(error),
            // If the file cannot be renamed, because getrandom(2) is denied or the disk is full, it
            // still has to be removed.
            Err(error) if matches!(error.call(), Call::Getrandom | Call::Renameat) => {
                syscall::unlinkat(dir, name, 0)
            }
            Err(error) => Err(error),
        }
    }
}

/// Opens the lock file, or makes it, and locks it. Returns whether this call made the file.
fn open_and_lock(dir: BorrowedFd<'_>, name: &[u8]) -> Result<(OwnedFd, bool), Error> {
    let mut is_made = false;
    for access in [sys::O_RDONLY, sys::O_RDWR] {
        let (fd, is_new) =
            open_or_make(dir, name, access).map_err(|error| error.because(Cause::LockFile))?;
        is_made |= is_new;
        match syscall::flock(fd.as_fd()) {
            Ok(()) => return Ok((fd, is_made)),
            Err(error) if error.errno() == Errno::EAGAIN => break,
            // NFS locks a file for writing only if it is open for writing.
            Err(error) if error.errno() == Errno::EBADF && access == sys::O_RDONLY => {}
            Err(error) => return Err(error.because(Cause::LockFile)),
        }
    }
    Err(Error::address_in_use(InUse::Lock))
}

fn open_or_make(dir: BorrowedFd<'_>, name: &[u8], access: c_int) -> Result<(OwnedFd, bool), Error> {
    let flags = LOCK_FILE | access;
    for _ in 0..LOCK_ATTEMPTS {
        match syscall::openat(dir, name, flags | sys::O_CREAT | sys::O_EXCL) {
            Err(error) if error.errno() == Errno::EEXIST => {}
            made => return made.map(|fd| (fd, true)),
        }
        match syscall::openat(dir, name, flags) {
            // The holder of the lock has removed the file.
            Err(error) if error.errno() == Errno::ENOENT => {}
            opened => return opened.map(|fd| (fd, false)),
        }
    }
    Err(Error::address_in_use(InUse::Lock))
}

impl Drop for BoundFile {
    fn drop(&mut self) {
        if !self.process.is_current() {
            return;
        }
        if self.unlink_on_drop && self.bound.is_some() {
            let _ = self.remove_as_its_process();
        }
        if let Some(lock) = self.lock.as_ref().filter(|lock| lock.is_ours) {
            let (dir, name) = (self.dir.as_fd(), lock.name.as_bytes());
            if status_of(dir, name).is_ok_and(|named| named.identity() == lock.file) {
                let _ = syscall::unlinkat(dir, name, 0);
            }
        }
    }
}
