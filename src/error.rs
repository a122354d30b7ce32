//! Errors of 8 bytes: they name the call that failed and the reason, with the numbers.

mod call;
mod cause;
mod errno;
#[cfg(feature = "std")]
mod io;

use core::error;
use core::fmt;

use sunpath_sys::SunPathError;

use crate::text::{self, Out, Text};

pub use self::call::Call;
pub(crate) use self::cause::MAX_DESCRIPTORS;
pub use self::cause::{Cause, InUse};
use self::cause::{Tag, count, short};
pub use self::errno::Errno;

/// A call that failed and the reason: the errno, and the cause with its numbers if the errno does
/// not tell it.
///
/// It has 8 bytes and is `Copy`. It prints as perror(3) would, with the errno's name, and with the
/// cause if there is one. There is no space for a cause with two large numbers, so the error holds
/// only the one that the caller cannot know: the limit, or the peer's uid.
///
/// # Conversion into `std::io::Error`
///
/// Nothing is lost. The kind is that of `Error::kind`, and this error becomes the inner error,
/// which the conversion allocates. `raw_os_error` is therefore `None`; `Errno::from_io_error`
/// returns the errno of every `std::io::Error`. A readiness loop that must not allocate converts
/// the [`errno`](Self::errno) instead of the error, as `Read` and `Write` of
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
// no call has. It is the lowest byte, so it is tested without a mask.
#[repr(C)]
pub struct Error {
    call: Call,
    tag: Tag,
    /// INVARIANT: the errno if there is a cause; otherwise 0.
    errno: i16,
    /// INVARIANT: `Tag` explains its meaning.
    number: u32,
}

const _: () = assert!(size_of::<Error>() == 8);

impl Error {
    /// Makes the failure of `call`, if the errno tells the whole reason. It is public for
    /// libsunpath alone, as `with_cause` is.
    #[inline]
    #[must_use]
    #[doc(hidden)]
    pub const fn new(call: Call, errno: Errno) -> Self {
        Self {
            tag: Tag::Errno,
            call,
            errno: 0,
            number: errno.raw() as u32,
        }
    }

    /// Makes the failure of `call` with a cause in addition to the errno. It is public for libsunpath
    /// alone, which counts descriptors itself.
    #[cold]
    #[must_use]
    #[doc(hidden)]
    pub fn with_cause(call: Call, errno: Errno, cause: Cause) -> Self {
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

    /// Makes the error of a `call` that was not made, because there is no address to pass to it.
    #[cold]
    pub(crate) fn refused(call: Call, error: SunPathError) -> Self {
        let errno = Errno::from_raw(error.errno());
        Self::with_cause(call, errno, Cause::Path(error))
    }

    /// Makes the error for an address whose length is greater than any that the system returns.
    #[cold]
    pub(crate) const fn address_length(len: usize, max: usize) -> Self {
        let len = if len > 0xffff { 0xffff } else { len as u32 };
        Self {
            tag: Tag::AddressLength,
            call: Call::SockaddrUn,
            errno: Errno::EINVAL.raw() as i16,
            number: len | (max as u32) << 16,
        }
    }

    /// Makes the failure to bind to a path where a file is in the way.
    #[cfg(any(feature = "files", test))]
    #[cold]
    pub(crate) fn address_in_use(in_use: InUse) -> Self {
        Self::with_cause(Call::Bind, Errno::EADDRINUSE, Cause::InUse(in_use))
    }

    /// Makes the error for too many descriptors in one message.
    pub(crate) fn too_many_descriptors(call: Call, descriptors: usize) -> Self {
        let count = count(descriptors);
        Self::with_cause(call, Errno::EINVAL, Cause::TooManyDescriptors { count })
    }

    /// Makes the error for more control messages than a batch has space for.
    pub(crate) fn batch_space(descriptors: usize, space: usize) -> Self {
        let cause = Cause::BatchSpace {
            descriptors: short(descriptors),
            space: short(space),
        };
        Self::with_cause(Call::Sendmmsg, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for control messages of more bytes than there is space for.
    #[cold]
    pub(crate) fn control_space(call: Call, needed: usize, space: usize) -> Self {
        let cause = Cause::ControlSpace {
            needed: short(needed),
            space: short(space),
        };
        Self::with_cause(call, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for one more message in a full batch.
    #[cold]
    pub(crate) fn batch_full(messages: usize) -> Self {
        let messages = count(messages);
        Self::with_cause(
            Call::Sendmmsg,
            Errno::ENOBUFS,
            Cause::BatchFull { messages },
        )
    }

    /// Makes the error for control messages without a byte, which a stream drops.
    pub(crate) fn empty_payload() -> Self {
        Self::with_cause(Call::Sendmsg, Errno::EINVAL, Cause::EmptyPayload)
    }

    /// Makes the error for truncated control data, with the number of descriptors that arrived and
    /// were closed.
    pub(crate) fn control_truncated(closed: usize) -> Self {
        let closed = count(closed);
        Self::with_cause(
            Call::Recvmsg,
            Errno::EMSGSIZE,
            Cause::ControlTruncated { closed },
        )
    }

    /// Makes the error for fewer descriptors than expected. Those that arrived are closed.
    pub(crate) fn too_few_descriptors(received: usize, expected: usize) -> Self {
        let cause = Cause::TooFewDescriptors {
            expected: short(expected),
            received: short(received),
        };
        Self::with_cause(Call::Recvmsg, Errno::ENOMSG, cause)
    }

    /// Makes the error for a stream that ended where a descriptor was expected.
    pub(crate) fn end_of_file() -> Self {
        Self::with_cause(Call::Recvmsg, Errno::EPIPE, Cause::EndOfFile)
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
    /// returned for the same fault ([`SunPathError::errno`] for a path).
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
    pub const fn errno(self) -> Errno {
        match self.tag {
            Tag::Errno => Errno::from_raw(self.number as i32),
            _ => Errno::from_raw(self.errno as i32),
        }
    }

    /// Returns why the call failed, with the numbers. It is `None` if the errno is all that is
    /// known.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        Cause::from_parts(self.tag, self.number)
    }

    /// Returns why the path was refused. It is `None` for every other error. A number over
    /// `u32::MAX`, for example the length of a path of 4 GiB, is reported as `u32::MAX`.
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
    /// program learns from this error that another instance is running. It need not test the path
    /// itself, because the answer is of the time of the call.
    ///
    /// It is [`InUse::Unknown`] if nobody asked what is there: a bind without
    /// [`Existing::ReplaceStale`](crate::Existing::ReplaceStale) does not ask whether a process holds a socket.
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

    /// Copies the text that `Display` prints into `buf`, as far as it fits, and returns the length of the
    /// whole text. A program that prints errors with this alone does not link `core::fmt`.
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

    /// Returns the error as a number, which is never 0. [`from_bits`](Self::from_bits) of the same
    /// version reads it; another version may have other numbers.
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

    /// Returns the error of this number; `None` if no error has it.
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

    /// Returns whether the kernel or the system lacks the feature that was asked for. That is so
    /// for `ENOPROTOOPT`, `EOPNOTSUPP`, `ENOSYS`, `ENOTTY`, `EPROTONOSUPPORT` or `ESOCKTNOSUPPORT`.
    /// Its `Error::kind` is `Unsupported`.
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
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;
    use sunpath_sys as sys;

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

    /// Every cause with its text.
    const CAUSES: &[(Cause, &str)] = &[
        (Cause::Path(SunPathError::Empty), "path is empty"),
        (
            Cause::Path(SunPathError::InteriorNul { at: 5 }),
            "path has a NUL at byte 5",
        ),
        (
            Cause::Path(SunPathError::Unsupported),
            "this system has no abstract socket names",
        ),
        (
            Cause::InUse(InUse::Server),
            "a server is listening or about to listen",
        ),
        (
            Cause::InUse(InUse::Lock),
            "the lock file beside it is held: <name>.lock",
        ),
        (
            Cause::InUse(InUse::LockFile),
            "the lock file beside it is not ours: <name>.lock belongs to another user or is not empty",
        ),
        (
            Cause::InUse(InUse::Directory),
            "there is a directory at the path",
        ),
        (
            Cause::InUse(InUse::NotSocket),
            "there is a file at the path that is not a socket",
        ),
        (
            Cause::InUse(InUse::Unknown),
            "the kernel does not tell whether a server holds the socket",
        ),
        (Cause::LockFile, "the lock file beside it, <name>.lock"),
        (
            Cause::NoModes,
            "the file system does not keep modes; a private directory (Dir::private) restricts access \
             instead",
        ),
        (
            Cause::NoStickyBit,
            "the file system does not keep the sticky bit; a private directory (Dir::private) restricts \
             access instead",
        ),
        (
            Cause::NoOwners,
            "the file system does not keep owners and groups",
        ),
        (
            Cause::NoLinkCounts,
            "the file system does not count links; a private directory (Dir::private) restricts access \
             instead",
        ),
        (
            Cause::NoSafeRename,
            "the file system cannot rename without replacing",
        ),
        (
            Cause::FileMoved,
            "the file that was bound is not at the path any more",
        ),
        (Cause::BoundElsewhere, "another process bound the socket"),
        (
            Cause::DirectoryMoved,
            "the path leads to another directory now",
        ),
        (
            Cause::NoUser { id: u32::MAX },
            "4294967295 is not a user or group: to chown(2) it is -1, no change",
        ),
        (
            Cause::NoFile,
            "an abstract name has no file, and therefore no mode, owner or group",
        ),
        (Cause::Mode { mode: 660 }, "mode 01224 is over 0777"),
        (
            Cause::Mode { mode: u32::MAX },
            "mode 037777777777 is over 0777",
        ),
        (
            Cause::Peer { uid: 4_294_967_294 },
            "the server runs as uid 4294967294",
        ),
        (
            Cause::UnmappedUid { uid: 65534 },
            "in this user namespace uid 65534 stands for all users that are not mapped",
        ),
        (
            Cause::OtherProcess,
            "the address leads elsewhere in another process",
        ),
        (
            Cause::NoReturnPath { len: 108, max: 107 },
            "peers cannot answer to a path of 108 bytes, only to one of at most 107",
        ),
        (
            Cause::Unreachable { len: 108, max: 107 },
            "an ordinary client cannot name a path of 108 bytes, only one of at most 107",
        ),
        (
            Cause::MessageTooLong { limit: 212_960 },
            "the message is over the limit of 212960 bytes",
        ),
        (
            Cause::TooManySlices { count: 1025 },
            "1025 slices are too many for one call, which takes at most 1024",
        ),
        (
            Cause::AddressLength { len: 112, max: 111 },
            "an address of 112 bytes is not in range; the longest has 111",
        ),
        (
            Cause::NumberTooLarge { max: 2_147_483_647 },
            "the number is over 2147483647, the most that the option takes",
        ),
        (
            Cause::ZeroTimeout,
            "a timeout of zero is refused; None waits forever",
        ),
        (
            Cause::UnnamedAddress,
            "the address is unnamed; autobind chooses a free name",
        ),
        (Cause::OtherFamily, "the socket is not a Unix domain socket"),
        (Cause::OtherKind, "the socket is of another kind"),
        (
            Cause::CloseOnExec,
            "the descriptor is close-on-exec, so it was not inherited",
        ),
        (
            Cause::NoProc,
            "without /proc the path of the directory is unknown",
        ),
        (Cause::Listening, "the socket listens"),
        (Cause::ShutDown, "the listener was shut down"),
        (Cause::NotListening, "the socket does not listen"),
        (
            Cause::TooManyDescriptors { count: 254 },
            "254 descriptors are too many for one message, which takes at most 253",
        ),
        (
            Cause::EmptyPayload,
            "a stream drops control messages that come with no byte",
        ),
        (
            Cause::ControlTruncated { closed: 4 },
            "control messages were truncated; descriptors received: 4 (closed)",
        ),
        (Cause::LongMessage, "the message has more than one byte"),
        (
            Cause::TooFewDescriptors {
                expected: 2,
                received: 1,
            },
            "expected 2 descriptors, received 1 (closed)",
        ),
        (Cause::EndOfFile, "end of file, no descriptor"),
        (
            Cause::StreamEnded,
            "the stream ended before all of the bytes arrived",
        ),
        (
            Cause::Escape { at: 3 },
            "the backslash at byte 3 begins no escape; write two of them for one",
        ),
        (
            Cause::BatchSpace {
                descriptors: 65535,
                space: 2,
            },
            "the batch has no space for these control messages; descriptors: 65535, space for 2",
        ),
        (
            Cause::ControlSpace {
                needed: 48,
                space: 24,
            },
            "the control messages take 48 bytes, space for 24",
        ),
        (
            Cause::BatchFull { messages: 3 },
            "the batch is full: it holds 3 messages",
        ),
    ];

    #[test]
    fn error_with_a_cause_keeps_it_and_prints_it() {
        for (cause, text) in CAUSES {
            assert_eq!(cause.to_string(), *text);
            let error = Error::with_cause(Call::Recvmsg, Errno::EPIPE, *cause);
            assert_eq!(error.cause(), Some(*cause));
            assert_eq!((error.call(), error.errno()), (Call::Recvmsg, Errno::EPIPE));
            let why = match cause {
                Cause::LockFile => "broken pipe: ",
                _ => "",
            };
            let expected = std::format!("recvmsg: EPIPE ({why}{text})");
            assert_eq!(error.to_string(), expected);
        }
        let shown: Vec<String> = CAUSES
            .iter()
            .map(|(cause, _)| std::format!("{cause:?}"))
            .collect();
        for name in Cause::NAMES {
            let of_it = |shown: &String| shown.split(' ').next() == Some(name);
            assert!(shown.iter().any(of_it), "{name} has no row");
        }
    }

    #[test]
    fn error_becomes_a_number_and_is_made_of_it_again() {
        let plain = Error::new(Call::Accept, Errno::EAGAIN);
        let causes = CAUSES.iter().map(|(cause, _)| {
            let errno = Errno::EADDRINUSE;
            Error::with_cause(Call::Unlinkat, errno, *cause)
        });
        for error in causes.chain([plain]) {
            assert_ne!(error.to_bits(), 0);
            assert_eq!(Error::from_bits(error.to_bits()), Some(error));
            let mut buf = [0; 200];
            let len = error.write_text(&mut buf);
            assert_eq!(buf.get(..len), Some(error.to_string().as_bytes()));
        }
        let (calls, tags) = (Call::ALL.len() as u64, Tag::ALL.len() as u64);
        let in_use = Error::address_in_use(InUse::Server).to_bits();
        let wrong = [
            0,
            plain.to_bits() | calls,
            plain.to_bits() | tags << 8,
            plain.to_bits() | 1 << 16,
            in_use | 6 << 32,
            u64::MAX,
        ];
        for bits in wrong {
            assert_eq!(Error::from_bits(bits), None, "{bits:x}");
        }
        for (number, call) in Call::ALL.iter().enumerate() {
            assert_eq!(*call as usize, number);
        }
        for (number, tag) in Tag::ALL.iter().enumerate() {
            assert_eq!(*tag as usize, number);
        }
    }

    #[test]
    fn error_with_an_errno_of_any_size_keeps_it() {
        for errno in [
            -7,
            0,
            i32::from(i16::MAX),
            i32::from(i16::MAX) + 1,
            i32::MIN,
        ] {
            let errno = Errno::from_raw(errno);
            let error = Error::with_cause(Call::Openat, errno, Cause::LockFile);
            assert_eq!(error.errno(), errno);
            let fits = i16::try_from(errno.raw()).is_ok();
            assert_eq!(error.cause(), fits.then_some(Cause::LockFile));
        }
    }

    #[test]
    fn error_of_more_descriptors_than_it_can_count_says_the_most() {
        let error = Error::too_few_descriptors(65536, 65535);
        let (expected, received) = (65535, 65535);
        assert_eq!(
            error.cause(),
            Some(Cause::TooFewDescriptors { expected, received })
        );
        let error = Error::batch_space(usize::MAX, 65536);
        let (descriptors, space) = (65535, 65535);
        assert_eq!(
            error.cause(),
            Some(Cause::BatchSpace { descriptors, space })
        );
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
    fn error_becomes_an_io_error_that_has_lost_nothing() {
        use std::io;

        let errors = (0..=133).map(|errno| Error::new(Call::Bind, Errno::from_raw(errno)));
        let causes = CAUSES.iter().map(|(cause, _)| {
            let errno = Errno::EADDRINUSE;
            Error::with_cause(Call::Bind, errno, *cause)
        });
        for error in errors.chain(causes) {
            let io = io::Error::from(error);
            let inner = io.get_ref().and_then(|inner| inner.downcast_ref());
            assert_eq!(inner, Some(&error));
            assert_eq!(io.to_string(), error.to_string());
            assert_eq!(Errno::from_io_error(&io), Some(error.errno()));
            assert_eq!(io.kind(), error.kind());

            let of_std = io::Error::from_raw_os_error(error.errno().raw());
            assert_eq!(Errno::from_io_error(&of_std), Some(error.errno()));
            let lacking = error.is_unsupported();
            let expected = match error.cause() {
                _ if lacking => io::ErrorKind::Unsupported,
                Some(Cause::EndOfFile | Cause::StreamEnded) => io::ErrorKind::UnexpectedEof,
                _ => of_std.kind(),
            };
            assert_eq!(io.kind(), expected, "{error}");
        }
        let path = io::Error::from(SunPathError::Empty);
        assert_eq!(Errno::from_io_error(&path), Some(Errno::ENOENT));
        let simple = io::Error::from(io::ErrorKind::WriteZero);
        assert_eq!(Errno::from_io_error(&simple), None);
        let other = io::Error::other("something else");
        assert_eq!(Errno::from_io_error(&other), None);
    }

    #[test]
    fn error_in_use_is_every_address_in_use() {
        for in_use in [InUse::Server, InUse::Lock, InUse::LockFile, InUse::Unknown] {
            assert_eq!(Error::address_in_use(in_use).in_use(), Some(in_use));
        }
        let unasked = Error::new(Call::Bind, Errno::EADDRINUSE);
        assert_eq!(unasked.in_use(), Some(InUse::Unknown));
        assert_eq!(Error::new(Call::Bind, Errno::EACCES).in_use(), None);
        let other = Error::with_cause(Call::Openat, Errno::EACCES, Cause::LockFile);
        assert_eq!(other.in_use(), None);
    }

    #[test]
    fn error_that_would_block_is_that_of_one_errno() {
        let would_block = |errno| Error::new(Call::Recv, errno).is_would_block();
        assert!(would_block(Errno::EAGAIN));
        assert!(
            ![Errno::EINPROGRESS, Errno::ETIMEDOUT]
                .into_iter()
                .any(would_block)
        );
    }
}
