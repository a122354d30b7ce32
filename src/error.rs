//! Errors of 8 bytes: they name the call that failed and the reason, with the sizes, counts or ids
//! that explain it.
//!
//! | to ask this | call |
//! |---|---|
//! | which call failed, and with which errno | [`Error::call`], [`Error::errno`] |
//! | why it failed, if one errno has several causes | [`Error::cause`] |
//! | what is at the path that could not be bound | [`Error::in_use`] |
//! | whether the call would have waited, or is unsupported | [`Error::is_would_block`], [`Error::is_unsupported`] |
//! | what is wrong with a path or a name | [`Error::sun_path`] |
//! | the text, without `core::fmt` | [`Error::write_text`] |

mod call;
mod cause;
mod errno;
#[cfg(feature = "std")]
mod io;
mod make;

use core::error;
use core::fmt;

use sunpath_sys::SunPathError;

use crate::text::{self, Out, Text};

pub use self::call::Call;
pub(crate) use self::cause::MAX_DESCRIPTORS;
use self::cause::Tag;
pub use self::cause::{Cause, InUse};
pub use self::errno::Errno;

/// A call that failed and the reason: the errno, and a cause with its values if the errno alone
/// does not give the reason.
///
/// An `Error` has 8 bytes and is `Copy`. An `Error` prints as perror(3) would, with the errno's
/// name, and with the cause if there is one. There is no space for a cause with two large values,
/// so the error holds only the value that the caller cannot know: the limit, or the peer's uid.
///
/// # Conversion into `std::io::Error`
///
/// Nothing is lost. The `io::Error` has the kind that `Error::kind` returns, and this error becomes
/// its inner error, which the conversion allocates. `raw_os_error` is therefore `None`;
/// `Errno::from_io_error` returns the errno of every `std::io::Error`. A readiness loop that must
/// not allocate converts the [`errno`](Self::errno) instead of the error, as `Read` and `Write` of
/// [`UnixStream`](crate::UnixStream) do.
///
/// ```
/// # #[cfg(feature = "std")] {
/// use std::io;
/// use sunpath::{Errno, Error, UnixStream};
///
/// fn connect() -> io::Result<UnixStream> {
///     Ok(UnixStream::connect("/nobody/listens/here")?)
/// }
/// let error = connect().unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::NotFound);
/// assert_eq!(Errno::from_io_error(&error), Some(Errno::ENOENT));
///
/// let inner: Option<&Error> = error.get_ref().and_then(|inner| inner.downcast_ref());
/// assert_eq!(inner.map(|error| error.call().name()), Some("connect"));
/// # }
/// ```
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
// The call comes first because it has the fewest values: a `Result` marks success by a value that
// no call has. The call is the lowest byte, so it is tested without a mask.
#[repr(C)]
pub struct Error {
    call: Call,
    tag: Tag,
    /// INVARIANT: the errno if there is a cause; otherwise 0.
    errno: i16,
    /// INVARIANT: the value has the meaning that `tag` gives it: see `Tag`.
    number: u32,
}

const _: () = assert!(size_of::<Error>() == 8);

impl Error {
    /// Makes the failure of `call`, if the errno is the whole reason.
    #[inline]
    pub(crate) const fn new(call: Call, errno: Errno) -> Self {
        Self {
            tag: Tag::Errno,
            call,
            errno: 0,
            number: errno.raw() as u32,
        }
    }

    /// Makes the failure of `call` with a cause in addition to the errno.
    #[cold]
    pub(crate) fn with_cause(call: Call, errno: Errno, cause: Cause) -> Self {
        match (cause.into_parts(), i16::try_from(errno.raw())) {
            (Some((tag, number)), Ok(errno)) => Self {
                tag,
                call,
                errno,
                number,
            },
            _ => Self::new(call, errno),
        }
    }

    /// Returns the same failure, with its cause.
    #[cold]
    pub(crate) fn because(self, cause: Cause) -> Self {
        Self::with_cause(self.call, self.errno(), cause)
    }

    /// Returns the call that failed, or that was not made because its arguments were refused.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// use sunpath::error::Call;
    ///
    /// let error = UnixStream::connect("/missing/app.sock").unwrap_err();
    /// assert_eq!(error.call(), Call::Connect);
    /// ```
    #[must_use]
    pub const fn call(self) -> Call {
        self.call
    }

    /// Returns the errno of the call. If no call was made, it is the errno that C would have
    /// reported in the same case ([`SunPathError::errno`] for a path).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Errno, UnixStream};
    ///
    /// match UnixStream::connect("/nobody/listens/here") {
    ///     Err(error) if error.errno() == Errno::ENOENT => println!("the server has not started"),
    ///     Err(error) => return Err(error),
    ///     Ok(stream) => stream.write_all(b"hello")?,
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[inline(never)]
    pub const fn errno(self) -> Errno {
        match self.tag {
            Tag::Errno => Errno::from_raw(self.number as i32),
            _ => Errno::from_raw(self.errno as i32),
        }
    }

    /// Returns why the call failed, with the values that explain it. The result is `None` if the
    /// errno is all that is known.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        Cause::from_parts(self.tag, self.number)
    }

    /// Returns why the path was refused. The result is `None` for every other error. A value over
    /// `u32::MAX`, such as the length of a path of 4 GiB, is reported as `u32::MAX`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPathError, UnixStream};
    ///
    /// let error = UnixStream::connect("a\0b").unwrap_err();
    /// assert_eq!(error.sun_path(), Some(SunPathError::InteriorNul { at: 1 }));
    /// ```
    #[must_use]
    pub const fn sun_path(self) -> Option<SunPathError> {
        match self.cause() {
            Some(Cause::Path(error)) => Some(error),
            _ => None,
        }
    }

    /// Returns what is at the path or the name, if binding failed because of it (`EADDRINUSE`). A
    /// program learns from this error that another instance is running. The caller need not test
    /// the path again, because this answer describes the moment of the bind.
    ///
    /// A bind with [`Existing::Refuse`](crate::Existing::Refuse) does not test whether a process
    /// holds a socket: the answer is [`InUse::SocketFile`]. A bind without
    /// [`BindOptions`](crate::BindOptions) does not look at the path at all: the answer is
    /// [`InUse::Unknown`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "std", feature = "files"))]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sunpath::BindOptions;
    /// use sunpath::error::InUse;
    ///
    /// # let path = std::env::temp_dir().join(format!("sunpath-in-use-{}", std::process::id()));
    /// let _first = BindOptions::singleton().listen(&path)?;
    /// match BindOptions::singleton().listen(&path).unwrap_err().in_use() {
    ///     Some(InUse::Server | InUse::Lock) => println!("already running"),
    ///     Some(other) => println!("cannot start: {other}"),
    ///     None => println!("it failed for another reason"),
    /// }
    /// # Ok(()) }
    /// # #[cfg(not(all(feature = "std", feature = "files")))] fn main() {}
    /// ```
    #[must_use]
    #[doc(alias = "EADDRINUSE")]
    #[doc(alias = "already running")]
    pub const fn in_use(self) -> Option<InUse> {
        match self.cause() {
            Some(Cause::InUse(in_use)) => Some(in_use),
            _ if self.errno().raw() == Errno::EADDRINUSE.raw() => Some(InUse::Unknown),
            _ => None,
        }
    }

    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length
    /// of the whole text. A program that prints errors by this method alone does not link
    /// `core::fmt`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixStream;
    ///
    /// let error = UnixStream::connect("/nobody/listens/here").unwrap_err();
    /// let mut buf = [0; 200];
    /// let len = error.write_text(&mut buf);
    /// assert_eq!(&buf[..len], b"connect: ENOENT (no such file or directory)");
    /// ```
    #[doc(alias = "strerror_r")]
    pub fn write_text(self, buf: &mut [u8]) -> usize {
        text::copy(&self, buf)
    }

    /// Returns the error as an integer that is never 0. [`from_bits`](Self::from_bits) of the same
    /// version of this crate reads it; another version may use other integers.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{Error, UnixStream};
    ///
    /// let error = UnixStream::connect("/nobody/listens/here").unwrap_err();
    /// assert_eq!(Error::from_bits(error.to_bits()), Some(error));
    /// assert_eq!(Error::from_bits(0), None);
    /// ```
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.call as u64)
            | (self.tag as u64) << 8
            | (self.errno as u16 as u64) << 16
            | (self.number as u64) << 32
    }

    /// Returns the error that [`to_bits`](Self::to_bits) turned into this integer, or `None` if
    /// there is none.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        let error = Self {
            call: *Call::ALL.get(usize::from(bits as u8))?,
            tag: *Tag::ALL.get(usize::from((bits >> 8) as u8))?,
            errno: (bits >> 16) as u16 as i16,
            number: (bits >> 32) as u32,
        };
        let is_whole = match error.tag {
            Tag::Errno => error.errno == 0 && error.number != 0,
            _ => error.cause().is_some(),
        };
        is_whole.then_some(error)
    }

    /// Returns whether the call would have to wait (`EAGAIN`): the socket is nonblocking, or its
    /// timeout passed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair_nonblocking()?;
    /// let error = ours.read(&mut [0; 16]).unwrap_err(); // nothing has arrived
    /// assert!(error.is_would_block());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "EAGAIN")]
    #[doc(alias = "EWOULDBLOCK")]
    #[inline]
    pub const fn is_would_block(self) -> bool {
        self.errno().raw() == Errno::EAGAIN.raw()
    }

    /// Returns whether the kernel or the system lacks the feature that was asked for. The result is
    /// true if the errno is `ENOPROTOOPT`, `EOPNOTSUPP`, `ENOSYS`, `ENOTTY`, `EPROTONOSUPPORT` or
    /// `ESOCKTNOSUPPORT`. `Error::kind` is then `Unsupported`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// match ours.peer_pidfd() {
    ///     Ok(_pidfd) => println!("the peer has a pidfd"),
    ///     Err(error) if error.is_unsupported() => println!("not on this system"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for Error {
    fn write(&self, out: &mut Out<'_>) {
        let (call, errno) = (self.call, self.errno());
        out(call.name());
        out(": ");
        let Some(cause) = self.cause() else {
            return errno.write(out);
        };
        match errno.name() {
            Some(name) => out(name),
            None => errno.write(out),
        }
        out(" (");
        // This cause alone names a place and not a reason, so the errno's own text is printed with
        // it.
        if let (Cause::LockFile, Some(text)) = (cause, errno.text()) {
            out(text);
            out(": ");
        }
        cause.write(out);
        if self.tag == Tag::TooLong && call != Call::SockaddrUn {
            out("; ");
            out(call.name());
            out("_at takes more");
        }
        out(")");
    }
}

/// Prints the text of `Display`, because a `main` that returns the error prints it by `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl error::Error for Error {}

/// Converts the reason why an address could not be made. No system call was made.
impl From<SunPathError> for Error {
    fn from(error: SunPathError) -> Self {
        Self::refused(Call::SockaddrUn, error)
    }
}

#[cfg(test)]
mod tests;
