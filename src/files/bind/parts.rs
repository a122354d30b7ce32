//! The file of a bound socket, without the socket.

use core::fmt;

use crate::error::Error;
use crate::fd::OwnedFd;

use super::file::BoundFile;

/// The file of a socket without the socket, made by [`Bound::into_parts`](crate::Bound::into_parts).
/// Dropping it removes the file under the same conditions as dropping a [`Bound`](crate::Bound), and
/// releases the lock of [`ReplaceStale`](crate::Existing::ReplaceStale).
///
/// This value holds the file by a descriptor (`O_PATH`), so no other file gets the same device and
/// inode. Without the descriptor, a file system that reuses inode numbers, such as ext4, could give
/// the inode number to the file of the next server when the socket is closed, and dropping this
/// value would remove that file.
///
/// Nothing is removed if the socket has no file, or if the file no longer existed when it was
/// separated from the socket.
#[must_use = "dropping it removes the socket file"]
pub struct SocketFile {
    file: Option<BoundFile>,
    /// INVARIANT: this descriptor refers to the file that `file` removes.
    _pin: Option<OwnedFd>,
}

impl SocketFile {
    pub(super) fn new(mut file: Option<BoundFile>, pin: Option<OwnedFd>) -> Self {
        if let (Some(file), None) = (&mut file, &pin) {
            file.bound = None;
        }
        Self { file, _pin: pin }
    }

    /// `unlink(path)` — removes the file, and reports an error that dropping the value would hide.
    /// The lock is released in any case.
    ///
    /// # Errors
    ///
    /// - `ENOENT`: the file was removed before, or has another name.
    /// - `ESTALE`: another file is at the path, and stays; or the file no longer existed when it
    ///   was separated from the socket.
    /// - `EPERM`, `EBUSY`, `EACCES`, `EROFS`, `EIO`, `ENOMEM`: as for
    ///   [`Bound::close_and_unlink`](crate::Bound::close_and_unlink).
    ///
    /// See unlink(2).
    pub fn unlink(self) -> Result<(), Error> {
        self.file.map_or(Ok(()), BoundFile::unlink)
    }

    /// Returns whether the file is still in the directory where it was bound, under its name. See
    /// [`Bound::is_in_place`](crate::Bound::is_in_place).
    ///
    /// # Errors
    ///
    /// - `EACCES`: no search permission on the directory any more.
    /// - `EIO`, `ENOMEM`: the file system failed; no memory.
    ///
    /// See stat(2).
    #[doc(alias = "fstatat")]
    pub fn is_in_place(&self) -> Result<bool, Error> {
        self.file.as_ref().map_or(Ok(true), BoundFile::is_in_place)
    }
}

impl fmt::Debug for SocketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unlinks = |file: &BoundFile| file.unlink_on_drop && file.bound.is_some();
        f.debug_struct("SocketFile")
            .field("unlink_on_drop", &self.file.as_ref().is_some_and(unlinks))
            .finish_non_exhaustive()
    }
}
