//! Asks the kernel for sockets.

use core::fmt;
use core::ops::Range;

use crate::error::{Call, Errno, Error};
use crate::fd::{AsFd, BorrowedFd, OwnedFd};
use crate::netlink::{
    NLM_F_DUMP, Question, UDIAG_SHOW_NAME, UDIAG_SHOW_PEER, UDIAG_SHOW_RQLEN, UDIAG_SHOW_UID,
    UDIAG_SHOW_VFS,
};
use crate::syscall;

use super::answer::{Reader, Said};
use super::entry::{Entry, SocketKind, State};

/// The size of a buffer, in bytes, with which the list takes the fewest calls: the kernel returns at most
/// 32 KiB at a time. A buffer of 8 KiB is always enough.
pub const BUFFER: usize = 32 * 1024;

/// Everything about a socket except for the clients that wait for it.
const SHOW: u32 =
    UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;

/// `struct unix_diag_req` — a question for the sockets of the network namespace of the calling
/// thread.
///
/// # Examples
///
/// ```
/// use sunpath::diag::{self, Query, SocketKind, State};
///
/// # fn main() -> Result<(), sunpath::Error> {
/// let query = Query::new().kind(SocketKind::Datagram).states(&[State::Unconnected]);
/// let mut buf = [0; diag::BUFFER];
/// # match diag::list(&mut buf) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
/// for socket in query.list(&mut buf)? {
///     println!("{}", socket?.addr());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
#[doc(alias = "unix_diag_req")]
pub struct Query {
    states: u32,
    kind: Option<SocketKind>,
}

impl Default for Query {
    fn default() -> Self {
        Self::new()
    }
}

impl Query {
    /// Makes the question for all sockets.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            states: u32::MAX,
            kind: None,
        }
    }

    /// Asks only for sockets in one of these states. The kernel itself leaves out the others.
    #[must_use]
    #[doc(alias = "udiag_states")]
    pub const fn states(mut self, mut states: &[State]) -> Self {
        self.states = 0;
        while let [state, rest @ ..] = states {
            self.states |= state.bit();
            states = rest;
        }
        self
    }

    /// Asks only for listeners, which is [`states`](Self::states) of [`State::Listening`].
    #[must_use]
    pub const fn listening(self) -> Self {
        self.states(&[State::Listening])
    }

    /// Keeps only sockets of one kind. The request has no field for it, so the kernel reports the
    /// others too, and they are left out while the list is read.
    #[must_use]
    pub const fn kind(mut self, kind: SocketKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Asks the kernel, and returns an iterator that reads its answers into `buf`, which should have
    /// [`BUFFER`] bytes.
    ///
    /// # Errors
    ///
    /// - `EPROTONOSUPPORT`, `EOPNOTSUPP`: the kernel has no sock_diag(7), or not for Unix domain sockets.
    /// - `EMFILE`, `ENFILE`, `ENOMEM`: no descriptor is free in the process or the system; no memory.
    /// - Others, if a security policy forbids it: `EPERM`, `EACCES`.
    ///
    /// See sock_diag(7).
    pub fn list(self, buf: &mut [u8]) -> Result<Sockets<'_>, Error> {
        let question = Question {
            flags: NLM_F_DUMP,
            states: self.states,
            inode: 0,
            show: SHOW,
        };
        Ok(Sockets {
            fd: ask(question)?,
            buf,
            len: 0,
            reader: Reader::default(),
            kind: self.kind,
            ended: false,
        })
    }
}

/// Returns all Unix domain sockets of the network namespace of the calling thread. `buf` should have
/// [`BUFFER`] bytes.
///
/// # Errors
///
/// - `EPROTONOSUPPORT`, `EOPNOTSUPP` and others: as for [`Query::list`].
///
/// # Examples
///
/// ```
/// use sunpath::diag;
///
/// # fn main() -> Result<(), sunpath::Error> {
/// let mut buf = [0; diag::BUFFER];
/// # match diag::list(&mut buf) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
/// println!("{} sockets", diag::list(&mut buf)?.count());
/// # Ok(()) }
/// ```
///
/// See sock_diag(7).
#[doc(alias = "NETLINK_SOCK_DIAG")]
pub fn list(buf: &mut [u8]) -> Result<Sockets<'_>, Error> {
    Query::new().list(buf)
}

/// An iterator over the sockets that a [`Query`] asked for. It reads into the caller's buffer, and has a
/// descriptor, which is close-on-exec.
///
/// An item is an error if the rest of the list cannot be read, and it is the last item:
///
/// - `EINTR` with [`Cause::ListChanged`](crate::error::Cause::ListChanged): the kernel has
///   reported that the list changed while it was made. All sockets that the kernel returned were
///   items before this one, but some sockets may be missing, or be in the list twice. The query can
///   be made again.
/// - `EMSGSIZE` with [`Cause::AnswerSpace`](crate::error::Cause::AnswerSpace): the buffer is too small.
/// - `EBADMSG` with [`Cause::MalformedAnswer`](crate::error::Cause::MalformedAnswer): the answer is not in the form of netlink(7).
/// - `EOPNOTSUPP`: the kernel has no sock_diag(7) for Unix domain sockets.
/// - Any other errno, which the kernel reports.
#[must_use = "the kernel has been asked, but nothing has been read"]
pub struct Sockets<'buf> {
    fd: OwnedFd,
    buf: &'buf mut [u8],
    /// The length of the last answer. INVARIANT: at most the length of `buf`.
    len: usize,
    reader: Reader,
    kind: Option<SocketKind>,
    ended: bool,
}

impl fmt::Debug for Sockets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Sockets");
        debug.field("fd", &self.fd);
        debug.field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Iterator for Sockets<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.read_next() {
                Ok(Said::Socket(entry, _)) if self.kind.is_none_or(|kind| entry.kind == kind) => {
                    return Some(Ok(entry));
                }
                Ok(Said::Socket(..) | Said::Nothing) => {}
                Ok(Said::End) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(unknown_family(error)));
                }
            }
        }
        None
    }
}

impl core::iter::FusedIterator for Sockets<'_> {}

impl Sockets<'_> {
    /// Reads the next message, from the kernel if the buffer has no more.
    fn read_next(&mut self) -> Result<Said, Error> {
        if self.reader.at >= self.len {
            self.len = receive(self.fd.as_fd(), self.buf)?;
            self.reader.at = 0;
        }
        let answer = self.buf.get(..self.len).unwrap_or_default();
        self.reader.next(answer)
    }
}

/// Returns the socket with this inode, if it is a Unix domain socket of the network namespace of the
/// calling thread. `None` does not mean that it is closed: it may be in another network namespace.
///
/// # Errors
///
/// - `EPROTONOSUPPORT`, `EOPNOTSUPP` and others: as for [`Query::list`].
/// - `EBADMSG`: the answer is not in the form of netlink(7).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "std")] fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::fs::File;
/// use std::os::fd::AsFd;
/// use std::os::unix::fs::MetadataExt;
/// use sunpath::{UnixStream, diag};
///
/// let (ours, _theirs) = UnixStream::pair()?;
/// let own = File::from(ours.as_fd().try_clone_to_owned()?).metadata()?;
/// # match diag::find(1) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
/// if let Some(socket) = diag::find(own.ino() as u32)? {
///     assert!(matches!(socket.peer(), diag::Peer::Inode(_)));
/// }
/// # Ok(()) }
/// # #[cfg(not(feature = "std"))] fn main() {}
/// ```
///
/// See sock_diag(7).
pub fn find(inode: u32) -> Result<Option<Entry>, Error> {
    // An answer without waiting clients has at most 250 bytes.
    let mut buf = [0; 1024];
    match find_with(inode, SHOW, &mut buf) {
        Ok(found) => Ok(found.map(|(entry, _)| entry)),
        Err(error) => Err(error),
    }
}

/// Asks for one socket. Returns what is known about it, and the range of its waiting clients in
/// `buf`.
pub(super) fn find_with(
    inode: u32,
    show: u32,
    buf: &mut [u8],
) -> Result<Option<(Entry, Range<usize>)>, Error> {
    if inode == 0 {
        // 0 would ask for a list.
        return Ok(None);
    }
    let question = Question {
        flags: 0,
        states: u32::MAX,
        inode,
        show,
    };
    let fd = ask(question)?;
    let len = receive(fd.as_fd(), buf)?;
    let answer = buf.get(..len).unwrap_or_default();
    let mut reader = Reader::default();
    while reader.at < len {
        match reader.next(answer) {
            Ok(Said::Socket(entry, clients)) => return Ok(Some((entry, clients))),
            Ok(_) => {}
            Err(error) if error.errno() == Errno::ENOENT => {
                is_known_family()?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Fails with `EOPNOTSUPP` if the kernel has no sock_diag for Unix domain sockets. A query for one
/// socket cannot show that, because the kernel reports the same errno if there is no such socket.
/// The kernel is therefore asked for a list of sockets in no state.
fn is_known_family() -> Result<(), Error> {
    let mut buf = [0; 1024];
    match Query::new().states(&[]).list(&mut buf)?.next() {
        Some(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Returns the error of a list. `ENOENT` means that the kernel lists no sockets of this family.
fn unknown_family(error: Error) -> Error {
    match error.errno() {
        Errno::ENOENT => Error::new(Call::SockDiag, Errno::EOPNOTSUPP),
        _ => error,
    }
}

/// Makes a socket and sends a question.
fn ask(question: Question) -> Result<OwnedFd, Error> {
    let fd = syscall::sock_diag()?;
    syscall::send(fd.as_fd(), &question.request(), 0)?;
    Ok(fd)
}

/// Receives an answer. Fails with `EMSGSIZE` if it is longer than `buf`.
fn receive(fd: BorrowedFd<'_>, buf: &mut [u8]) -> Result<usize, Error> {
    let needed = syscall::recv(fd, buf, syscall::TRUE_LENGTH)?;
    if needed > buf.len() {
        return Err(Error::answer_space(needed, buf.len()));
    }
    if needed == 0 {
        // The kernel never sends an empty answer.
        return Err(Error::malformed_answer(0, 0));
    }
    Ok(needed)
}

#[cfg(all(test, not(have_sock_diag)))]
mod tests {
    use super::*;

    #[test]
    fn diag_where_the_system_has_none_is_unsupported() {
        assert!(list(&mut [0; 8]).unwrap_err().is_unsupported());
        assert!(find(1).unwrap_err().is_unsupported());
    }
}
