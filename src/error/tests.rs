//! Tests of the private parts of this module.

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
        "a server is running or starting: it holds the lock file, which is the path with .lock added",
    ),
    (
        Cause::InUse(InUse::LockFile),
        "the path with .lock added is not a lock file of ours: it belongs to another user or is not empty",
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
    (
        Cause::InUse(InUse::SocketFile),
        "there is a socket file at the path; ReplaceStale tests whether a server holds it, and \
         replaces it if none does",
    ),
    (
        Cause::LockFile,
        "the lock file, which is the path with .lock added",
    ),
    (
        Cause::NoModes,
        "the file system does not keep modes; a private directory restricts access \
         instead",
    ),
    (
        Cause::NoStickyBit,
        "the file system does not keep the sticky bit; a private directory restricts \
         access instead",
    ),
    (
        Cause::NoOwners,
        "the file system does not keep owners and groups",
    ),
    (
        Cause::NoLinkCounts,
        "the file system does not count links; a private directory restricts access \
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
    (Cause::OtherKind, "the socket is of another type"),
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
    (
        Cause::ExtraDescriptors {
            expected: 1,
            received: 3,
        },
        "expected at most 1 descriptors, received 3 (closed)",
    ),
    (
        Cause::TruncatedDescriptors {
            expected: 3,
            received: 2,
        },
        "expected at most 3 descriptors, received 2 (closed); control messages were truncated, as when \
         too few descriptors are free",
    ),
    (Cause::LongMessage, "the message has more than one byte"),
    (
        Cause::TooFewDescriptors {
            expected: 2,
            received: 1,
        },
        "expected 2 descriptors, received 1 (closed)",
    ),
    (Cause::EndOfFile, "the stream ended, and no descriptor came"),
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
        Cause::ListChanged,
        "the list changed while it was made; ask again",
    ),
    (
        Cause::AnswerSpace {
            needed: 3672,
            space: 512,
        },
        "the answer of the kernel has 3672 bytes, space for 512",
    ),
    (
        Cause::MalformedAnswer { len: 3, at: 16 },
        "the answer of the kernel has a wrong length of 3 at byte 16",
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
        in_use | 7 << 32,
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
    for in_use in [
        InUse::Server,
        InUse::Lock,
        InUse::LockFile,
        InUse::Unknown,
        InUse::SocketFile,
    ] {
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
