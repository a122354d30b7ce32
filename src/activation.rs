//! Descriptors that the service manager passed: socket activation as systemd has it.

#[cfg(feature = "std")]
mod take;

use core::error;
use core::fmt;

use crate::error::{Errno, Error};
use crate::fd::RawFd;
use crate::syscall;

#[cfg(feature = "std")]
pub use self::take::{Activation, Passed};

/// `SD_LISTEN_FDS_START`.
const FIRST: RawFd = 3;

/// The longest name of a descriptor that systemd gives.
const NAME_MAX: usize = 255;

/// The variables of the environment that tell what was passed, as far as they are set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'e> {
    /// `LISTEN_PID`: the process that is meant.
    pub pid: Option<&'e [u8]>,
    /// `LISTEN_PIDFDID`: the inode of that process's pidfd, which no other process gets until the next
    /// boot, as it may get the number. Since systemd 259.
    pub pidfd_id: Option<&'e [u8]>,
    /// `LISTEN_FDS`: how many descriptors, from 3 on.
    pub fds: Option<&'e [u8]>,
    /// `LISTEN_FDNAMES`: their names, with colons between.
    pub names: Option<&'e [u8]>,
}

impl Variables<'_> {
    /// `sd_listen_fds(0)`, of these variables — how many descriptors from 3 on are passed to this
    /// process; 0 where none are, or another process is meant. Nothing is done to them.
    ///
    /// With `std`, `Activation::take` reads the variables and takes the descriptors over.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: [`ActivationError::Variable`], [`ActivationError::NameTooLong`].
    ///
    /// See sd_listen_fds(3).
    #[doc(alias = "sd_listen_fds")]
    pub fn listen_fds(&self) -> Result<RawFd, ActivationError> {
        self.meant_for(syscall::getpid().unsigned_abs(), syscall::own_pidfd_id)
    }

    fn meant_for(
        &self,
        pid: u32,
        pidfd_id: impl FnOnce() -> Option<u64>,
    ) -> Result<RawFd, ActivationError> {
        let number = |name, value| number(value).ok_or(ActivationError::Variable { name });
        let Some(meant) = self.pid else {
            return Ok(0);
        };
        if number("LISTEN_PID", meant)? != u64::from(pid) {
            return Ok(0);
        }
        if let Some(meant) = self.pidfd_id {
            let meant = number("LISTEN_PIDFDID", meant)?;
            // A kernel without such numbers cannot tell, and LISTEN_PID has to do.
            if pidfd_id().is_some_and(|own| own != meant) {
                return Ok(0);
            }
        }
        let Some(fds) = self.fds else {
            return Ok(0);
        };
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
        Ok(count)
    }
}

/// A decimal number, of digits alone.
fn number(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let value = core::str::from_utf8(value).ok()?;
    digits.then(|| value.parse().ok()).flatten()
}

/// The name that begins at `at`, which becomes where the next one does.
fn name_at<'n>(names: &'n [u8], at: &mut usize) -> &'n [u8] {
    let rest = names.get(*at..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| *byte == b':')
        .unwrap_or(rest.len());
    *at += len + 1;
    &rest[..len]
}

/// Why what was passed cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActivationError {
    /// A variable is not a number, or not one in the range that it has.
    Variable {
        /// The variable.
        name: &'static str,
    },
    /// A name in `LISTEN_FDNAMES` has more than 255 bytes.
    NameTooLong {
        /// How many it has.
        len: usize,
    },
    /// It has been taken over already.
    Taken,
    /// A descriptor is not open (`EBADF`), or is close-on-exec (`EBUSY`): it was opened by this
    /// process then, or another part of it has taken over what was passed.
    Descriptor {
        /// Its number.
        fd: RawFd,
        /// What was found out by asking for its flags.
        error: Error,
    },
}

impl ActivationError {
    /// The errno of the same fault: `EINVAL` for a variable or a name, `EALREADY`, that of a
    /// descriptor.
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
        match self {
            Self::Variable { name } => write!(f, "{name} is not a number in range"),
            Self::NameTooLong { len } => {
                write!(
                    f,
                    "LISTEN_FDNAMES has a name of {len} bytes; the longest that is allowed has {NAME_MAX}"
                )
            }
            Self::Taken => f.write_str("the descriptors of LISTEN_FDS were taken over before"),
            Self::Descriptor { fd, error } => write!(f, "descriptor {fd} of LISTEN_FDS: {error}"),
        }
    }
}

impl error::Error for ActivationError {}

/// Keeps the errno's kind; this error becomes the inner one.
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

    fn meant(
        pid: &[u8],
        pidfd_id: Option<&[u8]>,
        own: Option<u64>,
    ) -> Result<RawFd, ActivationError> {
        let variables = Variables {
            pid: Some(pid),
            pidfd_id,
            fds: Some(b"3"),
            names: None,
        };
        variables.meant_for(PID, || own)
    }

    #[test]
    fn activation_is_for_the_process_that_both_numbers_name() {
        assert_eq!(meant(b"70", None, Some(9)), Ok(3));
        assert_eq!(meant(b"71", None, Some(9)), Ok(0));
        assert_eq!(meant(b"70", Some(b"9"), Some(9)), Ok(3));
        assert_eq!(meant(b"70", Some(b"10"), Some(9)), Ok(0));
        let most = u64::MAX;
        assert_eq!(
            meant(b"70", Some(b"18446744073709551615"), Some(most)),
            Ok(3)
        );
        // A kernel that cannot tell.
        assert_eq!(meant(b"70", Some(b"10"), None), Ok(3));
        // What is not meant for this process is not looked at further.
        assert_eq!(meant(b"71", Some(b"x"), Some(9)), Ok(0));

        let pidfd_id = ActivationError::Variable {
            name: "LISTEN_PIDFDID",
        };
        for wrong in [&b""[..], b"x", b"-9", b"18446744073709551616", b"\xff"] {
            assert_eq!(meant(b"70", Some(wrong), Some(9)), Err(pidfd_id));
        }
        assert_eq!(Variables::default().listen_fds(), Ok(0));
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
