//! A collection of received descriptors.

use core::fmt;
use core::iter::FusedIterator;
use core::slice;

use crate::fd::OwnedFd;
use crate::syscall::FdArray;

/// At most `N` descriptors that arrived, in the order in which they were sent. A program keeps them
/// in this collection as long as it needs them, looks at them by [`as_slice`](Self::as_slice), and
/// takes them by iterating.
///
/// Dropping the collection closes the descriptors that nobody took. On Linux, close_range(2) closes
/// consecutive descriptors by one call, and the descriptors of a message are consecutive if no
/// lower ones are free. 253 descriptors are then sent, received and closed by three system calls,
/// while a `Vec` closes them by 253. Descriptors that are not consecutive are closed by more calls.
/// On another system, on a kernel before Linux 5.9, or where a filter refuses the call, each
/// descriptor is closed by its own close(2).
///
/// A collection has 4 bytes for each of `N` descriptors, and 16 or 20 more. Nothing is allocated.
///
/// [`Socket::recv_fds_up_to`](crate::Socket::recv_fds_up_to) and
/// [`Ancillary::take_rights`](super::Ancillary::take_rights) return it.
///
/// # Examples
///
/// ```
/// use sunpath::UnixStream;
/// use sunpath::fd::AsFd;
///
/// let (ours, theirs) = UnixStream::pair()?;
/// ours.send_fds(b"three", &[&ours, &theirs, &ours])?;
///
/// let (_, mut fds) = theirs.recv_fds_up_to::<8>(&mut [0; 64])?;
/// let first = fds.next().expect("three descriptors");
/// for fd in fds.as_slice() {
///     theirs.send_fd(fd)?; // the other two are lent
/// }
/// assert_eq!(fds.len(), 2);
/// drop(fds); // closes these two
/// # drop(first);
/// # Ok::<(), sunpath::Error>(())
/// ```
///
/// See unix(7), "SCM_RIGHTS"; close_range(2).
#[must_use = "dropping it closes the descriptors that arrived"]
#[doc(alias = "SCM_RIGHTS")]
#[doc(alias = "close_range")]
pub struct Fds<const N: usize> {
    pub(super) array: FdArray<N>,
}

impl<const N: usize> Fds<N> {
    /// Makes an empty collection.
    #[inline]
    pub const fn new() -> Self {
        Self {
            array: FdArray::new(),
        }
    }

    /// Adds a descriptor at the end, for example one of the next message.
    ///
    /// # Errors
    ///
    /// Returns the descriptor, so that it stays open. A program that reports this may use:
    ///
    /// - `ENOBUFS`: `N` descriptors have already been added. The place of a descriptor that was
    ///   taken is not used again.
    #[inline]
    pub fn push(&mut self, fd: OwnedFd) -> Result<(), OwnedFd> {
        self.array.push(fd)
    }

    /// Returns the descriptors that nobody took.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[OwnedFd] {
        self.array.as_slice()
    }

    /// Returns the descriptors as an array, if there are `N` of them and none was taken.
    ///
    /// # Errors
    ///
    /// Returns the collection, which still owns its descriptors. A program that reports this may use:
    ///
    /// - `ENOMSG`: the collection has fewer than `N` descriptors.
    #[inline]
    pub fn into_array(self) -> Result<[OwnedFd; N], Self> {
        self.array.into_array().map_err(|array| Self { array })
    }
}

impl<const N: usize> Default for Fds<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Iterator for Fds<N> {
    type Item = OwnedFd;

    #[inline]
    fn next(&mut self) -> Option<OwnedFd> {
        self.array.take_first()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.array.len(), Some(self.array.len()))
    }

    #[inline]
    fn collect<T: FromIterator<OwnedFd>>(mut self) -> T {
        self.array.collect()
    }
}

impl<const N: usize> DoubleEndedIterator for Fds<N> {
    #[inline]
    fn next_back(&mut self) -> Option<OwnedFd> {
        self.array.take_last()
    }
}

impl<const N: usize> ExactSizeIterator for Fds<N> {}
impl<const N: usize> FusedIterator for Fds<N> {}

impl<'a, const N: usize> IntoIterator for &'a Fds<N> {
    type Item = &'a OwnedFd;
    type IntoIter = slice::Iter<'a, OwnedFd>;

    #[inline]
    fn into_iter(self) -> slice::Iter<'a, OwnedFd> {
        self.as_slice().iter()
    }
}

impl<const N: usize> AsRef<[OwnedFd]> for Fds<N> {
    #[inline]
    fn as_ref(&self) -> &[OwnedFd] {
        self.as_slice()
    }
}

impl<const N: usize> fmt::Debug for Fds<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
