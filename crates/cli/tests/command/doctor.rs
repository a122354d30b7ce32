//! `sunpath doctor`: broken set-ups, and the first line for each of them.

mod health;
mod links;
mod more;
mod names;
mod pages;
mod sixteen;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};

use sunpath::error::Errno;
use sunpath::{BindOptions, Socket, Stream, UnixDatagram, UnixListener};
use tempfile::TempDir;

use super::{
    Ran, copy, for_others, is_root, run, skip, sunpath, unless_root, user_name, wait_until_stale,
};

/// A user without a name, who owns nothing and is in no group.
const STRANGER: u32 = 65533;

/// A fresh directory in which everybody may look up names, with sockets that nobody may notice.
struct SetUp {
    dir: TempDir,
    /// A copy of the command that every user can execute.
    command: PathBuf,
    listeners: Vec<UnixListener>,
    receivers: Vec<UnixDatagram>,
}

impl SetUp {
    fn new() -> Self {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let command = for_others(dir.path());
        Self {
            dir,
            command,
            listeners: Vec::new(),
            receivers: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a listener that everybody may connect to.
    fn listen(&mut self, name: &str) -> &UnixListener {
        let path = self.path(name);
        let listener = UnixListener::bind(&path).unwrap();
        chmod(&path, 0o666);
        self.listeners.push(listener);
        self.listeners.last().unwrap()
    }

    /// Leaves a socket file that no process holds.
    fn leave_stale(&self, name: &str) {
        drop(UnixListener::bind(self.path(name)).unwrap());
        wait_until_stale(self.path(name));
        chmod(&self.path(name), 0o666);
    }

    /// Returns the doctor, as a user without rights if the test is root, or as the user of the test.
    fn doctor_of_user(&self) -> Command {
        if !is_root() {
            return self.doctor();
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(&self.command).arg("doctor");
        command
    }

    fn doctor(&self) -> Command {
        sunpath(["doctor"])
    }

    /// Fails if any listener or receiver has noticed anything.
    fn assert_unnoticed(&self) {
        for listener in &self.listeners {
            listener.set_nonblocking(true).unwrap();
            let accepted = listener.accept();
            let errno = accepted.map(drop).unwrap_err().errno();
            // EINVAL means that the listener was shut down.
            assert!(
                [Errno::EAGAIN, Errno::EINVAL].contains(&errno),
                "a connection came"
            );
        }
        for receiver in &self.receivers {
            let errno = receiver.try_recv(&mut [0; 8]).unwrap_err().errno();
            assert_eq!(errno, Errno::EAGAIN, "a message came");
        }
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Returns the name and number of this process, as the doctor prints them.
fn own_process() -> String {
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let comm = fs::read_to_string(format!("/proc/{}/comm", process::id())).unwrap_or(comm);
    format!("{} (pid {})", comm.trim_end(), process::id())
}

fn ask(command: &mut Command, path: impl AsRef<OsStr>) -> (i32, String) {
    let ran: Ran = run(command.arg(path));
    assert_eq!(ran.err, "");
    (ran.status, ran.first().into())
}

/// `sunpath listen` in a surrounding of its own, which is killed at the end.
struct Elsewhere(Child);

impl Elsewhere {
    /// Starts a command line that executes `sunpath listen -v`, and waits until it listens.
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut note = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut note)
            .unwrap();
        assert!(note.starts_with("sunpath: listening on "), "{note}");
        Self(child)
    }

    fn text(&self) -> String {
        format!("sunpath (pid {})", self.0.id())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell that runs a line with `$0` as the command `sunpath` and `$1` as a path.
fn shell(set_up: &SetUp, prefix: &[&str], line: &str, path: &Path) -> Command {
    let (program, arguments) = prefix.split_first().unwrap_or((&"sh", &[]));
    let mut command = Command::new(program);
    command.args(arguments);
    if !prefix.is_empty() {
        command.arg("sh");
    }
    command.args(["-c", line]).arg(&set_up.command).arg(path);
    command
}
