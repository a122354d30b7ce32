//! Directories by their descriptors, and the calls on files below them.
//!
//! Functions with many callers are out of line: a function call costs little compared with a system
//! call, and inlined copies would be an eighth of the library.

use core::ffi::{c_char, c_int, c_uint};
use core::mem::MaybeUninit;

use sunpath_sys as sys;
#[cfg(have_renameat2)]
use sunpath_sys::{RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2 as renameat_with};
#[cfg(have_renameatx_np)]
use sunpath_sys::{
    RENAME_EXCL as RENAME_NOREPLACE, RENAME_SWAP as RENAME_EXCHANGE, renameatx_np as renameat_with,
};

#[cfg(have_proc_fd)]
use super::ProcFd;
use super::Status;
use crate::error::{Call, Cause, Errno, Error};
#[cfg(have_proc_fd)]
use crate::fd::CWD;
use crate::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use crate::search::len_before;
use crate::syscall::retry;

/// The greatest length of a path that one call takes, including its NUL.
pub(crate) const PATH_MAX: usize = sys::PATH_MAX as usize;

/// The flag for a descriptor that refers to a file without opening it. On systems without this
/// flag, the value opens a directory for reading.
#[cfg(have_o_path)]
pub(crate) const O_PATH: c_int = sys::O_PATH;
#[cfg(not(have_o_path))]
pub(crate) const O_PATH: c_int = sys::O_RDONLY;

/// The flags of [`rename_with`], on systems that have none.
#[cfg(not(any(have_renameat2, have_renameatx_np)))]
const RENAME_NOREPLACE: c_uint = 0;
#[cfg(not(any(have_renameat2, have_renameatx_np)))]
const RENAME_EXCHANGE: c_uint = 0;

/// The errno of a file system that does not know a flag of [`rename_with`].
#[cfg(have_renameatx_np)]
const ENOTSUP: Errno = Errno::from_raw(sys::ENOTSUP);
#[cfg(not(have_renameatx_np))]
const ENOTSUP: Errno = Errno::EOPNOTSUPP;

/// `true` on systems where `/proc/self/fd/N` leads to the file of descriptor N, if /proc is
/// mounted.
pub(crate) const HAVE_PROC_FD: bool = cfg!(have_proc_fd);

/// `true` on systems with bindat and connectat, which take a path below a directory descriptor.
pub(crate) const HAVE_BINDAT: bool = cfg!(have_bindat);

/// A buffer for a path in the form of C. Only the bytes of the path are written.
struct PathBuffer([MaybeUninit<u8>; PATH_MAX]);

/// A path in its buffer, with a NUL at its end.
///
/// INVARIANT: all bytes are written, and the last one is a NUL.
struct CPath<'a>(&'a [MaybeUninit<u8>]);

impl PathBuffer {
    const fn new() -> Self {
        Self([MaybeUninit::uninit(); PATH_MAX])
    }

    fn fill(&mut self, call: Call, path: &[u8]) -> Result<CPath<'_>, Error> {
        debug_assert!(!path.contains(&0));
        let too_long = Error::new(call, Errno::ENAMETOOLONG);
        let buf = self.0.get_mut(..=path.len()).ok_or(too_long)?;
        let (nul, places) = buf.split_last_mut().ok_or(too_long)?;
        // The compiler makes one loop over two slices into a memcpy.
        for (place, byte) in places.iter_mut().zip(path) {
            place.write(*byte);
        }
        nul.write(0);
        Ok(CPath(buf))
    }
}

impl CPath<'_> {
    const fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// Makes a call on a path, which is copied into the form that C needs.
#[inline(never)]
pub(super) fn on_path(
    call: Call,
    path: &[u8],
    attempt: &mut dyn FnMut(*const c_char) -> isize,
) -> Result<usize, Error> {
    let mut buf = PathBuffer::new();
    let path = buf.fill(call, path)?;
    retry(call, || attempt(path.as_ptr()))
}

/// Makes a call on two paths, which are copied into the form that C needs.
#[inline(never)]
fn on_two_paths(
    call: Call,
    (old, new): (&[u8], &[u8]),
    attempt: &dyn Fn(*const c_char, *const c_char) -> c_int,
) -> Result<(), Error> {
    let (mut old_room, mut new_room) = (PathBuffer::new(), PathBuffer::new());
    let (old, new) = (old_room.fill(call, old)?, new_room.fill(call, new)?);
    retry(call, || attempt(old.as_ptr(), new.as_ptr()) as isize)?;
    Ok(())
}

/// The mode of the files that `O_CREAT` makes here. All of these files are lock files. The mode
/// gives permissions only to the owner, and has the sticky bit as a mark: that bit means nothing on
/// the file, no other program sets it, and the umask does not change it.
pub(crate) const LOCK_FILE_MODE: sys::mode_t = sys::S_ISVTX | 0o600;

/// Opens a file by openat(2), close-on-exec. A file that `O_CREAT` makes has [`LOCK_FILE_MODE`].
#[inline(never)]
pub(crate) fn openat(dir: BorrowedFd<'_>, path: &[u8], flags: c_int) -> Result<OwnedFd, Error> {
    let (flags, mode) = (flags | sys::O_CLOEXEC, c_uint::from(LOCK_FILE_MODE));
    let fd = on_path(Call::Openat, path, &mut |path| {
        // SAFETY: `path` is NUL-terminated and live; the mode is an unsigned int, as C's varargs
        // have it.
        unsafe { sys::openat(dir.as_raw_fd(), path, flags, mode) as isize }
    })?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// Makes a directory by mkdirat(2). The umask removes bits from the mode.
pub(crate) fn mkdirat(dir: BorrowedFd<'_>, path: &[u8], mode: sys::mode_t) -> Result<(), Error> {
    on_path(Call::Mkdirat, path, &mut |path| {
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::mkdirat(dir.as_raw_fd(), path, mode) as isize }
    })?;
    Ok(())
}

/// Makes a symbolic link at `path` that leads to `target`, by symlinkat(2).
pub(crate) fn symlinkat(target: &[u8], dir: BorrowedFd<'_>, path: &[u8]) -> Result<(), Error> {
    on_two_paths(Call::Symlinkat, (target, path), &|target, path| {
        // SAFETY: both paths are NUL-terminated and live.
        unsafe { sys::symlinkat(target, dir.as_raw_fd(), path) }
    })
}

/// Removes a file by unlinkat(2), or with `AT_REMOVEDIR` an empty directory.
#[inline(never)]
pub(crate) fn unlinkat(dir: BorrowedFd<'_>, path: &[u8], flags: c_int) -> Result<(), Error> {
    on_path(Call::Unlinkat, path, &mut |path| {
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::unlinkat(dir.as_raw_fd(), path, flags) as isize }
    })?;
    Ok(())
}

/// Renames a file by renameat(2), which replaces whatever has the new name.
pub(crate) fn renameat(
    (from, old): (BorrowedFd<'_>, &[u8]),
    (to, new): (BorrowedFd<'_>, &[u8]),
) -> Result<(), Error> {
    on_two_paths(Call::Renameat, (old, new), &|old, new| {
        // SAFETY: both paths are NUL-terminated and live.
        unsafe { sys::renameat(from.as_raw_fd(), old, to.as_raw_fd(), new) }
    })
}

/// Makes a hard link by linkat(2), which fails with `EEXIST` if the new name exists.
pub(crate) fn linkat(
    (from, old): (BorrowedFd<'_>, &[u8]),
    (to, new): (BorrowedFd<'_>, &[u8]),
) -> Result<(), Error> {
    on_two_paths(Call::Linkat, (old, new), &|old, new| {
        // SAFETY: both paths are NUL-terminated and live.
        unsafe { sys::linkat(from.as_raw_fd(), old, to.as_raw_fd(), new, 0) }
    })
}

/// Gives a file another name. Fails with `EEXIST` if that name exists. On failure the file has only
/// its old name.
#[inline(never)]
pub(crate) fn rename_to_new(
    old: (BorrowedFd<'_>, &[u8]),
    new: (BorrowedFd<'_>, &[u8]),
) -> Result<(), Error> {
    match rename_with(old, new, RENAME_NOREPLACE) {
        Err(error) if is_lacking(&error) => {}
        renamed => return renamed,
    }
    linkat(old, new).map_err(|error| match error.errno() {
        // For a file that this process made, only a file system without hard links reports these
        // errors.
        Errno::EPERM | Errno::ENOSYS | Errno::EOPNOTSUPP => cannot_rename(),
        _ => error,
    })?;
    let moved = unlink_old_name(old, new);
    if moved.is_err() && is_like(old, new) {
        let _ = unlinkat(new.0, new.1, 0);
    }
    moved
}

/// Makes the error for a file system that can neither rename without replacing nor make hard links.
fn cannot_rename() -> Error {
    Error::with_cause(Call::Linkat, Errno::EOPNOTSUPP, Cause::NoSafeRename)
}

/// Unlinks the old name of a file to which link(2) has just given a new one.
fn unlink_old_name(
    old: (BorrowedFd<'_>, &[u8]),
    new: (BorrowedFd<'_>, &[u8]),
) -> Result<(), Error> {
    let status = |(dir, name)| fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW);
    // A file system without hard links may make a copy instead. No socket is bound to the copy.
    match status(old)?.identity() == status(new)?.identity() {
        true => unlinkat(old.0, old.1, 0),
        false => Err(cannot_rename()),
    }
}

/// Returns whether the file at the second name has the type, mode and owner of the file at the
/// first: then it is the same file or a copy, and not a file that another program has put there
/// since.
fn is_like(old: (BorrowedFd<'_>, &[u8]), new: (BorrowedFd<'_>, &[u8])) -> bool {
    let status = |(dir, name)| fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW).ok();
    let both = status(old).zip(status(new));
    both.is_some_and(|(old, new)| old.is_like(&new))
}

/// Swaps two files in one step. If the system or the file system cannot do that, [`is_lacking`] is
/// true for the error.
pub(crate) fn exchange(
    one: (BorrowedFd<'_>, &[u8]),
    other: (BorrowedFd<'_>, &[u8]),
) -> Result<(), Error> {
    rename_with(one, other, RENAME_EXCHANGE)
}

/// Returns whether an error means that the system or the file system lacks a call or a flag. Linux
/// reports `EINVAL` for a flag that a file system does not know, and macOS `ENOTSUP`.
pub(crate) fn is_lacking(error: &Error) -> bool {
    is_lacking_if(ENOTSUP, error)
}

fn is_lacking_if(errno: Errno, error: &Error) -> bool {
    matches!(error.errno(), Errno::EINVAL | Errno::ENOSYS) || error.errno() == errno
}

/// Renames a file as [`renameat`] does, with a flag.
#[cfg(any(have_renameat2, have_renameatx_np))]
fn rename_with(
    (from, old): (BorrowedFd<'_>, &[u8]),
    (to, new): (BorrowedFd<'_>, &[u8]),
    flag: c_uint,
) -> Result<(), Error> {
    on_two_paths(Call::Renameat, (old, new), &|old, new| {
        // SAFETY: both paths are NUL-terminated and live.
        unsafe { renameat_with(from.as_raw_fd(), old, to.as_raw_fd(), new, flag) }
    })
}

#[cfg(not(any(have_renameat2, have_renameatx_np)))]
fn rename_with(
    _old: (BorrowedFd<'_>, &[u8]),
    _new: (BorrowedFd<'_>, &[u8]),
    _flag: c_uint,
) -> Result<(), Error> {
    Err(Error::new(Call::Renameat, Errno::ENOSYS))
}

/// Returns the status of a file by fstatat(2). With `AT_SYMLINK_NOFOLLOW` a symbolic link is not
/// followed, and the status of the link itself is returned.
#[inline(never)]
pub(crate) fn fstatat(dir: BorrowedFd<'_>, path: &[u8], flags: c_int) -> Result<Status, Error> {
    let mut status = MaybeUninit::<sys::stat>::zeroed();
    on_path(Call::Fstatat, path, &mut |path| {
        // SAFETY: `path` is NUL-terminated and live, and status has space for a struct stat.
        unsafe { sys::fstatat(dir.as_raw_fd(), path, status.as_mut_ptr(), flags) as isize }
    })?;
    // SAFETY: a struct stat may be all zeroes, and the kernel wrote a valid one.
    Ok(Status(unsafe { status.assume_init() }))
}

/// Writes the path of the working directory into `buf` by getcwd(3), and returns the path.
pub(crate) fn getcwd(buf: &mut [u8]) -> Result<&[u8], Error> {
    // SAFETY: `buf` is writable for its length.
    let path = unsafe { sys::getcwd(buf.as_mut_ptr().cast(), buf.len()) };
    if path.is_null() {
        return Err(Error::new(Call::Getcwd, Errno::from_raw(sys::errno())));
    }
    before_nul(Call::Getcwd, buf)
}

/// Returns the bytes before the first NUL.
fn before_nul(call: Call, buf: &[u8]) -> Result<&[u8], Error> {
    buf.get(..len_before(buf, 0))
        .ok_or(Error::new(call, Errno::ERANGE))
}

/// Writes the target of a link into `buf` by readlinkat(2), and returns the target. Fails with
/// `ERANGE` if the target does not fit.
pub(crate) fn readlinkat<'b>(
    dir: BorrowedFd<'_>,
    path: &[u8],
    buf: &'b mut [u8],
) -> Result<&'b [u8], Error> {
    let len = on_path(Call::Readlinkat, path, &mut |path| {
        let (to, size) = (buf.as_mut_ptr().cast(), buf.len());
        // SAFETY: `path` is NUL-terminated and live, and `to` is writable for `size` bytes.
        unsafe { sys::readlinkat(dir.as_raw_fd(), path, to, size) }
    })?;
    // A path that fills the buffer may have been truncated.
    let path = buf.get(..len).filter(|path| path.len() < buf.len());
    path.ok_or(Error::new(Call::Readlinkat, Errno::ERANGE))
}

/// Writes the path of an open directory into `buf`, and returns the path. Fails with `ERANGE` if
/// the path does not fit.
#[cfg(have_proc_fd)]
pub(crate) fn path_of<'b>(fd: BorrowedFd<'_>, buf: &'b mut [u8]) -> Result<&'b [u8], Error> {
    readlinkat(CWD, ProcFd::new(fd).as_bytes(), buf)
}

#[cfg(have_f_getpath)]
pub(crate) fn path_of<'b>(fd: BorrowedFd<'_>, buf: &'b mut [u8]) -> Result<&'b [u8], Error> {
    let mut path = [0; PATH_MAX];
    retry(Call::Readlinkat, || {
        let to = path.as_mut_ptr();
        // SAFETY: F_GETPATH writes at most PATH_MAX bytes, which `path` has.
        unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_GETPATH, to) as isize }
    })?;
    let path = before_nul(Call::Readlinkat, &path)?;
    let too_short = Error::new(Call::Readlinkat, Errno::ERANGE);
    let buf = buf.get_mut(..path.len()).ok_or(too_short)?;
    buf.copy_from_slice(path);
    Ok(buf)
}

#[cfg(not(any(have_proc_fd, have_f_getpath)))]
pub(crate) fn path_of<'b>(_fd: BorrowedFd<'_>, _buf: &'b mut [u8]) -> Result<&'b [u8], Error> {
    Err(Error::new(Call::Readlinkat, Errno::EOPNOTSUPP))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On Linux `ENOTSUP` is another name of `EOPNOTSUPP`. On macOS it is 45, and `EOPNOTSUPP` is 102.
    #[test]
    fn rename_flag_that_is_lacking_is_known_by_the_errno_of_each_system() {
        let failed = |errno| Error::new(Call::Renameat, Errno::from_raw(errno));
        for enotsup in [95, 45] {
            let lacks = |errno| is_lacking_if(Errno::from_raw(enotsup), &failed(errno));
            for errno in [Errno::EINVAL.raw(), Errno::ENOSYS.raw(), enotsup] {
                assert!(lacks(errno), "{errno}");
            }
            for errno in [Errno::EEXIST.raw(), Errno::ENOENT.raw(), 102] {
                assert!(!lacks(errno), "{errno}");
            }
        }
    }
}
