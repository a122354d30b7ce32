//! Runs one lane, which is a program, in its own directory. The program inherits nothing that could
//! change its output.

#[path = "../../tests/limit/mod.rs"]
mod limit;
#[path = "../../tests/skip/mod.rs"]
mod skip;

use std::env;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};

use skip::skip_uninstalled;

/// The number of seconds after which a lane is killed, because it could wait forever.
const PATIENCE: u32 = 60;

/// The variable that names a program under which lanes are run.
const UNDER: &str = "SUNPATH_UNDER";

/// Returns whether lanes are run under another program.
#[must_use]
pub fn is_under() -> bool {
    env::var_os(UNDER).is_some()
}

/// A new empty directory that only this user can enter. The directory is removed with everything in
/// it.
#[derive(Debug)]
pub struct FreshDir(PathBuf);

impl FreshDir {
    /// Makes a directory in the directory for temporary files, or in /tmp if that path is so long
    /// that the paths of sockets would not fit.
    ///
    /// # Panics
    ///
    /// - If no directory can be made in either.
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

    /// Returns the path of the directory.
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
        // If something cannot be removed, the system's cleaning of temporary files removes it
        // later.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One language's version of the programs that are compared. `tests/lanes/mod.rs` has the table of lanes.
#[derive(Debug)]
pub struct Lane {
    /// The name in reports.
    pub name: &'static str,
    /// The folder that a suite has if the suite has this lane.
    pub folder: &'static str,
    /// The letter of the lines of a transcript that declare a difference between this lane and C. A
    /// lane without a letter has to be equal to C.
    pub letter: Option<char>,
    /// The command that runs this lane of a suite: a program and its arguments. The suite's own
    /// arguments follow.
    pub command: fn(&str) -> Vec<String>,
}

impl Lane {
    /// Returns whether a suite, or another comparison, has this lane.
    #[must_use]
    pub fn is_in(&self, name: &str) -> bool {
        folder(name).join(self.folder).is_dir()
    }

    /// Returns what this lane of a suite prints with these arguments and this standard input, in a
    /// fresh directory.
    ///
    /// # Errors
    ///
    /// - The reason why the program cannot be run or fails, or what it prints to standard error.
    pub fn run(&self, name: &str, arguments: &[&str], input: &[u8]) -> Result<String, String> {
        let [program, own @ ..] = &(self.command)(name)[..] else {
            return Err("the lane has no command".to_owned());
        };
        let mut command = Command::new(program);
        command.args(own).args(arguments);
        output(command, input)
    }

    /// Runs the lane under the program that `SUNPATH_UNDER` names, if it is set. The lane has to succeed
    /// there, but its output is not compared, because valgrind does not know every system call.
    ///
    /// # Errors
    ///
    /// - The reason why the program cannot be run or fails, or what it prints to standard error.
    pub fn run_under(&self, name: &str, arguments: &[&str], input: &[u8]) -> Result<(), String> {
        let [program, own @ ..] = &(self.command)(name)[..] else {
            return Err("the lane has no command".to_owned());
        };
        if !is_under() {
            return Ok(());
        }
        let mut command = under(program);
        command.args(own).args(arguments);
        output(command, input).map(drop)
    }
}

/// Returns the folder of a suite or of another comparison.
pub(crate) fn folder(name: &str) -> PathBuf {
    let suite = root().join("suites").join(name);
    if suite.is_dir() {
        suite
    } else {
        root().join(name)
    }
}

/// Returns the folder of this package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Prepares a program to run in that directory, under umask 022, with SIGPIPE ignored, and in a
/// network namespace of its own if this process may make one (as root may). The program is killed
/// after a minute, or after ten if `SUNPATH_UNDER` is set.
#[must_use]
pub fn command(program: &str, dir: &FreshDir) -> Command {
    prepared(Command::new(program), dir)
}

/// Prepares a program. If `SUNPATH_UNDER` names another program, the other program is run, with
/// this one as its argument.
#[must_use]
pub fn under(program: &str) -> Command {
    let Some(tool) = env::var_os(UNDER) else {
        return Command::new(program);
    };
    let mut command = Command::new(tool);
    command.arg(program);
    command
}

fn prepared(mut command: Command, dir: &FreshDir) -> Command {
    command.current_dir(dir.path()).stdin(Stdio::null());
    let patience = if is_under() { 10 * PATIENCE } else { PATIENCE };
    // SAFETY: prepare makes plain system calls, which allocate nothing and take no lock.
    unsafe { command.pre_exec(move || prepare(patience)) };
    command
}

fn output(command: Command, input: &[u8]) -> Result<String, String> {
    let dir = FreshDir::new();
    let stdin = standard_input(&dir, input).map_err(|error| format!("standard input: {error}"))?;
    let mut command = prepared(command, &dir);
    command.stdin(stdin);
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && stderr.is_empty() {
        return Ok(stdout.into_owned());
    }
    Err(format!(
        "{command:?}: {}\n{stderr}last line: {}",
        output.status,
        stdout.lines().next_back().unwrap_or_default(),
    ))
}

/// Returns a file with these bytes that has no path, so that the directory stays empty.
fn standard_input(dir: &FreshDir, bytes: &[u8]) -> io::Result<Stdio> {
    if bytes.is_empty() {
        return Ok(Stdio::null());
    }
    let path = dir.path().join("input");
    fs::write(&path, bytes)?;
    let file = File::open(&path)?;
    fs::remove_file(path)?;
    Ok(file.into())
}

/// Prepares the child process before it executes the lane's program.
fn prepare(patience: u32) -> io::Result<()> {
    // SAFETY: umask takes and returns an integer.
    unsafe { libc::umask(0o022) };
    // SAFETY: SIG_IGN is not a function, so no handler can run.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    // SAFETY: alarm takes and returns an integer; its SIGALRM ends the child.
    unsafe { libc::alarm(patience) };
    // If this fails, the lane shares the abstract names of the system, see
    // `has_own_abstract_names`.
    own_abstract_names();
    Ok(())
}

/// Gives the lane abstract names of its own, by a network namespace. In a user namespace every user
/// could make a network namespace, but there the ids would look different.
#[cfg(target_os = "linux")]
fn own_abstract_names() -> bool {
    // SAFETY: unshare takes flags; the child has one thread.
    unsafe { libc::unshare(libc::CLONE_NEWNET) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn own_abstract_names() -> bool {
    false
}

/// Returns whether every lane has abstract names of its own on this system.
#[must_use]
pub fn has_own_abstract_names() -> bool {
    let mut command = Command::new("/bin/true");
    let try_it = || {
        let done = own_abstract_names().then_some(());
        done.ok_or(io::Error::from(io::ErrorKind::PermissionDenied))
    };
    // SAFETY: `try_it` calls unshare and makes an error that is only a kind. Neither allocates or
    // takes a lock.
    unsafe { command.pre_exec(try_it) };
    command.status().is_ok_and(|status| status.success())
}

/// Returns the program of an example, which `cargo test` builds beside the tests:
/// `target/PROFILE/examples/NAME`.
///
/// # Panics
///
/// - If the example has not been built.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own file");
    let profile = test.ancestors().nth(2);
    let profile = profile.expect("the test is in PROFILE/deps");
    let program = profile.join("examples").join(name);
    assert!(
        program.exists(),
        "{}: run `cargo build --examples` first",
        program.display()
    );
    program
}

/// Returns whether a program is installed, and otherwise reports that the test is skipped.
///
/// # Panics
///
/// - If the program is not installed, and `SUNPATH_NO_SKIP` is set.
#[must_use]
pub fn installed(program: &str) -> bool {
    found(program) || skip(program)
}

/// Returns whether a program is installed.
#[must_use]
pub fn found(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Reports that a test is skipped, because a program is not installed, and returns `false`.
///
/// # Panics
///
/// - If `SUNPATH_NO_SKIP` is set. CI sets it.
#[must_use]
pub fn skip(what: &str) -> bool {
    skip_uninstalled(what);
    false
}

/// Raises the soft limit as far as needed for this many descriptors. Returns whether the process
/// cannot have that many descriptors, and then reports that the current test is skipped.
#[must_use]
pub fn unless_descriptors(count: libc::rlim_t) -> bool {
    limit::unless_descriptors(count)
}

/// Whether a lane may run at the same time as other lanes, or only alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The lane may run together with other lanes of this kind.
    Others,
    /// The lane runs while no other lane runs.
    Nobody,
}

/// Waits until a lane may run in this way. This process and every other that locks the same file
/// are counted. Dropping the value ends the lock.
///
/// # Panics
///
/// - If the file cannot be opened or locked.
#[must_use]
pub fn lock(file: &Path, beside: Beside) -> File {
    let file = File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let how = match beside {
        Beside::Others => libc::LOCK_SH,
        Beside::Nobody => libc::LOCK_EX,
    };
    // SAFETY: flock takes integers, and the descriptor belongs to an open file.
    let locked = unsafe { libc::flock(file.as_raw_fd(), how) };
    assert_eq!(locked, 0, "flock: {}", io::Error::last_os_error());
    file
}
