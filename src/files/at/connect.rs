//! From a path of any length to an address that leads to its socket, for as long as it is connected to.

use super::link::Link;
use super::{Means, Route, USUAL, address, proc_alias};
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD, OwnedFd};
use crate::files::dir::{descend, split};
use crate::syscall::{self, O_PATH};

/// Calls `attempt` with where an address begins and the address, which lead to the socket that `path`
/// names below `dir`.
pub(crate) fn connect_through<R>(
    dir: BorrowedFd<'_>,
    path: &[u8],
    attempt: impl FnMut(BorrowedFd<'_>, &UnixAddr) -> Result<R, Error>,
) -> Result<R, Error> {
    connect_by(dir, path, USUAL, attempt)
}

pub(super) fn connect_by<R>(
    dir: BorrowedFd<'_>,
    path: &[u8],
    means: Means,
    mut attempt: impl FnMut(BorrowedFd<'_>, &UnixAddr) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut way = Way::to_connect(dir, path, means)?;
    loop {
        let refused = match attempt(way.dir(), &way.addr) {
            Err(error) if error.errno() == Errno::ECONNREFUSED => error,
            connected => return connected,
        };
        let Through::File(old) = &way.through else {
            return Err(refused);
        };
        // A file that was opened stays the same when another is renamed over it.
        let again = Way::to_connect(dir, path, means)?;
        match &again.through {
            Through::File(new) if !same_open_file(old, new)? => way = again,
            _ => return Err(refused),
        }
    }
}

/// An address that leads to a socket file, and what must be there as long as it does.
struct Way {
    addr: UnixAddr,
    through: Through,
}

/// What an address leads through.
enum Through {
    Nothing,
    Directory(OwnedFd),
    /// The socket file itself.
    File(OwnedFd),
    #[expect(dead_code, reason = "it is there until it is dropped")]
    Link(Link),
}

impl Way {
    /// Where the address begins.
    fn dir(&self) -> BorrowedFd<'_> {
        match &self.through {
            Through::Directory(dir) if syscall::HAVE_BINDAT => dir.as_fd(),
            _ => CWD,
        }
    }

    fn to_connect(begin: BorrowedFd<'_>, path: &[u8], means: Means) -> Result<Self, Error> {
        let (parent, last) = split(path);
        let route = Route {
            begin,
            path: parent,
        };
        if let Some(addr) = route.straight(last) {
            let through = Through::Nothing;
            return Ok(Self { addr, through });
        }
        if means != Means::Link {
            let dir = route.open()?;
            let addr = match means {
                Means::Bindat => UnixAddr::for_call(Call::Connect, last).ok(),
                _ => match proc_alias(dir.as_fd())? {
                    Some(alias) => address(Call::Connect, alias.as_bytes(), last).ok(),
                    None => None,
                },
            };
            if let Some(addr) = addr {
                let through = Through::Directory(dir);
                return Ok(Self { addr, through });
            }
        }
        if means == Means::Proc {
            let file = descend(begin, path, O_PATH)?;
            if let Some(alias) = proc_alias(file.as_fd())? {
                let addr = address(Call::Connect, alias.as_bytes(), b"")?;
                let through = Through::File(file);
                return Ok(Self { addr, through });
            }
        }
        let link = Link::to(begin, path)?;
        let addr = address(Call::Connect, link.path(), b"")?;
        let through = Through::Link(link);
        Ok(Self { addr, through })
    }
}

fn same_open_file(a: &OwnedFd, b: &OwnedFd) -> Result<bool, Error> {
    let (a, b) = (syscall::fstat(a.as_fd())?, syscall::fstat(b.as_fd())?);
    Ok(a.identity() == b.identity())
}
