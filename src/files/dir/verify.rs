//! Makes or verifies a directory, together with every directory above it.

use sunpath_sys as sys;
use sunpath_sys::mode_t;

use super::check::{
    OPEN_NOFOLLOW, is_writable_by_others, stat, symlink_status, verify_above, verify_link,
    verify_owner, wrong_mode,
};
use super::symlink::follow;
use super::{Dir, DirError, Refusal, make_directory};
use crate::error::Errno;
use crate::fd::{AsFd, CWD, OwnedFd};
use crate::files::name::temporary_name;
use crate::files::path::checked;
use crate::search::{last_slash, leading_slashes, len_before, len_without_slashes};
use crate::syscall::{self, Status};

/// The requirements for the directory itself, in addition to its owner, and what may be done to meet
/// them.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) made_with: mode_t,
    pub(super) forbidden: mode_t,
    pub(super) needed: mode_t,
    /// `true` if the directory is made where it does not exist.
    pub(super) make: bool,
    /// `true` if missing directories above the directory are made, too.
    pub(super) parents: bool,
    /// `true` if forbidden permissions are removed where no other user can have put a file.
    pub(super) narrow: bool,
}

pub(super) const PRIVATE: Wanted = Wanted {
    made_with: 0o700,
    forbidden: 0o077,
    needed: 0,
    make: true,
    parents: false,
    narrow: false,
};
pub(super) const PUBLIC: Wanted = Wanted {
    made_with: 0o755,
    forbidden: 0o022,
    needed: 0o011,
    ..PRIVATE
};

/// Makes or verifies the directory of a path. On failure, the directories above it that this call
/// made are removed.
pub(super) fn verified(path: &[u8], wanted: &Wanted) -> Result<Dir, DirError> {
    let mut first_made = None;
    verified_from_the_top(path, wanted, &mut first_made).inspect_err(|_| {
        let mut above = parent(path);
        while first_made.is_some_and(|first| above.len() >= first) {
            // Nobody else can have put another directory in its place, and only an empty directory
            // can be removed.
            let _ = syscall::unlinkat(CWD, above, sys::AT_REMOVEDIR);
            above = parent(above);
        }
    })
}

/// Returns the path without its last component and the slashes before it.
fn parent(path: &[u8]) -> &[u8] {
    let slash = last_slash(path, len_without_slashes(path));
    let above = path.get(..slash.unwrap_or(0)).unwrap_or_default();
    above.get(..len_without_slashes(above)).unwrap_or_default()
}

/// Does what [`verified`] does, from the root or the working directory down. If the function makes
/// directories above the last directory, `first_made` gets the length of the path of the first new
/// directory.
fn verified_from_the_top(
    path: &[u8],
    wanted: &Wanted,
    first_made: &mut Option<usize>,
) -> Result<Dir, DirError> {
    let path = checked(path).map_err(|error| DirError::new(0, Refusal::Path(error)))?;
    let relative = !path.starts_with(b"/");
    let begin: &[u8] = if relative { b"." } else { b"/" };
    let at = |prefix_len| move |refusal| DirError::new(prefix_len, refusal);

    let opened = syscall::openat(CWD, begin, OPEN_NOFOLLOW).map_err(Refusal::Call);
    let first = usize::from(!relative);
    let mut dir = opened.map_err(at(first))?;
    // A path that names the root or the working directory has no last component. The directory
    // itself is then opened below itself, as ".".
    let last = match len_without_slashes(path) {
        0 => first,
        len => len,
    };
    let mut start = leading_slashes(path).min(last);
    verify_upwards(&dir).map_err(at(first))?;
    loop {
        let rest = path.get(start..last).unwrap_or_default();
        let (name, after) = rest
            .split_at_checked(len_before(rest, b'/'))
            .unwrap_or((rest, b""));
        let end = start + name.len();
        if end == last {
            let name = if name.is_empty() { b"." } else { name };
            return make_or_verify(&dir, name, wanted).map_err(at(end));
        }
        let (below, is_made) = enter_or_make(&dir, name, wanted).map_err(at(end))?;
        if is_made {
            first_made.get_or_insert(end);
        }
        dir = below;
        start = end + leading_slashes(after);
    }
}

/// Opens and verifies one directory above the last one, and makes it if that is wanted. Returns
/// whether it was made.
fn enter_or_make(dir: &OwnedFd, name: &[u8], wanted: &Wanted) -> Result<(OwnedFd, bool), Refusal> {
    match enter(dir, name) {
        Err(Refusal::Call(error)) if error.errno() == Errno::ENOENT && wanted.parents => {}
        entered => return entered.map(|below| (below, false)),
    }
    match make(dir, name, wanted) {
        Ok(made) => Ok((made.fd, true)),
        // Another process made the directory first. It is verified like any other.
        Err(Refusal::Call(error)) if error.errno() == Errno::EEXIST => {
            enter(dir, name).map(|below| (below, false))
        }
        Err(refusal) => Err(refusal),
    }
}

/// Opens and verifies one directory above the last one.
fn enter(dir: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Refusal> {
    match syscall::openat(dir.as_fd(), name, OPEN_NOFOLLOW) {
        Ok(below) => {
            verify_above(&stat(&below)?)?;
            Ok(below)
        }
        Err(error) => {
            verify_link(dir, name, error)?;
            let below = follow(dir, name)?;
            // Some links below /proc do not lead where their text says, so the kernel follows the
            // link as well.
            let flags = syscall::O_PATH | sys::O_DIRECTORY;
            let theirs = syscall::openat(dir.as_fd(), name, flags).map_err(Refusal::Call)?;
            match stat(&theirs)?.identity() == stat(&below)?.identity() {
                true => Ok(below),
                false => Err(Refusal::Symlink),
            }
        }
    }
}

/// Verifies this directory and those above it. The function follows `..` from directory to
/// directory, and does not use the path that led here.
fn verify_upwards(dir: &OwnedFd) -> Result<(), Refusal> {
    let mut here = stat(dir)?;
    verify_above(&here)?;
    let mut held = None::<OwnedFd>;
    loop {
        let from = held.as_ref().unwrap_or(dir).as_fd();
        let up = syscall::openat(from, b"..", OPEN_NOFOLLOW).map_err(Refusal::Call)?;
        let above = stat(&up)?;
        // The root is its own parent, so the way upwards ends there.
        if above.identity() == here.identity() {
            return Ok(());
        }
        verify_above(&above)?;
        (here, held) = (above, Some(up));
    }
}

/// Opens or makes the directory itself. If another process makes it in between (`EEXIST`), it is
/// verified like any other.
fn make_or_verify(dir: &OwnedFd, name: &[u8], wanted: &Wanted) -> Result<Dir, Refusal> {
    let missing = match syscall::openat(dir.as_fd(), name, OPEN_NOFOLLOW) {
        Ok(fd) => return narrow_or_verify(fd, wanted),
        Err(error) => error,
    };
    if missing.errno() != Errno::ENOENT {
        symlink_status(dir, name, missing)?;
        return Err(Refusal::Symlink);
    }
    if !wanted.make {
        return Err(Refusal::Call(missing));
    }
    match make(dir, name, wanted) {
        Err(Refusal::Call(error)) if error.errno() == Errno::EEXIST => {}
        made => return made,
    }
    match syscall::openat(dir.as_fd(), name, OPEN_NOFOLLOW) {
        Ok(fd) => verify_itself(fd, wanted),
        Err(error) => {
            symlink_status(dir, name, error)?;
            Err(Refusal::Symlink)
        }
    }
}

/// Makes the directory. Fails with `EEXIST` if another process has made it. The directory is made
/// under a temporary name, and gets its name when its mode is right. Otherwise a process that
/// starts at the same time, or after a kill, would find a mode that the umask has narrowed, and
/// refuse the directory.
fn make(dir: &OwnedFd, name: &[u8], wanted: &Wanted) -> Result<Dir, Refusal> {
    let temporary = &temporary_name().map_err(Refusal::Call)?;
    let made = make_with_mode(dir, temporary, wanted)?;
    let (from, to) = ((dir.as_fd(), &temporary[..]), (dir.as_fd(), name));
    let Err(error) = syscall::rename_to_new(from, to) else {
        return Ok(made);
    };
    remove(dir, temporary);
    match error.errno() {
        // Some systems cannot rename a directory without replacing another one.
        Errno::EPERM | Errno::EINVAL | Errno::EOPNOTSUPP => make_with_mode(dir, name, wanted),
        _ => Err(Refusal::Call(error)),
    }
}

fn make_with_mode(dir: &OwnedFd, name: &[u8], wanted: &Wanted) -> Result<Dir, Refusal> {
    let made = make_directory(dir.as_fd(), name, wanted.made_with).map_err(Refusal::Call)?;
    verify_itself(made, wanted).inspect_err(|_| remove(dir, name))
}

/// Removes the directory that was made a moment ago. An error of this call is ignored, because it
/// would hide the first error. The directory is empty, and no other user may write to it.
fn remove(dir: &OwnedFd, name: &[u8]) {
    let _ = syscall::unlinkat(dir.as_fd(), name, sys::AT_REMOVEDIR);
}

/// Verifies a directory that exists. If its only fault is that others may read it, and its mode may
/// be changed, the mode is changed.
fn narrow_or_verify(fd: OwnedFd, wanted: &Wanted) -> Result<Dir, Refusal> {
    let status = stat(&fd)?;
    let is_too_wide = status.mode() & wanted.forbidden != 0;
    if wanted.narrow && is_too_wide && is_narrowable(&fd, &status)? {
        let mode = status.mode() & !wanted.forbidden;
        syscall::change_mode(fd.as_fd(), mode).map_err(Refusal::Call)?;
    }
    verify_itself(fd, wanted)
}

/// Returns whether only this user can write to a directory, and the directory is not one of the
/// system such as /run. Directories of the system are sticky, mounted, or directly below the root.
fn is_narrowable(fd: &OwnedFd, status: &Status) -> Result<bool, Refusal> {
    let up =
        |from: &OwnedFd| syscall::openat(from.as_fd(), b"..", OPEN_NOFOLLOW).map_err(Refusal::Call);
    let above = up(fd)?;
    let (above, top) = (stat(&above)?, stat(&up(&above)?)?);
    // The parent of a directory directly below the root is the root, which is its own parent.
    let is_below_root = above.identity() == top.identity();
    let is_mounted = !status.is_on_device_of(&above);
    let is_alone = !is_writable_by_others(status) && status.mode() & sys::S_ISVTX == 0;
    Ok(is_alone && !is_below_root && !is_mounted && verify_owner(status, false).is_ok())
}

fn verify_itself(fd: OwnedFd, wanted: &Wanted) -> Result<Dir, Refusal> {
    let status = stat(&fd)?;
    verify_owner(&status, false)?;
    let mode = status.mode();
    match mode & wanted.forbidden == 0 && mode & wanted.needed == wanted.needed {
        true => Ok(Dir { fd }),
        false => Err(wrong_mode(&status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dir_parent_is_without_the_last_component() {
        for (path, expected) in [
            ("", ""),
            ("a", ""),
            ("/", ""),
            ("/a", ""),
            ("a/b", "a"),
            ("/a/b", "/a"),
            ("/a//b//", "/a"),
            ("a/b/c", "a/b"),
        ] {
            assert_eq!(parent(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }
    use std::os::unix::ffi::OsStrExt;
    use std::{env, format, fs, process};

    #[test]
    fn dir_that_was_made_and_then_refused_is_removed() {
        let base = env::temp_dir().join(format!("sunpath-verify-{}", process::id()));
        fs::create_dir(&base).unwrap();
        let path = base.join("run");
        let contradiction = Wanted {
            made_with: 0o755,
            // Every usual umask leaves this bit.
            forbidden: 0o100,
            ..PRIVATE
        };
        let refused = || verified(path.as_os_str().as_bytes(), &contradiction).map(drop);
        assert!(matches!(
            refused().unwrap_err().refusal(),
            Refusal::Mode { .. }
        ));
        // Nothing is left, not even under a temporary name.
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
        // A directory that existed earlier stays.
        fs::create_dir(&path).unwrap();
        assert!(matches!(
            refused().unwrap_err().refusal(),
            Refusal::Mode { .. }
        ));
        fs::remove_dir(&path).unwrap();
        fs::remove_dir(&base).unwrap();
    }
}
