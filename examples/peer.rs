//! A server that finds out more about its client than pid, uid and gid: its program, its control group
//! and its systemd unit.
//!
//! Between two reads of `/proc/PID` a process can end, and another can get its pid. A pidfd, however,
//! always stands for the process that connected. If that process still has its pid *after* everything
//! was read, no other process had the pid meanwhile.
//!
//! ```text
//! peer PATH     tells each client who it is
//! ```

use std::env;
use std::error::Error;
use std::fmt;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use sunpath::{BindOptions, Existing, UnixStream};

/// The program of a process, and its control group.
struct Program {
    pid: u32,
    executable: PathBuf,
    /// The path of the control group.
    group: String,
}

impl Program {
    /// Reads the program and the control group of the process at the other end. Returns `None` if that
    /// process has ended.
    fn of_peer(stream: &UnixStream) -> Result<Option<Self>, Box<dyn Error>> {
        let pidfd = stream.peer_pidfd()?;
        let Some(pid) = pid_of(&pidfd)? else {
            return Ok(None);
        };
        let program = Self::read(pid);
        // The files below /proc/PID belong to the client only if the client still has that pid.
        match pid_of(&pidfd)? {
            Some(_) => program.map(Some),
            None => Ok(None),
        }
    }

    fn read(pid: u32) -> Result<Self, Box<dyn Error>> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let group = groups.lines().find_map(|line| line.strip_prefix("0::"));
        Ok(Self {
            pid,
            executable: fs::read_link(format!("/proc/{pid}/exe"))?,
            group: group.unwrap_or("/").to_owned(),
        })
    }

    /// Returns the unit of systemd that the process belongs to.
    fn unit(&self) -> Option<&str> {
        let is_unit = |name: &&str| name.ends_with(".service") || name.ends_with(".scope");
        self.group.rsplit('/').find(is_unit)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, executable) = (self.pid, self.executable.display());
        write!(f, "process {pid}, {executable}, in {}", self.group)?;
        self.unit()
            .map_or(Ok(()), |unit| write!(f, ", unit {unit}"))
    }
}

/// Returns the pid of a process. The result is `None` if the process has ended and its parent has
/// waited for it (`Pid: -1`), or if the process has no pid in this pid namespace (`Pid: 0`).
fn pid_of(pidfd: &OwnedFd) -> Result<Option<u32>, Box<dyn Error>> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    let pid: i32 = pid.ok_or("the descriptor is not a pidfd")?.trim().parse()?;
    Ok(u32::try_from(pid).ok().filter(|pid| *pid != 0))
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: peer PATH")?;
    let options = BindOptions::new().existing(Existing::ReplaceStale);
    let listener = options.listen(path)?;
    println!("ready");
    for client in &listener {
        let client = client?;
        let answer = match Program::of_peer(&client) {
            Ok(Some(program)) => format!("{program}\n"),
            Ok(None) => "it has ended\n".to_owned(),
            Err(error) => format!("unknown: {error}\n"),
        };
        print!("{answer}");
        let _ = client.write_all(answer.as_bytes());
    }
    Ok(())
}
