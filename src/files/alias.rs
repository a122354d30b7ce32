//! Makes short paths that lead to a file whose own path does not fit into `sun_path`.

mod link;

use sunpath_sys::{SUN_PATH_MAX, SunPathError};

pub(crate) use self::link::Link;
use crate::addr::UnixAddr;
use crate::error::{Call, Error};
use crate::fd::BorrowedFd;
use crate::files::joined::Path;
use crate::syscall::{self, ProcFd};

/// The way in which the kernel reaches a file whose path does not fit.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Means {
    /// The directory's descriptor is an argument of the call.
    Bindat,
    /// The path `/proc/self/fd/N` if /proc is mounted, and otherwise a symbolic link.
    Proc,
    /// A symbolic link in a private directory.
    Link,
}

/// The way that this system uses. Tests choose other ways.
pub(crate) const USUAL: Means = match (syscall::HAVE_BINDAT, syscall::HAVE_PROC_FD) {
    (true, _) => Means::Bindat,
    (_, true) => Means::Proc,
    (false, false) => Means::Link,
};

/// Returns the path `/proc/self/fd/N` of an open file, or `None` if that path leads to another file
/// or to none.
pub(crate) fn proc_alias(fd: BorrowedFd<'_>) -> Result<Option<ProcFd>, Error> {
    if !syscall::HAVE_PROC_FD {
        return Ok(None);
    }
    let alias = ProcFd::new(fd);
    Ok(syscall::leads_to(alias.as_bytes(), fd)?.then_some(alias))
}

/// Makes the address of a prefix, a slash and a name, or of the prefix alone if the name is empty.
/// The function is out of line, because an address is large and many callers need one.
#[inline(never)]
pub(crate) fn address(call: Call, prefix: &[u8], name: &[u8]) -> Result<UnixAddr, Error> {
    let slash: &[u8] = if name.is_empty() { b"" } else { b"/" };
    match Path::<SUN_PATH_MAX>::join(&[prefix, slash, name]) {
        Ok(path) => UnixAddr::for_call(call, path.as_bytes()),
        Err(len) => {
            let max = SUN_PATH_MAX;
            Err(Error::refused(call, SunPathError::TooLong { len, max }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fd::{AsFd, CWD};
    use crate::syscall::O_PATH;

    #[test]
    fn alias_leads_to_the_open_file_or_is_none() {
        let root = syscall::openat(CWD, b"/", O_PATH).unwrap();
        let alias = proc_alias(root.as_fd()).unwrap();
        assert_eq!(alias.is_some(), syscall::HAVE_PROC_FD);
        assert!(!syscall::leads_to(b"/nowhere/at/all", root.as_fd()).unwrap());
        assert!(!syscall::leads_to(b"/tmp", root.as_fd()).unwrap());
    }
}
