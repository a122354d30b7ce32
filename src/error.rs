//! Errors in 8 bytes: which call failed, and why, with the numbers.

mod call;
mod errno;

use core::error;
use core::fmt;

use sunpath_sys as sys;
use sunpath_sys::SunPathError;

pub use self::call::Call;
pub use self::errno::Errno;

/// The most descriptors in one message, `SCM_MAX_FD` of Linux.
pub(crate) const MAX_DESCRIPTORS: usize = 253;
#[cfg(have_so_passcred)]
const _: () = assert!(MAX_DESCRIPTORS == sys::SCM_MAX_FD);

/// A call that failed and why: the errno, or what is wrong with what it was given or gave.
///
/// 8 bytes, `Copy`. It prints as perror(3) would, with the errno's name, and with the numbers where
/// it was not the system that refused. It converts into `std::io::Error` with the right kind.
///
/// # Examples
///
/// ```
/// use sunpath::{Errno, SunPathError, UnixStream};
///
/// let error = UnixStream::connect("/nobody/listens/here").unwrap_err();
/// assert_eq!(error.errno(), Errno::ENOENT);
/// assert_eq!(error.to_string(), "connect: ENOENT (no such file or directory)");
///
/// let error = UnixStream::connect(&*"x".repeat(200)).unwrap_err();
/// assert_eq!(error.errno(), Errno::ENAMETOOLONG);
/// assert!(matches!(error.sun_path(), Some(SunPathError::TooLong { len: 200, .. })));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "perror")]
// In this order the lowest byte tells a result that is one of these from all others.
#[repr(C)]
pub struct Error {
    fault: Fault,
    call: Call,
    /// INVARIANT: what it means is said at `Fault`.
    number: u32,
}

const _: () = assert!(size_of::<Error>() == 8);

/// What [`Error`]'s number is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Fault {
    /// The errno of the call, its bits kept.
    Errno,
    /// Nothing: the path is empty.
    Empty,
    /// The offset of the first NUL, at most `u32::MAX`.
    InteriorNul,
    /// The length of the path, at most `u32::MAX`.
    TooLong,
    /// Nothing: the system has no abstract names.
    Unsupported,
    /// How many descriptors there are, at most `u32::MAX`.
    TooManyDescriptors,
    /// Nothing: control messages without a byte on a stream.
    EmptyPayload,
    /// How many descriptors arrived and were closed.
    ControlTruncated,
    /// How many descriptors arrived and were closed in the lower half, and how many were expected in
    /// the upper.
    TooFewDescriptors,
    /// Nothing: end of file where a descriptor was expected.
    EndOfFile,
    /// How many descriptors there are in the lower half, and how many the room is for in the upper.
    NoRoom,
    /// How many messages the batch holds.
    Full,
}

impl Error {
    #[inline]
    pub(crate) const fn new(call: Call, errno: Errno) -> Self {
        Self {
            call,
            fault: Fault::Errno,
            number: errno.raw() as u32,
        }
    }

    /// The failure of `call` to begin, because there is no address to give to it.
    #[cold]
    pub(crate) fn refused(call: Call, error: SunPathError) -> Self {
        let (fault, number) = match error {
            SunPathError::Empty => (Fault::Empty, 0),
            SunPathError::InteriorNul { at } => (Fault::InteriorNul, at),
            SunPathError::TooLong { len, .. } => (Fault::TooLong, len),
            SunPathError::Unsupported => (Fault::Unsupported, 0),
            other => return Self::new(call, Errno::from_raw(other.errno())),
        };
        Self::fault(call, fault, number)
    }

    /// The refusal to send this many descriptors with one message.
    pub(crate) fn too_many_descriptors(call: Call, count: usize) -> Self {
        Self::fault(call, Fault::TooManyDescriptors, count)
    }

    /// The refusal to send with a batch more control messages than it has room for.
    pub(crate) fn no_room(descriptors: usize, most: usize) -> Self {
        Self::fault(Call::Sendmmsg, Fault::NoRoom, halves(descriptors, most))
    }

    /// The refusal to put one more message into a batch that holds as many as it can.
    pub(crate) fn full(most: usize) -> Self {
        Self::fault(Call::Sendmmsg, Fault::Full, most)
    }

    /// The refusal to send control messages with nothing, which a stream drops.
    pub(crate) fn empty_payload() -> Self {
        Self::fault(Call::Sendmsg, Fault::EmptyPayload, 0)
    }

    /// Control data was cut; `closed` descriptors that arrived are closed.
    pub(crate) fn control_truncated(closed: usize) -> Self {
        Self::fault(Call::Recvmsg, Fault::ControlTruncated, closed)
    }

    /// Fewer descriptors arrived than were expected; those that did are closed.
    pub(crate) fn too_few_descriptors(closed: usize, expected: usize) -> Self {
        let number = halves(closed, expected);
        Self::fault(Call::Recvmsg, Fault::TooFewDescriptors, number)
    }

    /// The end of the stream came where a descriptor was expected.
    pub(crate) fn end_of_file() -> Self {
        Self::fault(Call::Recvmsg, Fault::EndOfFile, 0)
    }

    fn fault(call: Call, fault: Fault, number: usize) -> Self {
        Self {
            call,
            fault,
            number: u32::try_from(number).unwrap_or(u32::MAX),
        }
    }

    /// The call that failed, or that was not made because what it was given was refused.
    #[must_use]
    pub const fn call(self) -> Call {
        self.call
    }

    /// The errno of the call; of what was refused without it, the errno of the same fault
    /// ([`SunPathError::errno`] for a path).
    #[must_use]
    pub const fn errno(self) -> Errno {
        if let Some(error) = self.sun_path() {
            return Errno::from_raw(error.errno());
        }
        match self.fault {
            Fault::TooManyDescriptors | Fault::EmptyPayload => Errno::EINVAL,
            Fault::ControlTruncated | Fault::NoRoom => Errno::EMSGSIZE,
            Fault::TooFewDescriptors => Errno::ENOMSG,
            Fault::Full => Errno::ENOBUFS,
            Fault::EndOfFile => Errno::EPIPE,
            _ => Errno::from_raw(self.number as i32),
        }
    }

    /// Whether the kernel, or the system, lacks what was asked for: `ENOPROTOOPT`, `EOPNOTSUPP`,
    /// `ENOSYS`, `ENOTTY`, `EPROTONOSUPPORT` or `ESOCKTNOSUPPORT`. As `io::Error` it is of kind
    /// `Unsupported`.
    #[must_use]
    pub fn is_unsupported(self) -> bool {
        matches!(
            self.errno(),
            Errno::ENOPROTOOPT
                | Errno::EOPNOTSUPP
                | Errno::ENOSYS
                | Errno::ENOTTY
                | Errno::EPROTONOSUPPORT
                | Errno::ESOCKTNOSUPPORT
        )
    }

    /// Why the path was refused; `None` for every other error. Numbers over `u32::MAX` (paths of
    /// 4 GiB) read `u32::MAX`.
    #[must_use]
    pub const fn sun_path(self) -> Option<SunPathError> {
        let number = self.number as usize;
        match self.fault {
            Fault::Empty => Some(SunPathError::Empty),
            Fault::InteriorNul => Some(SunPathError::InteriorNul { at: number }),
            Fault::TooLong => Some(SunPathError::TooLong {
                len: number,
                max: sys::SUN_PATH_MAX,
            }),
            Fault::Unsupported => Some(SunPathError::Unsupported),
            _ => None,
        }
    }
}

/// Two counts in one number, each at most 65535.
fn halves(lower: usize, upper: usize) -> usize {
    lower.min(0xffff) | upper.min(0xffff) << 16
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, errno, number) = (self.call, self.errno(), self.number);
        let (lower, upper) = (number & 0xffff, number >> 16);
        fmt::Display::fmt(&call, f)?;
        f.write_str(": ")?;
        if self.fault == Fault::Errno {
            return fmt::Display::fmt(&errno, f);
        }
        fmt::Debug::fmt(&errno, f)?;
        f.write_str(" (")?;
        match self.fault {
            Fault::TooManyDescriptors => write!(
                f,
                "{number} descriptors are too many for one message, which takes at most \
                 {MAX_DESCRIPTORS}"
            ),
            Fault::EmptyPayload => {
                f.write_str("a stream drops control messages that come with no byte")
            }
            Fault::ControlTruncated => write!(
                f,
                "control messages were truncated; descriptors that arrived and were closed: {number}"
            ),
            Fault::TooFewDescriptors => write!(
                f,
                "descriptors expected: {upper}; that arrived and were closed: {lower}"
            ),
            Fault::NoRoom => write!(
                f,
                "the batch has no room for these control messages; descriptors in them: {lower}, \
                 room for: {upper}"
            ),
            Fault::Full => write!(f, "the batch is full: it holds {number} messages"),
            Fault::EndOfFile => f.write_str("end of file, no descriptor"),
            _ => match self.sun_path() {
                Some(error) => fmt::Display::fmt(&error, f),
                None => Ok(()),
            },
        }?;
        if self.fault == Fault::TooLong && call != Call::SockaddrUn {
            write!(f, "; {call}_at takes more")?;
        }
        f.write_str(")")
    }
}

/// What it prints, for a `main` that returns it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl error::Error for Error {}

/// Of an address that could not be made, before any call.
impl From<SunPathError> for Error {
    fn from(error: SunPathError) -> Self {
        Self::refused(Call::SockaddrUn, error)
    }
}

#[cfg(feature = "std")]
impl From<Errno> for std::io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.raw())
    }
}

/// Keeps the errno as `raw_os_error`. Where no system call said it, or the system lacks what was
/// asked for, this error becomes the inner one; the kind is that of the errno, or `Unsupported`,
/// `UnexpectedEof`, or `Other` where std has none for it.
#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        use std::io::ErrorKind;

        let kind = match error.fault {
            _ if error.is_unsupported() => ErrorKind::Unsupported,
            Fault::Errno => return Self::from(error.errno()),
            Fault::Empty => ErrorKind::NotFound,
            Fault::InteriorNul | Fault::TooManyDescriptors | Fault::EmptyPayload => {
                ErrorKind::InvalidInput
            }
            // Known while compiling, unlike that of any errno, which is a table in every program.
            Fault::TooLong => Errno::ENAMETOOLONG.kind(),
            Fault::EndOfFile => ErrorKind::UnexpectedEof,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn error_of_a_call_prints_as_perror_does() {
        let error = Error::new(Call::Bind, Errno::EADDRINUSE);
        assert_eq!(
            error.to_string(),
            "bind: EADDRINUSE (address already in use)"
        );
        let unknown = Error::new(Call::Bind, Errno::from_raw(-7));
        assert_eq!(unknown.to_string(), "bind: errno -7");
        assert_eq!(unknown.errno().raw(), -7);
        assert_eq!(std::format!("{unknown:?}"), "Error(bind: errno -7)");
        assert_eq!(std::format!("{:?}", Call::Socketpair), "socketpair");
    }

    #[test]
    fn error_that_no_call_said_prints_its_numbers() {
        let said = [
            Error::too_many_descriptors(Call::Sendmsg, 254),
            Error::no_room(3, 2),
            Error::empty_payload(),
            Error::control_truncated(4),
            Error::too_few_descriptors(1, 2),
            Error::end_of_file(),
        ]
        .map(|error| error.to_string());
        let expected = [
            "sendmsg: EINVAL (254 descriptors are too many for one message, which takes at most 253)",
            "sendmmsg: EMSGSIZE (the batch has no room for these control messages; descriptors in \
             them: 3, room for: 2)",
            "sendmsg: EINVAL (a stream drops control messages that come with no byte)",
            "recvmsg: EMSGSIZE (control messages were truncated; descriptors that arrived and were \
             closed: 4)",
            "recvmsg: ENOMSG (descriptors expected: 2; that arrived and were closed: 1)",
            "recvmsg: EPIPE (end of file, no descriptor)",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn error_of_a_path_keeps_its_numbers() {
        let max = sys::SUN_PATH_MAX;
        for refused in [
            SunPathError::Empty,
            SunPathError::InteriorNul { at: 5 },
            SunPathError::TooLong { len: 4096, max },
            SunPathError::Unsupported,
        ] {
            let error = Error::refused(Call::Connect, refused);
            assert_eq!(error.sun_path(), Some(refused));
            assert_eq!(error.errno().raw(), refused.errno());
            assert_eq!(error.call(), Call::Connect);
        }
        let error = Error::refused(Call::Bind, SunPathError::TooLong { len: 108, max });
        assert_eq!(
            error.to_string(),
            std::format!(
                "bind: ENAMETOOLONG (108 bytes are too long for sun_path, which takes at most {max}; \
                 bind_at takes more)"
            )
        );
    }

    #[test]
    fn error_of_an_address_passes_the_question_mark() {
        fn address(path: &[u8]) -> Result<sys::sockaddr_un, Error> {
            Ok(sys::sockaddr_un_pathname(path)?.0)
        }
        let error = address(b"").map(drop).unwrap_err();
        assert_eq!(error.to_string(), "sockaddr_un: ENOENT (path is empty)");
        assert_eq!(error.sun_path(), Some(SunPathError::Empty));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn error_of_a_path_over_4_gib_says_the_most_it_can() {
        let len = (1 << 32) + 5;
        let error = Error::refused(Call::Bind, SunPathError::TooLong { len, max: 107 });
        let said = SunPathError::TooLong {
            len: u32::MAX as usize,
            max: sys::SUN_PATH_MAX,
        };
        assert_eq!(error.sun_path(), Some(said));
    }

    #[test]
    #[cfg(feature = "std")]
    fn error_becomes_an_io_error_of_the_same_kind() {
        use std::io;

        let error = io::Error::from(Error::new(Call::Bind, Errno::EADDRINUSE));
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(error.raw_os_error(), Some(Errno::EADDRINUSE.raw()));

        let refused = |error| Error::refused(Call::Bind, error);
        for error in [
            refused(SunPathError::Empty),
            refused(SunPathError::InteriorNul { at: 1 }),
            refused(SunPathError::TooLong { len: 108, max: 107 }),
            Error::too_many_descriptors(Call::Sendmsg, 254),
            Error::empty_payload(),
        ] {
            let io = io::Error::from(error);
            assert_eq!(io.kind(), io::Error::from(error.errno()).kind());
            assert_eq!(io.to_string(), error.to_string());
        }
        for (error, kind) in [
            (
                refused(SunPathError::Unsupported),
                io::ErrorKind::Unsupported,
            ),
            (
                Error::new(Call::Getsockopt, Errno::ENOPROTOOPT),
                io::ErrorKind::Unsupported,
            ),
            (Error::end_of_file(), io::ErrorKind::UnexpectedEof),
            (Error::control_truncated(4), io::ErrorKind::Other),
        ] {
            assert_eq!(io::Error::from(error).kind(), kind);
        }
    }
}
