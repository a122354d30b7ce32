//! Tests of paths of any length, and of paths below an open directory.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod skip;

use std::fs::{self, File, Permissions};
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;

use sunpath::ancillary::{Outgoing, SendBatch, SendSlots};
use sunpath::error::{Call, Cause, InUse};
use sunpath::socket::Kind;
use sunpath::{
    BindOptions, CWD, ConnectOptions, Datagram, Dir, Errno, Error, Listener, Seqpacket, Socket,
    SocketRef, Stream, UnixAddr, UnixDatagram, UnixListener, UnixStream, sys,
};
use tempfile::TempDir;

/// Returns the path that begins with `base` and is this many bytes longer. No added component is
/// longer than 200 bytes, including its slash.
fn deeper(base: &Path, bytes: usize) -> PathBuf {
    let mut path = base.to_owned();
    let mut left = bytes;
    while left > 0 {
        let len = if left > 400 { 199 } else { left.min(200) - 1 };
        path.push("d".repeat(len));
        left -= len + 1;
    }
    path
}

/// Makes a temporary directory, and below it a directory whose path is 600 bytes longer.
fn deep() -> (TempDir, PathBuf) {
    let base = fresh::dir();
    let deep = deeper(base.path(), 600);
    fs::create_dir_all(&deep).unwrap();
    (base, deep)
}

fn bound<T: Kind>(path: impl AsRef<Path>) -> Result<Socket<T>, Error> {
    let socket = Socket::new().unwrap();
    socket.bind_to_at(CWD, path.as_ref()).map(|()| socket)
}

fn connected<T: Kind>(path: impl AsRef<Path>) -> Result<Socket<T>, Error> {
    let socket = Socket::new().unwrap();
    socket.connect_to_at(CWD, path.as_ref()).map(|()| socket)
}

fn names_in(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).unwrap().file_type().is_socket()
}

fn errno<T>(result: Result<T, Error>) -> Errno {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.errno(),
    }
}

#[test]
fn long_path_of_every_connected_kind_is_bound_and_reached() {
    let (_base, deep) = deep();
    let (stream, seqpacket) = (deep.join("s"), deep.join("q"));

    let listener = bound::<Stream>(&stream).unwrap().listen(8).unwrap();
    let client = connected::<Stream>(&stream).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write(b"x").unwrap();
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);

    let listener = bound::<Seqpacket>(&seqpacket).unwrap().listen(8).unwrap();
    connected::<Seqpacket>(&seqpacket).unwrap();
    listener.accept().unwrap();

    assert_eq!(names_in(&deep), ["q", "s"]);
    assert!(is_socket(&stream));
}

#[test]
fn long_path_of_a_datagram_socket_is_reached_and_not_bound() {
    let (base, deep) = deep();
    let (path, dir) = (deep.join("d"), Dir::open(&deep).unwrap());
    for refused in [
        bound::<Datagram>(&path).map(drop),
        UnixDatagram::bind_at(&dir, "d").map(drop),
        UnixDatagram::bind_at(&dir, "n".repeat(255)).map(drop),
        BindOptions::new().bind_datagram(&path).map(drop),
        BindOptions::new()
            .mode(0o600)
            .bind_at::<UnixDatagram>(&dir, "d")
            .map(drop),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.errno(), Errno::ENAMETOOLONG);
        assert!(
            matches!(error.cause(), Some(Cause::NoReturnPath { .. })),
            "{error}"
        );
    }
    assert!(names_in(&deep).is_empty());

    // A socket that another program bound to a short path and moved to this long one can be
    // reached.
    let short = base.path().join("d");
    let receiver = bound::<Datagram>(&short).unwrap();
    fs::rename(&short, &path).unwrap();
    connected::<Datagram>(&path).unwrap().send(b"abc").unwrap();
    assert_eq!(receiver.recv(&mut [0; 8]).unwrap().len(), 3);
}

/// A datagram socket that is bound below a directory has an address to which every process can send
/// answers. If the absolute path does not fit into an address, bind fails.
#[test]
fn datagram_below_a_directory_is_answered_at_its_address() {
    let base = fresh::dir();
    let prefix = base.path().canonicalize().unwrap().as_os_str().len();
    for (len, fits) in [
        (sys::SUN_PATH_MAX - 1, true),
        (sys::SUN_PATH_MAX, true),
        (sys::SUN_PATH_MAX + 1, false),
    ] {
        let parent = base
            .path()
            .join("d".repeat(len - prefix - "//ctl.sock".len()));
        fs::create_dir(&parent).unwrap();
        let dir = Dir::open(&parent).unwrap();
        for options in [
            None,
            Some(BindOptions::new()),
            Some(BindOptions::new().mode(0o600)),
        ] {
            let client: Result<Box<dyn AsFd>, Error> = match options {
                None => UnixDatagram::bind_at(&dir, "ctl.sock").map(|socket| Box::new(socket) as _),
                Some(options) => options
                    .bind_at::<UnixDatagram>(&dir, "ctl.sock")
                    .map(|bound| Box::new(bound) as _),
            };
            let client = match client {
                Err(error) if !fits => {
                    assert_eq!(error.errno(), Errno::ENAMETOOLONG);
                    assert!(names_in(&parent).is_empty());
                    continue;
                }
                client => client.unwrap(),
            };
            assert!(fits, "{len}");
            let client = SocketRef::<Datagram>::from(&client);
            let from = client.local_addr().unwrap();
            let path = parent.canonicalize().unwrap().join("ctl.sock");
            assert_eq!(from, UnixAddr::from_pathname(path).unwrap());
            let server = UnixDatagram::new().unwrap();
            server.send_to(b"answer", &from).unwrap();
            assert_eq!(client.recv(&mut [0; 8]).unwrap().len(), 6);
            let _ = fs::remove_file(parent.join("ctl.sock"));
        }
    }
}

#[test]
fn datagram_below_a_directory_is_refused_with_the_length_of_its_path() {
    let base = fresh::dir();
    let prefix = base.path().canonicalize().unwrap().as_os_str().len();
    let refused = |dir: &Dir, name: &str| {
        let error = UnixDatagram::bind_at(dir, name).map(drop).unwrap_err();
        assert_eq!(error.errno(), Errno::ENAMETOOLONG);
        match error.cause() {
            Some(Cause::NoReturnPath { len, max }) => (usize::from(len), usize::from(max)),
            cause => panic!("{cause:?}"),
        }
    };
    let max = sys::SUN_PATH_MAX;
    let (dir, root) = (Dir::open(base.path()).unwrap(), Dir::open("/").unwrap());
    for len in [max + 1, max + 2, 200] {
        let name = |before| "d".repeat(len - before);
        assert_eq!(refused(&dir, &name(prefix + 1)), (len, max));
        assert_eq!(refused(&root, &name(1)), (len, max));
    }
    // The kernel reports no path that is longer than PATH_MAX.
    let below = deeper(Path::new(""), 2500);
    fs::create_dir_all(base.path().join(&below)).unwrap();
    let middle = Dir::open(base.path().join(&below)).unwrap();
    let names: Vec<_> = below.iter().map(|name| name.to_str().unwrap()).collect();
    let far = names.iter().fold(middle, |dir, name| {
        let path = std::ffi::CString::new(*name).unwrap();
        // SAFETY: the directory is open, and the path ends with a NUL.
        let made = unsafe { libc::mkdirat(dir.as_raw_fd(), path.as_ptr(), 0o700) };
        assert_eq!(made, 0);
        open_below(&dir, name)
    });
    assert_eq!(refused(&far, "d"), (sys::PATH_MAX as usize, max));
}

#[test]
fn datagram_below_a_directory_that_was_removed_is_refused() {
    let base = fresh::dir();
    let parent = base.path().join("parent");
    fs::create_dir(&parent).unwrap();
    let dir = Dir::open(&parent).unwrap();
    fs::rename(&parent, base.path().join("other")).unwrap();
    // The socket is bound in the directory that was opened, under the path that the directory has
    // now.
    let socket = UnixDatagram::bind_at(&dir, "s").unwrap();
    assert!(is_socket(&base.path().join("other/s")));
    drop(socket);
    fs::remove_dir_all(base.path().join("other")).unwrap();
    let error = UnixDatagram::bind_at(&dir, "s").unwrap_err();
    assert_eq!(error.cause(), Some(Cause::DirectoryMoved));
    assert!(names_in(base.path()).is_empty());
}

/// A sender that was bound through a descriptor has an address below /proc/self. In this process
/// that address names another file, so nothing is sent to it.
#[test]
fn datagram_to_an_address_below_proc_self_is_not_sent() {
    let base = fresh::dir();
    let dir = fs::File::open(base.path()).unwrap();
    let number = dir.as_raw_fd();
    let here = UnixDatagram::bind(base.path().join("ctl.sock")).unwrap();
    here.set_nonblocking(true).unwrap();
    let server = UnixDatagram::new().unwrap();
    let slices = [IoSlice::new(b"secret")];
    for (prefix, errno) in [
        ("/proc/self/", Errno::EINVAL),
        ("/proc/thread-self/", Errno::EINVAL),
        ("/proc/selfish/", Errno::ENOENT),
        ("/proc/self", Errno::ENOENT),
    ] {
        let to = UnixAddr::from_pathname(format!("{prefix}fd/{number}/ctl.sock")).unwrap();
        let mut slots = SendSlots::<1>::new();
        let mut batch = SendBatch::new(&mut slots);
        let pushed = batch.push(Outgoing::new(&slices).to(&to));
        for sent in [
            server.send_to(b"secret", &to),
            server.send_vectored_to(&slices, &to),
            server.sendmsg_to(&slices, &[], &to),
            pushed.and_then(|()| server.sendmmsg(&mut batch)),
        ] {
            let error = sent.unwrap_err();
            assert_eq!(error.errno(), errno, "{to}");
            let elsewhere = error.cause() == Some(Cause::OtherProcess);
            assert_eq!(elsewhere, errno == Errno::EINVAL);
        }
    }
    assert_eq!(errno(here.recv(&mut [0; 8])), Errno::EAGAIN);
}

#[test]
fn long_path_around_what_sun_path_takes_is_bound() {
    let base = fresh::dir();
    let prefix = base.path().as_os_str().len();
    for len in [
        sys::SUN_PATH_MAX - 1,
        sys::SUN_PATH_MAX,
        sys::SUN_PATH_MAX + 1,
    ] {
        let path = base.path().join("n".repeat(len - prefix - 1));
        let socket = bound::<Stream>(&path).unwrap();
        assert!(is_socket(&path), "{len}");
        let itself = UnixAddr::from_pathname(&path).ok();
        assert_eq!(itself.is_some(), len <= sys::SUN_PATH_MAX);
        if let Some(itself) = itself {
            assert_eq!(socket.local_addr().unwrap(), itself, "no alias needed");
        }
        let _listener = socket.listen(1).unwrap();
        connected::<Stream>(&path).unwrap();
    }
}

#[test]
fn long_path_over_path_max_is_bound_and_reached() {
    let base = fresh::dir();
    // The lengths are around PATH_MAX, where one call no longer takes the path, and far above it.
    for bytes in [4000, 4090, 4095, 4096, 4097, 4100, 8191, 8192, 8193, 20_000] {
        let relative = deeper(Path::new(""), bytes - 7);
        // std's own calls cannot make a directory with a path of this length.
        let mut dir = Dir::open(base.path()).unwrap();
        for component in &relative {
            let name = std::ffi::CString::new(component.as_encoded_bytes()).unwrap();
            // SAFETY: the directory is open, and the string is live and ends with a NUL.
            unsafe { libc::mkdirat(std::os::fd::AsRawFd::as_raw_fd(&dir), name.as_ptr(), 0o700) };
            dir = open_below(&dir, component.to_str().unwrap());
        }
        let path = base.path().join(&relative).join("a.sock");
        let listener = bound::<Stream>(&path).unwrap().listen(8).unwrap();
        connected::<Stream>(&path).unwrap();
        listener.accept().unwrap();
        assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE, "{bytes}");

        let below = Socket::<Stream>::new().unwrap();
        below.connect_to_at(&dir, "a.sock").unwrap();
        Socket::<Stream>::new()
            .unwrap()
            .bind_to_at(&dir, "b.sock")
            .unwrap();
        // More slashes between the parts change nothing.
        let slashes = path.to_str().unwrap().replace('/', "///");
        connected::<Stream>(slashes).unwrap();
    }
    // The temporary directory can be removed in spite of its long paths, because remove_dir_all of
    // std works by descriptors.
}

/// A directory on the way to the socket has to be searchable and need not be readable.
#[test]
fn long_path_over_path_max_goes_through_directories_that_may_not_be_read() {
    let base = fresh::dir();
    fs::set_permissions(base.path(), Permissions::from_mode(0o1777)).unwrap();
    let make = || {
        // SAFETY: the call takes no arguments and cannot fail.
        if unsafe { libc::geteuid() } == 0 {
            let nobody = 65534;
            // SAFETY: the arguments are integers; the call affects this thread alone.
            let set = unsafe { libc::syscall(libc::SYS_setresuid, nobody, nobody, nobody) };
            assert_eq!(set, 0);
        }
        let mut path = base.path().to_owned();
        for _ in 0..30 {
            path.push("d".repeat(200));
            let _ = Dir::private(&path).unwrap();
        }
        let path = path.join("a.sock");
        // One call takes a path of less than 4096 bytes, so the library splits the path after one
        // of these directories.
        let components = path.ancestors().filter(|dir| {
            let len = dir.as_os_str().len();
            dir.starts_with(base.path()) && *dir != base.path() && len < 4096
        });
        let set_modes = |mode| {
            for dir in components.clone() {
                fs::set_permissions(dir, Permissions::from_mode(mode)).unwrap();
            }
        };
        set_modes(0o300);
        let listener = bound::<Stream>(&path).unwrap().listen(1).unwrap();
        connected::<Stream>(&path).unwrap();
        listener.accept().unwrap();
        set_modes(0o700);
    };
    thread::scope(|scope| scope.spawn(make).join().unwrap());
}

#[test]
fn long_path_of_every_length_around_path_max_is_reached() {
    let base = fresh::dir();
    let listener = bound::<Stream>(base.path().join("a.sock")).unwrap();
    let listener = listener.listen(4096).unwrap();
    let lengths = [4096, 8192].into_iter().flat_map(|max| max - 12..=max + 12);
    for len in lengths {
        for pad in ["/", "./"] {
            let (dir, last) = (format!("{}/", base.path().display()), "a.sock");
            let pad = pad.repeat((len - dir.len() - last.len()) / pad.len());
            connected::<Stream>(format!("{dir}{pad}{last}")).unwrap();
            let _ = Dir::open(format!("{dir}{pad}{}", &pad[..1])).unwrap();
        }
        listener.accept().unwrap();
    }
}

fn open_below(dir: &Dir, name: &str) -> Dir {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    let name = std::ffi::CString::new(name).unwrap();
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the directory is open, and the string is live and ends with a NUL.
    let fd = unsafe { libc::openat(dir.as_raw_fd(), name.as_ptr(), flags) };
    assert!(fd >= 0);
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Dir::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[test]
fn long_last_component_is_bound_by_renaming() {
    let (base, deep) = deep();
    for dir in [base.path(), &deep] {
        for len in [60, 85, 95, 107, 108, 200, 254, 255] {
            let path = dir.join("n".repeat(len));
            let listener = bound::<Stream>(&path).unwrap().listen(8).unwrap();
            assert!(is_socket(&path), "{len}");
            connected::<Stream>(&path).unwrap();
            listener.accept().unwrap();
            assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE);
            fs::remove_file(&path).unwrap();
        }
        let path = dir.join("n".repeat(256));
        assert_eq!(errno(bound::<Stream>(&path)), Errno::ENAMETOOLONG);
        assert_eq!(errno(connected::<Stream>(&path)), Errno::ENAMETOOLONG);
        assert!(!names_in(dir).iter().any(|name| name.starts_with('.')));
    }
    for prefix in ["", "/", "./"] {
        let path = format!("{prefix}{}", "n".repeat(5000));
        assert_eq!(errno(bound::<Stream>(&path)), Errno::ENAMETOOLONG);
        assert_eq!(errno(connected::<Stream>(&path)), Errno::ENAMETOOLONG);
    }
}

#[test]
fn long_last_component_that_exists_is_left_alone() {
    let (_base, deep) = deep();
    for name in ["f", &"f".repeat(200)] {
        let path = deep.join(name);
        fs::write(&path, "mine").unwrap();
        assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(errno(connected::<Stream>(&path)), Errno::ECONNREFUSED);
    }
    // A socket whose bind failed was not bound to anything, and can still be bound.
    let socket = Socket::<Stream>::new().unwrap();
    let path = deep.join("f".repeat(200));
    assert_eq!(errno(socket.bind_to_at(CWD, &path)), Errno::EADDRINUSE);
    socket.bind_to_at(CWD, deep.join("free")).unwrap();
    // A link whose target does not exist counts as an existing file too.
    for name in ["l", &"l".repeat(200)] {
        let path = deep.join(name);
        symlink("nowhere", &path).unwrap();
        assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE);
        assert_eq!(errno(connected::<Stream>(&path)), Errno::ENOENT);
    }
    assert_eq!(names_in(&deep).len(), 5);
}

#[test]
fn long_last_component_that_exists_is_told_by_its_kind() {
    let (_base, deep) = deep();
    let path = deep.join("f".repeat(200));
    let cause = || {
        let error = bound::<Stream>(&path).map(drop).unwrap_err();
        assert_eq!(error.errno(), Errno::EADDRINUSE);
        error.cause()
    };
    fs::write(&path, "").unwrap();
    assert_eq!(cause(), Some(Cause::InUse(InUse::NotSocket)));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(cause(), Some(Cause::InUse(InUse::Directory)));
    fs::remove_dir(&path).unwrap();
    let _socket = bound::<Stream>(&path).unwrap();
    assert_eq!(cause(), None);
}

#[test]
fn long_name_taken_by_two_at_once_is_one_of_theirs() {
    let (_base, deep) = deep();
    for round in 0..50 {
        let path = deep.join(format!("{round:0200}"));
        let barrier = std::sync::Barrier::new(4);
        let binds: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        bound::<Stream>(&path)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = binds.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 3));
        for lost in lost {
            assert_eq!(errno(lost), Errno::EADDRINUSE);
        }
        for won in won {
            let _listener = won.unwrap().listen(1).unwrap();
            connected::<Stream>(&path).unwrap();
        }
    }
    assert_eq!(names_in(&deep).len(), 50, "no temporary name is left");
}

#[test]
fn long_path_resolves_as_the_kernel_does() {
    let (base, deep) = deep();
    let listener = bound::<Stream>(deep.join("a.sock"))
        .unwrap()
        .listen(64)
        .unwrap();
    symlink(&deep, base.path().join("link")).unwrap();
    symlink(deep.join("a.sock"), base.path().join("last")).unwrap();
    let pad = "./".repeat(100);
    let deep = deep.to_str().unwrap();
    for path in [
        format!("{deep}/./a.sock"),
        format!("{deep}//a.sock"),
        format!(
            "{deep}/../{}/a.sock",
            Path::new(deep).file_name().unwrap().to_str().unwrap()
        ),
        format!("{}/{pad}link/a.sock", base.path().display()),
        format!("{}/{pad}last", base.path().display()),
        // `..` after a link is the parent of the link's target.
        format!(
            "{}/link/../{pad}{}/a.sock",
            base.path().display(),
            Path::new(deep).file_name().unwrap().to_str().unwrap()
        ),
    ] {
        connected::<Stream>(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        listener.accept().unwrap();
        assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE, "{path}");
    }
    assert_eq!(
        errno(connected::<Stream>(format!("{deep}/a.sock/"))),
        Errno::ENOTDIR
    );
    assert_eq!(
        errno(connected::<Stream>(format!("{deep}/a.sock/b"))),
        Errno::ENOTDIR
    );
    assert_eq!(
        errno(bound::<Stream>(format!("{deep}/a.sock/b"))),
        Errno::ENOTDIR
    );
    assert_eq!(
        errno(connected::<Stream>(format!("{deep}/b"))),
        Errno::ENOENT
    );
    assert_eq!(errno(bound::<Stream>(format!("{deep}/b/c"))), Errno::ENOENT);
    let long = "n".repeat(200);
    for new in [format!("{deep}/new/"), format!("{deep}/{long}/")] {
        assert_eq!(errno(bound::<Stream>(new)), Errno::ENOENT);
    }
    for dir in [".", "..", "./", "/"] {
        let path = format!("{deep}/{dir}");
        assert_eq!(errno(bound::<Stream>(&path)), Errno::EADDRINUSE, "{dir}");
        assert_eq!(
            errno(connected::<Stream>(&path)),
            Errno::ECONNREFUSED,
            "{dir}"
        );
    }
    symlink("loop", base.path().join("loop")).unwrap();
    let path = format!("{}/loop/{pad}x", base.path().display());
    assert_eq!(errno(bound::<Stream>(&path)), Errno::ELOOP);
    assert_eq!(errno(connected::<Stream>(&path)), Errno::ELOOP);
    assert_eq!(names_in(Path::new(deep)), ["a.sock"]);
}

#[test]
fn long_path_that_is_none_is_refused_before_any_call() {
    let socket = Socket::<Stream>::new().unwrap();
    let dir = fresh::dir();
    let dir = Dir::open(dir.path()).unwrap();
    let nul = [&[b'a'; 300][..], b"\0b"].concat();
    for error in [socket.bind_to_at(&dir, ""), socket.connect_to_at(&dir, "")] {
        let error = error.unwrap_err();
        assert_eq!(error.sun_path(), Some(sunpath::SunPathError::Empty));
        assert_eq!(error.errno(), Errno::ENOENT);
    }
    for error in [
        socket.bind_to_at(&dir, &nul),
        socket.connect_to_at(CWD, &nul),
    ] {
        let error = error.unwrap_err();
        assert_eq!(
            error.sun_path(),
            Some(sunpath::SunPathError::InteriorNul { at: 300 })
        );
    }
    assert_eq!(Dir::open("").unwrap_err().errno(), Errno::ENOENT);
    assert_eq!(Dir::open("a\0").unwrap_err().errno(), Errno::EINVAL);
}

#[test]
fn long_path_that_the_strict_conversion_refuses_names_the_door() {
    let path = "n".repeat(200);
    let bind = UnixListener::bind(&path).unwrap_err();
    assert!(
        bind.to_string().ends_with("; bind_at takes more)"),
        "{bind}"
    );
    let connect = UnixStream::connect(&path).unwrap_err();
    assert!(
        connect.to_string().ends_with("; connect_at takes more)"),
        "{connect}"
    );
    assert_eq!(bind.errno(), Errno::ENAMETOOLONG);
}

#[test]
fn at_a_directory_names_are_below_it_wherever_it_moves() {
    let base = fresh::dir();
    let (old, new) = (base.path().join("old"), base.path().join("new"));
    fs::create_dir(&old).unwrap();
    let dir = Dir::open(&old).unwrap();
    fs::rename(&old, &new).unwrap();
    fs::create_dir(&old).unwrap();

    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to_at(&dir, "a.sock").unwrap();
    let listener: Listener<Stream> = socket.listen(8).unwrap();
    assert!(is_socket(&new.join("a.sock")));
    assert_eq!(names_in(&old), [""; 0]);

    let client = Socket::<Stream>::new().unwrap();
    client.connect_to_at(&dir, "a.sock").unwrap();
    let options = ConnectOptions::new().timeout(std::time::Duration::from_secs(10));
    let _: UnixStream = options.connect_at(&dir, "./a.sock").unwrap();
    let _: UnixStream = options
        .connect_at(File::open(&new).unwrap(), "../new/a.sock")
        .unwrap();
    listener.accept().unwrap();
    // An absolute path ignores the directory.
    let _: UnixStream = options.connect_at(&dir, new.join("a.sock")).unwrap();

    let mut room = [0; 4096];
    assert_eq!(
        dir.path(&mut room).unwrap(),
        new.as_os_str().as_encoded_bytes()
    );
    let len = new.as_os_str().len();
    assert_eq!(
        dir.path(&mut room[..len]).unwrap_err().errno(),
        Errno::ERANGE
    );

    fs::remove_dir_all(&new).unwrap();
    let again = Socket::<Stream>::new().unwrap();
    assert_eq!(errno(again.bind_to_at(&dir, "b.sock")), Errno::ENOENT);
    assert_eq!(errno(again.connect_to_at(&dir, "b.sock")), Errno::ENOENT);
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(errno(again.bind_to_at(&file, "b.sock")), Errno::ENOTDIR);
}

#[test]
fn connect_options_take_long_paths_with_their_conditions() {
    let (_base, deep) = deep();
    let path = deep.join("a.sock");
    let listener = bound::<Stream>(&path).unwrap().listen(0).unwrap();
    // SAFETY: the call takes no arguments and cannot fail.
    let me = unsafe { libc::geteuid() };
    let second = std::time::Duration::from_secs(1);
    let _: UnixStream = ConnectOptions::new()
        .require_peer(me)
        .connect(&path)
        .unwrap();
    listener.accept().unwrap();
    let other = ConnectOptions::new().require_peer(me + 1);
    assert_eq!(errno(other.connect::<Stream>(&path)), Errno::EPERM);
    // The connection of the client before still waits in the queue, which is therefore full.
    let error = ConnectOptions::new()
        .timeout(second / 20)
        .connect::<Stream>(&path);
    assert_eq!(errno(error), Errno::ETIMEDOUT);
    let error = ConnectOptions::new().connect::<Stream>("").unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Connect, Errno::ENOENT)
    );
}

#[test]
fn long_socket_without_write_permission_is_eacces() {
    if skip::unless_root() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;

    let (base, deep) = deep();
    let path = deep.join("a.sock");
    let _listener = bound::<Stream>(&path).unwrap().listen(8).unwrap();
    let everybody = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    everybody(base.path(), 0o755).unwrap();
    let as_nobody = || {
        // The call affects only this thread.
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: the arguments are integers, so the call accesses no memory.
                let set = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
                assert_eq!(set, 0);
                connected::<Stream>(&path)
                    .map(drop)
                    .map_err(|error| error.errno())
            });
            thread.join().unwrap()
        })
    };
    everybody(&path, 0o755).unwrap();
    assert_eq!(as_nobody(), Err(Errno::EACCES));
    everybody(&path, 0o666).unwrap();
    assert_eq!(as_nobody(), Ok(()));
    everybody(&deep, 0o700).unwrap();
    assert_eq!(as_nobody(), Err(Errno::EACCES));
}

#[test]
fn long_path_without_proc_goes_by_a_link_that_is_gone_afterwards() {
    if skip::unless_root() {
        return;
    }
    let base = fresh::dir();
    fs::create_dir(base.path().join("tmp")).unwrap();
    let deep = deeper(base.path(), 600);
    fs::create_dir_all(&deep).unwrap();
    let root = std::ffi::CString::new(base.path().as_os_str().as_encoded_bytes()).unwrap();
    let path = Path::new("/")
        .join(deep.strip_prefix(base.path()).unwrap())
        .join("a.sock");
    let server = Socket::<Stream>::new().unwrap();
    let clients = [Socket::<Stream>::new().unwrap(), Socket::new().unwrap()];
    let datagram = UnixDatagram::new().unwrap();
    let names = [0, 1].map(|more| "n".repeat(sys::SUN_PATH_MAX + more));

    // The closure runs between fork and exit, so it must not allocate.
    let in_root_without_proc = || -> Result<(), i32> {
        // SAFETY: the string is live and ends with a NUL.
        let changed = unsafe { libc::chroot(root.as_ptr()) };
        // SAFETY: the string is live and ends with a NUL.
        if changed != 0 || unsafe { libc::chdir(c"/".as_ptr()) } != 0 {
            return Err(254);
        }
        let raw = |error: Error| error.errno().raw();
        server.bind_to_at(CWD, &path).map_err(raw)?;
        let listener = server.listen(8).map_err(Error::from).map_err(raw)?;
        clients[0].connect_to_at(CWD, &path).map_err(raw)?;
        listener.accept().map_err(raw)?;
        let dir = Dir::open(path.parent().unwrap_or(&path)).map_err(raw)?;
        // A datagram socket is refused, because without /proc no path is known to which peers could
        // answer.
        let refused = |bound: Result<(), Error>, errno| match bound {
            Err(error) if error.errno() == errno => Ok(()),
            Err(error) => Err(error.errno().raw()),
            _ => Err(253),
        };
        refused(datagram.bind_to_at(CWD, &path), Errno::ENAMETOOLONG)?;
        refused(datagram.bind_to_at(&dir, "d"), Errno::EOPNOTSUPP)?;
        refused(datagram.bind_to_at(&dir, &names[0]), Errno::EOPNOTSUPP)?;
        refused(datagram.bind_to_at(&dir, &names[1]), Errno::ENAMETOOLONG)?;
        match clients[1].connect_to_at(&dir, "a.sock") {
            Err(error) if error.is_unsupported() => Ok(()),
            _ => Err(255),
        }
    };
    // SAFETY: the child makes only calls that are safe after fork in a process with threads, and
    // exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = in_root_without_proc().err().unwrap_or(0);
        // SAFETY: _exit ends the child and does nothing else.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(
        libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
        Some(0)
    );
    assert!(is_socket(&deep.join("a.sock")));
    assert_eq!(names_in(&base.path().join("tmp")), [""; 0]);
}
