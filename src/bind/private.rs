//! A directory that only we may enter, for as long as a file in it becomes what it should be: where
//! the file cannot be held by a descriptor.

use sunpath_sys as sys;

use crate::dir::{TemporaryName, temporary_name};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::syscall::{self, O_PATH};

/// A new directory of mode 0700. Dropping it removes it, and the one file that may be in it.
pub(super) struct Private<'a> {
    parent: BorrowedFd<'a>,
    pub(super) name: TemporaryName,
    pub(super) dir: OwnedFd,
}

impl<'a> Private<'a> {
    /// The file in it.
    pub(super) const FILE: &'static [u8] = b"s";

    pub(super) fn make(parent: BorrowedFd<'a>) -> Result<Self, Error> {
        let name = temporary_name()?;
        syscall::mkdirat(parent, &name, 0o700)?;
        match Self::open(parent, &name) {
            Ok(dir) => Ok(Self { parent, name, dir }),
            Err(error) => {
                let _ = syscall::unlinkat(parent, &name, sys::AT_REMOVEDIR);
                Err(error)
            }
        }
    }

    fn open(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Error> {
        let made = syscall::fstatat(parent, name, sys::AT_SYMLINK_NOFOLLOW)?;
        let is_ours = made.kind() == sys::S_IFDIR && made.owner() == syscall::geteuid();
        if !is_ours {
            return Err(Error::new(Call::Fstatat, Errno::ESTALE));
        }
        // The umask takes bits of the owner's too.
        if made.mode() & 0o777 != 0o700 {
            syscall::fchmodat(parent, name, 0o700)?;
        }
        let dir = syscall::openat(parent, name, O_PATH | sys::O_DIRECTORY | sys::O_NOFOLLOW)?;
        match syscall::fstat(dir.as_fd())?.identity() == made.identity() {
            true => Ok(dir),
            false => Err(Error::new(Call::Fstat, Errno::ESTALE)),
        }
    }
}

impl Drop for Private<'_> {
    fn drop(&mut self) {
        let _ = syscall::unlinkat(self.dir.as_fd(), Self::FILE, 0);
        let _ = syscall::unlinkat(self.parent, &self.name, sys::AT_REMOVEDIR);
    }
}
