//! Runs one lane: a program, in a directory of its own, with nothing inherited that could show in
//! its output.

use std::env;
use std::ffi::c_int;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};

/// When a lane that waits for something that never comes is ended, in seconds.
const PATIENCE: u32 = 60;

/// A new empty directory that only this user can enter, removed with all that is in it.
#[derive(Debug)]
pub struct FreshDir(PathBuf);

impl FreshDir {
    /// Makes one among the system's temporary files, or in /tmp where their path is so long that
    /// sockets would not fit below it.
    ///
    /// # Panics
    ///
    /// - Where no directory can be made there.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let temp = env::temp_dir();
        let short = temp.as_os_str().len() <= 50;
        let base = if short { &temp } else { Path::new("/tmp") };
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let dir = base.join(format!("sunpath-c-tests-{}-{count}", id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => return Self(dir),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", dir.display()),
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for FreshDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FreshDir {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's cleaning of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the program prints with `input` as its standard input, run in a fresh directory, umask
/// 022, SIGPIPE ignored, in a network namespace of its own where the system allows one.
///
/// # Panics
///
/// - Where the program cannot be run, fails, or prints to standard error.
#[must_use]
pub fn run(program: &str, input: Option<&Path>) -> String {
    let dir = FreshDir::new();
    let stdin = input.map_or_else(Stdio::null, |path| {
        Stdio::from(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    });
    let mut command = Command::new(program);
    command.current_dir(dir.path()).stdin(stdin);
    // SAFETY: prepare makes plain system calls, which allocate nothing and take no lock.
    unsafe { command.pre_exec(prepare) };
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{program}: {}\n{stderr}last line: {}",
        output.status,
        stdout.lines().next_back().unwrap_or_default(),
    );
    stdout.into_owned()
}

/// In the child, before the lane's program.
fn prepare() -> io::Result<()> {
    // SAFETY: umask takes and returns a number.
    unsafe { libc::umask(0o022) };
    // SAFETY: SIG_IGN is no function that could run at a bad time.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: alarm takes and returns a number; its SIGALRM ends the child.
    unsafe { libc::alarm(PATIENCE) };
    own_abstract_names();
    Ok(())
}

/// Abstract names belong to the network namespace: in one of its own a lane meets nobody else's.
/// Where that is not allowed the lane shares them, which matters only if another program there
/// holds a name of the table.
#[cfg(target_os = "linux")]
fn own_abstract_names() {
    let alone = |namespaces: c_int| {
        // SAFETY: unshare takes flags; the child has one thread.
        unsafe { libc::unshare(namespaces) == 0 }
    };
    let _ = alone(libc::CLONE_NEWNET) || alone(libc::CLONE_NEWUSER | libc::CLONE_NEWNET);
}

#[cfg(not(target_os = "linux"))]
fn own_abstract_names() {}

/// Whether a program is installed. If not it is said.
///
/// # Panics
///
/// - Where it is not, with `SUNPATH_NO_SKIP` set.
#[must_use]
pub fn installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|dir| dir.join(program).is_file());
    found || skip(program)
}

/// Says what is not tried, and gives `false`.
///
/// # Panics
///
/// - With `SUNPATH_NO_SKIP` set, as in CI.
#[must_use]
pub fn skip(what: &str) -> bool {
    // Not println, which is silent where a test passes.
    let _ = writeln!(
        io::stderr(),
        "SKIPPED: {what} is not installed, so not tried"
    );
    assert!(env::var_os("SUNPATH_NO_SKIP").is_none(), "needs {what}");
    false
}

/// Waits until no other test run of this work tree holds `file`, for lanes that share abstract
/// names because they have no namespace of their own. The lock goes with the value.
///
/// # Panics
///
/// - Where the file cannot be opened or locked.
#[must_use]
pub fn alone_with(file: &Path) -> File {
    let file = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // SAFETY: the descriptor is that of an open file.
    let locked = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) };
    assert_eq!(locked, 0, "flock: {}", io::Error::last_os_error());
    file
}
