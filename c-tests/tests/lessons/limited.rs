//! Limits under which a program meets an error that it does not expect: no right of root, no listen(2), or no
//! working directory. The program has to explain the cause. The tests of libsunpath use this module too.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::transcript::diff;

/// A limit under which a lesson is run, and the words for its cause.
pub(crate) struct Limit {
    /// Changes a command so that it runs under the limit, in this directory.
    limit: fn(&mut Command, &Path),
    /// The mode of the directory.
    mode: u32,
    /// The words for the cause, one of which every lane prints.
    causes: &'static [&'static str],
    /// The calls that may fail. A lane names the call, or the path of the lesson.
    calls: &'static [&'static str],
    /// Names what the system must have, or the limit cannot be set.
    pub(crate) need: &'static str,
}

pub(crate) const NOBODY_LISTENS: Limit = Limit {
    limit: without_listening,
    mode: 0o755,
    causes: &["ECONNREFUSED", "Connection refused"],
    calls: &["connect"],
    need: "a seccomp(2) filter",
};

pub(crate) const NO_PERMISSION: Limit = Limit {
    limit: without_override,
    mode: 0o555,
    causes: &["EACCES", "Permission denied"],
    calls: &["bind", "mkdir"],
    need: "CAP_SETPCAP, which root usually has",
};

pub(crate) const NO_DIRECTORY: Limit = Limit {
    limit: without_directory,
    mode: 0o755,
    causes: &["ENOENT", "No such file or directory"],
    calls: &["bind", "mkdir"],
    need: "nothing",
};

impl Limit {
    /// Returns whether this system can run a command under the limit, in this directory.
    pub(crate) fn is_possible(&self, dir: &Path) -> bool {
        let mut command = Command::new("true");
        (self.limit)(command.current_dir(dir), dir);
        command.status().is_ok()
    }

    /// Runs a command under the limit, in an empty directory, with a function that runs commands.
    pub(crate) fn run(
        &self,
        dir: &Path,
        mut command: Command,
        run_in: impl FnOnce(&Path, Command) -> Output,
    ) -> Output {
        (self.limit)(&mut command, dir);
        // The limit may be that the directory is removed.
        let set_mode = |mode| fs::set_permissions(dir, Permissions::from_mode(mode));
        set_mode(self.mode).expect("the directory is there");
        let output = run_in(dir, command);
        let _ = set_mode(0o755);
        output
    }

    /// Returns whether the limit stops a lesson, which usually prints what is expected, and asserts
    /// that the program then explains the cause, with the call or with the path of the lesson.
    #[track_caller]
    pub(crate) fn stops(&self, name: &str, expected: &str, output: Output) -> bool {
        let Some(explained) = explanation(name, expected, self.causes, output) else {
            return false;
        };
        let is_named = self.calls.iter().any(|call| explained.contains(call));
        assert!(
            is_named || explained.contains("a.sock"),
            "{name}: {explained}"
        );
        true
    }
}

/// Returns what a lesson prints to standard error, or nothing if the lesson prints what is expected. Asserts
/// that its exit status is 1, that it prints nothing unusual but the call that failed, and that one line
/// has a cause.
#[track_caller]
pub(crate) fn explanation(
    name: &str,
    expected: &str,
    causes: &[&str],
    output: Output,
) -> Option<String> {
    let code = output.status.code();
    let [printed, explained] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let differs = diff(expected, &printed);
    if code == Some(0) && differs.is_empty() {
        return None;
    }
    let shown = format!("{name}: {code:?}\n{differs}{explained}");
    assert_eq!(code, Some(1), "{shown}");
    let is_usual = |line: &&str| expected.lines().any(|usual| usual == *line);
    let unusual: Vec<_> = printed.lines().filter(|line| !is_usual(line)).collect();
    let has_cause = |text: &str| causes.iter().any(|cause| text.contains(cause));
    let is_failure = |line: &&str| line.contains(" = E") || has_cause(line);
    assert!(unusual.len() <= 1, "{shown}");
    assert!(unusual.iter().all(is_failure), "{shown}");
    assert_eq!(explained.lines().count(), 1, "{shown}");
    assert!(has_cause(&explained), "{shown}");
    Some(explained)
}

/// Makes a command of root run without the right to pass over permissions. If this process may not give
/// that right up, the command cannot be started.
fn without_override(command: &mut Command, _: &Path) {
    /// `CAP_DAC_OVERRIDE` and `CAP_DAC_READ_SEARCH`, of `<linux/capability.h>`.
    const CAPABILITIES: [libc::c_ulong; 2] = [1, 2];
    // SAFETY: geteuid takes no argument and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let give_up = move || {
        for capability in CAPABILITIES.into_iter().filter(|_| is_root) {
            // SAFETY: this option of prctl takes an integer.
            if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: prctl is a system call, and an error that is an errno allocates nothing.
    unsafe { command.pre_exec(give_up) };
}

/// Makes a command run in a directory that is removed before the command starts.
fn without_directory(command: &mut Command, dir: &Path) {
    let dir = CString::new(dir.as_os_str().as_bytes()).expect("a path has no NUL");
    let remove = move || {
        // SAFETY: `dir` is a live C string. The working directory has been set before.
        match unsafe { libc::rmdir(dir.as_ptr()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    // SAFETY: rmdir is a system call, and an error that is an errno allocates nothing.
    unsafe { command.pre_exec(remove) };
}

/// `__NR_socketcall` of `<asm/unistd_32.h>` and `SYS_LISTEN` of `<linux/net.h>`, because some C libraries
/// call listen(2) in this way on i686.
const SOCKETCALL: u32 = 102;
const SOCKETCALL_LISTEN: u32 = 4;

/// Makes a command run with a listen(2) that returns 0 and does nothing, as if no server listened. If this
/// system does not allow a seccomp(2) filter, the command cannot be started.
fn without_listening(command: &mut Command, _: &Path) {
    let instruction = |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let ret = libc::BPF_RET | libc::BPF_K;
    // struct seccomp_data begins with the number of the call, and its arguments begin at the byte 16.
    let mut filter = [
        instruction(load, 0, 0, 0),
        instruction(is, libc::SYS_listen as u32, 4, 0),
        instruction(is, SOCKETCALL, 0, 2),
        instruction(load, 16, 0, 0),
        instruction(is, SOCKETCALL_LISTEN, 1, 0),
        instruction(ret, libc::SECCOMP_RET_ALLOW, 0, 0),
        // The errno is 0, so the call returns 0.
        instruction(ret, libc::SECCOMP_RET_ERRNO, 0, 0),
    ];
    if cfg!(not(target_arch = "x86")) {
        // No socketcall(2): every call that is not listen(2) is allowed.
        filter[2] = instruction(ret, libc::SECCOMP_RET_ALLOW, 0, 0);
    }
    let limit = move || {
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_ptr().cast_mut(),
        };
        // SAFETY: this option of prctl takes integers.
        if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } == -1 {
            return Err(io::Error::last_os_error());
        }
        let (option, mode) = (libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER);
        // SAFETY: `program` is a live sock_fprog over live instructions, which the kernel copies.
        if unsafe { libc::prctl(option, mode, &raw const program) } == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: prctl is a system call, and an error that is an errno allocates nothing.
    unsafe { command.pre_exec(limit) };
}
