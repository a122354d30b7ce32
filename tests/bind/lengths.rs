//! Tests of paths of any length, and of last components up to 255 bytes.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use sunpath::error::{Call, Cause};
use sunpath::{
    BindOptions, Bound, ConnectOptions, Dir, Errno, Error, Existing, Liveness, UnixAddr,
    UnixDatagram, UnixListener, UnixStream, probe, sys,
};

use crate::without_proc::{has_fchmodat2, without_proc};
use crate::{Fresh, POLICIES, assert_fails, bind, in_child, open_count};

/// Lengths of last components around each limit: a path that fits into `sun_path`, an alias with
/// the name, the name of the lock file, and `NAME_MAX`.
const LENGTHS: [usize; 9] = [1, 82, 83, 91, 200, 250, 251, 254, 255];

/// Makes a directory whose path has this many bytes, in components of at most 200 bytes.
fn deep(base: &Path, len: usize) -> PathBuf {
    let mut path = base.to_owned();
    while path.as_os_str().len() + 2 <= len {
        let left = len - path.as_os_str().len() - 1;
        // No step leaves exactly one byte, because that is too few for a slash and a name.
        path.push("d".repeat(if left == 201 { 199 } else { left.min(200) }));
    }
    fs::create_dir_all(&path).unwrap();
    assert_eq!(path.as_os_str().len(), len);
    path
}

/// An open directory, in which the tests look by a short path, because std takes no path of
/// `PATH_MAX` bytes.
struct Look {
    dir: Dir,
}

impl Look {
    fn at(path: &Path) -> Self {
        let dir = Dir::open(path).unwrap();
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.dir.as_raw_fd()))
    }

    fn count(&self) -> usize {
        fs::read_dir(self.path()).unwrap().count()
    }

    fn ino(&self, name: &str) -> u64 {
        fs::symlink_metadata(self.path().join(name)).unwrap().ino()
    }
}

#[track_caller]
fn assert_reaches(path: &Path, listener: &UnixListener) {
    let client: UnixStream = ConnectOptions::new().connect(path).unwrap();
    client.write(b"x").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (server, _) = listener.accept().expect("the connection is here");
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
}

fn leave_stale(path: &Path) {
    let options = BindOptions::new();
    drop::<UnixListener>(options.listen(path).unwrap().leak());
    assert_eq!(probe(path).unwrap(), Liveness::Dead);
}

fn all_options() -> impl Iterator<Item = (Existing, BindOptions)> {
    POLICIES.into_iter().flat_map(|policy| {
        let options = BindOptions::new().existing(policy);
        [(policy, options), (policy, options.mode(0o640))]
    })
}

/// Tries each policy at a path at which there is nothing, a live socket, a dead one, and a regular
/// file.
fn each_policy_at(path: &Path, look: &Look, name: &str) {
    let refused = |bound: Result<Bound<UnixListener>, Error>| {
        assert_fails(bound, Errno::EADDRINUSE);
    };
    for (policy, options) in all_options() {
        assert_eq!(probe(path).unwrap(), Liveness::Absent);
        let listener: Bound<UnixListener> = options.listen(path).unwrap();
        let file = fs::symlink_metadata(look.path().join(name)).unwrap();
        assert!(file.file_type().is_socket());
        assert_eq!(listener.addr().copied(), UnixAddr::from_pathname(path).ok());
        assert_eq!(probe(path).unwrap(), Liveness::Live);
        assert_reaches(path, &listener);
        let live = look.ino(name);
        match policy {
            Existing::Takeover => {
                let new: Bound<UnixListener> = options.mode(0o600).listen(path).unwrap();
                drop(listener);
                assert_reaches(path, &new);
            }
            _ => {
                refused(options.listen(path));
                assert_eq!(look.ino(name), live);
                drop(listener);
            }
        }
        assert_eq!(look.count(), 0, "{policy:?}");

        leave_stale(path);
        match policy {
            Existing::Refuse => {
                refused(options.listen(path));
                fs::remove_file(look.path().join(name)).unwrap();
            }
            _ => {
                let listener = bind(options, path).unwrap();
                assert_reaches(path, &listener);
                listener.close_and_unlink().unwrap();
            }
        }
        assert_eq!(look.count(), 0, "{policy:?}");

        fs::write(look.path().join(name), "precious").unwrap();
        refused(options.listen(path));
        assert_eq!(probe(path).unwrap(), Liveness::NotSocket);
        assert_eq!(look.count(), 1, "{policy:?}");
        fs::remove_file(look.path().join(name)).unwrap();
    }
}

/// Tries the longest path that fits, one byte less and one more, by an absolute path and below an
/// open directory.
#[test]
fn length_of_a_reachable_path_fits_into_an_address() {
    let fresh = Fresh::new();
    let dir = Dir::open(fresh.dir.path()).unwrap();
    let space = sys::SUN_PATH_MAX - fresh.dir.path().as_os_str().len() - 1;
    let options = BindOptions::new().reachable(true);
    for (len, fits) in [(space - 1, true), (space, true), (space + 1, false)] {
        let name = "n".repeat(len);
        let path = fresh.dir.path().join(&name);
        let cause = Cause::Unreachable {
            len: path.as_os_str().len() as u16,
            max: sys::SUN_PATH_MAX as u16,
        };
        type Way<'a> = &'a dyn Fn(BindOptions) -> Result<Bound<UnixListener>, Error>;
        let ways: [Way<'_>; 2] = [&|options| options.listen(&path), &|options| {
            options.bind_at(&dir, &name)
        }];
        for (policy, way) in POLICIES
            .into_iter()
            .flat_map(|policy| ways.map(|way| (policy, way)))
        {
            match way(options.existing(policy)) {
                Ok(_) => assert!(fits, "{len}"),
                Err(error) => {
                    assert!(!fits, "{error}");
                    assert_eq!(error.cause(), Some(cause), "{error}");
                    assert_eq!(error.errno(), Errno::ENAMETOOLONG);
                }
            }
            assert!(fresh.names().is_empty());
        }
        drop(BindOptions::new().listen(&path).unwrap()); // Without the option, any length works.
    }
}

/// The reported length is the length of the directory's path, a slash and the name together. The
/// root's path is a slash already. A path that is too long for the kernel to report counts as
/// `PATH_MAX` bytes.
#[test]
fn length_of_a_reachable_path_counts_every_directory() {
    let fresh = Fresh::new();
    let mut below = Dir::open(deep(fresh.dir.path(), 4000)).unwrap();
    let name = "d".repeat(200);
    fs::create_dir(format!("/proc/self/fd/{}/{name}", below.as_raw_fd())).unwrap();
    below = Dir::open(format!("/proc/self/fd/{}/{name}", below.as_raw_fd())).unwrap();
    // Nothing is made, because the path does not fit.
    let path = format!("absent/{}", "n".repeat(sys::SUN_PATH_MAX - 7));
    for (dir, len) in [(Dir::open("/").unwrap(), 1), (below, 4096)] {
        let bound: Result<Bound<UnixListener>, _> =
            BindOptions::new().reachable(true).bind_at(&dir, &path);
        let cause = Cause::Unreachable {
            len: (len + path.len()) as u16,
            max: sys::SUN_PATH_MAX as u16,
        };
        assert_eq!(bound.unwrap_err().cause(), Some(cause));
    }
}

#[test]
fn without_proc_reachable_is_unsupported_below_a_directory() {
    let fresh = Fresh::new();
    assert!(without_proc(&fresh, || {
        let dir = Dir::open("/").unwrap();
        let bound: Result<Bound<UnixListener>, _> =
            BindOptions::new().reachable(true).bind_at(&dir, "a.sock");
        bound.is_err_and(|error| error.cause() == Some(Cause::NoProc))
    }));
    assert!(fresh.names().is_empty());
}

#[test]
fn bind_takes_paths_of_any_length() {
    let fresh = Fresh::new();
    let longest = sys::PATH_MAX as usize - 1;
    for len in [60, 105, 300, 4000, longest] {
        let dir = deep(&fresh.dir.path().join(len.to_string()), len);
        let look = Look::at(&dir);
        let before = open_count();
        for name in LENGTHS.map(|len| "n".repeat(len)) {
            each_policy_at(&dir.join(&name), &look, &name);
        }
        assert_eq!(open_count(), before);
        let too_long = dir.join("n".repeat(256));
        for (_, options) in all_options() {
            assert_fails(bind(options, &too_long), Errno::ENAMETOOLONG);
        }
        assert_fails(probe(&too_long), Errno::ENAMETOOLONG);
        assert_eq!(look.count(), 0);
    }
}

#[test]
fn bind_in_a_directory_takes_names_up_to_255_bytes() {
    let fresh = Fresh::new();
    let path = deep(fresh.dir.path(), 300);
    let look = Look::at(&path);
    for name in LENGTHS.map(|len| "n".repeat(len)) {
        for (policy, options) in all_options() {
            let listener: Bound<UnixListener> = options.bind_at(&look.dir, &name).unwrap();
            assert_reaches(&path.join(&name), &listener);
            drop(listener);
            // A datagram socket is refused, because peers could not answer to a path of this
            // length.
            let socket = options.bind_at::<UnixDatagram>(&look.dir, &name);
            assert_fails(socket, Errno::ENAMETOOLONG);
            assert_eq!(look.count(), 0, "{policy:?}");
        }
    }
}

#[test]
fn bind_takes_a_long_relative_path() {
    let fresh = Fresh::new();
    let dir = deep(fresh.dir.path(), 600);
    let below = dir.strip_prefix(fresh.dir.path()).unwrap().to_owned();
    assert!(in_child(|| {
        // A child changes the working directory, because the directory belongs to the whole
        // process.
        std::env::set_current_dir(fresh.dir.path()).unwrap();
        let look = Look::at(&below);
        for name in LENGTHS.map(|len| "n".repeat(len)) {
            each_policy_at(&below.join(&name), &look, &name);
        }
        true
    }));
}

/// Our file is first made under another name and then renamed. The bind does not replace a file
/// that is at the path.
#[test]
fn bind_of_a_long_name_never_takes_the_place_of_what_is_there() {
    let fresh = Fresh::new();
    let path = fresh.dir.path().join("n".repeat(200));
    File::create(&path).unwrap();
    let before = fresh.entries();
    for (_, options) in all_options() {
        assert_fails(bind(options, &path), Errno::EADDRINUSE);
        assert_eq!(fresh.entries(), before);
    }
}

#[test]
fn without_proc_bind_takes_long_paths() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.dir.path().join("tmp")).unwrap();
    let with_modes = has_fchmodat2();
    assert!(without_proc(&fresh, || {
        let dir = deep(Path::new("/deep"), 300);
        let count = |path: &Path| fs::read_dir(path).unwrap().count();
        // `all_options` has two entries for each policy, and the second one asks for a mode.
        for (policy, options) in all_options().step_by(if with_modes { 1 } else { 2 }) {
            for name in [1, 60, 91, 200, 255].map(|len| "n".repeat(len)) {
                let path = dir.join(&name);
                if policy != Existing::Refuse {
                    leave_stale(&path);
                }
                let listener = bind(options, &path).unwrap();
                assert_reaches(&path, &listener);
                let second = bind(options, &path);
                assert_eq!(second.is_ok(), policy == Existing::Takeover);
                drop((second, listener));
                assert_eq!(count(&dir), 0, "{policy:?} {}", name.len());
                assert_eq!(count(Path::new("/tmp")), 0);
            }
        }
        true
    }));
}

/// Without /proc a long path is reached by a link in /tmp, /var/tmp or /run. Here none of them
/// exists.
#[test]
fn without_proc_and_without_a_directory_for_the_link_the_error_is_that_of_the_first() {
    let fresh = Fresh::new();
    assert!(without_proc(&fresh, || {
        let dir = deep(Path::new("/deep"), 300);
        let error = bind(BindOptions::new(), &dir.join("a.sock")).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Openat, Errno::ENOENT));
        true
    }));
}
