//! Proof that nobody holds a socket file, and its removal.

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, CWD};
use crate::files::alias::{USUAL, address, proc_alias};
use crate::files::at::connect_through;
use crate::files::path::SplitPath;
use crate::pathname::{AsPathname, Path};
use crate::socket::{Datagram, Socket};
use crate::syscall::{self, O_PATH, PATH_MAX, ProcFd};

use super::file::SocketFile;
use super::remove::{in_use, remove_if, status_of};
use super::turn::Turn;

impl SocketFile {
    /// Makes room at the name: nothing is there, or a socket file that nobody holds, which is
    /// removed; whether one was. Anything else is in use, or unknown, and stays.
    ///
    /// It is proved twice. The first time where the file stands, so that a living server's is never
    /// moved. But bind(2) makes the file an instant before the socket can be found by it, and holds
    /// its directory meanwhile; so the second time is after rename(2), which waits for that. Nobody
    /// can bind to a file that exists: one that is dead then is dead for good.
    pub(super) fn clear_stale(&self, name: &[u8], path: &SplitPath<'_>) -> Result<bool, Error> {
        let dir = self.dir.as_fd();
        let gone = |error: &Error| error.errno() == Errno::ENOENT;
        // Without it a server that takes the place over now is moved away, until it is seen to live.
        let _turn = Turn::take(dir);
        let dead = match status_of(dir, name) {
            Ok(status) if !status.is_socket() => return Err(in_use()),
            Ok(_) => is_dead(dir, path, name),
            Err(error) => Err(error),
        };
        match dead {
            Ok(true) => {}
            Ok(false) => return Err(in_use()),
            Err(error) if gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        let removed = remove_if(dir, name, |aside, status| {
            Ok(status.is_socket() && is_dead(dir, path, aside)?)
        });
        match removed {
            Ok(true) => Ok(true),
            Ok(false) => Err(in_use()),
            Err(error) if gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What [`probe`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liveness {
    /// Nothing is there.
    Absent,
    /// A socket file that no process holds any more: left by a server that is gone.
    Dead,
    /// A socket that a process holds, bound, listening or shut down.
    Live,
    /// Something else than a socket.
    NotSocket,
}

/// Asks the kernel whether any process holds the socket of a path, in a way that no server notices,
/// whatever its kind: no connection is made. Symbolic links are followed, as connect(2) does.
///
/// The answer is that of one instant: a server may bind or die right after it.
/// [`Existing::ReplaceStale`](crate::Existing::ReplaceStale) acts on it safely.
///
/// # Errors
///
/// - `ENOENT`, `EINVAL`: the path is empty, has a NUL.
/// - `EACCES`: no write permission on the file, or no search permission above it: nothing is known.
/// - `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere.
/// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
///
/// See connect(2), unix(7).
#[doc(alias = "connect")]
pub fn probe(path: impl AsPathname) -> Result<Liveness, Error> {
    let path = SplitPath::new(Call::Connect, CWD, path.as_pathname())?;
    let probe = Socket::<Datagram>::new()?;
    let connected = connect_through(&path, USUAL, |start, addr| {
        syscall::connect_at(start, probe.as_fd(), addr)
    });
    let found = means_dead(connected).and_then(|dead| match dead {
        false => Ok(Liveness::Live),
        // A file that is not a socket is refused like a dead socket.
        true => {
            let dir = path.open_parent()?;
            match syscall::fstatat(dir.as_fd(), path.last, 0)?.is_socket() {
                true => Ok(Liveness::Dead),
                false => Ok(Liveness::NotSocket),
            }
        }
    });
    match found {
        Err(error) if error.errno() == Errno::ENOENT => Ok(Liveness::Absent),
        Err(error) if error.errno() == Errno::ENOTSOCK => Ok(Liveness::NotSocket),
        found => found,
    }
}

/// Whether no process holds the socket of a file in a directory.
fn is_dead(dir: BorrowedFd<'_>, path: &SplitPath<'_>, name: &[u8]) -> Result<bool, Error> {
    let probe = Socket::<Datagram>::new()?;
    if proc_alias(dir)?.is_none() {
        return means_dead(connect_by_path(&probe, path, name));
    }
    // The file by a descriptor of its own: whatever its name's length, and the directory's path.
    let file = syscall::openat(dir, name, O_PATH | sys::O_NOFOLLOW)?;
    let alias = ProcFd::new(file.as_fd());
    means_dead(probe.connect_to(&address(Call::Connect, alias.as_bytes(), b"")?))
}

fn connect_by_path(
    probe: &Socket<Datagram>,
    path: &SplitPath<'_>,
    name: &[u8],
) -> Result<(), Error> {
    let too_long = |_| Error::new(Call::Connect, Errno::ENAMETOOLONG);
    let beside = Path::<{ PATH_MAX - 1 }>::join(&[path.parent, name]).map_err(too_long)?;
    let beside = SplitPath::new(Call::Connect, path.start, beside.as_bytes())?;
    connect_through(&beside, USUAL, |start, addr| {
        syscall::connect_at(start, probe.as_fd(), addr)
    })
}

/// What the kernel answered to a datagram socket that would connect: to a stream or seqpacket socket
/// it is `EPROTOTYPE`, and nothing happens; to a datagram socket it succeeds, and that is not told
/// either. `ECONNREFUSED` is what remains: no process holds the file.
fn means_dead(connected: Result<(), Error>) -> Result<bool, Error> {
    match connected {
        // EPERM: a datagram socket, which is connected to somebody else
        Err(error) if matches!(error.errno(), Errno::EPROTOTYPE | Errno::EPERM) => Ok(false),
        Err(error) if error.errno() == Errno::ECONNREFUSED => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(false),
    }
}
