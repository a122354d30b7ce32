//! `sunpath doctor`: broken set-ups, and the first line for each of them.

mod more;
mod names;
mod pages;
mod sixteen;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use sunpath::error::Errno;
use sunpath::{BindOptions, Socket, Stream, UnixDatagram, UnixListener};
use tempfile::TempDir;

use super::{Ran, is_root, run, skip, sunpath, user_name};

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
        chmod(dir.path(), 0o755);
        let command = dir.path().join("sunpath");
        fs::copy(env!("CARGO_BIN_EXE_sunpath"), &command).unwrap();
        chmod(&command, 0o755);
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
