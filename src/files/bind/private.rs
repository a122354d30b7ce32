//! A directory that only we may enter, for as long as a file in it becomes what it should be: where
//! the file cannot be held by a descriptor.

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD, OwnedFd};
use crate::files::alias::{USUAL, proc_alias};
use crate::files::at::{bind_below, bind_in_parent};
use crate::files::name::{TemporaryName, join_name, temporary_name};
use crate::files::path::SplitPath;
use crate::syscall::{self, O_PATH};

/// A new directory of mode 0700. Dropping it removes it, and the file that was bound in it.
pub(super) struct Private<'a> {
    parent: BorrowedFd<'a>,
    name: TemporaryName,
    pub(super) dir: OwnedFd,
    has_file: bool,
}

impl<'a> Private<'a> {
    /// The file in it.
    pub(super) const FILE: &'static [u8] = b"s";

    pub(super) fn make(parent: BorrowedFd<'a>) -> Result<Self, Error> {
        let name = temporary_name()?;
        syscall::mkdirat(parent, &name, 0o700)?;
        match Self::open(parent, &name) {
            Ok(dir) => Ok(Self {
                parent,
                name,
                dir,
                has_file: false,
            }),
            Err(error) => {
                let _ = syscall::unlinkat(parent, &name, sys::AT_REMOVEDIR);
                Err(error)
            }
        }
    }

    fn open(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Error> {
        let dir = syscall::openat(parent, name, O_PATH | sys::O_DIRECTORY | sys::O_NOFOLLOW)?;
        let made = syscall::fstat(dir.as_fd())?;
        if made.owner() != syscall::geteuid() {
            return Err(Error::new(Call::Fstat, Errno::ESTALE));
        }
        // The umask takes bits of the owner's too.
        if made.mode() & 0o777 != 0o700 {
            match proc_alias(dir.as_fd())? {
                Some(alias) => syscall::fchmodat(CWD, alias.as_bytes(), 0o700)?,
                None => syscall::fchmodat(parent, name, 0o700)?,
            }
        }
        Ok(dir)
    }

    /// Binds to the file by the directory's descriptor, so that nobody can put another directory in its
    /// place; where no call takes a descriptor, by the path of the parent.
    pub(super) fn bind(
        &mut self,
        socket: BorrowedFd<'_>,
        path: &SplitPath<'_>,
    ) -> Result<(), Error> {
        if !bind_below(socket, self.dir.as_fd(), Self::FILE, USUAL)? {
            let below = join_name(&[&self.name, b"/", Self::FILE])?;
            bind_in_parent(socket, path, self.parent, below.as_bytes())?;
        }
        self.has_file = true;
        Ok(())
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
