//! Sets mode, owner and group of a socket file, so that at no instant it permits more than was
//! asked for.

use sunpath_sys as sys;

use crate::error::{Call, Cause, Errno, Error};
use crate::fd::{AsFd, BorrowedFd};
use crate::syscall::{self, Identity, O_PATH, Status};

use super::errors;

/// The permissions, owner and group that were asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) mode: Option<u32>,
    pub(super) owner: Option<u32>,
    pub(super) group: Option<u32>,
}

impl Access {
    /// No permissions, owner or group are asked for, so the kernel decides, as in C.
    pub(super) const NONE: Self = Self {
        mode: None,
        owner: None,
        group: None,
    };

    /// The mark by which a file that was bound a moment ago is recognized. The mark is a bit that
    /// means nothing on a socket. No other socket file has the mark, and the umask does not change
    /// the mark.
    const MARK: sys::mode_t = sys::S_ISVTX;

    /// Returns whether a mode, an owner or a group is asked for.
    pub(super) const fn is_asked(&self) -> bool {
        self.mode.is_some() || self.owner.is_some() || self.group.is_some()
    }

    /// Refuses a value that cannot be the mode of a socket, a user or a group.
    pub(super) fn check(&self) -> Result<(), Error> {
        let cause = match *self {
            Self {
                mode: Some(mode @ 0o1000..),
                ..
            } => Cause::Mode { mode },
            Self {
                owner: Some(id @ u32::MAX),
                ..
            }
            | Self {
                group: Some(id @ u32::MAX),
                ..
            } => Cause::NoUser { id },
            _ => return Ok(()),
        };
        Err(Error::with_cause(Call::Bind, Errno::EINVAL, cause))
    }

    /// Sets the mode that bind gives to the file: the mode that was asked for, with the mark, but
    /// without the bits of the umask.
    ///
    /// If another owner or group is to be set, only the creator has permissions at first, because
    /// the group's bits would apply to the wrong group for an instant.
    pub(super) fn prepare(&self, socket: BorrowedFd<'_>) -> Result<(), Error> {
        let changes_hands = self.owner.is_some() || self.group.is_some();
        let birth = match self.mode {
            Some(mode) if changes_hands => mode & 0o700,
            Some(mode) => mode,
            None => 0o777,
        };
        Self::mark(socket, birth as sys::mode_t)
    }

    /// Makes bind give the file this mode with the mark, but without the bits of the umask.
    pub(super) fn mark(socket: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
        syscall::fchmod(socket, mode | Self::MARK)
    }

    /// Sets the owner, the group and the mode that were asked for, whatever the umask is, after
    /// bind has made the file. Verifies that the file system stores them. Fails with `ESTALE` if
    /// the file is visibly not the file that was bound.
    ///
    /// A descriptor holds the file, so the file that is checked is the file that is changed.
    pub(super) fn apply(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<Identity, Error> {
        let file = syscall::openat(dir, name, O_PATH | sys::O_NOFOLLOW)?;
        let status = syscall::fstat(file.as_fd())?;
        if !Self::is_ours(&status) {
            return Err(Error::new(Call::Fstat, Errno::ESTALE));
        }
        if self.owner.is_some() || self.group.is_some() {
            let (owner, group) = self.owner_and_group();
            syscall::change_owner(file.as_fd(), owner, group)?;
        }
        let mode = match self.mode {
            Some(mode) => mode as sys::mode_t,
            None => status.mode() & !Self::MARK,
        };
        syscall::change_mode(file.as_fd(), mode).map_err(|error| self.chmod_error(error))?;
        self.verify(&syscall::fstat(file.as_fd())?)?;
        Ok(status.identity())
    }

    /// Returns the error to report if chmod(2) fails for a file that this process bound.
    pub(super) fn chmod_error(&self, error: Error) -> Error {
        if !matches!(error.call(), Call::Fchmod | Call::Fchmodat) {
            return error;
        }
        match error.errno() {
            Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP => {
                errors::file_system_lacks(Cause::NoModes)
            }
            // The owner of a file may always change its mode. EPERM therefore means that the file
            // system refuses, unless we gave the file to another owner.
            Errno::EPERM if self.owner.is_none() => errors::file_system_lacks(Cause::NoModes),
            _ => error,
        }
    }

    /// Checks that the file has the requested mode, owner and group. Some file systems give the
    /// same ones to all files.
    pub(super) fn verify(&self, status: &Status) -> Result<(), Error> {
        let is = |asked: Option<u32>, found: u32| asked.is_none_or(|asked| asked == found);
        if !is(self.owner, status.owner()) || !is(self.group, status.group()) {
            return Err(errors::file_system_lacks(Cause::NoOwners));
        }
        let is_as_asked = match self.mode {
            Some(mode) => status.mode() == mode as sys::mode_t,
            // The mark must be removed, because it is not part of the mode that was asked for.
            None => !Self::is_marked(status),
        };
        match is_as_asked {
            true => Ok(()),
            false => Err(errors::file_system_lacks(Cause::NoModes)),
        }
    }

    /// Returns whether a file has the mark.
    pub(super) const fn is_marked(status: &Status) -> bool {
        status.mode() & Self::MARK != 0
    }

    /// Returns whether a file is the file that was bound a moment ago: it has the mark, belongs to
    /// our user and has one name. A user who may write to the directory can put another file in its
    /// place, even another socket of our user. The other file does not have the mark, unless
    /// another process of our user is binding that file right now.
    pub(super) fn is_ours(status: &Status) -> bool {
        status.is_socket()
            && Self::is_marked(status)
            && status.owner() == syscall::geteuid()
            && status.has_one_name()
    }

    /// Does what [`apply`](Self::apply) does, but by the name of the file, in a directory that no
    /// other user can enter. In a private directory a file system that drops the mark does no harm.
    pub(super) fn apply_in_private(&self, dir: BorrowedFd<'_>, name: &[u8]) -> Result<(), Error> {
        if self.owner.is_some() || self.group.is_some() {
            let (owner, group) = self.owner_and_group();
            syscall::change_owner_at(dir, name, owner, group)?;
        }
        let made_with = syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW)?.mode();
        let wanted = match self.mode {
            Some(mode) => mode as sys::mode_t,
            None => made_with & !Self::MARK,
        };
        if made_with != wanted {
            let changed = syscall::change_mode_at(dir, name, wanted);
            changed.map_err(|error| self.chmod_error(error))?;
        }
        Ok(())
    }

    /// Returns the values for chown(2). For chown(2), a value with all bits set means no change.
    fn owner_and_group(&self) -> (sys::uid_t, sys::gid_t) {
        let unchanged = u32::MAX;
        (
            self.owner.unwrap_or(unchanged),
            self.group.unwrap_or(unchanged),
        )
    }
}
