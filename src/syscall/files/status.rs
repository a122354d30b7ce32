//! The status and the locks of files, by their descriptors.

use core::mem::MaybeUninit;

use sunpath_sys as sys;

use super::fstatat;
use crate::error::{Call, Error};
use crate::fd::{AsRawFd, BorrowedFd, CWD};
use crate::syscall::{geteuid, retry};

/// The identity of a file: no other file that exists at the same time has the same pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    dev: u64,
    ino: u64,
}

/// The status of a file, as fstat(2) or fstatat(2) returned it.
pub(crate) struct Status(pub(super) sys::stat);

#[allow(
    clippy::unnecessary_cast,
    reason = "the types of the fields differ from system to system"
)]
impl Status {
    pub(crate) const fn identity(&self) -> Identity {
        Identity {
            dev: self.0.st_dev as u64,
            ino: self.0.st_ino as u64,
        }
    }

    /// Returns the type: `S_IFSOCK`, `S_IFREG` or another one.
    pub(crate) const fn kind(&self) -> sys::mode_t {
        self.0.st_mode as sys::mode_t & sys::S_IFMT
    }

    pub(crate) const fn is_socket(&self) -> bool {
        self.kind() == sys::S_IFSOCK
    }

    pub(crate) const fn is_directory(&self) -> bool {
        self.kind() == sys::S_IFDIR
    }

    /// Returns whether the file has the same type, mode and owner as `other`.
    pub(crate) const fn is_like(&self, other: &Self) -> bool {
        self.0.st_mode == other.0.st_mode && self.0.st_uid == other.0.st_uid
    }

    /// Returns whether the file is an empty regular file.
    pub(crate) const fn is_empty_file(&self) -> bool {
        self.kind() == sys::S_IFREG && self.0.st_size == 0
    }

    /// Returns whether the file is a directory in which other users may rename files that are not
    /// theirs.
    pub(crate) fn lets_others_rename(&self) -> bool {
        let writable_by_others = self.mode() & 0o022 != 0 && self.mode() & sys::S_ISVTX == 0;
        writable_by_others || (self.owner() != geteuid() && self.owner() != 0)
    }

    /// Returns the bits that chmod(2) sets.
    pub(crate) const fn mode(&self) -> sys::mode_t {
        self.0.st_mode as sys::mode_t & 0o7777
    }

    pub(crate) const fn owner(&self) -> sys::uid_t {
        self.0.st_uid
    }

    pub(crate) const fn group(&self) -> sys::gid_t {
        self.0.st_gid
    }

    /// Returns whether the file is on the same file system as `other`.
    pub(crate) fn is_on_device_of(&self, other: &Self) -> bool {
        self.0.st_dev == other.0.st_dev
    }

    /// Returns whether the file has only one name.
    pub(crate) const fn has_one_name(&self) -> bool {
        self.0.st_nlink == 1
    }

    /// Returns whether the file has the same owner and as many names as `other`.
    pub(crate) const fn has_owner_and_links_of(&self, other: &Self) -> bool {
        self.0.st_uid == other.0.st_uid && self.0.st_nlink == other.0.st_nlink
    }
}

/// Returns the status of an open file, by fstat(2).
#[inline(never)]
pub(crate) fn fstat(fd: BorrowedFd<'_>) -> Result<Status, Error> {
    let mut status = MaybeUninit::<sys::stat>::zeroed();
    retry(Call::Fstat, || {
        // SAFETY: `status` has space for a struct stat.
        unsafe { sys::fstat(fd.as_raw_fd(), status.as_mut_ptr()) as isize }
    })?;
    // SAFETY: a struct stat may be all zeroes, and the kernel wrote a valid one.
    Ok(Status(unsafe { status.assume_init() }))
}

/// Locks a file by `flock(LOCK_EX | LOCK_NB)`, which fails with `EWOULDBLOCK` if the lock is held
/// through another open of the file.
pub(crate) fn flock(fd: BorrowedFd<'_>) -> Result<(), Error> {
    retry(Call::Flock, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::flock(fd.as_raw_fd(), sys::LOCK_EX | sys::LOCK_NB) as isize }
    })?;
    Ok(())
}

/// Unlocks a file by `flock(LOCK_UN)`, which releases the lock even if a forked child has a copy of
/// the descriptor.
pub(crate) fn unlock(fd: BorrowedFd<'_>) {
    // SAFETY: the arguments are integers. It cannot fail for a locked descriptor.
    unsafe { sys::flock(fd.as_raw_fd(), sys::LOCK_UN) };
}

/// The path `/proc/self/fd/N` of a descriptor.
pub(crate) struct ProcFd {
    bytes: [u8; Self::PREFIX.len() + 10],
    /// INVARIANT: `len` is at most the length of `bytes`.
    len: usize,
}

impl ProcFd {
    const PREFIX: &[u8; 14] = b"/proc/self/fd/";

    #[inline(never)]
    pub(crate) fn new(fd: BorrowedFd<'_>) -> Self {
        let mut bytes = *b"/proc/self/fd/0123456789";
        let number = fd.as_raw_fd().unsigned_abs();
        let len = Self::PREFIX.len() + number.checked_ilog10().unwrap_or(0) as usize + 1;
        let mut rest = number;
        for digit in bytes.iter_mut().take(len).skip(Self::PREFIX.len()).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Returns whether a path leads to the file that a descriptor has open, or refers to.
#[inline(never)]
pub(crate) fn leads_to(path: &[u8], fd: BorrowedFd<'_>) -> Result<bool, Error> {
    let here = fstat(fd)?.identity();
    Ok(fstatat(CWD, path, 0).is_ok_and(|there| there.identity() == here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::CWD;

    /// Returns the status of a directory with this mode and owner.
    fn directory(mode: sys::mode_t, owner: sys::uid_t) -> Status {
        let mut status = fstatat(CWD, b"/", 0).unwrap();
        status.0.st_mode = sys::S_IFDIR | mode;
        status.0.st_uid = owner;
        status
    }

    #[test]
    fn status_of_a_directory_says_whether_others_may_rename() {
        let (me, root) = (geteuid(), 0);
        let other = me.max(root) + 1;
        for (mode, by_mode) in [
            (0o700, false),
            (0o755, false),
            (0o777, true),
            (0o775, true),
            (0o757, true),
            (0o1777, false),
            (0o1775, false),
            (0o1755, false),
        ] {
            // The owner may rename what is in a directory, whatever its mode is.
            for (owner, by_owner) in [(me, false), (root, false), (other, true)] {
                let lets = directory(mode, owner).lets_others_rename();
                assert_eq!(lets, by_mode || by_owner, "{mode:o} of {owner}");
            }
        }
    }

    #[test]
    fn status_is_like_one_of_the_same_mode_and_owner() {
        let one = directory(0o755, 1);
        assert!(one.is_like(&directory(0o755, 1)));
        assert!(!one.is_like(&directory(0o755, 2)));
        assert!(!one.is_like(&directory(0o754, 1)));
        assert!(!one.is_like(&directory(0o754, 2)));
    }
}
