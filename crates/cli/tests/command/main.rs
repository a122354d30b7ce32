//! Runs the command as a user would, one module for each subcommand.

mod clean;
mod connect;
mod doctor;
mod explain;
mod listen;
mod ls;
mod relay;
mod servers;
#[path = "../../../../tests/skip/mod.rs"]
mod skip;
mod usage;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use skip::{skip, skip_uninstalled, unless_root};
use sunpath::files::AsPathname;
use sunpath::{Liveness, probe};

/// Returns the command `sunpath`, with nothing on standard input. It ignores no signal: a shell starts commands in
/// the background with SIGINT ignored, and the test may be one of these.
fn sunpath<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Command {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
        // SAFETY: this process handles none of the signals, and children inherit the default action.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_sunpath"));
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR");
    command
}

/// The output of a command that has ended.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    status: i32,
    out: String,
    err: String,
}

impl Ran {
    fn first(&self) -> &str {
        self.out.lines().next().unwrap_or_default()
    }
}

/// Runs the command and returns its output, which must be UTF-8 without control characters.
fn run(command: &mut Command) -> Ran {
    // The width of lines is that of the environment only where a test asks for it.
    if command.get_envs().all(|(name, _)| name != "COLUMNS") {
        command.env_remove("COLUMNS");
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let hostile = |char: char| char.is_control() && char != '\n';
        assert!(!text.contains(hostile), "{text:?}");
        text
    };
    let status = status.code().unwrap();
    Ran {
        status,
        out: text(stdout),
        err: text(stderr),
    }
}

/// Copies a program or a library. A copy that this process wrote could not be executed while a child of another
/// test has it open.
fn copy(from: impl AsRef<OsStr>, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Copies the command to where every user may execute it.
fn for_others(dir: &Path) -> PathBuf {
    let command = dir.join("sunpath");
    copy(env!("CARGO_BIN_EXE_sunpath"), &command);
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    command
}

/// Waits until no process holds the socket of a file: a child that another test starts holds every socket
/// of this process until it executes its program.
fn wait_until_stale(path: impl AsPathname) {
    while probe(&path) != Ok(Liveness::Dead) {
        thread::yield_now();
    }
}

/// Returns the user of the tests.
fn own_uid() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

fn is_root() -> bool {
    own_uid() == 0
}

/// Returns the name of the user of the tests, as the command prints it.
fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    match output.status.success() {
        true => String::from_utf8(output.stdout).unwrap().trim_end().into(),
        false => own_uid().to_string(),
    }
}
