//! Passes descriptors to a program that this process starts, as a service manager does.

use core::error;
use core::fmt;
use std::collections::BTreeMap;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{FIRST, NAME_MAX};
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::syscall::{self, Program};

/// Makes a command pass descriptors to the program that it starts, as a service manager does: from number 3
/// on, in this order, each with its name.
///
/// The program takes them over by [`Activation::take`](super::Activation::take) or by sd_listen_fds(3).
///
/// Call this last. `LISTEN_PID` has to be the number of the new process, which therefore executes
/// the program itself, with the arguments and the environment that the command has now. A change of
/// them after this call has no effect, and neither has `arg0`; standard input, output and error may
/// still be set.
///
/// The command owns close-on-exec copies, so no other child gets them, and the descriptors of this
/// process stay as they are. Drop it when the program has been started.
///
/// # Errors
///
/// On failure the command is as it was, except that the variables of this process's own manager are
/// removed from it.
///
/// - [`PassError::Name`]: a name is empty, has more than 255 bytes, or has a colon or a byte that is not
///   printable ASCII.
/// - [`PassError::Nul`]: a variable of the environment has a NUL. One in the program or an argument is reported
///   by `spawn`.
/// - [`PassError::Call`]: `EMFILE`, `ENFILE`: no descriptor is free in the process or the system.
///   `EINVAL`: the program would get more than `RLIMIT_NOFILE`.
///
/// `exec` of the command fails with `EPERM`, because it would replace descriptors of this process.
/// A process that executes a new version of itself [keeps the
/// numbers](super::Activation#executing-a-new-version) instead. `spawn`, `status` and `output` fail
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
    environment.insert("LISTEN_FDS".into(), fds.len().to_string().into());
    environment.insert("LISTEN_FDNAMES".into(), names.into());
    let program = program(command, environment).ok_or(PassError::Nul)?;
    let fds = fds.iter().map(|(_, fd)| fd);
    Ok(syscall::place_in_child(command, program, FIRST, fds)?)
}

const PIDFDID: &str = "LISTEN_PIDFDID";

/// Returns the environment of the program. The last variable that was removed from `command` must
/// be `LISTEN_PIDFDID`.
fn environment(command: &Command) -> BTreeMap<OsString, OsString> {
    // After `env_clear`, a command does not list the variables that are removed from it. If it
    // lists one, it still inherits the environment of this process.
    let inherits = command.get_envs().any(|(name, _)| name == PIDFDID);
    let mut environment = BTreeMap::new();
    if inherits {
        environment.extend(env::vars_os());
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => environment.insert(name.into(), value.into()),
            None => environment.remove(name),
        };
    }
    environment
}

/// Returns what the command executes; `None` if a part of it has a NUL.
fn program(command: &Command, environment: BTreeMap<OsString, OsString>) -> Option<Program> {
    let string = |text: &OsStr| CString::new(text.as_bytes()).ok();
    let name = command.get_program();
    let search = match environment.get(OsStr::new("PATH")) {
        _ if name.as_bytes().contains(&b'/') => OsStr::new(""),
        Some(path) => path,
        None => OsStr::new("/bin:/usr/bin"), // as execvp(3)
    };
    // An empty path means the working directory.
    let paths = env::split_paths(search).map(|dir| string(dir.join(name).as_os_str()));
    let paths = paths.collect::<Option<Vec<_>>>()?;
    let arguments = [name].into_iter().chain(command.get_args()).map(string);
    let variables = environment.into_iter().map(|(mut variable, value)| {
        variable.push("=");
        variable.push(value);
        CString::new(variable.into_vec()).ok()
    });
    Some(Program {
        paths,
        arguments: arguments.collect::<Option<Vec<_>>>()?,
        environment: variables.collect::<Option<_>>()?,
        pid_variable: "LISTEN_PID",
    })
}

/// Returns whether the text can be the name of a descriptor. systemd accepts an empty one as well,
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
    /// Returns the errno of the same fault: `EINVAL` for a name or a NUL, or that of the call.
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
