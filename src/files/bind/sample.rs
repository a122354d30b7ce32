//! A socket of our own in the directory of the path. The answers of the kernel and the file system
//! about this socket show whether their answers about another file can be trusted.

use crate::error::{Cause, Error};
use crate::fd::{AsFd, BorrowedFd};
use crate::files::at::{bind_in_parent, bind_to_temporary};
use crate::files::name::TemporaryName;
use crate::files::path::SplitPath;
use crate::socket::{Socket, Stream};
use crate::syscall::{self, Status};

use super::access::Access;
use super::remove::status_of;

/// A stream socket that is bound to a temporary name in a directory. Dropping it removes the file.
pub(super) struct Sample<'a> {
    dir: BorrowedFd<'a>,
    name: TemporaryName,
    _socket: Socket<Stream>,
}

impl<'a> Sample<'a> {
    pub(super) fn bind(dir: BorrowedFd<'a>, path: &SplitPath<'_>) -> Result<Self, Error> {
        Self::bind_socket(Socket::new()?, dir, path)
    }

    fn bind_socket(
        socket: Socket<Stream>,
        dir: BorrowedFd<'a>,
        path: &SplitPath<'_>,
    ) -> Result<Self, Error> {
        let name = bind_to_temporary(&|name| bind_in_parent(socket.as_fd(), path, dir, name))?;
        Ok(Self {
            dir,
            name,
            _socket: socket,
        })
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    fn status(&self) -> Result<Status, Error> {
        status_of(self.dir, &self.name)
    }

    /// Gives the owner of the file the permission that connect(2) needs.
    pub(super) fn make_writable(&self) -> Result<(), Error> {
        syscall::change_mode_at(self.dir, &self.name, 0o700)
    }
}

impl Drop for Sample<'_> {
    fn drop(&mut self) {
        let _ = syscall::unlinkat(self.dir, &self.name, 0);
    }
}

/// Returns whether a file has the owner and the number of names that files of this process have in
/// a directory. On some file systems a new file belongs to another user than the process's, or does
/// not have one name.
pub(super) fn looks_like_new_files(
    status: &Status,
    dir: BorrowedFd<'_>,
    path: &SplitPath<'_>,
) -> Result<bool, Error> {
    let made = Sample::bind(dir, path)?.status()?;
    Ok(status.has_owner_and_links_of(&made))
}

/// Returns which feature the file system lacks, if a socket file does not look as we made it, in a
/// directory to which no other user may write. Returns `None` if the file is another one.
pub(super) fn missing_feature(
    dir: BorrowedFd<'_>,
    path: &SplitPath<'_>,
) -> Result<Option<Cause>, Error> {
    let socket = Socket::new()?;
    if Access::mark(socket.as_fd(), 0o700).is_err() {
        // The system cannot mark a file before it is bound, whatever the file system is.
        return Ok(None);
    }
    let made = Sample::bind_socket(socket, dir, path)?.status()?;
    Ok(if !Access::is_marked(&made) {
        // The umask only removes bits. A bit that nobody asked for therefore comes from the file
        // system.
        let keeps_modes = made.mode() & 0o7077 == 0;
        Some(if keeps_modes {
            Cause::NoStickyBit
        } else {
            Cause::NoModes
        })
    } else if made.owner() != syscall::geteuid() {
        Some(Cause::NoOwners)
    } else if !made.has_one_name() {
        Some(Cause::NoLinkCounts)
    } else {
        None
    })
}
