//! Starts a program with descriptors, as a service manager does.

use core::error;
use core::fmt;
use std::ffi::OsStr;
use std::io;
use std::process::Command;
use std::string::{String, ToString};

use super::{FIRST, NAME_MAX};
use crate::error::{Errno, Error};
use crate::fd::AsFd;
use crate::syscall;

/// No system has it elsewhere, and a program that was given another `PATH` finds it too.
const SHELL: &str = "/bin/sh";

/// Sets the variables and executes the program in the same process, whose number is `$$`.
const SCRIPT: &str = r#"LISTEN_PID=$$ LISTEN_FDS=$1 LISTEN_FDNAMES=$2
export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
unset LISTEN_PIDFDID
shift 2
exec "$@""#;

/// Makes a command that starts a program and passes descriptors to it, as a service manager does: from
/// number 3 on, in this order, each with its name.
///
/// The program takes them over by [`Activation::take`](super::Activation::take) or by sd_listen_fds(3).
/// Arguments that are added to the command are those of the program.
///
/// `LISTEN_PID` has to be the number of the process that executes the program, which is not known before
/// the process exists. The command therefore executes `/bin/sh`, which sets the variables and executes
/// the program in its place. This has two consequences:
///
/// - If the program cannot be executed, `spawn` succeeds all the same. The shell prints the reason, and
///   its exit status is 126, or 127 if there is no such program.
/// - A shell may set variables such as `PWD`, and leave out those with a name that it could not have itself.
///
/// Without descriptors the command executes the program itself, without the variables.
///
/// The command owns close-on-exec copies, so that no other child gets them, and the descriptors of this
/// process stay as they are. It also keeps the numbers for itself that are free between 3 and the last one
/// that the program gets. Drop it when the program has been started.
///
/// # Errors
///
/// - [`PassError::Name`]: a name is empty, has more than 255 bytes, or has a colon or a byte that is not
///   printable ASCII.
/// - [`PassError::Call`]: `EMFILE`, `ENFILE`: no descriptor is free in the process, in the system.
///   `EINVAL`: the program would get more than `RLIMIT_NOFILE`.
///
/// `spawn`, `status` and `output` of the command fail with `EBUSY` if this process closed a descriptor with
/// one of the numbers since the command was made, and a pipe or an end of a socketpair(2) got the number,
/// because it may be the one by which std reports an error. Make the command again. `exec` fails with `EPERM`, because a process that
/// executes a new version of itself [keeps the numbers](super::Activation#executing-a-new-version) instead.
///
/// # Examples
///
/// The parent binds the socket, and starts a server that expects it from a service manager:
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sunpath::{BindOptions, activation};
///
/// let listener = BindOptions::singleton().listen("/run/app.sock")?;
/// let mut command = activation::pass("/usr/bin/app", &[("control", &listener)])?;
/// let mut server = command.arg("--verbose").spawn()?;
/// drop(command);
/// server.wait()?; // the file stays as long as `listener`
/// # Ok(()) }
/// ```
///
/// See sd_listen_fds(3).
#[doc(alias = "LISTEN_FDS")]
#[doc(alias = "LISTEN_FDNAMES")]
#[doc(alias = "systemd-socket-activate")]
pub fn pass<F: AsFd>(program: impl AsRef<OsStr>, fds: &[(&str, F)]) -> Result<Command, PassError> {
    if let Some(index) = fds.iter().position(|(name, _)| !is_name(name)) {
        return Err(PassError::Name { index });
    }
    if fds.is_empty() {
        let mut command = Command::new(program);
        for name in [
            "LISTEN_PID",
            "LISTEN_PIDFDID",
            "LISTEN_FDS",
            "LISTEN_FDNAMES",
        ] {
            command.env_remove(name);
        }
        return Ok(command);
    }
    let mut names = String::new();
    for (i, (name, _)) in fds.iter().enumerate() {
        names.push_str(if i == 0 { "" } else { ":" });
        names.push_str(name);
    }
    let mut command = Command::new(SHELL);
    command.args(["-c", SCRIPT, "sh", &fds.len().to_string(), &names]);
    command.arg(program);
    syscall::place_in_child(&mut command, FIRST, fds.iter().map(|(_, fd)| fd))?;
    Ok(command)
}

/// Returns whether systemd takes it for a name. An empty one it does take, and finds no name there if it is
/// the only one.
fn is_name(name: &str) -> bool {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b':';
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_printable)
}

/// The reason why [`pass`] made no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassError {
    /// A name is not between 1 and 255 bytes of printable ASCII without a colon.
    Name {
        /// Which one it is, from 0 on.
        index: usize,
    },
    /// A descriptor could not be copied.
    Call(Error),
}

impl PassError {
    /// Returns the errno of the same fault: `EINVAL` for a name, or that of the call.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self {
            Self::Name { .. } => Errno::EINVAL,
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

/// The kind is that of the errno, and this error becomes the inner one.
impl From<PassError> for io::Error {
    fn from(error: PassError) -> Self {
        Self::new(error.errno().kind(), error)
    }
}
