//! Connects by a path of any length, with an address that leads to the socket during the call.

use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD, OwnedFd};
use crate::files::alias::{Link, Means, address, proc_alias};
use crate::files::path::SplitPath;
use crate::syscall::{self, O_PATH};

/// Calls `attempt` with an address that leads to the socket of a path, and with the directory where
/// that address begins.
///
/// The function takes a reference to the closure, so that the compiler makes this code once.
pub(crate) fn connect_through(
    path: &SplitPath<'_>,
    means: Means,
    attempt: &mut dyn FnMut(BorrowedFd<'_>, &UnixAddr) -> Result<(), Error>,
) -> Result<(), Error> {
    if let Some(addr) = &path.addr {
        return attempt(CWD, addr);
    }
    let mut lead = Lead::to(path, means)?;
    loop {
        let refused = match attempt(lead.start(), &lead.addr) {
            Err(error) if error.errno() == Errno::ECONNREFUSED => error,
            connected => return connected,
        };
        let Through::File(old) = &lead.through else {
            return Err(refused);
        };
        // The address leads through the opened file, which stays the same file when another is
        // renamed over it. The refusal is final only if the path still leads to the opened file.
        let again = Lead::to(path, means)?;
        match &again.through {
            Through::File(new) if !is_same_file(old, new)? => lead = again,
            _ => return Err(refused),
        }
    }
}

/// An address that leads to a socket file, and the values that must live as long as the address is
/// used.
struct Lead {
    addr: UnixAddr,
    through: Through,
}

/// The file or link through which an address leads.
enum Through {
    Directory(OwnedFd),
    /// The socket file itself.
    File(OwnedFd),
    #[expect(dead_code, reason = "it exists until it is dropped")]
    Link(Link),
}

impl Lead {
    /// Returns the directory where the address begins.
    fn start(&self) -> BorrowedFd<'_> {
        match &self.through {
            Through::Directory(dir) if syscall::HAVE_BINDAT => dir.as_fd(),
            _ => CWD,
        }
    }

    fn to(path: &SplitPath<'_>, means: Means) -> Result<Self, Error> {
        if means != Means::Link {
            let dir = path.open_parent()?;
            let addr = match means {
                Means::Bindat => UnixAddr::for_call(Call::Connect, path.last).ok(),
                _ => match proc_alias(dir.as_fd())? {
                    Some(alias) => address(Call::Connect, alias.as_bytes(), path.last).ok(),
                    None => None,
                },
            };
            if let Some(addr) = addr {
                let through = Through::Directory(dir);
                return Ok(Self { addr, through });
            }
        }
        if means == Means::Proc {
            let file = path.open(O_PATH)?;
            if let Some(alias) = proc_alias(file.as_fd())? {
                let addr = address(Call::Connect, alias.as_bytes(), b"")?;
                let through = Through::File(file);
                return Ok(Self { addr, through });
            }
        }
        let link = Link::to(path.start, path.as_bytes())?;
        let addr = address(Call::Connect, link.path(), b"")?;
        let through = Through::Link(link);
        Ok(Self { addr, through })
    }
}

fn is_same_file(a: &OwnedFd, b: &OwnedFd) -> Result<bool, Error> {
    let (a, b) = (syscall::fstat(a.as_fd())?, syscall::fstat(b.as_fd())?);
    Ok(a.identity() == b.identity())
}
