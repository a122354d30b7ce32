//! The `_at` forms, which take paths of any length that begin at an open directory.

mod bind;
mod connect;

use self::bind::bind_to_path;
pub(super) use self::bind::{bind_below, bind_in_parent, bind_to_temporary, is_too_long};
pub(super) use self::connect::connect_through;
use super::alias::USUAL;
use super::path::SplitPath;
use crate::error::{Call, Error};
use crate::fd::AsFd;
use crate::pathname::AsPathname;
use crate::socket::{Connected, Kind, Listener, Socket, UnixDatagram, methods_of};
use crate::syscall;

/// Methods that take a path of any length, below a directory.
///
/// `sun_path` holds 107 bytes (103 on the BSDs and macOS), but a file system takes paths of any
/// length, with components of up to 255 bytes. Nothing is truncated here, and the working directory
/// is not changed, because the kernel gets a short path that leads to the same file.
///
/// | the file is reached | where |
/// |---|---|
/// | by its own path | it fits, and begins at the root or at [`CWD`](crate::CWD) |
/// | through `/proc/self/fd/N` | Linux |
/// | by bindat(2) and connectat(2) | FreeBSD |
/// | through a symbolic link in a private directory under `/tmp`, which is removed afterwards | /proc is not mounted; macOS |
///
/// A path of `PATH_MAX` bytes or more is opened in pieces. Two limits remain where the symbolic
/// link is used: the link cannot hold a path of `PATH_MAX` bytes or more (`ENAMETOOLONG`), and
/// without /proc Linux does not report the path of a directory other than [`CWD`](crate::CWD)
/// (`EOPNOTSUPP`).
impl<T: Kind> Socket<T> {
    /// `bindat(dir, fd, addr, len)` — gives the socket its address by a path of any length. The
    /// path begins at an open directory, at [`CWD`](crate::CWD), or, if it is absolute, at the
    /// root.
    ///
    /// As with [`bind_to`](Self::bind_to), the path must not exist, and nothing removes it
    /// afterwards. A path that does not fit is bound by an alias: a short path that leads to its
    /// directory, followed by the last component. If the last component has more than about 80
    /// bytes and does not fit into the alias, the socket is bound under a temporary name in the
    /// directory, and the file is then renamed. A file that exists is never replaced.
    ///
    /// [`local_addr`](Self::local_addr) and the peers' [`peer_addr`](Self::peer_addr) then return
    /// the alias, which leads to another file in another process. [`Dir::path`](crate::Dir::path)
    /// returns where the directory is. A datagram socket is never bound to an alias, because its
    /// peers send their answers to its address. A datagram socket is bound to the absolute path of
    /// the directory and the name. Together they must fit into `sun_path`.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
    ///
    /// - `EADDRINUSE`: the path exists, whether it is a live socket, a dead one or not a socket. If
    ///   another program made the path just before the file was renamed, the socket still has its
    ///   temporary address.
    /// - `ENOENT`: a directory of the path does not exist, or the path is empty, or ends with a slash.
    /// - `EINVAL`: the path has a NUL, or the socket has an address already.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`); or the socket is a
    ///   datagram socket, and the absolute path does not fit into `sun_path`: bind it in a
    ///   directory with a shorter path, to [an abstract name](crate::UnixAddr::from_abstract), or
    ///   use a connected socket.
    /// - `ENOTDIR`, `ELOOP`: the directory is a file, or a loop of links.
    /// - `EACCES`: no permission to write to the directory, or to search one above it.
    /// - `EROFS`, `ENOSPC`, `EDQUOT`, `EPERM`: the file system takes no new file.
    /// - `ESTALE`: a datagram socket was bound while the directory was moved, or without /proc another
    ///   directory was put in its place.
    /// - Without /proc, `EOPNOTSUPP`: the path begins at a directory that is not
    ///   [`CWD`](crate::CWD). `EPERM`, `ENOENT`: there is nowhere to make the link.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    ///
    /// # Examples
    ///
    /// The following code binds to a path of 300 bytes:
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
        let path = SplitPath::new(Call::Bind, dir.as_fd(), path.as_pathname())?;
        bind_to_path(self.as_fd(), &path, USUAL)
    }

    /// `connectat(dir, fd, addr, len)` — connects to the socket that a path of any length names.
    /// The path begins at an open directory, at [`CWD`](crate::CWD), or, if it is absolute, at the
    /// root.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open except for the socket, and the call can be made again with the
    /// socket.
    ///
    /// - `ENOENT`, `ENOTDIR`, `ELOOP`: the path does not exist, or is empty.
    /// - `ENAMETOOLONG`: a component has more than 255 bytes (`NAME_MAX`).
    /// - `ECONNREFUSED`, `EACCES`, `EPROTOTYPE`, `EPERM`, `EAGAIN`, `EISCONN`, `ENOMEM`: as for
    ///   [`connect_to`](Self::connect_to).
    /// - `EINVAL`: the path has a NUL, or the socket listens.
    /// - Without /proc, `EOPNOTSUPP`: the path begins at a directory that is not
    ///   [`CWD`](crate::CWD). `EPERM`, `ENOENT`: there is nowhere to make the link.
    /// - `EMFILE`, `ENFILE`: no descriptor is free in the process or the system.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{Dir, Socket, Stream};
    ///
    /// let dir = Dir::open("/run/app")?;
    /// let socket = Socket::<Stream>::new()?;
    /// socket.connect_to_at(&dir, "app.sock")?;
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    ///
    /// See connect(2), unix(7), proc(5).
    #[doc(alias = "connectat")]
    pub fn connect_to_at(&self, dir: impl AsFd, path: impl AsPathname) -> Result<(), Error> {
        let path = SplitPath::new(Call::Connect, dir.as_fd(), path.as_pathname())?;
        connect_through(&path, USUAL, &mut |start, addr| {
            syscall::connect_at(start, self.as_fd(), addr)
        })
    }
}

/// Methods that listen at a path of any length, below a directory.
impl<T: Connected> Listener<T> {
    /// `bindat(dir, fd, addr, len)`, `listen(fd, -1)` — makes a socket that listens at a path of
    /// any length. The path begins at an open directory, at [`CWD`](crate::CWD), or, if it is
    /// absolute, at the root.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
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
    /// [`CWD`](crate::CWD#a-path-of-any-length) has an example of a path of over 200 bytes.
    ///
    /// See bind(2), listen(2), unix(7).
    #[doc(alias = "bindat")]
    pub fn bind_at(dir: impl AsFd, path: impl AsPathname) -> Result<Self, Error> {
        let path = SplitPath::new(Call::Bind, dir.as_fd(), path.as_pathname())?;
        let socket = Socket::<T>::new()?;
        bind_to_path(socket.as_fd(), &path, USUAL)?;
        // The file is unlinked while the socket still holds it, because a socket that is closed
        // first leaves a stale file, which another process could replace before the unlink.
        syscall::listen(socket.as_fd(), Self::BACKLOG).inspect_err(|_| {
            if let Ok(parent) = path.open_parent() {
                let _ = syscall::unlinkat(parent.as_fd(), path.last, 0);
            }
        })?;
        Ok(Self::from_listening(socket))
    }
}

methods_of!(Connected [Stream, Seqpacket], "Methods that connect to a path of any length, below a directory.", {
    /// `connectat(dir, fd, addr, len)` — makes a socket that is connected to the listener at a path
    /// of any length. The path begins at an open directory, at [`CWD`](crate::CWD), or, if it is
    /// absolute, at the root.
    ///
    /// # Errors
    ///
    /// On failure nothing stays open.
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
    /// [`CWD`](crate::CWD#a-path-of-any-length) has an example of a path of over 200 bytes.
    ///
    /// See connect(2), unix(7).
    #[doc(alias = "connectat")]
    pub fn connect_at(dir: impl AsFd, path: impl AsPathname) -> Result<Self, Error> {
        let socket = Self::new()?;
        socket.connect_to_at(dir, path)?;
        Ok(socket)
    }
});

/// Methods that bind to a path which begins at an open directory.
impl UnixDatagram {
    /// `bindat(dir, fd, addr, len)` — makes a datagram socket that is bound to a path. The path
    /// begins at an open directory, at [`CWD`](crate::CWD), or, if it is absolute, at the root.
    ///
    /// Peers can send answers to the address of the socket: it is the path itself, or the absolute
    /// path of the directory and the name. In both forms it must fit into `sun_path`.
    ///
    /// # Errors
    ///
    /// On failure no descriptor stays open, and every file that this call made is removed.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::UnixAddr;
    use crate::error::Errno;
    use crate::fd::{BorrowedFd, CWD};
    use crate::files::alias::{Link, Means};
    use crate::files::dir::Dir;
    use crate::socket::{Seqpacket, Stream};
    use crate::syscall::O_PATH;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileTypeExt;
    use std::path::{Path as StdPath, PathBuf};
    use std::string::String;
    use std::vec::Vec;
    use std::{env, format, fs, process, thread};

    /// A new directory, which is removed at the end.
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

    /// Returns the files that a link left behind, in all directories where links are made.
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

    /// Checks that no new link exists. The function checks several times, because a link that
    /// another process uses disappears soon, while a link that was left behind stays.
    fn assert_nothing_left_since(before: &[PathBuf]) {
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
        let path = SplitPath::new(Call::Bind, CWD, path.as_os_str().as_bytes())?;
        bind_to_path(socket.as_fd(), &path, Means::Link)
    }

    fn connect_by_link(socket: &impl AsFd, path: &StdPath) -> Result<(), Error> {
        let path = SplitPath::new(Call::Connect, CWD, path.as_os_str().as_bytes())?;
        connect_through(&path, Means::Link, &mut |_, addr| {
            syscall::connect(socket.as_fd(), addr)
        })
    }

    /// All cases are in one test, because tests that run at the same time would find each other's
    /// links.
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
            assert_nothing_left_since(&before);
            assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
            syscall::listen(server.as_fd(), 1).unwrap();
            connect_by_link(&client as &Socket<Stream>, &path).unwrap();
            assert_nothing_left_since(&before);

            let again = Socket::<Seqpacket>::new().unwrap();
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
        assert_nothing_left_since(&before);
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

        // The link is refused, because the path does not lead to the directory that was opened.
        let other = syscall::openat(CWD, b"/", O_PATH).unwrap();
        let error = Link::to_directory(CWD, b"src", other.as_fd())
            .err()
            .unwrap();
        assert_eq!(error.errno(), Errno::ESTALE);
    }

    /// A name that fits after the alias of its directory is reached through the directory, because
    /// then the kernel looks the file up when it connects.
    #[test]
    fn at_a_name_that_fits_leads_through_its_directory() {
        let base = FreshDir::new("lead");
        let deep = base.0.join("d".repeat(200));
        fs::create_dir(&deep).unwrap();
        let path = deep.join("name");
        let split = SplitPath::new(Call::Connect, CWD, path.as_os_str().as_bytes()).unwrap();
        let leads_to = |means| {
            let mut lead = String::new();
            let mut note = |_: BorrowedFd<'_>, addr: &UnixAddr| {
                lead = format!("{addr}");
                Ok(())
            };
            connect_through(&split, means, &mut note).unwrap();
            lead
        };
        let usual = leads_to(USUAL);
        assert!(
            !syscall::HAVE_PROC_FD || usual.starts_with("/proc/self/fd/"),
            "{usual}"
        );
        assert!(
            !syscall::HAVE_PROC_FD || usual.ends_with("/name"),
            "{usual}"
        );
        let by_link = leads_to(Means::Link);
        assert!(by_link.contains("/.sunpath-"), "{by_link}");
        // This file does not exist, so it could not be opened.
        assert!(!path.exists());
    }

    /// Another file is renamed to the path after the old file was opened, and before the connection
    /// is made through the old file.
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
        let split = SplitPath::new(Call::Connect, CWD, bytes).unwrap();
        connect_through(&split, USUAL, &mut |start, addr| {
            attempts += 1;
            if old.is_some() {
                new = Some(listening(&beside));
                fs::rename(&beside, &path).unwrap();
                old = None;
            }
            syscall::connect_at(start, client.as_fd(), addr)
        })
        .unwrap();
        new.take().unwrap().accept().unwrap();
        assert_eq!(attempts, if syscall::HAVE_PROC_FD { 2 } else { 1 });

        // Only a refusal can mean that the file was replaced. Any other error is returned, even
        // if another file has the path by then.
        let mut attempts = 0;
        let failed = connect_through(&split, USUAL, &mut |_, _| {
            attempts += 1;
            drop(listening(&beside));
            fs::rename(&beside, &path).unwrap();
            Err(Error::new(Call::Connect, Errno::EPROTOTYPE))
        });
        assert_eq!(failed.unwrap_err().errno(), Errno::EPROTOTYPE);
        assert_eq!(attempts, 1);

        // Nobody listens, and the path still leads to the same file, so the first refusal is the
        // answer.
        let mut attempts = 0;
        let client = Socket::<Stream>::new().unwrap();
        let refused = connect_through(&split, USUAL, &mut |start, addr| {
            attempts += 1;
            syscall::connect_at(start, client.as_fd(), addr)
        });
        assert_eq!(refused.unwrap_err().errno(), Errno::ECONNREFUSED);
        assert_eq!(attempts, 1);
    }
}
