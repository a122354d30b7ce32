//! `<errno.h>`: reading `errno`, and the names and meanings of its values. The C library's
//! `strerror` is not used, because its text differs between C libraries and locales.

use core::ffi::c_int;

/// `errno` — returns why the last call of this thread failed. The value is meaningful only right
/// after a call that reported failure.
///
/// See errno(3).
#[must_use]
pub fn errno() -> c_int {
    // SAFETY: `location()` returns a pointer to an int that lives as long as this thread.
    unsafe { *location() }
}

/// `errno = value` — sets what [`errno`] returns on this thread. A program sets `errno` to 0 before
/// a call that reports failure only by `errno`. A function that C code calls sets `errno` before it
/// returns -1.
///
/// # Examples
///
/// ```
/// use sunpath_sys::{errno, set_errno};
///
/// set_errno(0); // then a call follows that tells a failure by errno alone, such as readdir(3)
/// assert_eq!(errno(), 0);
/// ```
///
/// See errno(3).
pub fn set_errno(errno: c_int) {
    // SAFETY: `location()` returns a pointer to an int of this thread, and no reference to it
    // exists.
    unsafe { *location() = errno }
}

/// Returns a pointer to the `errno` of this thread.
fn location() -> *mut c_int {
    #[cfg(any(target_os = "solaris", target_os = "illumos"))]
    use libc::___errno as location;
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "hurd", target_os = "dragonfly"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;
    #[cfg(target_os = "haiku")]
    use libc::_errnop as location;

    // SAFETY: the function takes no argument and cannot fail.
    unsafe { location() }
}

/// Returns the symbolic name of an error number, `EADDRINUSE` for `libc::EADDRINUSE`, or `None` for
/// an integer that has no meaning on this system. If two names have the same value (`EAGAIN` and
/// `EWOULDBLOCK`), the result is the name that comes first in errno(3).
///
/// Equals strerrorname_np(3) of the GNU C library.
#[must_use]
pub fn errno_name(errno: c_int) -> Option<&'static str> {
    Some(name_and_text(errno)?.0)
}

/// Returns what an error number means, in a few lower-case words, or `None` for an integer that has
/// no meaning on this system.
#[must_use]
pub fn errno_text(errno: c_int) -> Option<&'static str> {
    Some(name_and_text(errno)?.1)
}

/// Declares constants from a list of names and texts, and a table of both.
macro_rules! errnos {
    ($($name:ident $text:literal)*) => {
        $(
            #[doc(inline)]
            pub use libc::$name;
        )*

        /// All names and texts, one after the other.
        const WORDS: &str = concat!($(stringify!($name), $text),*);

        /// The numbers, each with the lengths of its name and of its text, in the order of `WORDS`.
        const LENGTHS: [(c_int, usize, usize); COUNT] =
            [$((libc::$name, stringify!($name).len(), $text.len())),*];

        const COUNT: usize = [$($text),*].len();
    };
}

/// The place of an error number's name and text in `WORDS`: the number, where the name begins, and the
/// lengths of both. A `match` over the numbers would take five times the memory.
struct Entry {
    errno: c_int,
    start: u16,
    name: u8,
    text: u8,
}

static ENTRIES: [Entry; COUNT] = {
    const UNUSED: Entry = Entry {
        errno: 0,
        start: 0,
        name: 0,
        text: 0,
    };
    let mut entries = [UNUSED; COUNT];
    let (mut at, mut start) = (0, 0);
    while at < COUNT {
        let (errno, name, text) = LENGTHS[at];
        assert!(start <= u16::MAX as usize && name <= u8::MAX as usize && text <= u8::MAX as usize);
        entries[at] = Entry {
            errno,
            start: start as u16,
            name: name as u8,
            text: text as u8,
        };
        start += name + text;
        at += 1;
    }
    entries
};

fn name_and_text(errno: c_int) -> Option<(&'static str, &'static str)> {
    let entry = ENTRIES.iter().find(|entry| entry.errno == errno)?;
    let (_, words) = WORDS.split_at_checked(entry.start.into())?;
    let (name, words) = words.split_at_checked(entry.name.into())?;
    let (text, _) = words.split_at_checked(entry.text.into())?;
    Some((name, text))
}

/// `EWOULDBLOCK` — equal to `EAGAIN` on every supported system.
#[doc(inline)]
pub use libc::EWOULDBLOCK;

/// Declares the error numbers that every supported system has, and those that only this system has.
macro_rules! posix {
    ($($more:tt)*) => { errnos! {
        E2BIG "argument list too long"
        EACCES "permission denied"
        EADDRINUSE "address already in use"
        EADDRNOTAVAIL "address not available"
        EAFNOSUPPORT "address family not supported"
        EAGAIN "temporarily unavailable"
        EALREADY "already in progress"
        EBADF "bad file descriptor"
        EBADMSG "bad message"
        EBUSY "device or resource busy"
        ECANCELED "operation canceled"
        ECHILD "no child processes"
        ECONNABORTED "connection aborted"
        ECONNREFUSED "connection refused"
        ECONNRESET "connection reset by peer"
        EDEADLK "deadlock avoided"
        EDESTADDRREQ "destination address required"
        EDOM "argument out of domain"
        EDQUOT "disk quota exceeded"
        EEXIST "file exists"
        EFAULT "bad address"
        EFBIG "file too large"
        EHOSTDOWN "host is down"
        EHOSTUNREACH "host unreachable"
        EIDRM "identifier removed"
        EILSEQ "invalid byte sequence"
        EINPROGRESS "operation in progress"
        EINTR "interrupted by a signal"
        EINVAL "invalid argument"
        EIO "input/output error"
        EISCONN "already connected"
        EISDIR "is a directory"
        ELOOP "too many symbolic links"
        EMFILE "too many descriptors in the process"
        EMLINK "too many links"
        EMSGSIZE "message too long"
        ENAMETOOLONG "name too long"
        ENETDOWN "network is down"
        ENETRESET "connection aborted by network"
        ENETUNREACH "network unreachable"
        ENFILE "too many open files in the system"
        ENOBUFS "no buffer space"
        ENODEV "no such device"
        ENOENT "no such file or directory"
        ENOEXEC "executable format error"
        ENOLCK "no locks available"
        ENOMEM "out of memory"
        ENOMSG "no message of that type"
        ENOPROTOOPT "no such protocol option"
        ENOSPC "no space left on device"
        ENOSYS "function not implemented"
        ENOTCONN "not connected"
        ENOTDIR "not a directory"
        ENOTEMPTY "directory not empty"
        ENOTSOCK "not a socket"
        ENOTTY "inappropriate ioctl"
        ENXIO "no such device or address"
        EOPNOTSUPP "operation not supported"
        EOVERFLOW "value too large for its type"
        EPERM "operation not permitted"
        EPFNOSUPPORT "protocol family not supported"
        EPIPE "broken pipe"
        EPROTO "protocol error"
        EPROTONOSUPPORT "protocol not supported"
        EPROTOTYPE "wrong socket type for this address"
        ERANGE "result too large"
        EROFS "read-only file system"
        ESHUTDOWN "cannot send after shutdown"
        ESPIPE "illegal seek"
        ESRCH "no such process"
        ESTALE "stale file handle"
        ETIMEDOUT "timed out"
        ETXTBSY "text file busy"
        EXDEV "cross-device link"
        $($more)*
    } };
}

/// Declares the error numbers that every supported system except Haiku has, and those that only
/// this system has.
#[cfg(not(target_os = "haiku"))]
macro_rules! unix {
    ($($more:tt)*) => { posix! {
        ENOTBLK "not a block device"
        ENOTRECOVERABLE "state not recoverable"
        EOWNERDEAD "previous owner died"
        EREMOTE "object is remote"
        ESOCKTNOSUPPORT "socket type not supported"
        ETOOMANYREFS "too many descriptors in flight"
        EUSERS "too many users"
        $($more)*
    } };
}

/// Declares the error numbers that only Linux and Android have, and those that only Linux has.
#[cfg(any(target_os = "linux", target_os = "android"))]
macro_rules! linux {
    ($($more:tt)*) => { unix! {
        EADV "advertise error"
        EBADE "invalid exchange"
        EBADFD "descriptor in bad state"
        EBADR "invalid request descriptor"
        EBADRQC "invalid request code"
        EBADSLT "invalid slot"
        EBFONT "bad font file format"
        ECHRNG "channel number out of range"
        ECOMM "communication error"
        EDOTDOT "RFS specific error"
        EISNAM "is a named type file"
        EKEYEXPIRED "key expired"
        EKEYREJECTED "key was rejected"
        EKEYREVOKED "key was revoked"
        EL2HLT "level 2 halted"
        EL2NSYNC "level 2 not synchronized"
        EL3HLT "level 3 halted"
        EL3RST "level 3 reset"
        ELIBACC "cannot access a shared library"
        ELIBBAD "corrupted shared library"
        ELIBEXEC "cannot execute a shared library"
        ELIBMAX "too many shared libraries"
        ELIBSCN "library section corrupted"
        ELNRNG "link number out of range"
        EMEDIUMTYPE "wrong medium type"
        EMULTIHOP "multihop attempted"
        ENAVAIL "no XENIX semaphores"
        ENOANO "no anode"
        ENOCSI "no CSI structure"
        ENODATA "no data"
        ENOKEY "key not available"
        ENOLINK "link was severed"
        ENOMEDIUM "no medium found"
        ENONET "not on the network"
        ENOPKG "package not installed"
        ENOSR "out of streams resources"
        ENOSTR "not a stream device"
        ENOTNAM "not a XENIX named type file"
        ENOTUNIQ "name not unique on network"
        EREMCHG "remote address changed"
        EREMOTEIO "remote input/output error"
        ERESTART "call to be restarted"
        ESRMNT "srmount error"
        ESTRPIPE "streams pipe error"
        ETIME "timer expired"
        EUCLEAN "file system needs cleaning"
        EUNATCH "protocol driver not attached"
        EXFULL "exchange full"
        $($more)*
    } };
}

#[cfg(target_os = "linux")]
linux! {
    EHWPOISON "memory hardware error"
    ERFKILL "blocked by a radio kill switch"
}

#[cfg(target_os = "android")]
linux! {}

#[cfg(target_vendor = "apple")]
unix! {
    EAUTH "authentication error"
    EFTYPE "inappropriate file type"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENODATA "no data"
    ENOLINK "link was severed"
    ENOTSUP "not supported"
    EPROCLIM "too many processes"
    ETIME "timer expired"
}

#[cfg(target_os = "freebsd")]
unix! {
    EAUTH "authentication error"
    ECAPMODE "not permitted in capability mode"
    EFTYPE "inappropriate file type"
    EINTEGRITY "integrity check failed"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENOLINK "link was severed"
    ENOTCAPABLE "capabilities insufficient"
    EPROCLIM "too many processes"
}

#[cfg(target_os = "netbsd")]
unix! {
    EAUTH "authentication error"
    EFTYPE "inappropriate file type"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENODATA "no data"
    ENOLINK "link was severed"
    ENOSR "out of streams resources"
    ENOSTR "not a stream device"
    ENOTSUP "not supported"
    EPROCLIM "too many processes"
    ETIME "timer expired"
}

#[cfg(target_os = "openbsd")]
unix! {
    EAUTH "authentication error"
    EFTYPE "inappropriate file type"
    EMEDIUMTYPE "wrong medium type"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENOMEDIUM "no medium found"
    ENOTSUP "not supported"
    EPROCLIM "too many processes"
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "haiku"
)))]
unix! {}

#[cfg(target_os = "haiku")]
posix! {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn errno_names_are_the_constants_names() {
        assert_eq!(errno_name(libc::EADDRINUSE), Some("EADDRINUSE"));
        assert_eq!(errno_name(libc::EWOULDBLOCK), Some("EAGAIN"));
        assert_eq!(errno_text(libc::ECONNREFUSED), Some("connection refused"));
        for unknown in [c_int::MIN, -1, 0, 4095, c_int::MAX] {
            assert_eq!(errno_name(unknown), None);
        }
    }

    #[test]
    fn errno_names_and_texts_have_one_number_each() {
        let is_name = |name: &str| {
            name.bytes()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        };
        let found: Vec<_> = (0..4096).filter_map(name_and_text).collect();
        assert_eq!(found.len(), COUNT);
        for (name, text) in found {
            assert!(name.starts_with('E') && is_name(name), "{name}");
            assert!(!text.is_empty() && !is_name(text), "{name}: {text}");
        }
        assert_eq!(errno_text(libc::EXDEV), Some("cross-device link"));
    }

    #[test]
    fn errno_of_a_failed_call_is_read() {
        // SAFETY: close takes an int; -1 is not a descriptor.
        assert_eq!(unsafe { libc::close(-1) }, -1);
        assert_eq!(errno(), libc::EBADF);
    }

    /// glibc knows the name of every errno of the kernel, and our list must have the same names.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn errno_names_are_complete() {
        let known = (1..4096)
            .filter(|number| errno_name(*number).is_some())
            .count();
        assert_eq!(known, 131, "Linux: 1 to 133 without the gaps at 41 and 58");
    }

    #[test]
    fn errno_is_what_was_set() {
        for errno in [0, super::EAGAIN, 12345] {
            super::set_errno(errno);
            assert_eq!(super::errno(), errno);
        }
        std::thread::spawn(|| super::set_errno(super::EPIPE))
            .join()
            .unwrap();
        let other = std::thread::spawn(super::errno).join().unwrap();
        assert_ne!(other, super::EPIPE, "each thread has its own");
    }
}
