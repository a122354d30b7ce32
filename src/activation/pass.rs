//! Passes descriptors to a program that this process starts, as a service manager does.

use core::error;
use core::fmt;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{FIRST, NAME_MAX};
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::syscall::{self, Program};

/// Makes a command pass descriptors to the program that it starts, as a service manager does: from
/// descriptor 3 on, in the given order, each with its name.
///
/// The program takes them over by [`Activation::take`](super::Activation::take) or by sd_listen_fds(3).
///
/// Call this function after everything else is set. `LISTEN_PID` must be the pid of the new
/// process, and only that process knows its pid. The new process therefore executes the program
/// itself, with the arguments and the environment that the command has at this call. Later changes
/// to them have no effect, and `arg0` has no effect at all. Standard input, output and error may
/// still be set.
///
/// The command owns close-on-exec copies, so no other child gets them, and the descriptors of this
/// process stay as they are. Drop the command when the program has been started.
///
/// # Errors
///
/// On failure the command is as it was, except that the variables of this process's own manager are
/// removed from it.
///
/// - [`PassError::Name`]: a name is empty, has more than 255 bytes, or has a colon or a byte that is not
///   printable ASCII.
/// - [`PassError::Nul`]: a variable of the environment has a NUL. A NUL in the program or an
///   argument is reported by `spawn`.
/// - [`PassError::Call`]: `EMFILE`, `ENFILE`: no descriptor is free in the process or the system.
///   `EINVAL`: the program would get more descriptors than `RLIMIT_NOFILE` allows.
///
/// `exec` of the command fails with `EPERM`, because it would replace descriptors of this process.
/// A process that executes a new version of itself [keeps its descriptors in
/// place](super::Activation#executing-a-new-version) instead. `spawn`, `status` and `output` fail
/// as they do without this call, and report why the program cannot be executed.
///
/// # Examples
///
/// The parent binds the socket, and starts a server that expects it from a service manager:
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::process::Command;
/// use sunpath::{BindOptions, activation};
///
/// let listener = BindOptions::singleton().listen("/run/app.sock")?;
/// let mut command = Command::new("/usr/bin/app");
/// command.arg("--verbose");
/// activation::pass(&mut command, &[("control", &listener)])?;
/// let mut server = command.spawn()?;
/// drop(command);
/// server.wait()?; // the file stays as long as `listener`
/// # Ok(()) }
/// ```
///
/// See sd_listen_fds(3).
#[doc(alias = "LISTEN_FDS")]
#[doc(alias = "LISTEN_FDNAMES")]
#[doc(alias = "systemd-socket-activate")]
pub fn pass<F: AsFd>(command: &mut Command, fds: &[(&str, F)]) -> Result<(), PassError> {
    if let Some(index) = fds.iter().position(|(name, _)| !is_name(name)) {
        return Err(PassError::Name { index });
    }
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", PIDFDID] {
        command.env_remove(name);
    }
    if fds.is_empty() {
        return Ok(());
    }
    let mut names = String::new();
    for (i, (name, _)) in fds.iter().enumerate() {
        names.push_str(if i == 0 { "" } else { ":" });
        names.push_str(name);
    }
    let mut environment = environment(command);
    let count = fds.len().to_string();
    for (name, value) in [("LISTEN_FDS", count), ("LISTEN_FDNAMES", names)] {
        set(&mut environment, name.as_ref(), Some(value.as_ref()));
    }
    let program = program(command, environment).ok_or(PassError::Nul)?;
    let fds = fds.iter().map(|(_, fd)| fd);
    Ok(syscall::place_in_child(command, program, FIRST, fds)?)
}

const PIDFDID: &str = "LISTEN_PIDFDID";

/// Names and values. A map would be faster with thousands of variables, but its code took a tenth of the
/// time that the compiler needs for this library.
type Environment = Vec<(OsString, OsString)>;

/// Returns the environment of the program. The last variable that was removed from `command` must
/// be `LISTEN_PIDFDID`.
fn environment(command: &Command) -> Environment {
    // After `env_clear`, a command does not list the variables that are removed from it. If it
    // lists one, it still inherits the environment of this process.
    let inherits = command.get_envs().any(|(name, _)| name == PIDFDID);
    let mut environment = Vec::new();
    if inherits {
        environment.extend(env::vars_os());
    }
    for (name, value) in command.get_envs() {
        set(&mut environment, name, value);
    }
    environment
}

/// Sets a variable, or removes it.
fn set(environment: &mut Environment, name: &OsStr, value: Option<&OsStr>) {
    environment.retain(|(known, _)| known != name);
    if let Some(value) = value {
        environment.push((name.into(), value.into()));
    }
}

/// Returns the program, the arguments and the environment that the new process executes. Returns
/// `None` if one of them has a NUL.
fn program(command: &Command, environment: Environment) -> Option<Program> {
    let name = command.get_program();
    let path = environment.iter().find(|(name, _)| name == "PATH");
    let search = match path {
        _ if name.as_bytes().contains(&b'/') => OsStr::new(""),
        Some((_, path)) => path,
        // Without PATH, execvp(3) searches these directories.
        None => OsStr::new("/bin:/usr/bin"),
    };
    let mut paths = Vec::new();
    // An empty path means the working directory.
    for dir in env::split_paths(search) {
        add(&mut paths, dir.join(name).as_os_str())?;
    }
    let mut arguments = Vec::new();
    add(&mut arguments, name)?;
    for argument in command.get_args() {
        add(&mut arguments, argument)?;
    }
    let mut variables = Vec::new();
    for (mut variable, value) in environment {
        variable.push("=");
        variable.push(value);
        add(&mut variables, &variable)?;
    }
    Some(Program {
        paths,
        arguments,
        environment: variables,
        pid_variable: "LISTEN_PID",
    })
}

/// Appends a text. Returns `None` if it has a NUL.
fn add(texts: &mut Vec<CString>, text: &OsStr) -> Option<()> {
    texts.push(CString::new(text.as_bytes()).ok()?);
    Some(())
}

/// Returns whether the text can be the name of a descriptor. systemd also accepts an empty name,
/// but reads a list that consists of one empty name as no names at all.
fn is_name(name: &str) -> bool {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b':';
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_printable)
}

/// The reason why [`pass`] left a command as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassError {
    /// A name is not between 1 and 255 bytes of printable ASCII without a colon.
    Name {
        /// The position of the descriptor, from 0 on.
        index: usize,
    },
    /// A variable of the environment has a NUL.
    Nul,
    /// A descriptor could not be copied.
    Call(Error),
}

impl PassError {
    /// Returns the errno for this error: `EINVAL` for a name or a NUL, and otherwise the errno of
    /// the call that failed.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self {
            Self::Name { .. } | Self::Nul => Errno::EINVAL,
            Self::Call(error) => error.errno(),
        }
    }
}

impl fmt::Display for PassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { index } => write!(
                f,
                "the name of descriptor {index} is not 1 to {NAME_MAX} printable ASCII characters without a colon"
            ),
            Self::Nul => f.write_str("a variable of the environment has a NUL"),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl error::Error for PassError {}

impl From<Error> for PassError {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// The `io::Error` has the kind of the errno, and this error as its inner error.
impl From<PassError> for io::Error {
    fn from(error: PassError) -> Self {
        Self::new(error.errno().kind(), error)
    }
}
