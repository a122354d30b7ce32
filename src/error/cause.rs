//! The causes of errors whose errno has several possible causes, and the texts of these causes.

use core::fmt;

use sunpath_sys as sys;
use sunpath_sys::SunPathError;

use crate::text::{self, Out, Text};

/// The most descriptors in one message, `SCM_MAX_FD` of Linux.
pub(crate) const MAX_DESCRIPTORS: usize = 253;
#[cfg(have_so_passcred)]
const _: () = assert!(MAX_DESCRIPTORS == sys::SCM_MAX_FD);

/// Declares the causes, each with its text. A cause has one value of 32 bits or two of 16 bits. In
/// a text, `{}` means the next value, and `{o}` the next value in octal. A new cause is an entry
/// here and a row in the table of the tests.
macro_rules! causes {
    ($($(#[$doc:meta])* $cause:ident $({ $($(#[$number_doc:meta])* $number:ident: $int:ident),+ })? $text:literal)*) => {
        /// The reason why a call failed, if the errno alone does not give it.
        ///
        /// [`Error::cause`](crate::Error::cause) returns it. The text of the cause is in
        /// parentheses in the text of the error.
        ///
        /// # Examples
        ///
        /// ```
        /// use sunpath::UnixDatagram;
        /// use sunpath::error::Cause;
        ///
        /// let (a, _b) = UnixDatagram::pair()?;
        /// let error = a.send(&vec![0; 1 << 24]).unwrap_err();
        /// if let Some(Cause::MessageTooLong { limit }) = error.cause() {
        ///     assert!(a.send(&vec![0; limit as usize]).is_ok());
        /// }
        /// # Ok::<(), sunpath::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            /// The path or name cannot be an address, and no call was made.
            Path(SunPathError),
            /// Something is in the way at the path (`EADDRINUSE`).
            InUse(InUse),
            $($(#[$doc])* $cause $({ $($(#[$number_doc])* $number: $int),+ })?,)*
        }

        /// The meaning of the field `number` of an error: an errno, or the values of a cause.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(super) enum Tag {
            /// The errno of the call, with its bits unchanged. There is no cause.
            Errno,
            /// No number: [`SunPathError::Empty`].
            Empty,
            /// The offset of the first NUL, at most `u32::MAX`.
            InteriorNul,
            /// The length of the path, at most `u32::MAX`.
            TooLong,
            /// No number: the system has no abstract names.
            Unsupported,
            /// An [`InUse`].
            InUse,
            $($cause,)*
        }

        impl Tag {
            /// All values, in the order of their discriminants.
            pub(super) const ALL: &[Self] = &[
                Self::Errno,
                Self::Empty,
                Self::InteriorNul,
                Self::TooLong,
                Self::Unsupported,
                Self::InUse,
                $(Self::$cause,)*
            ];
        }

        #[cfg(test)]
        impl Cause {
            /// The names of the causes that have a text in this table.
            pub(super) const NAMES: &[&str] = &[$(stringify!($cause)),*];
        }

        impl Cause {
            /// Returns the cause in the form that an error holds; `None` for a fault of a path that
            /// this crate does not know.
            pub(super) fn into_parts(self) -> Option<(Tag, u32)> {
                Some(match self {
                    Self::Path(SunPathError::Empty) => (Tag::Empty, 0),
                    Self::Path(SunPathError::InteriorNul { at }) => (Tag::InteriorNul, count(at)),
                    Self::Path(SunPathError::TooLong { len, .. }) => (Tag::TooLong, count(len)),
                    Self::Path(SunPathError::Unsupported) => (Tag::Unsupported, 0),
                    Self::Path(_) => return None,
                    Self::InUse(in_use) => (Tag::InUse, in_use as u32),
                    $(Self::$cause $({ $($number),+ })? => (Tag::$cause, packed!($($($number)+)?)),)*
                })
            }

            /// Returns the cause that an error holds.
            pub(super) const fn from_parts(tag: Tag, number: u32) -> Option<Self> {
                Some(match tag {
                    Tag::Errno => return None,
                    Tag::Empty => Self::Path(SunPathError::Empty),
                    Tag::InteriorNul => Self::Path(SunPathError::InteriorNul {
                        at: number as usize,
                    }),
                    Tag::TooLong => Self::Path(SunPathError::TooLong {
                        len: number as usize,
                        max: sys::SUN_PATH_MAX,
                    }),
                    Tag::Unsupported => Self::Path(SunPathError::Unsupported),
                    Tag::InUse => match InUse::ALL.split_at_checked(number as usize) {
                        Some((_, [in_use, ..])) => Self::InUse(*in_use),
                        _ => return None,
                    },
                    $(Tag::$cause => unpacked!(number $cause $($($number)+)?),)*
                })
            }

            /// Returns the text, and the values that appear in it.
            fn text(self) -> (&'static str, [u32; 2]) {
                match self {
                    Self::Path(_) => ("", [0; 2]),
                    Self::InUse(in_use) => (in_use.text(), [0; 2]),
                    $(Self::$cause $({ $($number),+ })? => ($text, numbers!($($($number)+)?)),)*
                }
            }
        }
    };
}

/// Packs the values of a cause into the 32 bits that an error holds.
macro_rules! packed {
    () => {
        0
    };
    ($number:ident) => {
        $number
    };
    ($lower:ident $upper:ident) => {
        u32::from($lower) | u32::from($upper) << 16
    };
}

/// Makes a cause from the 32 bits that an error holds.
macro_rules! unpacked {
    ($from:ident $cause:ident) => {
        Self::$cause
    };
    ($from:ident $cause:ident $number:ident) => {
        Self::$cause { $number: $from }
    };
    ($from:ident $cause:ident $lower:ident $upper:ident) => {
        Self::$cause {
            $lower: $from as u16,
            $upper: ($from >> 16) as u16,
        }
    };
}

/// Returns the values of a cause in the order in which its text has them.
macro_rules! numbers {
    () => {
        [0; 2]
    };
    ($number:ident) => {
        [$number, 0]
    };
    ($first:ident $second:ident) => {
        [u32::from($first), u32::from($second)]
    };
}

causes! {
    /// The lock file beside the socket file could not be opened, locked or made. The errno says why:
    /// after a run as root, for example, the file belongs to root (`EACCES`).
    LockFile "the lock file, which is the path with .lock added"
    /// The file system does not store the mode of a socket file.
    NoModes "the file system does not keep modes; a private directory restricts access instead"
    /// The file system does not store the sticky bit of a socket file.
    NoStickyBit "the file system does not keep the sticky bit; a private directory restricts access instead"
    /// The file system does not store the owner and group of a socket file.
    NoOwners "the file system does not keep owners and groups"
    /// The file system does not count the names of a file.
    NoLinkCounts "the file system does not count links; a private directory restricts access instead"
    /// The file system cannot rename a file without replacing another.
    NoSafeRename "the file system cannot rename without replacing"
    /// The file that was bound is no longer at the path: another program moved, removed or replaced
    /// it.
    FileMoved "the file that was bound is not at the path any more"
    /// Another process bound the socket, so the file is not removed.
    /// [`Bound::adopt`](crate::Bound::adopt) makes this process responsible for removing the file.
    BoundElsewhere "another process bound the socket"
    /// The path led to one directory when the call began, and leads to another directory now.
    DirectoryMoved "the path leads to another directory now"
    /// The mode has bits that are not permissions. For example, 660 in decimal is 01224.
    Mode {
        /// The mode.
        mode: u32
    } "mode 0{o} is over 0777"
    /// A mode, an owner or a group was asked for, and the address is an abstract name, to which every
    /// process of the network namespace can connect.
    NoFile "an abstract name has no file, and therefore no mode, owner or group"
    /// The value -1 is not a user or group. For chown(2) it means no change.
    NoUser {
        /// The value, which is -1.
        id: u32
    } "{} is not a user or group: to chown(2) it is -1, no change"
    /// The server runs as another user than the required user.
    Peer {
        /// The effective user of the process that listens.
        uid: u32
    } "the server runs as uid {}"
    /// The uid cannot be required: in this user namespace it stands for every uid that is not mapped.
    UnmappedUid {
        /// The uid.
        uid: u32
    } "in this user namespace uid {} stands for all users that are not mapped"
    /// The address begins with `/proc/self` or `/proc/thread-self`, and therefore leads to another
    /// file in another process.
    OtherProcess "the address leads elsewhere in another process"
    /// The datagram socket would be bound by a name that its peers cannot use, because its path is
    /// too long for `sun_path`.
    NoReturnPath {
        /// The length of the path in bytes, at most 65535.
        len: u16,
        /// The greatest length that fits.
        max: u16
    } "peers cannot answer to a path of {} bytes, only to one of at most {}"
    /// The path is too long for `sun_path`, so an ordinary client cannot connect.
    /// [`BindOptions::reachable`](crate::BindOptions::reachable) asked for a path that ordinary
    /// clients can use.
    Unreachable {
        /// The length of the path in bytes, at most 65535.
        len: u16,
        /// The greatest length that fits.
        max: u16
    } "an ordinary client cannot name a path of {} bytes, only one of at most {}"
    /// The message is longer than the socket's send buffer allows.
    ///
    /// [`Socket::set_send_buffer_size`](crate::Socket::set_send_buffer_size) raises the limit. Data of
    /// any length can be passed as the descriptor of a memory file: see memfd_create(2) and
    /// [`Socket::send_fd`](crate::Socket::send_fd).
    MessageTooLong {
        /// The greatest length of a message, in bytes.
        limit: u32
    } "the message is over the limit of {} bytes"
    /// One call takes at most 1024 slices.
    TooManySlices {
        /// The number of slices that the call was given.
        count: u32
    } "{} slices are too many for one call, which takes at most 1024"
    /// No address has this length.
    AddressLength {
        /// The length, at most 65535.
        len: u16,
        /// The greatest length that the system returns.
        max: u16
    } "an address of {} bytes is not in range; the longest has {}"
    /// The value is larger than the option takes.
    NumberTooLarge {
        /// The largest value that the option takes.
        max: u32
    } "the number is over {}, the most that the option takes"
    /// A timeout of zero is refused, because in C it means an endless wait. Use `None` to wait
    /// forever.
    ZeroTimeout "a timeout of zero is refused; None waits forever"
    /// The unnamed address is not bound, because in C the kernel then chooses a free abstract name.
    /// Use [`Socket::autobind`](crate::Socket::autobind) to get a free abstract name.
    UnnamedAddress "the address is unnamed; autobind chooses a free name"
    /// The descriptor is a socket, but not a Unix domain socket.
    OtherFamily "the socket is not a Unix domain socket"
    /// The socket has another type than the requested type.
    OtherKind "the socket is of another type"
    /// The descriptor is close-on-exec, so this process did not inherit it: it opened the
    /// descriptor, or has already taken it over.
    CloseOnExec "the descriptor is close-on-exec, so it was not inherited"
    /// Without /proc, Linux does not report the path of an open directory.
    NoProc "without /proc the path of the directory is unknown"
    /// The socket listens, and the call needs a socket that does not listen.
    Listening "the socket listens"
    /// The socket does not listen.
    NotListening "the socket does not listen"
    /// The listener was shut down, and its queue is empty.
    ShutDown "the listener was shut down"
    /// One message takes at most 253 descriptors.
    TooManyDescriptors {
        /// The number of descriptors that the message was given.
        count: u32
    } "{} descriptors are too many for one message, which takes at most 253"
    /// A stream drops control messages that are sent without a byte.
    EmptyPayload "a stream drops control messages that come with no byte"
    /// Control messages were truncated.
    ControlTruncated {
        /// The number of descriptors that arrived and were closed.
        closed: u32
    } "control messages were truncated; descriptors received: {} (closed)"
    /// More descriptors arrived than were expected.
    ExtraDescriptors {
        /// The most descriptors that were expected, at most 65535.
        expected: u16,
        /// How many descriptors arrived and were closed, at most 65535.
        received: u16
    } "expected at most {} descriptors, received {} (closed)"
    /// No more descriptors arrived than were expected, but control messages were truncated. In most
    /// cases this process has too few descriptors free (`RLIMIT_NOFILE`).
    TruncatedDescriptors {
        /// The most descriptors that were expected, at most 65535.
        expected: u16,
        /// How many descriptors arrived and were closed, at most 65535.
        received: u16
    } "expected at most {} descriptors, received {} (closed); control messages were truncated, as when too few descriptors are free"
    /// A message arrived with a descriptor and with more than the one byte that the receive takes.
    LongMessage "the message has more than one byte"
    /// Fewer descriptors arrived than were expected.
    TooFewDescriptors {
        /// The number of descriptors that were expected, at most 65535.
        expected: u16,
        /// The number of descriptors that arrived and were closed, at most 65535.
        received: u16
    } "expected {} descriptors, received {} (closed)"
    /// The stream ended where a descriptor was expected.
    EndOfFile "the stream ended, and no descriptor came"
    /// The stream ended before all of the bytes had arrived.
    StreamEnded "the stream ended before all of the bytes arrived"
    /// The text of an address has a backslash that does not begin an escape.
    Escape {
        /// The place of the backslash, in bytes.
        at: u32
    } "the backslash at byte {} begins no escape; write two of them for one"
    /// The control messages do not fit into a message of the batch.
    BatchSpace {
        /// The number of descriptors in the control messages, at most 65535.
        descriptors: u16,
        /// The number of descriptors that a message of the batch has space for, at most 65535.
        space: u16
    } "the batch has no space for these control messages; descriptors: {}, space for {}"
    /// The control messages take more bytes than there is space for.
    ControlSpace {
        /// The size of the control messages in bytes, counted as `CMSG_SPACE` does, at most 65535.
        needed: u16,
        /// The size of the space in bytes, at most 65535.
        space: u16
    } "the control messages take {} bytes, space for {}"
    /// The kernel has reported that its list changed while it was made, so sockets may be missing
    /// from the list, or be in it twice.
    ListChanged "the list changed while it was made; ask again"
    /// The kernel's answer does not fit into the buffer.
    AnswerSpace {
        /// The size of the answer in bytes, at most 65535.
        needed: u16,
        /// The size of the buffer in bytes, at most 65535.
        space: u16
    } "the answer of the kernel has {} bytes, space for {}"
    /// A length in the kernel's answer goes past the end of the answer, or is not the size of the
    /// data that it describes.
    MalformedAnswer {
        /// The length in bytes, at most 65535.
        len: u16,
        /// The place in the answer in bytes, at most 65535.
        at: u16
    } "the answer of the kernel has a wrong length of {} at byte {}"
    /// The batch is full.
    BatchFull {
        /// The number of messages that the batch holds.
        messages: u32
    } "the batch is full: it holds {} messages"
}

// The text of `TooManyDescriptors` contains 253.
const _: () = assert!(MAX_DESCRIPTORS == 253);

/// The file or process that is in the way at a path that is to be bound: the causes of
/// `EADDRINUSE`.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "files")] fn main() -> Result<(), sunpath::Error> {
/// use sunpath::BindOptions;
/// use sunpath::error::InUse;
///
/// match BindOptions::singleton().listen("/run/app.sock") {
///     Err(error) if matches!(error.in_use(), Some(InUse::Server | InUse::Lock)) => {
///         println!("already running");
///     }
///     Err(error) => return Err(error),
///     Ok(listener) => drop(listener),
/// }
/// # Ok(()) }
/// # #[cfg(not(feature = "files"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InUse {
    /// A process holds the socket: a server that listens, or is about to.
    Server,
    /// Another process holds the lock: a server that runs or is starting. The lock file of a name
    /// of over 250 bytes has another name than the text says.
    Lock,
    /// The file with the lock file's name was not made as a lock file: another user owns it, or it
    /// is not empty.
    LockFile,
    /// A directory is at the path.
    Directory,
    /// A file that is not a socket is at the path.
    NotSocket,
    /// The kernel does not report whether a process holds the socket.
    Unknown,
    /// A socket file is at the path, and it was not tested whether a process holds the socket,
    /// because the policy is [`Existing::Refuse`](crate::Existing::Refuse).
    SocketFile,
}

impl InUse {
    /// All values, in the order of their discriminants.
    const ALL: [Self; 7] = [
        Self::Server,
        Self::Lock,
        Self::LockFile,
        Self::Directory,
        Self::NotSocket,
        Self::Unknown,
        Self::SocketFile,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::Server => "a server is listening or about to listen",
            Self::Lock => {
                "a server is running or starting: it holds the lock file, which is the path with \
                 .lock added"
            }
            Self::LockFile => {
                "the path with .lock added is not a lock file of ours: it belongs to another user or \
                 is not empty"
            }
            Self::Directory => "there is a directory at the path",
            Self::NotSocket => "there is a file at the path that is not a socket",
            Self::Unknown => "the kernel does not tell whether a server holds the socket",
            Self::SocketFile => {
                "there is a socket file at the path; ReplaceStale tests whether a server holds it, \
                 and replaces it if none does"
            }
        }
    }
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::display(self, f)
    }
}

impl Text for Cause {
    fn write(&self, out: &mut Out<'_>) {
        let (text, numbers) = match self {
            Self::Path(error) => {
                let (text, numbers) = error.text();
                (text, numbers.map(|number| number as u64))
            }
            _ => {
                let (text, numbers) = self.text();
                (text, numbers.map(u64::from))
            }
        };
        text::with_numbers(text, numbers, out);
    }
}

/// Returns a number of at most 32 bits; a larger one becomes `u32::MAX`.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Returns a number of at most 16 bits; a larger one becomes `u16::MAX`.
pub(super) fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
