//! `<errno.h>`: reading `errno`, and the names and meanings of its values without the C library's
//! `strerror`, whose text differs between C libraries and locales.

use core::ffi::c_int;
use core::str;

/// `errno` — why the last call of this thread failed. Meaningful only right after a call that
/// reported failure.
///
/// See errno(3).
#[must_use]
pub fn errno() -> c_int {
    #[cfg(any(target_os = "solaris", target_os = "illumos"))]
    use libc::___errno as location;
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    use libc::__errno as location;
    #[cfg(any(target_os = "linux", target_os = "hurd", target_os = "dragonfly"))]
    use libc::__errno_location as location;
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    use libc::__error as location;

    // SAFETY: the function takes nothing and cannot fail.
    let errno = unsafe { location() };
    // SAFETY: it returns a pointer to an int that lives as long as this thread.
    unsafe { *errno }
}

/// The symbolic name of an error number, `EADDRINUSE` for `libc::EADDRINUSE`; `None` for a number
/// that this system gives no meaning. Where two names share a number (`EAGAIN` and
/// `EWOULDBLOCK`), the first of errno(3)'s list.
///
/// Equals strerrorname_np(3) of the GNU C library.
#[must_use]
pub fn errno_name(errno: c_int) -> Option<&'static str> {
    word(errno, 0)
}

/// What an error number means, in a few lower-case words; `None` for a number that this system
/// gives no meaning.
#[must_use]
pub fn errno_text(errno: c_int) -> Option<&'static str> {
    word(errno, 1)
}

/// Of the two words of a number, the name and the text, one.
fn word(errno: c_int, which: usize) -> Option<&'static str> {
    let place = NUMBERS.iter().position(|number| *number == errno)?;
    let word = WORDS.split(|byte| *byte == 0).nth(2 * place + which)?;
    str::from_utf8(word).ok()
}

/// All rows as numbers and as words that end with a NUL. In tables of `&str` each word would be a
/// pointer, of 40 bytes in a program that can be loaded anywhere.
static NUMBERS: [c_int; POSIX.len() + SYSTEM.len()] = numbers();
static WORDS: [u8; len_of_words()] = words();

const fn row(place: usize) -> Row {
    match place.checked_sub(POSIX.len()) {
        Some(place) => SYSTEM[place],
        None => POSIX[place],
    }
}

const fn numbers() -> [c_int; POSIX.len() + SYSTEM.len()] {
    let mut numbers = [0; POSIX.len() + SYSTEM.len()];
    let mut place = 0;
    while place < numbers.len() {
        numbers[place] = row(place).0;
        place += 1;
    }
    numbers
}

const fn len_of_words() -> usize {
    let (mut len, mut place) = (0, 0);
    while place < POSIX.len() + SYSTEM.len() {
        let (_, name, text) = row(place);
        len += name.len() + 1 + text.len() + 1;
        place += 1;
    }
    len
}

const fn words() -> [u8; len_of_words()] {
    let mut words = [0; len_of_words()];
    let (mut end, mut place) = (0, 0);
    while place < POSIX.len() + SYSTEM.len() {
        let (_, name, text) = row(place);
        end = put(name, end, &mut words);
        end = put(text, end, &mut words);
        place += 1;
    }
    words
}

/// Writes a word, and says where the next one begins.
const fn put(word: &str, start: usize, ret_words: &mut [u8]) -> usize {
    let (word, mut at) = (word.as_bytes(), 0);
    while at < word.len() {
        ret_words[start + at] = word[at];
        at += 1;
    }
    start + word.len() + 1
}

/// From a list of names and texts: the numbers under their names, and a table to look them up.
macro_rules! errnos {
    ($table:ident $($(#[$only:meta])? $name:ident $text:literal)*) => {
        $(
            $(#[$only])?
            #[doc(inline)]
            pub use libc::$name;
        )*
        const $table: &[Row] = &[$($(#[$only])? (libc::$name, stringify!($name), $text)),*];
    };
}

type Row = (c_int, &'static str, &'static str);

/// `EWOULDBLOCK` — the same number as `EAGAIN` on every supported system.
#[doc(inline)]
pub use libc::EWOULDBLOCK;

// What every supported system has.
errnos! { POSIX
    E2BIG "argument list too long"
    EACCES "permission denied"
    EADDRINUSE "address already in use"
    EADDRNOTAVAIL "address not available"
    EAFNOSUPPORT "address family not supported"
    EAGAIN "resource temporarily unavailable"
    EALREADY "operation already in progress"
    EBADF "bad file descriptor"
    EBADMSG "bad message"
    EBUSY "device or resource busy"
    ECANCELED "operation canceled"
    ECHILD "no child processes"
    ECONNABORTED "connection aborted"
    ECONNREFUSED "connection refused"
    ECONNRESET "connection reset by peer"
    EDEADLK "resource deadlock avoided"
    EDESTADDRREQ "destination address required"
    EDOM "argument out of the function's domain"
    EDQUOT "disk quota exceeded"
    EEXIST "file exists"
    EFAULT "bad address"
    EFBIG "file too large"
    EHOSTDOWN "host is down"
    EHOSTUNREACH "host is unreachable"
    EIDRM "identifier removed"
    EILSEQ "invalid byte sequence"
    EINPROGRESS "operation in progress"
    EINTR "interrupted by a signal"
    EINVAL "invalid argument"
    EIO "input/output error"
    EISCONN "socket is already connected"
    EISDIR "is a directory"
    ELOOP "too many levels of symbolic links"
    EMFILE "too many open descriptors in this process"
    EMLINK "too many links"
    EMSGSIZE "message too long"
    ENAMETOOLONG "name too long"
    ENETDOWN "network is down"
    ENETRESET "connection aborted by network"
    ENETUNREACH "network unreachable"
    ENFILE "too many open files in the system"
    ENOBUFS "no buffer space available"
    ENODEV "no such device"
    ENOENT "no such file or directory"
    ENOEXEC "executable format error"
    ENOLCK "no locks available"
    ENOMEM "out of memory"
    ENOMSG "no message of the desired type"
    ENOPROTOOPT "protocol option not available"
    ENOSPC "no space left on device"
    ENOSYS "function not implemented"
    ENOTBLK "block device required"
    ENOTCONN "socket is not connected"
    ENOTDIR "not a directory"
    ENOTEMPTY "directory not empty"
    ENOTRECOVERABLE "state not recoverable"
    ENOTSOCK "not a socket"
    ENOTTY "inappropriate ioctl"
    ENXIO "no such device or address"
    EOPNOTSUPP "operation not supported"
    EOVERFLOW "value too large for its type"
    EOWNERDEAD "previous owner died"
    EPERM "operation not permitted"
    EPFNOSUPPORT "protocol family not supported"
    EPIPE "broken pipe"
    EPROTO "protocol error"
    EPROTONOSUPPORT "protocol not supported"
    EPROTOTYPE "wrong socket type for this address"
    ERANGE "result too large"
    EREMOTE "object is remote"
    EROFS "read-only file system"
    ESHUTDOWN "cannot send after shutdown"
    ESOCKTNOSUPPORT "socket type not supported"
    ESPIPE "illegal seek"
    ESRCH "no such process"
    ESTALE "stale file handle"
    ETIMEDOUT "timed out"
    ETOOMANYREFS "too many descriptors in flight"
    ETXTBSY "text file busy"
    EUSERS "too many users"
    EXDEV "cross-device link"
}

// What Linux has besides.
#[cfg(any(target_os = "linux", target_os = "android"))]
errnos! { SYSTEM
    EADV "advertise error"
    EBADE "invalid exchange"
    EBADFD "descriptor in bad state"
    EBADR "invalid request descriptor"
    EBADRQC "invalid request code"
    EBADSLT "invalid slot"
    EBFONT "bad font file format"
    ECHRNG "channel number out of range"
    ECOMM "communication error on send"
    EDOTDOT "RFS specific error"
    #[cfg(target_os = "linux")]
    EHWPOISON "memory page has hardware error"
    EISNAM "is a named type file"
    EKEYEXPIRED "key has expired"
    EKEYREJECTED "key was rejected"
    EKEYREVOKED "key has been revoked"
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
    ENAVAIL "no XENIX semaphores available"
    ENOANO "no anode"
    ENOCSI "no CSI structure available"
    ENODATA "no data available"
    ENOKEY "required key not available"
    ENOLINK "link has been severed"
    ENOMEDIUM "no medium found"
    ENONET "machine is not on the network"
    ENOPKG "package not installed"
    ENOSR "out of streams resources"
    ENOSTR "not a stream device"
    ENOTNAM "not a XENIX named type file"
    ENOTUNIQ "name not unique on network"
    EREMCHG "remote address changed"
    EREMOTEIO "remote input/output error"
    ERESTART "interrupted system call to be restarted"
    #[cfg(target_os = "linux")]
    ERFKILL "blocked by a radio kill switch"
    ESRMNT "srmount error"
    ESTRPIPE "streams pipe error"
    ETIME "timer expired"
    EUCLEAN "file system needs cleaning"
    EUNATCH "protocol driver not attached"
    EXFULL "exchange full"
}

// What macOS has besides.
#[cfg(target_vendor = "apple")]
errnos! { SYSTEM
    EAUTH "authentication error"
    EFTYPE "inappropriate file type"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENODATA "no data available"
    ENOLINK "link has been severed"
    ENOTSUP "not supported"
    EPROCLIM "too many processes"
    ETIME "timer expired"
}

// What FreeBSD has besides.
#[cfg(target_os = "freebsd")]
errnos! { SYSTEM
    EAUTH "authentication error"
    ECAPMODE "not permitted in capability mode"
    EFTYPE "inappropriate file type"
    EINTEGRITY "integrity check failed"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENOLINK "link has been severed"
    ENOTCAPABLE "capabilities insufficient"
    EPROCLIM "too many processes"
}

// What NetBSD has besides.
#[cfg(target_os = "netbsd")]
errnos! { SYSTEM
    EAUTH "authentication error"
    EFTYPE "inappropriate file type"
    EMULTIHOP "multihop attempted"
    ENEEDAUTH "authentication needed"
    ENOATTR "attribute not found"
    ENODATA "no data available"
    ENOLINK "link has been severed"
    ENOSR "out of streams resources"
    ENOSTR "not a stream device"
    ENOTSUP "not supported"
    EPROCLIM "too many processes"
    ETIME "timer expired"
}

// What OpenBSD has besides.
#[cfg(target_os = "openbsd")]
errnos! { SYSTEM
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
    target_os = "openbsd"
)))]
const SYSTEM: &[Row] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_names_are_the_constants_names() {
        assert_eq!(errno_name(libc::EADDRINUSE), Some("EADDRINUSE"));
        assert_eq!(errno_name(libc::EWOULDBLOCK), Some("EAGAIN"));
        assert_eq!(errno_text(libc::ECONNREFUSED), Some("connection refused"));
        for (number, name, text) in POSIX.iter().chain(SYSTEM) {
            assert_eq!(errno_name(*number), Some(*name));
            assert_eq!(errno_text(*number), Some(*text));
        }
        for unknown in [c_int::MIN, -1, 0, 4095, c_int::MAX] {
            assert_eq!(errno_name(unknown), None);
        }
    }

    #[test]
    fn errno_of_a_failed_call_is_read() {
        // SAFETY: close takes any number; -1 is no descriptor.
        assert_eq!(unsafe { libc::close(-1) }, -1);
        assert_eq!(errno(), libc::EBADF);
    }

    #[test]
    fn errno_numbers_are_listed_once() {
        for (i, (number, name, _)) in POSIX.iter().chain(SYSTEM).enumerate() {
            let first = POSIX
                .iter()
                .chain(SYSTEM)
                .position(|(other, ..)| other == number);
            assert_eq!(
                first,
                Some(i),
                "{name} stands behind another name of its number"
            );
        }
    }

    /// glibc knows every name of the kernel: ours must know the same.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn errno_names_are_complete() {
        let known = (1..4096)
            .filter(|number| errno_name(*number).is_some())
            .count();
        assert_eq!(known, 131, "Linux: 1 to 133 without the gaps at 41 and 58");
    }
}
