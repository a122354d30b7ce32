//! A buffer to receive into.

use core::fmt;
use core::ops::{Deref, DerefMut};

/// `N` bytes that begin at a multiple of 64: a slice for every method that receives.
///
/// Where a buffer begins can change what a large receive costs. The kernel copies out of pages, and
/// some processors copy slowly to where a few bytes more of the page are behind it than at the source.
/// On an AMD EPYC with Linux 6.18, 64 KiB sent and received on a stream took 2.0 times as long with
/// the receive buffer 1 or 16 bytes into a page, and 4 KiB 1.5 times; from 32 bytes on all were alike.
/// An Intel Xeon did not care. 16 bytes into a page is where the GNU C library puts an allocation of
/// 128 KiB or more, a `Vec` for instance.
///
/// A large one belongs into a `static` or a box.
///
/// # Examples
///
/// ```
/// use sunpath::{RecvBuffer, UnixStream};
///
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.write(b"hello")?;
///
/// let mut buf = RecvBuffer::<16384>::new();
/// let count = theirs.read(&mut buf)?;
/// assert_eq!(&buf[..count], b"hello");
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// Where the length is known only when the program runs:
///
/// ```
/// # let len = 1 << 20;
/// let mut bytes = vec![0; len + 63];
/// let start = bytes.as_ptr().align_offset(64);
/// let buf = &mut bytes[start..start + len];
/// # assert_eq!((buf.as_ptr().addr() % 64, buf.len()), (0, len));
/// ```
#[derive(Clone)]
#[repr(C, align(64))]
pub struct RecvBuffer<const N: usize>([u8; N]);

impl<const N: usize> RecvBuffer<N> {
    /// Zeroes.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Default for RecvBuffer<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Deref for RecvBuffer<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> DerefMut for RecvBuffer<N> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> fmt::Debug for RecvBuffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBuffer")
            .field("len", &N)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;

    #[test]
    fn buffer_begins_at_a_multiple_of_64_wherever_it_lies() {
        static STATIC: RecvBuffer<3> = RecvBuffer::new();

        fn begins<const N: usize>(buf: &RecvBuffer<N>) {
            assert_eq!(buf.as_ptr().addr() % 64, 0);
            assert_eq!(buf.len(), N);
        }
        begins(&STATIC);
        for buf in &[(); 3].map(|()| RecvBuffer::<63>::new()) {
            begins(buf);
        }
        begins(&RecvBuffer::<64>::new());
        begins(&RecvBuffer::<65>::new());
        // glibc's malloc puts this 16 bytes into a page.
        begins(&*Box::new(RecvBuffer::<{ 128 << 10 }>::new()));
    }

    #[test]
    fn buffer_is_the_bytes_that_were_written() {
        let mut buf = RecvBuffer::<3>::default();
        assert_eq!(*buf, [0; 3]);
        buf.copy_from_slice(b"abc");
        assert_eq!(&buf[1..], b"bc");
        assert_eq!(std::format!("{buf:?}"), "RecvBuffer { len: 3, .. }");
    }
}
