//! Tests of socket files: the mode from the first instant, files that existed at the path before,
//! and the removal.
#![cfg(all(feature = "std", feature = "files"))]

mod addr;
mod adopted;
mod again;
mod causes;
#[cfg(target_os = "linux")]
mod credentials;
mod existing;
#[path = "../fresh/mod.rs"]
mod fresh;
#[cfg(target_os = "linux")]
mod fuse;
#[cfg(target_os = "linux")]
mod landlock;
mod lengths;
#[path = "../limit/mod.rs"]
mod limit;
mod lock;
mod mode;
#[cfg(target_os = "linux")]
mod mounted;
mod parts;
#[path = "../skip/mod.rs"]
mod skip;
#[cfg(target_os = "linux")]
mod spawned;
mod sweep;
mod unlink;
#[cfg(target_os = "linux")]
mod watched;
mod without_proc;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sunpath::{BindOptions, Bound, Errno, Error, Existing, Listener, Stream, UnixStream};
use tempfile::TempDir;

/// The user nobody, who has no permission on anything here.
const NOBODY: u32 = 65534;

const POLICIES: [Existing; 3] = [Existing::Refuse, Existing::ReplaceStale, Existing::Takeover];

/// A fresh directory, and a path in it that does not exist. Tests that have a `Fresh` run one at a
/// time, because a forked child has copies of all descriptors, even of a listener that another test
/// closes.
struct Fresh {
    dir: TempDir,
    path: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Fresh {
    fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = fresh::dir();
        let path = dir.path().join("a.sock");
        Self {
            dir,
            path,
            _alone: alone,
        }
    }

    /// Returns the names, inodes and change times of the entries of the directory. A file that was
    /// moved away and back has another change time.
    fn entries(&self) -> Vec<(String, u64, (i64, i64))> {
        let entry = |entry: fs::DirEntry| {
            let file = entry.metadata().unwrap();
            let changed = (file.ctime(), file.ctime_nsec());
            let name = entry.file_name().into_string().unwrap();
            (name, file.ino(), changed)
        };
        let mut entries: Vec<_> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|found| entry(found.unwrap()))
            .collect();
        entries.sort();
        entries
    }

    fn names(&self) -> Vec<String> {
        self.entries().into_iter().map(|(name, ..)| name).collect()
    }
}

fn bind(options: BindOptions, path: &Path) -> Result<Bound<Listener<Stream>>, Error> {
    options.listen(path)
}

#[track_caller]
fn assert_fails<T>(result: Result<T, Error>, errno: Errno) {
    match result {
        Ok(_) => panic!("no {errno}"),
        Err(error) => assert_eq!(error.errno(), errno, "{error}"),
    }
}

/// Asserts that a connection to the path reaches this listener.
#[track_caller]
fn assert_reaches(path: &Path, listener: &Listener<Stream>) {
    let client = UnixStream::connect(path).unwrap();
    client.write(b"x").unwrap();
    listener.set_nonblocking(true).unwrap();
    let (server, _) = listener.accept().expect("the connection is here");
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 1);
}

fn ino(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

fn is_root() -> bool {
    // SAFETY: the call takes no arguments.
    unsafe { libc::geteuid() == 0 }
}

/// Runs `action` in a forked child process, and returns its result.
fn in_child(action: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child makes system calls, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // A panic must not unwind into this copy of the test.
        let status = match catch_unwind(AssertUnwindSafe(action)) {
            Ok(true) => 0,
            Ok(false) => 1,
            Err(_) => 101,
        };
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status), "the child was killed: {status}");
    libc::WEXITSTATUS(status) == 0
}

/// Returns whether a child may change its root directory and make namespaces. An ordinary user may
/// do so in a user namespace, which this function enters. If that is refused, reports that the test
/// is skipped.
fn may_have_own_namespaces() -> bool {
    // SAFETY: the argument is an integer; the child has one thread.
    let may = is_root() || unsafe { libc::unshare(libc::CLONE_NEWUSER) } == 0;
    if !may {
        skip::skip("root or a user namespace");
    }
    may
}

/// Makes a child become a user who has no permission on anything here.
fn become_nobody() {
    // SAFETY: the count is 0, so the list is not read.
    let groups = unsafe { libc::setgroups(0, std::ptr::null()) };
    // SAFETY: the arguments are integers, so the call accesses no memory.
    let group = unsafe { libc::setresgid(NOBODY, NOBODY, NOBODY) };
    // SAFETY: the arguments are integers, so the call accesses no memory.
    let user = unsafe { libc::setresuid(NOBODY, NOBODY, NOBODY) };
    assert_eq!((groups, group, user), (0, 0, 0));
}

/// Returns how many descriptors below 256 are open.
fn open_count() -> usize {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    (0..256)
        .filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1)
        .count()
}

#[test]
fn bind_backlog_is_as_it_was_asked_for() {
    // The queue takes one client more than the backlog.
    for backlog in [0, 1, 2] {
        let fresh = Fresh::new();
        let options = BindOptions::default().backlog(backlog);
        let listener: Bound<Listener<Stream>> = options.listen(&fresh.path).unwrap();
        let connect = || {
            let client = UnixStream::new().unwrap();
            client.set_nonblocking(true).unwrap();
            client.connect_to(listener.addr().unwrap()).map(|()| client)
        };
        let waiting: Vec<_> = (0..=backlog).map(|_| connect().unwrap()).collect();
        assert_eq!(connect().unwrap_err().errno(), Errno::EAGAIN, "{backlog}");
        drop(waiting);
    }
}

#[test]
fn bind_debug_names_the_address_and_what_is_promised() {
    let fresh = Fresh::new();
    let listener: Bound<Listener<Stream>> = BindOptions::new().listen(&fresh.path).unwrap();
    let shown = format!("{listener:?}");
    assert!(shown.contains("a.sock"), "{shown}");
    assert!(shown.contains("unlink_on_drop: true"), "{shown}");
}
