//! Which processes hold a socket, from `/proc/<pid>/fd`.

use std::ffi::CStr;
use std::fs;
use std::mem::MaybeUninit;
use std::path::PathBuf;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, open, readlinkat_raw};
use rustix::io::Errno;

use crate::escape::escape;

/// A process that has a descriptor of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// The name of the process, as `/proc/<pid>/comm` has it.
    pub(crate) command: Vec<u8>,
}

impl Process {
    /// Returns the name and number, for a terminal.
    pub(crate) fn text(&self) -> String {
        format!("{} (pid {})", escape(&self.command), self.pid)
    }

    /// Returns the path of a file in the folder of the process in /proc.
    pub(crate) fn proc(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.pid).into()
    }

    /// Returns a field of `/proc/<pid>/stat`, by its number in proc_pid_stat(5), which is 3 at least. Returns
    /// `None` if the process has ended.
    pub(crate) fn stat(&self, number: usize) -> Option<String> {
        let stat = fs::read(self.proc("stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name of the process is in parentheses, and may have any character.
        let (_, fields) = stat.rsplit_once(") ")?;
        fields
            .split(' ')
            .nth(number.checked_sub(3)?)
            .map(Into::into)
    }
}

/// A descriptor that a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    inode: u32,
    /// The place of the process in [`Processes::processes`].
    process: u32,
    descriptor: u32,
}

/// The processes that hold sockets, by the inode of the socket.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// INVARIANT: in the order of the pids.
    processes: Vec<Process>,
    /// INVARIANT: sorted.
    holders: Vec<Holder>,
    /// The number of processes whose descriptors this process may not read.
    pub(crate) unreadable: usize,
    /// Whether /proc does not show all processes, or none, so that their number is not known.
    pub(crate) hidden: bool,
}

/// The size of a buffer for the names of a directory, in bytes.
const NAMES: usize = 32 * 1024;

impl Processes {
    /// Reads the descriptors of all processes. A process that ends meanwhile is left out.
    pub(crate) fn read() -> Self {
        let mut processes = Self {
            hidden: hides_processes(),
            ..Self::default()
        };
        let mut pids = match open("/proc", DIRECTORY, Mode::empty()) {
            Ok(proc) => pids(&proc),
            Err(_) => Vec::new(),
        };
        processes.hidden |= pids.is_empty();
        pids.sort_unstable();
        for pid in pids {
            processes.add(pid);
        }
        processes.holders.sort_unstable();
        processes
    }

    fn add(&mut self, pid: u32) {
        let fds = match open(format!("/proc/{pid}/fd"), DIRECTORY, Mode::empty()) {
            Ok(fds) => fds,
            Err(error) => {
                self.unreadable += usize::from(is_denied(error));
                return;
            }
        };
        let process = self.processes.len() as u32;
        let before = self.holders.len();
        let mut denied = false;
        let each = |name: &CStr| {
            let mut link = [0; 64];
            let len = match readlinkat_raw(&fds, name, &mut link[..]) {
                Ok(len) => len,
                Err(error) => {
                    denied |= is_denied(error);
                    return;
                }
            };
            if let (Some(inode), Some(descriptor)) = (inode(&link[..len]), number(name.to_bytes()))
            {
                self.holders.push(Holder {
                    inode,
                    process,
                    descriptor,
                });
            }
        };
        denied |= each_name(&fds, each).is_err_and(is_denied);
        self.unreadable += usize::from(denied);
        if self.holders.len() > before {
            let command = command(pid);
            self.processes.push(Process { pid, command });
        }
    }

    /// Returns the processes that hold the socket, with the lowest number first.
    pub(crate) fn of(&self, inode: u32) -> Vec<Process> {
        let mut processes: Vec<_> = self.holders(inode).map(|(process, _)| process).collect();
        processes.dedup();
        processes.into_iter().cloned().collect()
    }

    /// Returns the processes that hold the socket, each with its descriptor. A process that has several
    /// descriptors comes several times.
    pub(crate) fn holders(&self, inode: u32) -> impl Iterator<Item = (&Process, u32)> {
        let start = self.holders.partition_point(|holder| holder.inode < inode);
        let from = self.holders[start..].iter();
        from.take_while(move |holder| holder.inode == inode)
            .map(|holder| (&self.processes[holder.process as usize], holder.descriptor))
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Returns whether the error means that this process has no permission to read. If the process that
/// is read has ended, the error is a different one.
fn is_denied(error: Errno) -> bool {
    matches!(error, Errno::ACCESS | Errno::PERM)
}

fn pids(proc: &OwnedFd) -> Vec<u32> {
    let mut pids = Vec::new();
    let _ = each_name(proc, |name| pids.extend(number(name.to_bytes())));
    pids
}

/// Calls `each` with the name of each file in a directory.
fn each_name(dir: impl AsFd, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
    let mut names = [MaybeUninit::uninit(); NAMES];
    let mut entries = RawDir::new(dir, &mut names);
    while let Some(entry) = entries.next() {
        each(entry?.file_name());
    }
    Ok(())
}

/// Returns the name of a process, which is empty if the process has ended.
fn command(pid: u32) -> Vec<u8> {
    let mut command = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    if command.last() == Some(&b'\n') {
        command.pop();
    }
    command
}

/// Returns the inode that the link of a descriptor has, if it is a socket's.
fn inode(link: &[u8]) -> Option<u32> {
    number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

/// Reads a decimal number.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns whether /proc does not show the processes of other users, because it is mounted with
/// `hidepid`. Root sees them all the same.
fn hides_processes() -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    !rustix::process::geteuid().is_root() && mounts.lines().any(is_hidden_proc)
}

/// Returns whether a line of `/proc/self/mountinfo` is that of a /proc with `hidepid`.
fn is_hidden_proc(mount: &str) -> bool {
    let Some((before, after)) = mount.split_once(" - ") else {
        return false;
    };
    let is_proc = before.split(' ').nth(4) == Some("/proc");
    let mut options = after.split(' ').flat_map(|field| field.split(','));
    let hides = |option: &str| {
        option
            .strip_prefix("hidepid=")
            .is_some_and(|value| !matches!(value, "0" | "off" | "1" | "noaccess"))
    };
    is_proc && options.any(hides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;
    use std::process;

    #[test]
    fn processes_socket_of_this_process_is_found() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let again = ours.try_clone().unwrap();
        let descriptors = [ours.as_raw_fd() as u32, again.as_raw_fd() as u32];
        let file = fs::File::from(std::os::fd::OwnedFd::from(ours));
        let inode = file.metadata().unwrap().ino() as u32;
        let processes = Processes::read();
        let pids: Vec<_> = processes
            .of(inode)
            .iter()
            .map(|process| process.pid)
            .collect();
        assert_eq!(pids, [process::id()]);
        let found = processes.holders(inode);
        let mut found: Vec<_> = found.map(|(process, fd)| (process.pid, fd)).collect();
        found.sort_unstable();
        let mut expected = descriptors.map(|fd| (process::id(), fd));
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(processes.of(0), []);
    }

    #[test]
    fn processes_link_without_an_inode_is_not_a_socket() {
        assert_eq!(inode(b"socket:[12]"), Some(12));
        for link in [
            &b"socket:[]"[..],
            b"socket:[1",
            b"pipe:[12]",
            b"/tmp/socket:[12]",
        ] {
            assert_eq!(inode(link), None);
        }
    }

    #[test]
    fn processes_hidden_by_the_mount_of_proc_are_known_to_be_hidden() {
        for (options, hidden) in [
            ("rw", false),
            ("rw,hidepid=invisible", true),
            ("rw,gid=4,hidepid=2", true),
            ("rw,hidepid=ptraceable", true),
            ("rw,hidepid=noaccess", false),
            ("rw,hidepid=0", false),
        ] {
            let mount = |at| format!("23 28 0:22 / {at} rw,nosuid shared:12 - proc proc {options}");
            assert_eq!(is_hidden_proc(&mount("/proc")), hidden, "{options}");
            assert!(!is_hidden_proc(&mount("/srv/proc")));
        }
        assert!(!is_hidden_proc("no mount"));
    }
}
