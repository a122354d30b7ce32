//! Binding and connecting below a directory, and by paths that `sun_path` has no room for.

mod connect;
mod link;

use sunpath_sys as sys;
use sunpath_sys::{SUN_PATH_MAX, SunPathError};

pub(crate) use self::connect::connect_through;
use self::link::Link;
use crate::addr::UnixAddr;
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd, CWD, OwnedFd};
use crate::files::dir::{TemporaryName, descend, split, temporary_name, unbounded};
use crate::pathname::{AsPathname, Path};
use crate::socket::{Connected, Kind, Listener, Socket, UnixDatagram};
use crate::syscall::{self, O_PATH, ProcFd};

/// Below a directory, and by paths of any length.
///
/// `sun_path` has room for 107 bytes (103 on the BSDs and macOS); a file system takes paths of any
/// length, of components up to 255 bytes. Nothing is cut here and the working directory is not
/// changed: the kernel is given a short path that leads to the same file.
///
/// | the file is reached | where |
/// |---|---|
/// | by its own path | it fits, and begins at the root or at [`CWD`] |
/// | through `/proc/self/fd/N` | Linux |
/// | by bindat(2) and connectat(2) | FreeBSD |
/// | through a symbolic link in a private directory under `/tmp`, which is gone afterwards | /proc is not mounted; macOS |
///
/// A path of `PATH_MAX` bytes or more is opened in pieces. The symbolic link cannot hold one that
/// long (`ENAMETOOLONG`), and without /proc Linux does not tell the path of a directory other than
/// [`CWD`] (`EOPNOTSUPP`).
impl<T: Kind> Socket<T> {
    /// `bindat(dir, fd, addr, len)` — gives the socket its address by a path of any length, which
    /// begins at an open directory; or at [`CWD`], or at the root if it is absolute.
    ///
    /// As [`bind_to`](Self::bind_to) otherwise: the path must not exist, and nothing removes it
    /// afterwards. A last component that has no room beside the alias (some 80 bytes) is bound under
    /// a temporary name in its directory and then renamed, never over what exists; to others it is
    /// there at once.
    ///
    /// Unless the path itself was bound, [`local_addr`](Self::local_addr) and the peers'
    /// [`peer_addr`](Self::peer_addr) tell the alias, which to others leads nowhere or elsewhere.
    /// [`Dir::path`](crate::Dir::path) tells where the directory is.
    ///
    /// # Errors
    ///
    /// Nothing stays open, and no file stays that was not there before.
    ///
    /// - `EADDRINUSE`: the path exists, be it a live socket, a dead one or no socket at all. Where
    ///   somebody made it just before the renaming, the socket keeps its address all the same.
    /// - `ENOENT`: a directory of the path does not exist, or the path is empty, or ends with a slash.
    /// - `EINVAL`: the path has a NUL, or the socket has an address already.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `ENOTDIR`, `ELOOP`: the directory is a file, is a loop of links.
    /// - `EACCES`: no permission to write to the directory, or to search one above it.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: the file system takes no new file.
    /// - Without /proc, `EOPNOTSUPP`: below a directory that is not [`CWD`]. `ESTALE`: another was put
    ///   in the directory's place meanwhile. `EPERM`, `ENOENT`: nowhere to make the link.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process, in the system; no memory.
    ///
    /// # Examples
    ///
    /// A path of 300 bytes:
    ///
    /// ```
    /// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::{CWD, Socket, Stream};
    ///
    /// # let base = std::env::temp_dir().join(format!("sunpath-at-{}", std::process::id()));
    /// let deep = base.join("d".repeat(150)).join("e".repeat(150));
    /// std::fs::create_dir_all(&deep)?;
    ///
    /// let server = Socket::<Stream>::new()?;
    /// server.bind_to_at(CWD, deep.join("app.sock"))?;
    /// let listener = server.listen(128)?;
    ///
    /// let client = Socket::<Stream>::new()?;
    /// client.connect_to_at(CWD, deep.join("app.sock"))?;
    /// # std::fs::remove_dir_all(&base)?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "std"))] fn main() {}
    /// ```
    ///
    /// See bind(2), unix(7), proc(5).
    #[doc(alias = "bindat")]
    pub fn bind_to_at(&self, dir: impl AsFd, path: impl AsPathname) -> Result<(), Error> {
        let path = unbounded(path.as_pathname()).map_err(|e| Error::refused(Call::Bind, e))?;
        bind_by(self.as_fd(), dir.as_fd(), path, USUAL)
    }

    /// `connectat(dir, fd, addr, len)` — connects to the socket that a path of any length names,
    /// which begins at an open directory; or at [`CWD`], or at the root if it is absolute.
    ///
    /// # Errors
    ///
    /// Nothing stays open but the socket, which can be tried again.
    ///
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: no such path, or it is empty.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EAGAIN`, `EISCONN`, `ENOMEM`: as for
    ///   [`connect_to`](Self::connect_to).
    /// - `EINVAL`: the path has a NUL, or the socket listens.
    /// - Without /proc, `EOPNOTSUPP`: below a directory that is not [`CWD`]. `EPERM`, `ENOENT`: nowhere
    ///   to make the link.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process, in the system.
    ///
    /// See connect(2), unix(7), proc(5).
    #[doc(alias = "connectat")]
    pub fn connect_to_at(&self, dir: impl AsFd, path: impl AsPathname) -> Result<(), Error> {
        let path = unbounded(path.as_pathname()).map_err(|e| Error::refused(Call::Connect, e))?;
        connect_through(dir.as_fd(), path, |begin, addr| {
            syscall::connect_at(begin, self.as_fd(), addr)
        })
    }
}

/// Listening below a directory, and at paths of any length.
impl<T: Connected> Listener<T> {
    /// `bindat(dir, fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at a path of any
    /// length, which begins at an open directory; or at [`CWD`], or at the root if it is absolute.
    ///
    /// # Errors
    ///
    /// Nothing stays open, and no file stays that was not there before.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`Socket::new`].
    /// - `EADDRINUSE`, `ENOENT`, `EINVAL`, `ENAMETOOLONG` and others: as for [`Socket::bind_to_at`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, UnixListener};
    ///
    /// let dir = Dir::private("/run/app")?; // nobody else can enter
    /// let listener = UnixListener::bind_at(&dir, "app.sock")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// See bind(2), listen(2), unix(7).
    #[doc(alias = "bindat")]
    pub fn bind_at(dir: impl AsFd, path: impl AsPathname) -> Result<Self, Error> {
        let (dir, path) = (dir.as_fd(), path.as_pathname());
        let socket = Socket::<T>::new()?;
        socket.bind_to_at(dir, path)?;
        // The file is unlinked while the socket still holds it: closed first, the file would be stale,
        // and another process could have replaced it.
        syscall::listen(socket.as_fd(), Self::BACKLOG).inspect_err(|_| {
            if let Ok(parent) = open_parent(dir, path) {
                let _ = syscall::unlinkat(parent.as_fd(), split(path).1, 0);
            }
        })?;
        Ok(Self::from_listening(socket))
    }
}

/// Connecting below a directory, and by paths of any length.
impl<T: Connected> Socket<T> {
    /// `connectat(dir, fd, addr, len)` — makes a socket that is connected to the one that listens at a
    /// path of any length, which begins at an open directory; or at [`CWD`], or at the root if it is
    /// absolute.
    ///
    /// # Errors
    ///
    /// Nothing stays open.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`, `EINVAL`,
    ///   `EOPNOTSUPP`: as for [`connect_to_at`](Self::connect_to_at).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, UnixStream};
    ///
    /// let dir = Dir::open("/run/app")?;
    /// let stream = UnixStream::connect_at(&dir, "app.sock")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connectat")]
    pub fn connect_at(dir: impl AsFd, path: impl AsPathname) -> Result<Self, Error> {
        let socket = Self::new()?;
        socket.connect_to_at(dir, path)?;
        Ok(socket)
    }
}

/// Binding below a directory, and to paths of any length.
impl UnixDatagram {
    /// `bindat(dir, fd, addr, len)` — makes a datagram socket that is bound to a path of any length,
    /// which begins at an open directory; or at [`CWD`], or at the root if it is absolute.
    ///
    /// # Errors
    ///
    /// Nothing stays open, and no file stays that was not there before.
    ///
    /// - `EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`, `EAFNOSUPPORT`: as for [`new`](Self::new).
    /// - `EADDRINUSE`, `ENOENT`, `EINVAL`, `ENAMETOOLONG` and others: as for
    ///   [`bind_to_at`](Self::bind_to_at).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, UnixDatagram};
    ///
    /// let dir = Dir::open("/run/app")?;
    /// let socket = UnixDatagram::bind_at(&dir, "log.sock")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See bind(2), unix(7).
    #[doc(alias = "bindat")]
    pub fn bind_at(dir: impl AsFd, path: impl AsPathname) -> Result<Self, Error> {
        let socket = Self::new()?;
        socket.bind_to_at(dir, path)?;
        Ok(socket)
    }
}

/// How the kernel is led to a file whose path it cannot be given.
#[derive(Clone, Copy, PartialEq)]
enum Means {
    /// The directory's descriptor is an argument of the call.
    Bindat,
    /// `/proc/self/fd/N`, if /proc is there, else a link.
    Proc,
    /// A symbolic link in a private directory.
    Link,
}

/// What this system has. Tests take others.
const USUAL: Means = match (syscall::HAVE_BINDAT, syscall::HAVE_PROC_FD) {
    (true, _) => Means::Bindat,
    (_, true) => Means::Proc,
    (false, false) => Means::Link,
};

/// How a directory is reached: by a path from where that begins, up to and with its last slash. An
/// empty one is the beginning itself.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    pub(crate) begin: BorrowedFd<'a>,
    pub(crate) path: &'a [u8],
}

impl Route<'_> {
    /// Opens the directory.
    pub(crate) fn open(&self) -> Result<OwnedFd, Error> {
        descend(self.begin, self.path_or_dot(), O_PATH | sys::O_DIRECTORY)
    }

    /// Whether it leads to this directory still.
    pub(crate) fn leads_to(&self, dir: BorrowedFd<'_>) -> Result<bool, Error> {
        let now = self.open()?;
        Ok(syscall::fstat(now.as_fd())?.identity() == syscall::fstat(dir)?.identity())
    }

    /// Binds to a name in the directory, which is open. What is bound is the path itself where it
    /// fits, so that getsockname(2) tells it. Refused as too long is a name that has no room in
    /// any way.
    pub(crate) fn bind(
        &self,
        socket: BorrowedFd<'_>,
        dir: BorrowedFd<'_>,
        name: &[u8],
    ) -> Result<(), Error> {
        self.bind_by(socket, dir, name, USUAL)
    }

    fn bind_by(
        &self,
        socket: BorrowedFd<'_>,
        dir: BorrowedFd<'_>,
        name: &[u8],
        means: Means,
    ) -> Result<(), Error> {
        if let Some(addr) = self.straight(name) {
            return syscall::bind(socket, &addr);
        }
        if means == Means::Bindat {
            let addr = UnixAddr::for_call(Call::Bind, name)?;
            return syscall::bind_at(dir, socket, &addr);
        }
        let alias = match means {
            Means::Proc => proc_alias(dir)?,
            _ => None,
        };
        match alias {
            Some(alias) => syscall::bind(socket, &address(Call::Bind, alias.as_bytes(), name)?),
            None => {
                let link = Link::to_directory(self.begin, self.path_or_dot(), dir)?;
                syscall::bind(socket, &address(Call::Bind, link.path(), name)?)
            }
        }
    }

    /// The address of a name that is the path itself, where that fits and means the same. Out of line,
    /// as `address` below.
    #[inline(never)]
    pub(crate) fn straight(&self, name: &[u8]) -> Option<UnixAddr> {
        let path = Path::<SUN_PATH_MAX>::join(&[self.path, name]).ok()?;
        let means_the_same =
            path.as_bytes().starts_with(b"/") || self.begin.as_raw_fd() == CWD.as_raw_fd();
        match means_the_same {
            true => UnixAddr::for_call(Call::Bind, path.as_bytes()).ok(),
            false => None,
        }
    }

    const fn path_or_dot(&self) -> &[u8] {
        if self.path.is_empty() {
            b"."
        } else {
            self.path
        }
    }
}

fn open_parent(begin: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Error> {
    let (parent, _) = split(path);
    Route {
        begin,
        path: parent,
    }
    .open()
}

fn bind_by(
    socket: BorrowedFd<'_>,
    begin: BorrowedFd<'_>,
    path: &[u8],
    means: Means,
) -> Result<(), Error> {
    let (parent, last) = split(path);
    let route = Route {
        begin,
        path: parent,
    };
    if let Some(addr) = route.straight(last) {
        return syscall::bind(socket, &addr);
    }
    let dir = route.open()?;
    match route.bind_by(socket, dir.as_fd(), last, means) {
        Err(error) if has_no_room(&error) => bind_and_rename(dir.as_fd(), last, |name| {
            route.bind_by(socket, dir.as_fd(), name, means)
        }),
        bound => bound,
    }
}

/// Whether a name was refused, for which there is a way: a shorter one, and a renaming.
pub(crate) fn has_no_room(error: &Error) -> bool {
    matches!(error.sun_path(), Some(SunPathError::TooLong { .. }))
}

/// Binds under a temporary name in the same directory, and renames what was bound.
fn bind_and_rename(
    dir: BorrowedFd<'_>,
    name: &[u8],
    bind: impl Fn(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let in_use = Error::new(Call::Bind, Errno::EADDRINUSE);
    match syscall::fstatat(dir, name, sys::AT_SYMLINK_NOFOLLOW) {
        Ok(_) => return Err(in_use),
        Err(error) if error.errno() != Errno::ENOENT => return Err(error),
        // As the kernel says of a new file with a slash behind it.
        Err(_) if name.ends_with(b"/") => return Err(Error::new(Call::Bind, Errno::ENOENT)),
        Err(_) => {}
    }
    let temporary = bind_to_temporary(bind)?;
    syscall::rename_to_new((dir, &temporary), (dir, name)).map_err(|error| {
        // The error that is told is the first one.
        let _ = syscall::unlinkat(dir, &temporary, 0);
        match error.errno() {
            Errno::EEXIST => in_use,
            _ => error,
        }
    })
}

/// Binds to a temporary name, one after the other until one is free.
pub(crate) fn bind_to_temporary(
    bind: impl Fn(&[u8]) -> Result<(), Error>,
) -> Result<TemporaryName, Error> {
    loop {
        let temporary = temporary_name()?;
        match bind(&temporary) {
            Err(error) if error.errno() == Errno::EADDRINUSE => {}
            bound => return bound.map(|()| temporary),
        }
    }
}

/// `/proc/self/fd/N` of an open file; `None` where that leads elsewhere or nowhere.
pub(crate) fn proc_alias(fd: BorrowedFd<'_>) -> Result<Option<ProcFd>, Error> {
    if !syscall::HAVE_PROC_FD {
        return Ok(None);
    }
    let alias = ProcFd::new(fd);
    Ok(syscall::leads_to(alias.as_bytes(), fd)?.then_some(alias))
}

/// The address of a prefix, a slash and a name; of the prefix alone where the name is empty. Out of
/// line, because an address is large and many ask for one.
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
    use super::connect::connect_by;
    use super::*;
    use crate::files::dir::Dir;
    use crate::socket::{Datagram, Stream};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileTypeExt;
    use std::path::{Path as StdPath, PathBuf};
    use std::string::String;
    use std::vec::Vec;
    use std::{env, format, fs, process, thread};

    /// Fresh, and removed at the end.
    struct FreshDir(PathBuf);

    impl FreshDir {
        fn new(name: &str) -> Self {
            let dir = env::temp_dir().join(format!("sunpath-at-{name}-{}", process::id()));
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for FreshDir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// What a link left behind: in all places where links are made.
    fn left_behind() -> Vec<PathBuf> {
        let mut left = Vec::new();
        for base in Link::BASES {
            let base = String::from_utf8_lossy(base).into_owned();
            for entry in fs::read_dir(base).into_iter().flatten().flatten() {
                if entry.file_name().as_bytes().starts_with(b".sunpath-") {
                    left.push(entry.path());
                }
            }
        }
        left
    }

    /// A link that another process uses is gone before long, and one that was left stays.
    fn nothing_left_since(before: &[PathBuf]) {
        for path in left_behind() {
            let is_gone = |_| {
                thread::yield_now();
                fs::symlink_metadata(&path).is_err()
            };
            assert!(
                before.contains(&path) || (0..1_000_000).any(is_gone),
                "{path:?} was left"
            );
        }
    }

    fn bind_by_link(socket: &impl AsFd, path: &StdPath) -> Result<(), Error> {
        bind_by(
            socket.as_fd(),
            CWD,
            path.as_os_str().as_bytes(),
            Means::Link,
        )
    }

    fn connect_by_link(socket: &impl AsFd, path: &StdPath) -> Result<(), Error> {
        connect_by(CWD, path.as_os_str().as_bytes(), Means::Link, |_, addr| {
            syscall::connect(socket.as_fd(), addr)
        })
    }

    /// One test, since it looks for what any link left behind.
    #[test]
    fn at_without_proc_a_link_leads_there_and_is_gone_afterwards() {
        link_of_a_relative_path_begins_where_it_should();

        let base = FreshDir::new("link");
        let deep = base.0.join("d".repeat(150)).join("e".repeat(150));
        fs::create_dir_all(&deep).unwrap();
        let before = left_behind();

        for len in [1, 73, 74, 75, 76, 200, 255] {
            let path = deep.join("n".repeat(len));
            let (server, client) = (Socket::<Stream>::new().unwrap(), Socket::new().unwrap());
            bind_by_link(&server, &path).unwrap();
            nothing_left_since(&before);
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
            syscall::listen(server.as_fd(), 1).unwrap();
            connect_by_link(&client as &Socket<Stream>, &path).unwrap();
            nothing_left_since(&before);

            let again = Socket::<Datagram>::new().unwrap();
            let error = bind_by_link(&again, &path).unwrap_err();
            assert_eq!(error.errno(), Errno::EADDRINUSE);
            let error = connect_by_link(&again, &path).unwrap_err();
            assert_eq!(error.errno(), Errno::EPROTOTYPE);
        }
        assert_eq!(
            fs::read_dir(&deep).unwrap().count(),
            7,
            "no temporary name is left"
        );

        let socket = Socket::<Stream>::new().unwrap();
        for (path, errno) in [
            (deep.join("n".repeat(256)), Errno::ENAMETOOLONG),
            (deep.join("absent").join("n"), Errno::ENOENT),
            (deep.join("n").join("below"), Errno::ENOTDIR),
            (deep.join("d/".repeat(2100)).join("n"), Errno::ENAMETOOLONG),
        ] {
            let bound = bind_by_link(&socket, &path).unwrap_err();
            let connected = connect_by_link(&socket, &path).unwrap_err();
            let expected = if path.starts_with(deep.join("d")) {
                Errno::ENOENT
            } else {
                errno
            };
            assert_eq!((bound.errno(), connected.errno()), (expected, errno));
        }
        nothing_left_since(&before);
    }

    fn link_of_a_relative_path_begins_where_it_should() {
        let base = FreshDir::new("relative");
        let opened = Dir::open(base.0.as_os_str().as_bytes()).unwrap();
        let link = Link::to(opened.as_fd(), b"sub/a.sock").unwrap();
        let path = String::from_utf8_lossy(link.path()).into_owned();
        assert_eq!(fs::read_link(&path).unwrap(), base.0.join("sub/a.sock"));
        assert_eq!(path.len(), "/tmp/.sunpath-0123456789abcdef/l".len());
        drop(link);
        assert!(fs::symlink_metadata(StdPath::new(&path).parent().unwrap()).is_err());

        let link = Link::to(CWD, b"src").unwrap();
        let path = String::from_utf8_lossy(link.path()).into_owned();
        assert_eq!(
            fs::read_link(path).unwrap(),
            env::current_dir().unwrap().join("src")
        );

        // The directory is another than the one that was opened.
        let other = syscall::openat(CWD, b"/", O_PATH).unwrap();
        let error = Link::to_directory(CWD, b"src", other.as_fd())
            .err()
            .unwrap();
        assert_eq!(error.errno(), Errno::ESTALE);
    }

    #[test]
    fn at_proc_alias_leads_to_the_open_file_or_is_none() {
        let root = syscall::openat(CWD, b"/", O_PATH).unwrap();
        let alias = proc_alias(root.as_fd()).unwrap();
        assert_eq!(alias.is_some(), syscall::HAVE_PROC_FD);
        assert!(!syscall::leads_to(b"/nowhere/at/all", root.as_fd()).unwrap());
        assert!(!syscall::leads_to(b"/tmp", root.as_fd()).unwrap());
    }

    /// Between opening the file and connecting through it another is renamed over it.
    #[test]
    fn at_file_that_was_replaced_is_looked_up_again() {
        let base = FreshDir::new("replaced");
        let listening = |path: &StdPath| {
            let socket = Socket::<Stream>::new().unwrap();
            socket.bind_to_at(CWD, path.as_os_str().as_bytes()).unwrap();
            socket.listen(8).unwrap()
        };
        let (path, beside) = (base.0.join("n".repeat(200)), base.0.join("beside"));
        let mut old = Some(listening(&path));
        let client = Socket::<Stream>::new().unwrap();
        let (mut new, mut attempts) = (None, 0);
        let bytes = path.as_os_str().as_bytes();
        connect_through(CWD, bytes, |begin, addr| {
            attempts += 1;
            if old.is_some() {
                new = Some(listening(&beside));
                fs::rename(&beside, &path).unwrap();
                old = None;
            }
            syscall::connect_at(begin, client.as_fd(), addr)
        })
        .unwrap();
        new.take().unwrap().accept().unwrap();
        assert_eq!(attempts, if syscall::HAVE_PROC_FD { 2 } else { 1 });

        // Nobody listens, and it is the same file: that is the answer.
        let mut attempts = 0;
        let client = Socket::<Stream>::new().unwrap();
        let refused = connect_through(CWD, bytes, |begin, addr| {
            attempts += 1;
            syscall::connect_at(begin, client.as_fd(), addr)
        });
        assert_eq!(refused.unwrap_err().errno(), Errno::ECONNREFUSED);
        assert_eq!(attempts, 1);
    }
}
