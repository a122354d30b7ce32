//! Asks the kernel for the file that a socket is bound to. getsockname(2) is not enough, because
//! the path that it reports may lead to another file by now.

use core::ffi::c_int;

use sunpath_sys as sys;

use super::{Status, fstat};
use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, AsRawFd, BorrowedFd};
use crate::netlink::{
    Fault, Piece, Question, SOCK_DIAG_BY_FAMILY, UDIAG_SHOW_VFS, UNIX_DIAG_MSG, UNIX_DIAG_VFS,
};
use crate::syscall::{adopt_new, recv, retry, send, sock_diag};

/// Returns whether a socket is bound to a file.
///
/// ioctl(SIOCUNIXFILE) reports the file exactly, but only to a process with `CAP_NET_ADMIN`. Every
/// process may use sock_diag(7), which reports only the lower 32 bits of the inode number.
///
/// Fails with `EOPNOTSUPP` if the kernel has neither of the two.
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
    let question = Question {
        flags: 0,
        states: u32::MAX,
        inode: number,
        show: UDIAG_SHOW_VFS,
    };
    let diag = sock_diag().map_err(|_| unsupported)?;
    send(diag.as_fd(), &question.request(), 0).map_err(|_| unsupported)?;
    let mut answer = [0; 512];
    let len = recv(diag.as_fd(), &mut answer, sys::MSG_DONTWAIT).map_err(|_| unsupported)?;
    let bound = file_in(answer.get(..len).unwrap_or(&answer)).map_err(|_| unsupported)?;
    let (device, inode) = (file.0.st_dev as sys::dev_t, file.0.st_ino as u32);
    // The answer has the device number in the kernel's own form.
    let device = sys::major(device) << 20 | sys::minor(device);
    Ok(bound == Some([inode, device as u32]))
}

/// Returns inode and device of the file in an answer, or `None` if the socket has no file.
fn file_in(answer: &[u8]) -> Result<Option<[u32; 2]>, Fault> {
    let answer = Piece {
        bytes: answer,
        at: 0,
    };
    let (message, _) = answer.split_message()?;
    if message.kind != SOCK_DIAG_BY_FAMILY {
        return Err(answer.fault());
    }
    let (_, mut rest) = message.payload.split::<UNIX_DIAG_MSG>()?;
    while !rest.bytes.is_empty() {
        let (kind, data, after) = rest.split_attribute()?;
        if kind == UNIX_DIAG_VFS {
            return data.two_numbers().map(Some);
        }
        rest = after;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::fstatat;
    use super::*;
    use crate::addr::UnixAddr;
    use crate::fd::CWD;
    use crate::netlink::HEADER;
    use crate::syscall::{bind, listen, socket};
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
        // A process without privileges may not call ioctl(SIOCUNIXFILE).
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
    fn bound_file_of_an_answer_that_is_cut_off_is_an_error() {
        let attribute = HEADER + UNIX_DIAG_MSG;
        let mut answer = [0; HEADER + UNIX_DIAG_MSG + 8 + 12];
        answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        answer[attribute..][..2].copy_from_slice(&5_u16.to_ne_bytes());
        answer[attribute + 2..][..2].copy_from_slice(&6_u16.to_ne_bytes());
        answer[attribute + 8..][..2].copy_from_slice(&12_u16.to_ne_bytes());
        answer[attribute + 10..][..2].copy_from_slice(&UNIX_DIAG_VFS.to_ne_bytes());
        answer[attribute + 12..][..4].copy_from_slice(&7_u32.to_ne_bytes());
        answer[attribute + 16..].copy_from_slice(&8_u32.to_ne_bytes());
        let whole = answer.len();
        for len in 0..=whole {
            // The header has the length of what arrived, or the length of the whole message.
            for said in [whole, len] {
                answer[..4].copy_from_slice(&(said as u32).to_ne_bytes());
                match file_in(&answer[..len]) {
                    Ok(Some(file)) => assert_eq!((len, file), (whole, [7, 8])),
                    Ok(None) => assert!(matches!(len - attribute, 0 | 5..=8), "{len}"),
                    Err(fault) => assert!(len < whole && fault.at <= len, "{len}: {fault:?}"),
                }
            }
        }
        answer[4] ^= 1;
        assert!(file_in(&answer).is_err());
    }
}
