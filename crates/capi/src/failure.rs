//! The reason why a function failed, and the number that carries the reason to C.

use core::ffi::c_int;

use sunpath_rs::activation::{ActivationError, NotPassed};
use sunpath_rs::error::{Call, Cause};
use sunpath_rs::files::{DirError, Refusal};
use sunpath_rs::{Errno, Error, libsunpath, sys};

use crate::explain::copied;

/// The reason why a function failed. `to_bits` converts it into the 64 bits of `*ret_error`, and
/// `from_bits` converts the bits back.
///
/// The bits of an [`Error`] are its own ([`Error::to_bits`]), and their lowest byte numbers the call.
/// In the bits of the other variants, the lowest byte is a number that no call has.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    Call(Error),
    Argument(Argument),
    Dir(DirError),
    Activation(ActivationError),
    /// The reason why the service manager passed nothing, which is not a failure.
    NotPassed(NotPassed),
}

/// An argument that was rejected before any system call was made.
#[derive(Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) fault: Fault,
    /// The place of the parameter in the C function, counted from 1.
    pub(crate) parameter: u8,
}

/// The reason why an argument is rejected.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Fault {
    Null,
    Descriptor,
    Type,
    Size,
    OptionsSize,
    NewerOptions,
    Flags,
    Unset,
    Existing,
    Timeout,
    TwoPeers,
    Datagram,
    Groups,
}

impl Fault {
    /// All faults in the order of their numbers, by which `from_bits` finds a fault.
    const ALL: [Self; 13] = [
        Self::Null,
        Self::Descriptor,
        Self::Type,
        Self::Size,
        Self::OptionsSize,
        Self::NewerOptions,
        Self::Flags,
        Self::Unset,
        Self::Existing,
        Self::Timeout,
        Self::TwoPeers,
        Self::Datagram,
        Self::Groups,
    ];

    fn errno(self) -> Errno {
        match self {
            Self::Descriptor => Errno::EBADF,
            Self::NewerOptions => Errno::from_raw(libc::E2BIG),
            _ => Errno::EINVAL,
        }
    }

    /// Returns the text that follows "parameter N".
    fn text(self) -> &'static [u8] {
        match self {
            Self::Null => b"is NULL",
            Self::Descriptor => b"is not a descriptor",
            Self::Type => b"is not SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM",
            Self::Size => b"is larger than any object",
            Self::OptionsSize => b"has a size that no version had",
            Self::NewerOptions => b"sets options that this version does not know",
            Self::Flags => b"has flags that this function does not know",
            Self::Unset => b"has a field that is set, but not its flag",
            Self::Existing => b"has an unknown value in the field if_exists",
            Self::Timeout => b"has a negative timeout",
            Self::TwoPeers => b"requires two users",
            Self::Datagram => b"has conditions that a datagram socket cannot have",
            Self::Groups => b"is not NULL, but the size after it is 0",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<DirError> for Failure {
    // It is out of line, so that two functions have this code in common.
    #[inline(never)]
    fn from(error: DirError) -> Self {
        match error.refusal() {
            // An error with a cause needs all 64 bits. The length of the part of the path that the
            // error is about is then left out.
            Refusal::Path(error) => {
                let errno = Errno::from_raw(error.errno());
                Self::Call(libsunpath::error_with_cause(
                    Call::Openat,
                    errno,
                    Cause::Path(error),
                ))
            }
            Refusal::Call(error) if error.cause().is_some() => Self::Call(error),
            _ => Self::Dir(error),
        }
    }
}

impl From<ActivationError> for Failure {
    fn from(error: ActivationError) -> Self {
        Self::Activation(error)
    }
}

/// The environment variables that can be at fault. The bits hold an index into this list.
const VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS"];

// The lowest bytes of the failures that are not an `Error`.
const ARGUMENT: u64 = 0xff;
const SYMLINK: u64 = 0xf0;
const NOT_A_DIRECTORY: u64 = 0xf1;
const OWNER: u64 = 0xf2;
const MODE: u64 = 0xf3;
const CALL: u64 = 0xf4;
const VARIABLE: u64 = 0xe0;
const NAME_TOO_LONG: u64 = 0xe1;
const TAKEN: u64 = 0xe2;
const DESCRIPTOR: u64 = 0xe3;
const NO_DESCRIPTORS: u64 = 0xe8;
const NO_PROCESS: u64 = 0xe9;
const OTHER_PROCESS: u64 = 0xea;
const OTHER_PIDFD: u64 = 0xeb;

/// The largest number that 12 bits hold, which is also the length of the longest path without its NUL.
const BITS_12: u64 = 0xfff;

impl Failure {
    pub(crate) fn argument(fault: Fault, parameter: u8) -> Self {
        Self::Argument(Argument { fault, parameter })
    }

    pub(crate) fn errno(self) -> Errno {
        match self {
            Self::Call(error) => error.errno(),
            Self::Argument(argument) => argument.fault.errno(),
            Self::Dir(error) => error.errno(),
            Self::Activation(error) => error.errno(),
            Self::NotPassed(_) => Errno::from_raw(0),
        }
    }

    /// Returns the number for C, which is never 0.
    pub(crate) fn to_bits(self) -> u64 {
        let (low, middle, high): (u64, u64, u32) = match self {
            Self::Call(error) => return error.to_bits(),
            Self::Argument(Argument { fault, parameter }) => {
                let middle = (fault as u64) << 8 | u64::from(parameter) << 16;
                (ARGUMENT, middle, 0)
            }
            Self::Dir(error) => dir_bits(error),
            Self::Activation(error) => match error {
                ActivationError::Variable { name } => {
                    let place = VARIABLES.iter().position(|variable| *variable == name);
                    (VARIABLE, 0, place.unwrap_or(VARIABLES.len()) as u32)
                }
                ActivationError::NameTooLong { len } => {
                    (NAME_TOO_LONG, 0, u32::try_from(len).unwrap_or(u32::MAX))
                }
                ActivationError::Descriptor { fd, error } => {
                    let errno = error.errno().raw() as u16;
                    (DESCRIPTOR, u64::from(errno) << 16, fd as u32)
                }
                _ => (TAKEN, 0, 0),
            },
            Self::NotPassed(reason) => match reason {
                NotPassed::NoProcess => (NO_PROCESS, 0, 0),
                NotPassed::OtherProcess { pid, .. } => {
                    (OTHER_PROCESS, 0, u32::try_from(pid).unwrap_or(u32::MAX))
                }
                NotPassed::OtherPidfd { .. } => (OTHER_PIDFD, 0, 0),
                _ => (NO_DESCRIPTORS, 0, 0),
            },
        };
        low | middle | u64::from(high) << 32
    }

    /// Returns the failure that has these bits, or `None` if none has.
    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        let high = (bits >> 32) as u32;
        let prefix = (bits >> 8 & BITS_12) as usize;
        let dir = |refusal| Some(Self::Dir(libsunpath::dir_error(prefix, refusal)));
        let activation = |error| Some(Self::Activation(error));
        match bits & 0xff {
            ARGUMENT => {
                let fault = *Fault::ALL.get(usize::from((bits >> 8) as u8))?;
                Some(Self::argument(fault, (bits >> 16) as u8))
            }
            SYMLINK => dir(Refusal::Symlink),
            NOT_A_DIRECTORY => dir(Refusal::NotADirectory),
            OWNER => dir(Refusal::Owner { uid: high }),
            MODE => dir(Refusal::Mode {
                mode: (bits >> 20 & BITS_12) as u32,
                uid: high,
            }),
            CALL => {
                let error = bits >> 20 & BITS_12 | u64::from(high) << 32;
                dir(Refusal::Call(Error::from_bits(error)?))
            }
            VARIABLE => activation(ActivationError::Variable {
                name: VARIABLES.get(high as usize)?,
            }),
            NAME_TOO_LONG => activation(ActivationError::NameTooLong { len: high as usize }),
            TAKEN => activation(ActivationError::Taken),
            DESCRIPTOR => {
                let error = match Errno::from_raw((bits >> 16) as u16 as c_int) {
                    Errno::EBUSY => {
                        libsunpath::error_with_cause(Call::Fcntl, Errno::EBUSY, Cause::CloseOnExec)
                    }
                    errno => libsunpath::error(Call::Fcntl, errno),
                };
                let fd = high as c_int;
                activation(ActivationError::Descriptor { fd, error })
            }
            NO_DESCRIPTORS => Some(Self::NotPassed(NotPassed::NoDescriptors)),
            NO_PROCESS => Some(Self::NotPassed(NotPassed::NoProcess)),
            OTHER_PROCESS => Some(Self::NotPassed(NotPassed::OtherProcess {
                pid: high.into(),
                own: own_pid(),
            })),
            OTHER_PIDFD => Some(Self::NotPassed(NotPassed::OtherPidfd { id: 0, own: 0 })),
            _ => Error::from_bits(bits).map(Self::Call),
        }
    }

    /// Copies as much of the text into `buf` as fits, and returns the length of the whole text.
    pub(crate) fn write_text(self, buf: &mut [u8]) -> usize {
        match self {
            Self::Call(error) => error.write_text(buf),
            Self::Argument(Argument { fault, parameter }) => {
                let digits = [b'0' + parameter / 10, b'0' + parameter % 10];
                let digits = match digits {
                    [b'0', last] => &[last][..],
                    _ => &digits,
                };
                let name = fault.errno().name().unwrap_or_default();
                let parts = [
                    name.as_bytes(),
                    b" (parameter ",
                    digits,
                    b" ",
                    fault.text(),
                    b")",
                ];
                concatenated(&parts, buf)
            }
            Self::Dir(error) => error.write_text(buf),
            Self::Activation(error) => error.write_text(buf),
            // The ids of pidfds have 64 bits, which the number for C has no space for.
            Self::NotPassed(NotPassed::OtherPidfd { .. }) => {
                concatenated(&[b"LISTEN_PIDFDID is that of another process"], buf)
            }
            Self::NotPassed(reason) => reason.write_text(buf),
        }
    }
}

fn concatenated(parts: &[&[u8]], buf: &mut [u8]) -> usize {
    let mut len = 0;
    for part in parts {
        len += copied(part, buf.get_mut(len..).unwrap_or_default());
    }
    len
}

fn dir_bits(error: DirError) -> (u64, u64, u32) {
    let prefix = (error.prefix_len() as u64).min(BITS_12) << 8;
    match error.refusal() {
        Refusal::NotADirectory => (NOT_A_DIRECTORY, prefix, 0),
        Refusal::Owner { uid } => (OWNER, prefix, uid),
        Refusal::Mode { mode, uid } => (MODE, prefix | (u64::from(mode) & BITS_12) << 20, uid),
        Refusal::Call(error) => {
            let call = error.to_bits() & 0xff;
            (CALL, prefix | call << 20, error.errno().raw() as u32)
        }
        _ => (SYMLINK, prefix, 0),
    }
}

fn own_pid() -> u32 {
    // SAFETY: getpid has no conditions.
    unsafe { libc::getpid() }.unsigned_abs()
}

/// Makes the return value of a C function: the number of an `Ok`, or -1. On failure it also writes
/// `*ret_error`, and sets `errno` last.
///
/// # Safety
///
/// - `ret_error` is NULL, or valid for a write.
pub(crate) unsafe fn returned<T: Number>(result: Result<T, Failure>, ret_error: *mut u64) -> T {
    match result {
        Ok(number) => number,
        Err(failure) => {
            // SAFETY: the caller guarantees the pointer.
            unsafe { report(failure, ret_error) };
            T::FAILED
        }
    }
}

/// Writes `*ret_error`, and sets `errno` last. It is out of line, so that all functions have this code
/// in common.
///
/// # Safety
///
/// - `ret_error` is NULL, or valid for a write.
#[cold]
#[inline(never)]
unsafe fn report(failure: Failure, ret_error: *mut u64) {
    // SAFETY: the caller guarantees that the pointer is NULL or valid for a write.
    unsafe { give(ret_error, failure.to_bits()) };
    sys::set_errno(failure.errno().raw());
}

/// Writes a result, or nothing if the caller passed NULL because it does not want the result.
///
/// # Safety
///
/// - `place` is NULL, or valid for a write.
pub(crate) unsafe fn give<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: the caller guarantees that the pointer is valid unless it is NULL.
        unsafe { place.write(value) };
    }
}

/// The types of numbers that the C functions return, with the value that means failure.
pub(crate) trait Number {
    const FAILED: Self;
}

impl Number for c_int {
    const FAILED: Self = -1;
}

impl Number for isize {
    const FAILED: Self = -1;
}
