//! Binds to a path of any length.

use core::ffi::c_int;

use sunpath_sys as sys;
use sunpath_sys::{SUN_PATH_MAX, SunPathError};

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error, InUse};
use crate::fd::{AsFd, BorrowedFd};
use crate::files::alias::{Link, Means, USUAL, address, proc_alias};
use crate::files::name::{TemporaryName, temporary_name};
use crate::files::path::SplitPath;
use crate::syscall::{self, PATH_MAX};

/// Binds a socket to a path. The socket is bound to a temporary name first if the last component
/// does not fit after the alias of its directory.
pub(crate) fn bind_to_path(
    socket: BorrowedFd<'_>,
    path: &SplitPath<'_>,
    means: Means,
) -> Result<(), Error> {
    if let Some(addr) = &path.addr {
        return syscall::bind(socket, addr);
    }
    let dir = path.open_parent()?;
    match bind_by_alias(socket, path, dir.as_fd(), path.last, means) {
        Err(error) if is_too_long(&error) => bind_and_rename(dir.as_fd(), path.last, &|name| {
            bind_by(socket, path, dir.as_fd(), name, means)
        }),
        bound => bound,
    }
}

/// Binds a socket to a name in the open directory of a path. If the path itself fits, the socket is
/// bound to the path, so that getsockname(2) reports it. A name that does not fit in any way is
/// refused as too long.
pub(crate) fn bind_in_parent(
    socket: BorrowedFd<'_>,
    path: &SplitPath<'_>,
    dir: BorrowedFd<'_>,
    name: &[u8],
) -> Result<(), Error> {
    match &path.addr {
        Some(addr) if name == path.last => syscall::bind(socket, addr),
        _ => bind_by(socket, path, dir, name, USUAL),
    }
}

fn bind_by(
    socket: BorrowedFd<'_>,
    path: &SplitPath<'_>,
    dir: BorrowedFd<'_>,
    name: &[u8],
    means: Means,
) -> Result<(), Error> {
    match path.addr_of(name) {
        Some(addr) => syscall::bind(socket, &addr),
        None => bind_by_alias(socket, path, dir, name, means),
    }
}

/// Binds a socket to a name in an open directory, by a shorter path that leads there. This function
/// is for a path that does not fit into `sun_path`.
fn bind_by_alias(
    socket: BorrowedFd<'_>,
    path: &SplitPath<'_>,
    dir: BorrowedFd<'_>,
    name: &[u8],
    means: Means,
) -> Result<(), Error> {
    if bind_below(socket, dir, name, means)? {
        return Ok(());
    }
    if is_datagram(socket)? {
        return Err(match path.as_bytes().len() {
            len if len > SUN_PATH_MAX => no_return_path(len),
            _ => Error::new(Call::Bind, Errno::EOPNOTSUPP),
        });
    }
    let link = Link::to_directory(path.start, path.parent_or_dot(), dir)?;
    syscall::bind(socket, &address(Call::Bind, link.path(), name)?)
}

/// Binds a socket to a name in an open directory by the descriptor of the directory. Returns
/// `false` if that is not possible.
pub(crate) fn bind_below(
    socket: BorrowedFd<'_>,
    dir: BorrowedFd<'_>,
    name: &[u8],
    means: Means,
) -> Result<bool, Error> {
    if is_datagram(socket)? {
        return bind_datagram(socket, dir, name);
    }
    let alias = match means {
        Means::Bindat => {
            let addr = UnixAddr::for_call(Call::Bind, name)?;
            return syscall::bind_at(dir, socket, &addr).map(|()| true);
        }
        Means::Proc => proc_alias(dir)?,
        Means::Link => None,
    };
    let Some(alias) = alias else {
        return Ok(false);
    };
    syscall::bind(socket, &address(Call::Bind, alias.as_bytes(), name)?)?;
    Ok(true)
}

fn is_datagram(socket: BorrowedFd<'_>) -> Result<bool, Error> {
    Ok(syscall::getsockopt::<c_int>(socket, sys::SO_TYPE)? == sys::SOCK_DGRAM)
}

/// Binds a datagram socket to a name in an open directory, by the directory's absolute path.
/// Returns `false` if the system does not report that path.
///
/// A peer sends its answers to the name that was bound. A name that begins at a descriptor leads to
/// another file in the peer's process, or to none. The path `/proc/<pid>/fd/N` would lead to the
/// right file, but a process can use that path only if it may trace this process.
fn bind_datagram(socket: BorrowedFd<'_>, dir: BorrowedFd<'_>, name: &[u8]) -> Result<bool, Error> {
    let mut buffer = [0; PATH_MAX];
    let path = match syscall::path_of(dir, &mut buffer) {
        Ok(path) => path,
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::EOPNOTSUPP) => {
            return Ok(false);
        }
        Err(error) if matches!(error.errno(), Errno::ENAMETOOLONG | Errno::ERANGE) => {
            return Err(no_return_path(PATH_MAX));
        }
        Err(error) => return Err(error),
    };
    let moved = || Error::with_cause(Call::Bind, Errno::ESTALE, Cause::DirectoryMoved);
    // The path of the root ends with a slash already.
    let prefix = path.strip_suffix(b"/").unwrap_or(path);
    let addr = match address(Call::Bind, prefix, name) {
        Err(error) if is_too_long(&error) => {
            return Err(no_return_path(prefix.len() + 1 + name.len()));
        }
        addr => addr?,
    };
    // If the directory was removed, or lies outside of this process's root, its path leads to
    // another place.
    if !syscall::leads_to(path, dir)? {
        return Err(moved());
    }
    syscall::bind(socket, &addr)?;
    match syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW) {
        Ok(status) if status.is_socket() => Ok(true),
        // The directory was moved between the two calls.
        _ => {
            syscall::unlink(&addr);
            Err(moved())
        }
    }
}

/// Makes the error for a datagram socket that would be bound to a name to which peers cannot
/// answer.
fn no_return_path(len: usize) -> Error {
    let cause = Cause::NoReturnPath {
        len: u16::try_from(len).unwrap_or(u16::MAX),
        max: SUN_PATH_MAX as u16,
    };
    Error::with_cause(Call::Bind, Errno::ENAMETOOLONG, cause)
}

/// Returns whether a name was refused because it is too long. In that case a shorter name may work,
/// if the file is renamed afterwards.
pub(crate) fn is_too_long(error: &Error) -> bool {
    matches!(error.sun_path(), Some(SunPathError::TooLong { .. }))
}

/// Binds under a temporary name in the same directory, and renames the file.
fn bind_and_rename(
    dir: BorrowedFd<'_>,
    name: &[u8],
    bind: &dyn Fn(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let in_use = Error::new(Call::Bind, Errno::EADDRINUSE);
    match syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW) {
        Ok(status) if status.is_socket() => return Err(in_use),
        Ok(status) if status.is_directory() => return Err(Error::address_in_use(InUse::Directory)),
        Ok(_) => return Err(Error::address_in_use(InUse::NotSocket)),
        Err(error) if error.errno() != Errno::ENOENT => return Err(error),
        // The kernel reports ENOENT for a new file with a slash after its name.
        Err(_) if name.ends_with(b"/") => return Err(Error::new(Call::Bind, Errno::ENOENT)),
        Err(_) => {}
    }
    let temporary = bind_to_temporary(bind)?;
    syscall::rename_to_new((dir, &temporary), (dir, name)).map_err(|error| {
        // The caller needs the first error, so an error of unlink is ignored.
        let _ = syscall::unlinkat(dir, &temporary, 0);
        match error.errno() {
            Errno::EEXIST => in_use,
            _ => error,
        }
    })
}

/// Binds to temporary names until one is free.
pub(crate) fn bind_to_temporary(
    bind: &dyn Fn(&[u8]) -> Result<(), Error>,
) -> Result<TemporaryName, Error> {
    loop {
        let temporary = temporary_name()?;
        match bind(&temporary) {
            Err(error) if error.errno() == Errno::EADDRINUSE => {}
            bound => return bound.map(|()| temporary),
        }
    }
}
