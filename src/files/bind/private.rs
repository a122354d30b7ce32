//! A directory that only this user can enter. A socket file that cannot be held by a descriptor is
//! made in a private directory, and gets its mode and owner there.

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::files::alias::USUAL;
use crate::files::at::{bind_below, bind_in_parent};
use crate::files::dir::make_directory;
use crate::files::name::{TemporaryName, join_name, temporary_name};
use crate::files::path::SplitPath;
use crate::syscall;

use super::access::Access;
use super::remove::status_of;

/// A new directory of mode 0700. Dropping this value removes the directory, and the file that was
/// bound in it.
pub(super) struct Private<'a> {
    parent: BorrowedFd<'a>,
    name: TemporaryName,
    pub(super) dir: OwnedFd,
    has_file: bool,
}

impl<'a> Private<'a> {
    /// The name of the file in the directory.
    pub(super) const FILE: &'static [u8] = b"s";

    pub(super) fn make(parent: BorrowedFd<'a>) -> Result<Self, Error> {
        let name = temporary_name()?;
        let dir = make_directory(parent, &name, 0o700)?;
        let private = Self {
            parent,
            name,
            dir,
            has_file: false,
        };
        let status = syscall::fstat(private.dir.as_fd())?;
        match status.owner() == syscall::geteuid() && status.mode() & 0o777 == 0o700 {
            true => Ok(private),
            false => Err(Error::new(Call::Fstat, Errno::ESTALE)),
        }
    }

    /// Binds to the file by the directory's descriptor, so that no other process can put another
    /// directory in its place. If no call takes a descriptor, the path of the parent is used.
    pub(super) fn bind(
        &mut self,
        socket: BorrowedFd<'_>,
        path: &SplitPath<'_>,
    ) -> Result<(), Error> {
        let dir = self.dir.as_fd();
        let by_descriptor = bind_below(socket, dir, Self::FILE, USUAL)?;
        if !by_descriptor {
            let below = join_name(&[&self.name, b"/", Self::FILE])?;
            bind_in_parent(socket, path, self.parent, below.as_bytes())?;
        }
        self.has_file = true;
        match by_descriptor || status_of(dir, Self::FILE).is_ok_and(|file| file.is_socket()) {
            true => Ok(()),
            false => {
                self.remove_misplaced();
                Err(Error::new(Call::Bind, Errno::ESTALE))
            }
        }
    }

    /// Removes the file from the directory to which the private directory's name leads by now. Only
    /// the mark distinguishes our file from another file.
    fn remove_misplaced(&self) {
        let flags = syscall::O_PATH | sys::O_DIRECTORY;
        let Ok(other) = syscall::openat(self.parent, &self.name, flags) else {
            return;
        };
        if status_of(other.as_fd(), Self::FILE).is_ok_and(|file| Access::is_ours(&file)) {
            let _ = syscall::unlinkat(other.as_fd(), Self::FILE, 0);
        }
    }
}

impl Drop for Private<'_> {
    fn drop(&mut self) {
        if self.has_file {
            let _ = syscall::unlinkat(self.dir.as_fd(), Self::FILE, 0);
        }
        let _ = syscall::unlinkat(self.parent, &self.name, sys::AT_REMOVEDIR);
    }
}
