//! Asks the kernel for the file that a socket is bound to. getsockname(2) is not enough, because
//! the name that it reports may lead to another file by now.

use core::ffi::c_int;

use sunpath_sys as sys;

use super::{Status, fstat};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd};
use crate::syscall::{adopt_new, recv, retry, send};

/// Returns whether a file is the one that a socket is bound to.
///
/// ioctl(SIOCUNIXFILE) reports it exactly, but only to a process with `CAP_NET_ADMIN`. Every
/// process may use sock_diag(7), which reports the lower 32 bits of the inode.
///
/// It fails with `EOPNOTSUPP` if the kernel reports it in neither way.
pub(crate) fn is_file_of(socket: BorrowedFd<'_>, file: &Status) -> Result<bool, Error> {
    by_ioctl(socket, file).or_else(|_| by_diag(socket, file))
}

fn by_ioctl(socket: BorrowedFd<'_>, file: &Status) -> Result<bool, Error> {
    let opened = retry(Call::Ioctl, || {
        // SAFETY: SIOCUNIXFILE takes no argument.
        unsafe { sys::ioctl(socket.as_raw_fd(), sys::SIOCUNIXFILE, 0) as isize }
    });
    match opened {
        Ok(fd) => {
            let bound = adopt_new(fd as c_int, false)?;
            Ok(fstat(bound.as_fd())?.identity() == file.identity())
        }
        // The socket has no file.
        Err(error) if error.errno() == Errno::ENOENT => Ok(false),
        Err(error) => Err(error),
    }
}

#[allow(clippy::unnecessary_cast, reason = "st_dev is wider on 32-bit Android")]
fn by_diag(socket: BorrowedFd<'_>, file: &Status) -> Result<bool, Error> {
    let unsupported = Error::new(Call::Ioctl, Errno::EOPNOTSUPP);
    // sock_diag names a socket by its inode number, in 32 bits.
    let number = fstat(socket)?.0.st_ino as u32;
    let fd = retry(Call::Socket, || {
        let kind = sys::SOCK_RAW | sys::SOCK_CLOEXEC;
        // SAFETY: the call takes only numbers.
        unsafe { sys::socket(sys::AF_NETLINK, kind, sys::NETLINK_SOCK_DIAG) as isize }
    });
    let diag = adopt_new(fd.map_err(|_| unsupported)? as c_int, false)?;
    send(diag.as_fd(), &question(number), 0).map_err(|_| unsupported)?;
    let mut answer = [0; 512];
    let len = recv(diag.as_fd(), &mut answer, sys::MSG_DONTWAIT).map_err(|_| unsupported)?;
    let bound = file_in(answer.get(..len).unwrap_or(&answer)).ok_or(unsupported)?;
    let (device, inode) = (file.0.st_dev as sys::dev_t, file.0.st_ino as u32);
    // The answer has the device number in the kernel's own form.
    let device = sys::major(device) << 20 | sys::minor(device);
    Ok(bound == Some((inode, device as u32)))
}

const HEADER: usize = 16;
const QUESTION: usize = HEADER + size_of::<sys::unix_diag_req>();

/// Makes a `struct nlmsghdr` and a `struct unix_diag_req` that ask for the file of the socket with
/// this number.
fn question(number: u32) -> [u8; QUESTION] {
    let any = u32::MAX;
    let words = [
        QUESTION as u32,
        halves(sys::SOCK_DIAG_BY_FAMILY, sys::NLM_F_REQUEST as u16),
        0,
        0,
        u32::from_ne_bytes([sys::AF_UNIX as u8, 0, 0, 0]),
        any,
        number,
        sys::UDIAG_SHOW_VFS,
        // These two words match any cookie.
        any,
        any,
    ];
    let mut bytes = [0; QUESTION];
    for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Returns the word that consists of two numbers of 16 bits, one after the other.
fn halves(first: u16, second: u16) -> u32 {
    let ([a, b], [c, d]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// Returns inode and device of the file in an answer. The result is `Some(None)` if the socket has
/// no file, and `None` if the bytes are not an answer.
fn file_in(answer: &[u8]) -> Option<Option<(u32, u32)>> {
    let u16_at = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(u16::from_ne_bytes(bytes))
    };
    let u32_at = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_ne_bytes(bytes))
    };
    if u16_at(answer, 4)? != sys::SOCK_DIAG_BY_FAMILY {
        return None;
    }
    let mut rest = answer.get(HEADER + size_of::<sys::unix_diag_msg>()..)?;
    while !rest.is_empty() {
        let (len, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        if kind == sys::UNIX_DIAG_VFS {
            return Some(Some((u32_at(rest, 4)?, u32_at(rest, 8)?)));
        }
        // Each attribute begins at a multiple of 4 bytes.
        rest = rest.get(len.max(4).next_multiple_of(4)..).unwrap_or(&[]);
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::super::fstatat;
    use super::*;
    use crate::addr::UnixAddr;
    use crate::fd::CWD;
    use crate::syscall::{bind, listen, socket};
    use core::mem::offset_of;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::{format, fs, process};

    #[test]
    fn bound_file_is_told_in_both_ways() {
        // TMPDIR may be longer than sun_path.
        let dir = Path::new("/tmp").join(format!("sunpath-bound-{}", process::id()));
        fs::create_dir(&dir).unwrap();
        let status = |name: &str| fstatat(CWD, dir.join(name).as_os_str().as_bytes(), 0).unwrap();
        let bound = |kind, name: &str| {
            let path = dir.join(name);
            let addr = UnixAddr::from_pathname_bytes(path.as_os_str().as_bytes()).unwrap();
            let socket = socket(kind, false).unwrap();
            bind(socket.as_fd(), &addr).unwrap();
            socket
        };
        let listener = bound(sys::SOCK_STREAM, "a");
        listen(listener.as_fd(), 1).unwrap();
        let datagram = bound(sys::SOCK_DGRAM, "b");
        let unbound = socket(sys::SOCK_STREAM, false).unwrap();
        listen(unbound.as_fd(), 1).unwrap_err();
        type Way = fn(BorrowedFd<'_>, &Status) -> Result<bool, Error>;
        // sock_diag is missing where the kernel was built without it or has not loaded the module.
        // A process without privileges may not use the ioctl.
        for (way, lacking) in [
            (by_diag as Way, Errno::EOPNOTSUPP),
            (by_ioctl, Errno::EPERM),
        ] {
            let told = way(listener.as_fd(), &status("a"));
            if told.is_err_and(|error| error.errno() == lacking) {
                continue;
            }
            assert_eq!(told, Ok(true));
            assert_eq!(way(listener.as_fd(), &status("b")), Ok(false));
            assert_eq!(way(datagram.as_fd(), &status("b")), Ok(true));
            assert_eq!(way(datagram.as_fd(), &status("a")), Ok(false));
            assert_eq!(way(unbound.as_fd(), &status("a")), Ok(false));
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn bound_file_question_is_as_the_kernel_reads_it() {
        // The fields of struct nlmsghdr: 4 bytes of length, 2 of type, 2 of flags.
        let bytes = question(0x0102_0304);
        assert_eq!(bytes[..4], (QUESTION as u32).to_ne_bytes());
        assert_eq!(bytes[4..6], sys::SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        assert_eq!(bytes[6..8], (sys::NLM_F_REQUEST as u16).to_ne_bytes());
        let request = &bytes[HEADER..];
        assert_eq!(request[0], sys::AF_UNIX as u8);
        for (field, value) in [
            (offset_of!(sys::unix_diag_req, udiag_states), u32::MAX),
            (offset_of!(sys::unix_diag_req, udiag_ino), 0x0102_0304),
            (
                offset_of!(sys::unix_diag_req, udiag_show),
                sys::UDIAG_SHOW_VFS,
            ),
            (offset_of!(sys::unix_diag_req, udiag_cookie), u32::MAX),
        ] {
            assert_eq!(request[field..][..4], value.to_ne_bytes(), "{field}");
        }
    }

    #[test]
    fn bound_file_of_an_answer_that_is_cut_off_is_none() {
        let mut answer = [0; HEADER + size_of::<sys::unix_diag_msg>() + 8 + 12];
        answer[4..6].copy_from_slice(&sys::SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        let attribute = answer.len() - 20;
        answer[attribute] = 5;
        answer[attribute + 2] = 6;
        answer[attribute + 8..][..2].copy_from_slice(&12_u16.to_ne_bytes());
        answer[attribute + 10..][..2].copy_from_slice(&sys::UNIX_DIAG_VFS.to_ne_bytes());
        answer[attribute + 12..][..4].copy_from_slice(&7_u32.to_ne_bytes());
        answer[attribute + 16..].copy_from_slice(&8_u32.to_ne_bytes());
        assert_eq!(file_in(&answer), Some(Some((7, 8))));
        for len in 0..answer.len() {
            let cut_off = file_in(&answer[..len]);
            assert!(cut_off.is_none() || cut_off == Some(None), "{len}");
        }
        answer[4] ^= 1;
        assert_eq!(file_in(&answer), None);
    }
}
