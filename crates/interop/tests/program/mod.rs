//! Programs that the tests run: the examples of this package, which cargo has built with the tests.

#![allow(dead_code, reason = "not every test file uses each function")]

use std::env;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

#[path = "../../../../tests/skip/mod.rs"]
pub(crate) mod skip;

/// The user as which a program runs that must not run as root.
pub(crate) const OTHER_USER: u32 = 65534;

/// Returns the path of an example. `cargo test` builds the examples unless it is told to build one test
/// program alone. This test program is PROFILE/deps/NAME.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(example.exists(), "cargo build --example {name}");
    example
}

/// Returns whether a program is installed. If it is not, the current test is skipped.
pub(crate) fn is_installed(name: &str) -> bool {
    let version = Command::new(name).arg("--version").output();
    let installed = version.is_ok_and(|output| output.status.success());
    if !installed {
        skip::skip_uninstalled(name);
    }
    installed
}

/// A running program, which is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Starts a server, and returns its first line on standard output, which it prints when it listens.
    pub(crate) fn start_server(command: &mut Command) -> (Self, String) {
        let mut server = Self::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let output = server.0.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        (server, line)
    }

    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the call takes only numbers, and the child was not waited for.
        let sent = unsafe { libc::kill(self.0.id() as libc::pid_t, signal) };
        assert_eq!(sent, 0);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The calls fail only if it has ended and was waited for, so errors do not matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn own_uid() -> u32 {
    // SAFETY: the call takes no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

/// Raises the limit of descriptors of this process and of the programs that it starts. Returns whether it
/// is high enough for so many more. If it is not, the current test is skipped.
pub(crate) fn raise_limit(more: u64) -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer leads to one rlimit.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer leads to one rlimit.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((got, set), (0, 0));
    let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let is_enough = limit.rlim_max >= open + more;
    if !is_enough {
        skip::skip(&format!("a hard limit of {} descriptors", open + more));
    }
    is_enough
}

/// Runs a program as [`OTHER_USER`], whom it lets into the directory. Returns `None` if this user may not
/// do that, and reports that a part of the test is skipped.
pub(crate) fn run_as_other_user(command: &mut Command, dir: &Path) -> Option<Output> {
    if skip::unless_root() {
        return None;
    }
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    let command = command.current_dir("/").gid(OTHER_USER).uid(OTHER_USER);
    match command.output() {
        // Root of a user namespace, which has no such user.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            skip::skip("a second user");
            None
        }
        output => Some(output.unwrap()),
    }
}
