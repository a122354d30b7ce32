//! Descriptors that a service manager passed to this process: socket activation as in systemd.
//!
//! The manager binds the socket, listens, and starts the program when a client connects. The
//! program takes the socket over by [`Activation::take`], whose page has an example that also works
//! without a manager. A program that starts others, as a manager does, passes sockets to them by `pass`,
//! which needs `std`.
//!
//! The manager keeps its own descriptor of the same socket. A program must therefore not shut down a
//! listener that was passed to it, because shutdown(2) also ends the manager's: no client can connect any
//! more until the manager binds the socket again.
//!
//! On gVisor every listener that was passed is refused, because `SO_ACCEPTCONN`, which reports
//! whether a socket listens, is always 0 for the kernel's Unix domain sockets. [`Passed::into_fd`]
//! and the unsafe `from_raw_fd` of [`Listener`](crate::socket::Listener) take one over there
//! without this check.

#[cfg(feature = "std")]
mod pass;
mod take;

use core::error;
use core::fmt;

use crate::error::{Errno, Error};
use crate::fd::RawFd;
use crate::syscall;
use crate::text::{self, Out, Text};

#[cfg(feature = "std")]
pub use self::pass::{PassError, pass};
pub use self::take::{Activation, Passed};

/// The first descriptor that is passed, `SD_LISTEN_FDS_START`.
const FIRST: RawFd = 3;

/// The greatest length of the name that systemd gives to a descriptor, in bytes.
const NAME_MAX: usize = 255;

/// The variables of the environment that describe what was passed. Each may be missing.
///
/// # Examples
///
/// A wrapper forked before it executed this program, so `LISTEN_PID` names the wrapper. The
/// operator knows that the descriptors are for this program, and calls this:
///
/// ```no_run
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::os::unix::ffi::OsStringExt;
/// use sunpath::activation::{Activation, Variables};
///
/// let pid = std::process::id().to_string();
/// let fds = std::env::var_os("LISTEN_FDS").map(OsStringExt::into_vec);
///
/// let mut variables = Variables::new();
/// variables.pid = Some(pid.as_bytes());
/// variables.fds = fds.as_deref();
/// // SAFETY: this is the beginning of main, and nothing was opened yet.
/// let passed = unsafe { Activation::take_from(variables) }?;
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Variables<'e> {
    /// `LISTEN_PID`: the process to which the descriptors are passed.
    pub pid: Option<&'e [u8]>,
    /// `LISTEN_PIDFDID`: the inode of that process's pidfd, which no other process gets until the
    /// next boot, although another process can get the same pid. systemd has set it since version
    /// 259.
    pub pidfd_id: Option<&'e [u8]>,
    /// `LISTEN_FDS`: the number of descriptors, from descriptor 3 on.
    pub fds: Option<&'e [u8]>,
    /// `LISTEN_FDNAMES`: their names, separated by colons.
    pub names: Option<&'e [u8]>,
}

impl Variables<'_> {
    /// Makes a value in which no variable is set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pid: None,
            pidfd_id: None,
            fds: None,
            names: None,
        }
    }

    /// `sd_listen_fds(0)`, with these variables — returns how many descriptors from 3 on are passed
    /// to this process, or 0 if none are passed or if they are for another process. The descriptors
    /// are not touched.
    ///
    /// [`Activation::take_from`] takes them over.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: [`ActivationError::Variable`], [`ActivationError::NameTooLong`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::activation::Variables;
    ///
    /// let variables = Variables::new(); // none is set
    /// assert_eq!(variables.listen_fds()?, 0);
    /// # Ok::<(), sunpath::activation::ActivationError>(())
    /// ```
    ///
    /// See sd_listen_fds(3).
    #[doc(alias = "sd_listen_fds")]
    pub fn listen_fds(&self) -> Result<RawFd, ActivationError> {
        self.count().map(|count| count.unwrap_or(0))
    }

    /// Returns how many descriptors are passed to this process, or why none are.
    fn count(&self) -> Result<Result<RawFd, NotPassed>, ActivationError> {
        self.count_for(syscall::getpid().unsigned_abs(), syscall::own_pidfd_id)
    }

    fn count_for(
        &self,
        own: u32,
        own_pidfd_id: impl FnOnce() -> Option<u64>,
    ) -> Result<Result<RawFd, NotPassed>, ActivationError> {
        let number = |name, value| number(value).ok_or(ActivationError::Variable { name });
        let Some(fds) = self.fds else {
            return Ok(Err(NotPassed::NoDescriptors));
        };
        let Some(pid) = self.pid else {
            return Ok(Err(NotPassed::NoProcess));
        };
        let pid = number("LISTEN_PID", pid)?;
        if pid != u64::from(own) {
            return Ok(Err(NotPassed::OtherProcess { pid, own }));
        }
        if let Some(id) = self.pidfd_id {
            let id = number("LISTEN_PIDFDID", id)?;
            // If the kernel has no inodes for pidfds, LISTEN_PID alone decides.
            if let Some(own) = own_pidfd_id().filter(|own| *own != id) {
                return Ok(Err(NotPassed::OtherPidfd { id, own }));
            }
        }
        let count = match RawFd::try_from(number("LISTEN_FDS", fds)?) {
            Ok(count @ 1..) if count <= RawFd::MAX - FIRST => count,
            _ => return Err(ActivationError::Variable { name: "LISTEN_FDS" }),
        };
        let (names, mut at) = (self.names.unwrap_or_default(), 0);
        while at < names.len() {
            let len = name_at(names, &mut at).len();
            if len > NAME_MAX {
                return Err(ActivationError::NameTooLong { len });
            }
        }
        Ok(Ok(count))
    }
}

/// Reads a decimal number that consists of digits alone.
fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Returns the name that begins at `at`, and moves `at` to the next one.
fn name_at<'n>(names: &'n [u8], at: &mut usize) -> &'n [u8] {
    let rest = names.get(*at..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| *byte == b':')
        .unwrap_or(rest.len());
    *at += len + 1;
    rest.get(..len).unwrap_or_default()
}

/// The reason why no descriptors were passed to this process.
///
/// Only [`NoDescriptors`](Self::NoDescriptors) means that this program was started without a
/// manager. In the other cases another process may hold the path that this program would bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotPassed {
    /// `LISTEN_FDS` is not set, because this program was started by hand or its manager passes
    /// nothing.
    NoDescriptors,
    /// `LISTEN_FDS` is set but `LISTEN_PID` is not, so the descriptors may be for any process. A
    /// program between the manager and this one removed the variable.
    NoProcess,
    /// `LISTEN_PID` names another process. Either this program is a child of that process and
    /// inherited its environment, or a wrapper started it with fork(2) instead of execve(2) alone.
    OtherProcess {
        /// `LISTEN_PID`.
        pid: u64,
        /// The pid of this process.
        own: u32,
    },
    /// `LISTEN_PID` is the pid of this process, but `LISTEN_PIDFDID` belongs to another process,
    /// which had this pid earlier or has it in another pid namespace.
    OtherPidfd {
        /// `LISTEN_PIDFDID`.
        id: u64,
        /// The inode of this process's pidfd.
        own: u64,
    },
}

impl fmt::Display for NotPassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for NotPassed {
    fn write(&self, out: &mut Out<'_>) {
        let (text, numbers) = match *self {
            Self::NoDescriptors => ("LISTEN_FDS is not set", [0; 2]),
            Self::NoProcess => ("LISTEN_FDS is set, but LISTEN_PID is not", [0; 2]),
            Self::OtherProcess { pid, own } => {
                let text = "LISTEN_PID is {}, but this process is {}";
                (text, [pid, own.into()])
            }
            Self::OtherPidfd { id, own } => {
                let text = "LISTEN_PIDFDID is {}, but that of this process is {}";
                (text, [id, own])
            }
        };
        text::with_numbers(text, numbers, out);
    }
}

impl NotPassed {
    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length of the
    /// whole text, as [`Error::write_text`] does.
    pub fn write_text(self, buf: &mut [u8]) -> usize {
        text::copy(&self, buf)
    }
}

impl error::Error for NotPassed {}

/// The reason why the descriptors that were passed cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationError {
    /// A variable is not an integer in the right range.
    Variable {
        /// The variable that is not an integer in the right range.
        name: &'static str,
    },
    /// A name in `LISTEN_FDNAMES` has more than 255 bytes.
    NameTooLong {
        /// The number of bytes of the name.
        len: usize,
    },
    /// The descriptors have already been taken over.
    Taken,
    /// A descriptor is not open (`EBADF`) or is close-on-exec (`EBUSY`). In the first case the
    /// variables count more descriptors than were passed, or the program that this process executed
    /// before [did not pass it on](Activation#executing-a-new-version). In the second case this
    /// process opened the descriptor, or another part of the process has already taken it over.
    Descriptor {
        /// The number of the descriptor.
        fd: RawFd,
        /// `EBADF` or `EBUSY`.
        error: Error,
    },
}

impl ActivationError {
    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length of the
    /// whole text, as [`Error::write_text`] does.
    pub fn write_text(self, buf: &mut [u8]) -> usize {
        text::copy(&self, buf)
    }

    /// Returns the errno for this error: `EINVAL` for a variable or a name, `EALREADY` if the
    /// descriptors were taken over before, and otherwise the errno of the descriptor.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self {
            Self::Variable { .. } | Self::NameTooLong { .. } => Errno::EINVAL,
            Self::Taken => Errno::EALREADY,
            Self::Descriptor { error, .. } => error.errno(),
        }
    }
}

impl fmt::Display for ActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for ActivationError {
    fn write(&self, out: &mut Out<'_>) {
        match self {
            Self::Variable { name } => {
                out(name);
                out(" is not a number in range");
            }
            Self::NameTooLong { len } => {
                let text =
                    "LISTEN_FDNAMES has a name of {} bytes; the longest that is allowed has {}";
                text::with_numbers(text, [*len as u64, NAME_MAX as u64], out);
            }
            Self::Taken => out("the descriptors of LISTEN_FDS were taken over before"),
            Self::Descriptor { fd, error } => {
                out("descriptor ");
                text::decimal(fd.unsigned_abs().into(), out);
                out(" of LISTEN_FDS: ");
                error.write(out);
            }
        }
    }
}

impl error::Error for ActivationError {}

/// The `io::Error` has the kind of the errno, and this error as its inner error.
#[cfg(feature = "std")]
impl From<ActivationError> for std::io::Error {
    fn from(error: ActivationError) -> Self {
        Self::new(error.errno().kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: u32 = 70;

    fn count_for_process(
        pid: &[u8],
        pidfd_id: Option<&[u8]>,
        own: Option<u64>,
    ) -> Result<Result<RawFd, NotPassed>, ActivationError> {
        let variables = Variables {
            pid: Some(pid),
            pidfd_id,
            fds: Some(b"3"),
            names: None,
        };
        variables.count_for(PID, || own)
    }

    #[test]
    fn activation_is_for_the_process_that_both_numbers_name() {
        let (passed, most) = (Ok(Ok(3)), u64::MAX);
        let other_process = Ok(Err(NotPassed::OtherProcess { pid: 71, own: PID }));
        let other_pidfd = Ok(Err(NotPassed::OtherPidfd { id: 10, own: 9 }));
        assert_eq!(count_for_process(b"70", None, Some(9)), passed);
        assert_eq!(count_for_process(b"71", None, Some(9)), other_process);
        assert_eq!(count_for_process(b"70", Some(b"9"), Some(9)), passed);
        assert_eq!(count_for_process(b"70", Some(b"10"), Some(9)), other_pidfd);
        let largest = Some(&b"18446744073709551615"[..]);
        assert_eq!(count_for_process(b"70", largest, Some(most)), passed);
        // If the kernel has no inodes for pidfds, LISTEN_PID alone decides.
        assert_eq!(count_for_process(b"70", Some(b"10"), None), passed);
        // The other variables are not read if the descriptors are not for this process.
        assert_eq!(count_for_process(b"71", Some(b"x"), Some(9)), other_process);

        let pidfd_id = ActivationError::Variable {
            name: "LISTEN_PIDFDID",
        };
        for wrong in [&b""[..], b"x", b"-9", b"18446744073709551616", b"\xff"] {
            assert_eq!(
                count_for_process(b"70", Some(wrong), Some(9)),
                Err(pidfd_id)
            );
        }
    }

    #[test]
    fn activation_without_a_variable_says_which() {
        let mut variables = Variables::new();
        let (no_descriptors, no_process) = (NotPassed::NoDescriptors, NotPassed::NoProcess);
        assert_eq!(variables.count(), Ok(Err(no_descriptors)));
        assert_eq!(variables.listen_fds(), Ok(0));
        variables.pid = Some(b"x");
        assert_eq!(variables.count(), Ok(Err(no_descriptors)));
        variables.pid = None;
        variables.fds = Some(b"3");
        assert_eq!(variables.count(), Ok(Err(no_process)));
        assert_eq!(variables.listen_fds(), Ok(0));
    }

    #[test]
    fn activation_names_are_between_colons() {
        let names = |text: &'static [u8]| {
            let mut at = 0;
            [0; 3].map(|_| name_at(text, &mut at))
        };
        assert_eq!(names(b"a:bc:d:e"), [&b"a"[..], b"bc", b"d"]);
        assert_eq!(names(b"a:"), [&b"a"[..], b"", b""]);
        assert_eq!(names(b""), [b"", b"", b""]);
        assert_eq!(names(b"::c"), [&b""[..], b"", b"c"]);
    }
}
