//! Asks for the clients that wait to be accepted.

use core::iter::FusedIterator;
use core::slice;

use crate::error::{Call, Errno, Error};
use crate::netlink::UDIAG_SHOW_ICONS;

use super::query::find_with;

/// The size of a buffer for [`waiting`], in bytes. No answer of a kernel with pages of 4 KiB is
/// larger.
pub const WAITING_BUFFER: usize = 4 * 1024;

/// Returns the inodes of the clients that wait to be accepted by the listener with this inode. It is
/// empty if nobody waits, or if the socket does not listen. `buf` should have [`WAITING_BUFFER`]
/// bytes.
///
/// This is a question of its own, because the kernel cannot put a long queue into a list: a list
/// with the waiting clients would leave out a listener with a few thousand waiting clients, without
/// an error.
///
/// # Errors
///
/// - `ENOENT`: no Unix domain socket of this network namespace has the inode.
/// - `EMSGSIZE`: more clients wait than the kernel can report. With pages of 4 KiB it can report
///   about 950. [`Entry::queue`](crate::diag::Entry::queue) still has their number. With
///   [`Cause::AnswerSpace`](crate::error::Cause::AnswerSpace): the buffer is too small.
/// - `EBADMSG`: the answer is not in the form of netlink(7).
/// - `EPROTONOSUPPORT`, `EOPNOTSUPP` and others: as for [`Query::list`](crate::diag::Query::list).
///
/// # Examples
///
/// ```
/// use sunpath::diag::{self, Query};
///
/// # fn main() -> Result<(), sunpath::Error> {
/// let mut buf = [0; diag::BUFFER];
/// let mut clients = [0; diag::WAITING_BUFFER];
/// # match diag::list(&mut buf) { Err(error) if error.is_unsupported() => return Ok(()), _ => {} }
/// for listener in Query::new().listening().list(&mut buf)? {
///     let listener = listener?;
///     match diag::waiting(listener.inode(), &mut clients) {
///         Ok(waiting) => println!("{}: {:?}", listener.addr(), waiting.collect::<Vec<_>>()),
///         Err(error) => println!("{}: {error}", listener.addr()), // closed since, or too many
///     }
/// }
/// # Ok(()) }
/// ```
///
/// See sock_diag(7).
#[doc(alias = "UNIX_DIAG_ICONS")]
pub fn waiting(inode: u32, buf: &mut [u8]) -> Result<Waiting<'_>, Error> {
    let found = find_with(inode, UDIAG_SHOW_ICONS, buf)?;
    let (_, clients) = found.ok_or(Error::new(Call::SockDiag, Errno::ENOENT))?;
    let bytes = buf.get(clients).unwrap_or_default();
    Ok(Waiting {
        inodes: bytes.chunks_exact(4),
    })
}

/// An iterator over the inodes of the clients that wait to be accepted, made by [`waiting`]. The
/// inode is 0 for a client that has closed its socket since.
#[derive(Clone, Debug)]
pub struct Waiting<'buf> {
    inodes: slice::ChunksExact<'buf, u8>,
}

impl Iterator for Waiting<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let bytes = self.inodes.next()?.first_chunk()?;
        Some(u32::from_ne_bytes(*bytes))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inodes.size_hint()
    }
}

impl ExactSizeIterator for Waiting<'_> {}
impl FusedIterator for Waiting<'_> {}
