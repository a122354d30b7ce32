//! Reads the kernel's answers. Nothing in them is trusted.

use core::ffi::c_char;
use core::ops::Range;

use sunpath_sys as sys;
use sunpath_sys::socklen_t;

use crate::addr::UnixAddr;
use crate::error::{Call, Cause, Errno, Error};
use crate::netlink::{
    Fault, Message, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR, Piece, SEQUENCE, SOCK_DIAG_BY_FAMILY,
    UNIX_DIAG_ICONS, UNIX_DIAG_MSG, UNIX_DIAG_NAME, UNIX_DIAG_PEER, UNIX_DIAG_RQLEN,
    UNIX_DIAG_SHUTDOWN, UNIX_DIAG_UID, UNIX_DIAG_VFS,
};
use crate::socket::Shutdown;

use super::entry::{Entry, FileId, Peer, Queue, SocketKind, State};

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// There is a socket. These bytes of the answer name the clients that wait for it: 4 bytes of
    /// inode number for each.
    Socket(Entry, Range<usize>),
    /// The list has ended.
    End,
    /// The message does not answer a question of this socket.
    Nothing,
}

/// The place in an answer up to which it has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reader {
    pub(super) at: usize,
    /// `true` if the kernel has reported that the list changed while it was made.
    interrupted: bool,
}

impl Reader {
    /// Reads the next message. `answer` is the whole answer, and must not end at
    /// [`at`](Self::at).
    pub(super) fn next(&mut self, answer: &[u8]) -> Result<Said, Error> {
        let bytes = answer.get(self.at..).unwrap_or_default();
        let piece = Piece { bytes, at: self.at };
        let (message, rest) = piece.split_message().map_err(malformed)?;
        self.at = rest.at;
        if message.sequence != SEQUENCE {
            return Ok(Said::Nothing);
        }
        self.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
        match message.kind {
            SOCK_DIAG_BY_FAMILY => read_socket(message.payload).map_err(malformed),
            NLMSG_ERROR => failed(message, true),
            NLMSG_DONE => {
                failed(message, false)?;
                if self.interrupted {
                    let cause = Cause::ListChanged;
                    return Err(Error::with_cause(Call::SockDiag, Errno::EINTR, cause));
                }
                Ok(Said::End)
            }
            _ => Ok(Said::Nothing),
        }
    }
}

/// Makes the error for an answer that cannot be read.
fn malformed(Fault { len, at }: Fault) -> Error {
    Error::malformed_answer(len, at)
}

/// Reads the error that a message begins with, as a negative errno. 0 means that there is no error.
/// If `needed` is false, a missing number means the same.
#[cold]
fn failed(message: Message<'_>, needed: bool) -> Result<Said, Error> {
    let payload = message.payload;
    if payload.bytes.is_empty() && !needed {
        return Ok(Said::Nothing);
    }
    let (code, _) = payload.split().map_err(malformed)?;
    match i32::from_ne_bytes(code) {
        code @ -4095..0 => Err(Error::new(Call::SockDiag, Errno::from_raw(-code))),
        // The list ends with the kernel's count, which may be positive.
        0.. => Ok(Said::Nothing),
        _ => Err(malformed(payload.fault())),
    }
}

/// Reads a `struct unix_diag_msg` and its attributes.
fn read_socket(payload: Piece<'_>) -> Result<Said, Fault> {
    let (head, mut rest) = payload.split::<UNIX_DIAG_MSG>()?;
    let [
        family,
        kind,
        state,
        _,
        inode @ ..,
        c0,
        c1,
        c2,
        c3,
        c4,
        c5,
        c6,
        c7,
    ] = head;
    if family != sys::AF_UNIX as u8 {
        return Ok(Said::Nothing);
    }
    let low = u32::from_ne_bytes([c0, c1, c2, c3]);
    let high = u32::from_ne_bytes([c4, c5, c6, c7]);
    let mut entry = Entry {
        addr: UnixAddr::unnamed(),
        kind: SocketKind::from_raw(kind),
        state: State::from_raw(state),
        inode: u32::from_ne_bytes(inode),
        cookie: u64::from(high) << 32 | u64::from(low),
        peer: Peer::None,
        file: None,
        queue: queue(State::from_raw(state), [0, 0]),
        uid: None,
        shutdown: None,
    };
    let mut clients = 0..0;
    while !rest.bytes.is_empty() {
        let (kind, data, after) = rest.split_attribute()?;
        rest = after;
        match kind {
            UNIX_DIAG_NAME => entry.addr = address(data)?,
            UNIX_DIAG_VFS => {
                let [inode, device] = data.two_numbers()?;
                entry.file = Some(FileId { device, inode });
            }
            UNIX_DIAG_PEER => {
                entry.peer = match data.number()? {
                    0 => Peer::NoInode,
                    inode => Peer::Inode(inode),
                }
            }
            UNIX_DIAG_ICONS if data.bytes.len() % 4 != 0 => return Err(data.fault()),
            UNIX_DIAG_ICONS => clients = data.at..data.at.saturating_add(data.bytes.len()),
            UNIX_DIAG_RQLEN => entry.queue = queue(entry.state, data.two_numbers()?),
            UNIX_DIAG_SHUTDOWN => entry.shutdown = shutdown(data)?,
            UNIX_DIAG_UID => entry.uid = Some(data.number()?),
            _ => {}
        }
    }
    Ok(Said::Socket(entry, clients))
}

const fn queue(state: State, [first, second]: [u32; 2]) -> Queue {
    match state {
        State::Listening => Queue::Clients {
            waiting: first,
            backlog: second,
        },
        _ => Queue::Bytes {
            unread: first,
            unsent: second,
        },
    }
}

fn shutdown(data: Piece<'_>) -> Result<Option<Shutdown>, Fault> {
    let [bits] = data.exactly()?;
    Ok(match bits & 3 {
        0 => None,
        1 => Some(Shutdown::Read),
        2 => Some(Shutdown::Write),
        _ => Some(Shutdown::Both),
    })
}

/// Makes an address from the bytes of `sun_path` that its length includes.
fn address(name: Piece<'_>) -> Result<UnixAddr, Fault> {
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    for (place, byte) in raw.sun_path.iter_mut().zip(name.bytes) {
        *place = *byte as c_char;
    }
    let len = sys::SUN_PATH_OFFSET.saturating_add(name.bytes.len());
    let len = socklen_t::try_from(len).unwrap_or(socklen_t::MAX);
    UnixAddr::from_raw(raw, len).map_err(|_| name.fault())
}

#[cfg(test)]
mod tests;
