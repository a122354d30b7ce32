//! Changes mode and owner of a file. No call here follows a symbolic link, because another program
//! may have put one in the place of the file's name.

use sunpath_sys as sys;

use super::on_path;
#[cfg(have_fchmodat2)]
use super::{ProcFd, fstat, leads_to, openat};
#[cfg(have_fchmodat2)]
use crate::error::Errno;
use crate::error::{Call, Error};
#[cfg(any(have_fchmodat2, have_o_path))]
use crate::fd::AsFd;
#[cfg(have_fchmodat2)]
use crate::fd::CWD;
use crate::fd::{AsRawFd, BorrowedFd};
#[cfg(have_fchmodat2)]
use crate::syscall::fchmod;
#[cfg(not(have_o_path))]
use crate::syscall::retry;

/// A way to change the mode of a file that an `O_PATH` descriptor refers to.
#[cfg(have_fchmodat2)]
#[derive(Clone, Copy)]
enum Way {
    /// By fchmodat2(2) with `AT_EMPTY_PATH`.
    Descriptor,
    /// By fchmodat(2) of `/proc/self/fd/N`.
    Proc,
    /// By fchmod(2) of the directory, after opening it for reading.
    Reading,
}

/// Changes the mode of the file that a descriptor has open, or refers to.
///
/// Fails with `EOPNOTSUPP` if no way is possible: the kernel has no fchmodat2(2) (before Linux
/// 6.6), /proc is not mounted, and the file is not a directory.
#[cfg(have_fchmodat2)]
pub(crate) fn change_mode(fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    change_mode_by(&[Way::Descriptor, Way::Proc, Way::Reading], fd, mode)
}

#[cfg(have_fchmodat2)]
fn change_mode_by(ways: &[Way], fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    let mut outcome = Err(Error::new(Call::Fchmodat, Errno::EOPNOTSUPP));
    for way in ways {
        outcome = match way {
            Way::Descriptor => on_path(Call::Fchmodat, b"", &mut |path| {
                let flags = sys::AT_EMPTY_PATH;
                // SAFETY: `path` is NUL-terminated and live.
                unsafe { sys::fchmodat2(fd.as_raw_fd(), path, mode, flags) as isize }
            })
            .map(drop),
            Way::Proc => {
                let alias = ProcFd::new(fd);
                if !leads_to(alias.as_bytes(), fd)? {
                    continue;
                }
                on_path(Call::Fchmodat, alias.as_bytes(), &mut |path| {
                    let cwd = CWD.as_raw_fd();
                    // SAFETY: `path` is NUL-terminated and live. The path is a link of /proc that
                    // leads to the descriptor's file and nowhere else.
                    unsafe { sys::fchmodat(cwd, path, mode, 0) as isize }
                })
                .map(drop)
            }
            Way::Reading => {
                if fstat(fd)?.kind() != sys::S_IFDIR {
                    continue;
                }
                openat(fd, b".", sys::O_RDONLY | sys::O_DIRECTORY)
                    .and_then(|dir| fchmod(dir.as_fd(), mode))
            }
        };
        match outcome {
            // A filter of system calls may report EPERM for a call that it does not know.
            Err(error) if matches!(error.errno(), Errno::ENOSYS | Errno::EPERM) => {}
            changed => return changed,
        }
    }
    match outcome {
        Err(error) if error.errno() == Errno::ENOSYS => {
            Err(Error::new(Call::Fchmodat, Errno::EOPNOTSUPP))
        }
        outcome => outcome,
    }
}

#[cfg(all(have_o_path, not(have_fchmodat2)))]
pub(crate) fn change_mode(fd: BorrowedFd<'_>, mode: sys::mode_t) -> Result<(), Error> {
    on_path(Call::Fchmodat, b"", &mut |path| {
        let flags = sys::AT_EMPTY_PATH;
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::fchmodat(fd.as_raw_fd(), path, mode, flags) as isize }
    })?;
    Ok(())
}

/// Changes the mode by fchmod(2). On a system without `O_PATH`, every descriptor has its file open.
#[cfg(not(have_o_path))]
pub(crate) use crate::syscall::fchmod as change_mode;

/// Changes owner and group of the file that a descriptor has open, or refers to. `u32::MAX` means
/// no change.
#[cfg(have_o_path)]
pub(crate) fn change_owner(
    fd: BorrowedFd<'_>,
    owner: sys::uid_t,
    group: sys::gid_t,
) -> Result<(), Error> {
    on_path(Call::Fchownat, b"", &mut |path| {
        let flags = sys::AT_EMPTY_PATH;
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::fchownat(fd.as_raw_fd(), path, owner, group, flags) as isize }
    })?;
    Ok(())
}

#[cfg(not(have_o_path))]
pub(crate) fn change_owner(
    fd: BorrowedFd<'_>,
    owner: sys::uid_t,
    group: sys::gid_t,
) -> Result<(), Error> {
    retry(Call::Fchownat, || {
        // SAFETY: the arguments are integers, so the call accesses no memory.
        unsafe { sys::fchown(fd.as_raw_fd(), owner, group) as isize }
    })?;
    Ok(())
}

/// Changes the mode of the file with a name. If the file is a symbolic link, the function changes
/// the link itself or fails.
#[cfg(have_o_path)]
pub(crate) fn change_mode_at(
    dir: BorrowedFd<'_>,
    name: &[u8],
    mode: sys::mode_t,
) -> Result<(), Error> {
    let file = super::openat(dir, name, sys::O_PATH | sys::O_NOFOLLOW)?;
    change_mode(file.as_fd(), mode)
}

#[cfg(not(have_o_path))]
pub(crate) fn change_mode_at(
    dir: BorrowedFd<'_>,
    name: &[u8],
    mode: sys::mode_t,
) -> Result<(), Error> {
    on_path(Call::Fchmodat, name, &mut |path| {
        let flags = sys::AT_SYMLINK_NOFOLLOW;
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::fchmodat(dir.as_raw_fd(), path, mode, flags) as isize }
    })?;
    Ok(())
}

/// Changes owner and group of the file with a name, or of a symbolic link itself. `u32::MAX` means
/// no change.
pub(crate) fn change_owner_at(
    dir: BorrowedFd<'_>,
    name: &[u8],
    owner: sys::uid_t,
    group: sys::gid_t,
) -> Result<(), Error> {
    on_path(Call::Fchownat, name, &mut |path| {
        let flags = sys::AT_SYMLINK_NOFOLLOW;
        // SAFETY: `path` is NUL-terminated and live.
        unsafe { sys::fchownat(dir.as_raw_fd(), path, owner, group, flags) as isize }
    })?;
    Ok(())
}

#[cfg(all(test, have_fchmodat2))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::{format, fs, process};

    #[test]
    fn mode_is_changed_by_each_way_that_the_file_allows() {
        // TMPDIR may be longer than sun_path.
        let dir = Path::new("/tmp").join(format!("sunpath-mode-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let _socket = UnixListener::bind(dir.join("socket")).unwrap();
        fs::create_dir(dir.join("dir")).unwrap();
        let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o7777;
        let open = |name: &str| {
            let path = dir.join(name);
            let flags = sys::O_PATH | sys::O_NOFOLLOW;
            openat(CWD, path.as_os_str().as_bytes(), flags).unwrap()
        };
        for name in ["socket", "dir"] {
            let fd = open(name);
            for (mut ways, wanted) in [
                (&[Way::Descriptor][..], 0o701),
                (&[Way::Proc], 0o702),
                (&[Way::Reading], 0o703),
            ] {
                // Before Linux 6.6 there is no fchmodat2(2), by which `Way::Descriptor` works.
                if let (Way::Descriptor, Err(error)) =
                    (ways[0], change_mode_by(ways, fd.as_fd(), 0o700))
                {
                    assert_eq!(error.errno(), Errno::EOPNOTSUPP);
                    ways = &[Way::Proc];
                }
                let changed = change_mode_by(ways, fd.as_fd(), wanted);
                match (name, ways) {
                    ("socket", [Way::Reading]) => {
                        assert_eq!(changed.unwrap_err().errno(), Errno::EOPNOTSUPP);
                        assert_eq!(mode(name), 0o702);
                    }
                    _ => {
                        changed.unwrap();
                        assert_eq!(mode(name), wanted);
                    }
                }
            }
        }
        // A link is not followed, so the file to which it leads keeps its mode.
        symlink("socket", dir.join("link")).unwrap();
        let by_name = change_mode_at(CWD, dir.join("link").as_os_str().as_bytes(), 0o777);
        assert!(by_name.is_err());
        assert_eq!(mode("socket"), 0o702);
        fs::remove_dir_all(&dir).unwrap();
    }
}
