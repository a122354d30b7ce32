//! Proves that no process holds a socket file, and removes it.

use sunpath_sys as sys;

use crate::error::{Call, Errno, Error, InUse};
use crate::fd::{AsFd, BorrowedFd, CWD};
use crate::files::alias::{USUAL, address, proc_alias};
use crate::files::at::connect_through;
use crate::files::joined::Path;
use crate::files::path::SplitPath;
use crate::pathname::AsPathname;
use crate::socket::{Datagram, Socket};
use crate::syscall::{self, O_PATH, PATH_MAX, ProcFd};

use super::errors;
use super::file::BoundFile;
use super::remove::{remove_if, status_of};
use super::sample::Sample;
use super::turn::Turn;

/// Directories with short paths in which most processes may create files.
const WRITABLE: [&[u8]; 3] = [b"/tmp/.", b"/var/tmp/.", b"/run/."];

impl BoundFile {
    /// Removes the socket file with this name if no process holds its socket, and returns whether
    /// there was a file. Fails, and leaves the file, if the socket is alive, if the file is not a
    /// socket, or if the kernel does not report whether the socket is alive.
    ///
    /// The proof is made twice. The first proof comes before the file is moved, so that the file of
    /// a live server is never moved. But bind(2) makes the file an instant before the kernel can
    /// find the socket by the file, and locks the directory during that instant. The second proof
    /// therefore comes after rename(2), which waits for that lock. No process can bind to a file
    /// that exists, so a file that is dead by then stays dead.
    pub(super) fn clear_stale(&self, name: &[u8], path: &SplitPath<'_>) -> Result<bool, Error> {
        self.clear_stale_by(name, path, means_dead)
    }

    fn clear_stale_by(
        &self,
        name: &[u8],
        path: &SplitPath<'_>,
        read: Reading,
    ) -> Result<bool, Error> {
        let dir = self.dir.as_fd();
        let gone = |error: &Error| error.errno() == Errno::ENOENT;
        let live_server = Error::address_in_use(InUse::Server);
        // Without the turn, the file of a server that takes the path over now would be moved aside
        // until that server is found to be alive.
        let _turn = Turn::take(dir);
        let kernel = Kernel::new(dir, path, read)?;
        let dead = match status_of(dir, name) {
            Ok(status) if !status.is_socket() => return Err(errors::path_in_use(&status)),
            Ok(_) => kernel.says_dead(name),
            Err(error) => Err(error),
        };
        match dead {
            Ok(true) if !kernel.can_tell()? => {
                return Err(Error::address_in_use(InUse::Unknown));
            }
            Ok(true) => {}
            Ok(false) => return Err(live_server),
            Err(error) if gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        let removed = remove_if(dir, name, &|aside, status| {
            Ok(status.is_socket() && kernel.says_dead(aside)?)
        });
        match removed {
            Ok(true) => Ok(true),
            Ok(false) => Err(live_server),
            Err(error) if gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Asks the kernel about the socket files of a directory.
struct Kernel<'a> {
    dir: BorrowedFd<'a>,
    path: &'a SplitPath<'a>,
    /// `true` if /proc is mounted, so that a file can be connected to by its descriptor.
    has_proc: bool,
    read: Reading,
}

impl<'a> Kernel<'a> {
    fn new(dir: BorrowedFd<'a>, path: &'a SplitPath<'a>, read: Reading) -> Result<Self, Error> {
        Ok(Self {
            dir,
            path,
            has_proc: proc_alias(dir)?.is_some(),
            read,
        })
    }

    /// Returns whether the kernel answers that no process holds the socket of a file.
    fn says_dead(&self, name: &[u8]) -> Result<bool, Error> {
        let probe = Socket::<Datagram>::new()?;
        if !self.has_proc {
            return (self.read)(connect_by_path(&probe, self.path, name));
        }
        // A descriptor leads to the file however long its name and its path are.
        let file = syscall::openat(self.dir, name, O_PATH | sys::O_NOFOLLOW)?;
        let alias = ProcFd::new(file.as_fd());
        (self.read)(probe.connect_to(&address(Call::Connect, alias.as_bytes(), b"")?))
    }

    /// Returns whether the kernel's answer for a live socket differs from the one for a dead file.
    /// Some kernels answer `ECONNREFUSED` for both. A socket of our own in the same directory shows
    /// which kind of kernel this is.
    fn can_tell(&self) -> Result<bool, Error> {
        let sample = Sample::bind(self.dir, self.path)?;
        let says_dead = match self.says_dead(sample.name()) {
            // The umask has removed the permission that connect(2) needs.
            Err(error) if error.errno() == Errno::EACCES => {
                sample.make_writable()?;
                self.says_dead(sample.name())
            }
            answer => answer,
        };
        Ok(!says_dead?)
    }
}

/// The result of [`probe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// No file is at the path.
    Absent,
    /// A socket file that no process holds any more: its server has ended.
    Dead,
    /// A socket that a process holds, bound, listening or shut down.
    Live,
    /// A file that is not a socket.
    NotSocket,
    /// A socket file that looks dead, on a kernel where a live socket looks dead too, or where a
    /// live socket could not be tested.
    Unknown,
}

/// Asks the kernel whether any process holds the socket of a path. No server of any kind notices
/// the question, because no connection is made. Symbolic links are followed, as connect(2) does.
///
/// If the socket looks dead, this process also binds a socket of its own and asks about that,
/// because not every kernel can tell a dead socket from a live one. The second socket has a
/// temporary name, `.sunpath-` and 16 hexadecimal digits, in the directory of the path, or else in
/// `/tmp`, `/var/tmp` or `/run`, and is removed at once.
///
/// The answer describes one instant: a server may bind or die right afterwards.
/// [`Existing::ReplaceStale`](crate::Existing::ReplaceStale) asks the same and acts on the answer
/// safely.
///
/// # Errors
///
/// - `ENOENT`: the path is empty. `EINVAL`: it has a NUL.
/// - `EACCES`: no write permission on the file, or no search permission above it. Nothing is then
///   known about the socket.
/// - `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`: the path leads nowhere.
/// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
///
/// # Examples
///
/// ```no_run
/// use sunpath::{Liveness, probe};
///
/// match probe("/run/app.sock")? {
///     Liveness::Live => println!("a server runs"),
///     Liveness::Dead => println!("a killed server left its file"),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// See connect(2), unix(7).
#[doc(alias = "connect")]
pub fn probe(path: impl AsPathname) -> Result<Liveness, Error> {
    probe_by(path.as_pathname(), means_dead)
}

fn probe_by(path: &[u8], read: Reading) -> Result<Liveness, Error> {
    let path = SplitPath::new(Call::Connect, CWD, path)?;
    let probe = Socket::<Datagram>::new()?;
    let connected = connect_through(&path, USUAL, &mut |start, addr| {
        syscall::connect_at(start, probe.as_fd(), addr)
    });
    let found = read(connected).and_then(|dead| match dead {
        false => Ok(Liveness::Live),
        // Connecting to a file that is not a socket is refused in the same way as to a dead socket.
        true => {
            let dir = path.open_parent()?;
            let is_socket = syscall::fstatat(dir.as_fd(), path.last, 0)?.is_socket();
            Ok(match is_socket {
                false => Liveness::NotSocket,
                true if can_tell_somewhere(dir.as_fd(), &path, read) => Liveness::Dead,
                true => Liveness::Unknown,
            })
        }
    });
    match found {
        Err(error) if error.errno() == Errno::ENOENT => Ok(Liveness::Absent),
        // EROFS is reported for files and directories on a read-only file system, but never for a
        // socket.
        Err(error) if matches!(error.errno(), Errno::ENOTSOCK | Errno::EROFS) => {
            Ok(Liveness::NotSocket)
        }
        found => found,
    }
}

/// Calls [`Kernel::can_tell`] in `dir`, or in another directory where this process may bind a
/// socket.
fn can_tell_somewhere(dir: BorrowedFd<'_>, path: &SplitPath<'_>, read: Reading) -> bool {
    let elsewhere = |dir: &&[u8]| {
        let path = SplitPath::new(Call::Bind, CWD, dir)?;
        Kernel::new(path.open(O_PATH)?.as_fd(), &path, read)?.can_tell()
    };
    let beside = Kernel::new(dir, path, read).and_then(|kernel| kernel.can_tell());
    let mut answers = WRITABLE.iter().map(elsewhere);
    beside.unwrap_or_else(|_| answers.find_map(Result::ok).unwrap_or(false))
}

fn connect_by_path(
    probe: &Socket<Datagram>,
    path: &SplitPath<'_>,
    name: &[u8],
) -> Result<(), Error> {
    let too_long = |_| Error::new(Call::Connect, Errno::ENAMETOOLONG);
    let beside = Path::<{ PATH_MAX - 1 }>::join(&[path.parent, name]).map_err(too_long)?;
    let beside = SplitPath::new(Call::Connect, path.start, beside.as_bytes())?;
    connect_through(&beside, USUAL, &mut |start, addr| {
        syscall::connect_at(start, probe.as_fd(), addr)
    })
}

/// A function that decides from the kernel's answer to the connect(2) of a datagram socket whether
/// the file is dead. Tests pass functions for other kernels.
type Reading = fn(Result<(), Error>) -> Result<bool, Error>;

/// Decides for Linux and the BSDs. For a stream or seqpacket socket the answer is `EPROTOTYPE`, and
/// nothing happens. For a datagram socket connect(2) succeeds, and the socket's owner does not
/// notice. Only `ECONNREFUSED` means that no process holds the file.
fn means_dead(connected: Result<(), Error>) -> Result<bool, Error> {
    match connected {
        // EPERM is reported by a datagram socket that is connected to another socket.
        Err(error) if matches!(error.errno(), Errno::EPROTOTYPE | Errno::EPERM) => Ok(false),
        Err(error) if error.errno() == Errno::ECONNREFUSED => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::UnixListener;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path as StdPath;
    use std::{env, format, fs, process};

    /// Decides as on a kernel where a live socket looks dead too.
    fn all_look_dead(connected: Result<(), Error>) -> Result<bool, Error> {
        means_dead(connected).map(|_| true)
    }

    fn clear(path: &StdPath, read: Reading) -> Result<bool, Error> {
        let path = SplitPath::new(Call::Bind, CWD, path.as_os_str().as_bytes()).unwrap();
        BoundFile::at(&path)
            .unwrap()
            .clear_stale_by(path.last, &path, read)
    }

    #[test]
    fn stale_where_the_kernel_cannot_tell_stays() {
        let dir = env::temp_dir().join(format!("sunpath-stale-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let path = dir.join("a.sock");
        let bytes = path.as_os_str().as_bytes();
        let names = || fs::read_dir(&dir).unwrap().count();

        let live = UnixListener::bind_at(CWD, bytes).unwrap();
        for read in [means_dead as Reading, all_look_dead] {
            assert_eq!(clear(&path, read).unwrap_err().errno(), Errno::EADDRINUSE);
            assert_eq!(names(), 1);
        }
        assert_eq!(probe_by(bytes, means_dead), Ok(Liveness::Live));
        // Other kernels report by themselves that the file is not a socket.
        let not_socket = |_| Err(Error::new(Call::Connect, Errno::ENOTSOCK));
        assert_eq!(probe_by(bytes, not_socket), Ok(Liveness::NotSocket));
        assert_eq!(probe_by(bytes, all_look_dead), Ok(Liveness::Unknown));

        drop(live);
        let kept = clear(&path, all_look_dead).unwrap_err();
        assert_eq!(kept.errno(), Errno::EADDRINUSE);
        assert_eq!(probe_by(bytes, all_look_dead), Ok(Liveness::Unknown));
        assert_eq!(probe_by(bytes, means_dead), Ok(Liveness::Dead));
        assert_eq!(names(), 1);
        assert_eq!(clear(&path, means_dead), Ok(true));
        assert_eq!(clear(&path, means_dead), Ok(false));
        fs::remove_dir(&dir).unwrap();
    }
}
