//! The descriptors in received control data. The descriptors have an owner from the instant that
//! they arrive.

use core::ffi::c_int;
use core::fmt;
use core::iter;
use core::mem::{self, MaybeUninit};
use core::num::NonZero;
use core::ops::Range;
use core::slice;

use sunpath_sys as sys;

use super::fds::{Closer, FdArray, Int, collect, count_fds, ints, own};
use crate::control::{ControlMessages, INT, Places, SCM_PIDFD, int_at, only_message};
use crate::error::Errno;
use crate::expected::{Expected, Space};
use crate::fd::{FromRawFd, OwnedFd};

/// Borrowed or owned bytes into which a receive writes control data. The trait cannot be named
/// outside of this crate, so every implementation returns the bytes that were written.
#[allow(
    unreachable_pub,
    reason = "the oldest Rust does not see that public types name it"
)]
pub trait ControlData: fmt::Debug {
    /// Returns all of the bytes that are left.
    fn bytes(&self) -> &[u8];
    /// Returns the same bytes, to write into.
    fn bytes_mut(&mut self) -> &mut [u8];
    /// Keeps only the first `len` bytes, or all if there are fewer.
    fn truncate(&mut self, len: usize);
}

impl ControlData for &mut [u8] {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        let len = len.min(self.len());
        *self = mem::take(self).get_mut(..len).unwrap_or_default();
    }
}

/// Owned bytes for what `E` expects.
pub struct ExpectedBytes<E: Expected> {
    /// INVARIANT: there are at least `len` bytes, and the first `len` are initialised.
    space: Space<E>,
    len: usize,
}

impl<E: Expected> ExpectedBytes<E> {
    /// Makes a buffer of `E::SPACE` zeroes.
    #[inline]
    pub(crate) fn zeroed() -> Self {
        let mut space = Space::<E>::uninit();
        let len = zeroed(&mut space, E::SPACE).len();
        Self { space, len }
    }
}

impl<E: Expected> ControlData for ExpectedBytes<E> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        // SAFETY: by the invariant the first `len` bytes are initialised, and they are borrowed as
        // long as `self` is.
        unsafe { slice::from_raw_parts(self.space.as_ptr().cast(), self.len) }
    }

    #[inline]
    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: by the invariant the first `len` bytes are initialised, and they are borrowed as
        // long as `self` is.
        unsafe { slice::from_raw_parts_mut(self.space.as_mut_ptr().cast(), self.len) }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl<E: Expected> fmt::Debug for ExpectedBytes<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

/// Control data that was received, with the descriptors in it, which are closed on drop.
pub(crate) struct OwnedControl<B: ControlData> {
    /// INVARIANT: the kernel wrote the bytes. The following integers in them are open descriptors
    /// that nothing else owns: those that `left` describes, and the `int` at `pidfd`, if it is not
    /// negative.
    bytes: B,
    left: Left,
    /// The place of the `int` of `SCM_PIDFD`, which is after a header.
    pidfd: Option<NonZero<usize>>,
}

/// The descriptors of `SCM_RIGHTS` that were not taken yet. Almost every message of the kernel has
/// one `SCM_RIGHTS`, so taking a descriptor looks at one place.
#[derive(Clone, Debug)]
struct Left {
    /// The place of the descriptors that are taken next.
    ///
    /// INVARIANT: the place is a part of the bytes, and a number of whole `int`s, none of which is
    /// negative.
    place: Range<usize>,
    /// The messages after the one with this place.
    messages: Places,
    /// The number of descriptors in these messages. In each message the descriptors come first.
    later: usize,
}

impl Left {
    /// Makes a value of the descriptors at one place.
    #[inline]
    const fn of(place: Range<usize>) -> Self {
        Self {
            place,
            messages: Places::new(),
            later: 0,
        }
    }

    /// Returns how many descriptors are left.
    #[inline]
    const fn count(&self) -> usize {
        (self.place.end - self.place.start) / INT + self.later
    }

    /// Returns the place of the next descriptor, and removes it from those that are left.
    #[inline]
    fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.place.start == self.place.end && !self.next_message(bytes) {
            return None;
        }
        let at = self.place.start;
        self.place.start += INT;
        Some(at)
    }

    /// Continues with the next message that has descriptors.
    #[cold]
    fn next_message(&mut self, bytes: &[u8]) -> bool {
        while self.later > 0 {
            let Some(place) = self.messages.next_of(sys::SCM_RIGHTS, bytes) else {
                return false;
            };
            let count = bytes.get(place.clone()).map_or(0, count_fds);
            let count = count.min(self.later);
            self.later -= count;
            if count > 0 {
                self.place = place.start..place.start + count * INT;
                return true;
            }
        }
        false
    }

    /// Closes all of the descriptors.
    ///
    /// # Safety
    ///
    /// - The descriptors are open, and their owner has given them up.
    unsafe fn close(mut self, bytes: &[u8]) {
        let mut closer = Closer::new();
        loop {
            let place = bytes.get(self.place.clone()).unwrap_or_default();
            // SAFETY: the caller guarantees the descriptors. By the invariant of `place` none is
            // negative.
            unsafe { closer.add(place) };
            if !self.next_message(bytes) {
                return;
            }
        }
    }
}

impl<B: ControlData> OwnedControl<B> {
    /// Makes the owner of the descriptors in control data. Descriptors over `most` are closed, and
    /// their count is returned.
    ///
    /// # Safety
    ///
    /// - recvmsg(2) has just written the bytes, and reported exactly this length.
    /// - Nothing has owned the descriptors in them yet.
    #[inline]
    pub(super) unsafe fn new(bytes: B, most: usize) -> (Self, usize) {
        if let Some(place) = only_rights(bytes.bytes(), most) {
            let (left, pidfd) = (Left::of(place), None);
            return (Self { bytes, left, pidfd }, 0);
        }
        // SAFETY: `rejected` has the same contract as this function.
        unsafe { Self::rejected(bytes, most) }
    }

    /// Does what [`new`](Self::new) does, for control data that [`only_rights`] or [`exactly_in`]
    /// rejected.
    ///
    /// # Safety
    ///
    /// - As for [`new`](Self::new).
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn rejected(mut bytes: B, most: usize) -> (Self, usize) {
        let (left, pidfd) = find(bytes.bytes_mut());
        let mut control = Self { bytes, left, pidfd };
        #[cfg(not(have_msg_cmsg_cloexec))]
        control.set_cloexec();
        let beyond = control.left.count().saturating_sub(most);
        if beyond > 0 {
            control.close_after(most);
        }
        (control, beyond)
    }

    /// Returns whether no control message arrived.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.bytes().is_empty()
    }

    #[inline]
    pub(crate) fn messages(&self) -> ControlMessages<'_> {
        ControlMessages::new(self.bytes.bytes())
    }

    /// Returns how many descriptors of `SCM_RIGHTS` are left.
    #[inline]
    pub(crate) const fn rights_left(&self) -> usize {
        self.left.count()
    }

    /// Returns the descriptor of `SCM_PIDFD`, or the errno that the kernel sent in place of a
    /// pidfd.
    pub(crate) fn pidfd(&mut self) -> Option<Result<OwnedFd, Errno>> {
        let place = self.pidfd.take()?;
        let fd = int_at(self.bytes.bytes(), place.get())?;
        if fd < 0 {
            return Some(Err(Errno::from_raw(-fd)));
        }
        // SAFETY: by the invariant the descriptor is open and nothing else owns it. From here on,
        // `pidfd` no longer names its place.
        Some(Ok(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Returns how many descriptors are left: those of `SCM_RIGHTS`, and the pidfd.
    pub(crate) fn left(&self) -> usize {
        let pidfd = self
            .pidfd
            .and_then(|place| int_at(self.bytes.bytes(), place.get()));
        self.left.count() + usize::from(pidfd.is_some_and(|fd| fd >= 0))
    }

    /// Takes the next descriptor of `SCM_RIGHTS`.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<OwnedFd> {
        let at = self.left.next(self.bytes.bytes())?;
        // SAFETY: by the invariant of `Left::place` the `int` is inside the bytes.
        let int = unsafe { self.bytes.bytes().as_ptr().add(at) };
        // SAFETY: the `int` is initialised, and an array of bytes needs no alignment.
        let int = unsafe { int.cast::<Int>().read() };
        // SAFETY: by the invariants the descriptor is open, nothing else owns it, and it is not
        // negative. From here on it is not among those that are left.
        Some(unsafe { own(int) })
    }

    /// Takes the descriptors of `SCM_RIGHTS`, or as many of them as the collection takes.
    #[inline]
    pub(crate) fn collect<T: FromIterator<OwnedFd>>(&mut self) -> T {
        let Left { place, later, .. } = &mut self.left;
        if *later > 0 {
            return iter::from_fn(|| self.take()).collect();
        }
        // SAFETY: by its invariant the place is a part of the bytes.
        let fds = unsafe { self.bytes.bytes().get_unchecked(place.clone()) };
        let fds = ints(fds);
        // SAFETY: by the invariants the descriptors are open, nothing else owns them, and none is
        // negative. The place begins after those that the collection has taken.
        unsafe { collect(fds, &mut place.start, INT) }
    }

    /// Takes descriptors of `SCM_RIGHTS` into an array, as many as are left or as fit.
    #[inline]
    pub(crate) fn take_array<const N: usize>(&mut self) -> FdArray<N> {
        let Left { place, later, .. } = &mut self.left;
        if *later == 0 {
            // SAFETY: by its invariant the place is a part of the bytes.
            let fds = unsafe { self.bytes.bytes().get_unchecked(place.clone()) };
            let fds = ints(fds);
            // SAFETY: by the invariants the descriptors are open, nothing else owns them, and none
            // is negative. The place is empty from here on if the array owns them.
            if let Some(array) = unsafe { FdArray::of(fds) } {
                place.start = place.end;
                return array;
            }
        }
        self.take_some()
    }

    /// Does what [`take_array`](Self::take_array) does, for more descriptors than fit, or for the
    /// descriptors of several messages.
    #[cold]
    fn take_some<const N: usize>(&mut self) -> FdArray<N> {
        let mut array = FdArray::new();
        while array.len() < N {
            match self.take().map(|fd| array.push(fd)) {
                Some(Ok(())) => {}
                Some(Err(_)) | None => break,
            }
        }
        array
    }

    /// Closes the descriptors after the first `kept`. None of the descriptors was taken yet.
    #[cold]
    fn close_after(&mut self, kept: usize) {
        let mut beyond = self.left.clone();
        for _ in 0..kept {
            beyond.next(self.bytes.bytes());
        }
        let place = &mut self.left.place;
        match kept.checked_sub(place.len() / INT) {
            Some(later) => self.left.later = later,
            None => (place.end, self.left.later) = (place.start + kept * INT, 0),
        }
        // SAFETY: by the invariant the descriptors are open, and nothing else owns them. They are no
        // longer among those that are left.
        unsafe { beyond.close(self.bytes.bytes()) };
    }

    #[cfg(not(have_msg_cmsg_cloexec))]
    fn set_cloexec(&self) {
        let (bytes, mut messages) = (self.bytes.bytes(), Places::new());
        while let Some(place) = messages.next_of(sys::SCM_RIGHTS, bytes) {
            for place in place.step_by(INT) {
                let Some(fd) = int_at(bytes, place) else {
                    continue;
                };
                // SAFETY: F_SETFD takes an int and changes only the descriptor, which is ours.
                unsafe { sys::fcntl(fd, sys::F_SETFD, sys::FD_CLOEXEC) };
            }
        }
    }
}

impl<B: ControlData> fmt::Debug for OwnedControl<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedControl")
            .field("left", &self.rights_left())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl<B: ControlData> Drop for OwnedControl<B> {
    #[inline]
    fn drop(&mut self) {
        if self.left.count() > 0 {
            // SAFETY: by the invariant the descriptors are open, and nothing else owns them. This
            // value is not used after its drop.
            unsafe { self.left.clone().close(self.bytes.bytes()) };
        }
        if self.pidfd.is_some() {
            drop(self.pidfd());
        }
    }
}

/// Returns the descriptors of control data that has exactly `N` of them and nothing else, as most
/// messages do.
///
/// # Safety
///
/// - The conditions of [`OwnedControl::new`] hold. If the function returns `None`, the caller has
///   to give the descriptors an owner.
#[inline]
pub(super) unsafe fn exactly_in<const N: usize>(bytes: &[u8]) -> Option<[OwnedFd; N]> {
    let fds = only_message(sys::SCM_RIGHTS, N, bytes).filter(|fds| count_fds(fds) == N)?;
    let fds: [Int; N] = ints(fds).try_into().ok()?;
    // SAFETY: the integer is not negative, so it is a descriptor. The caller guarantees that the
    // descriptor is open and that nothing else owns it.
    Some(fds.map(|fd| unsafe { own(fd) }))
}

/// Returns the place of the descriptors in control data that has one message of `SCM_RIGHTS` with
/// at most `most` of them, or nothing at all. Almost all control data has this form.
#[inline]
fn only_rights(bytes: &[u8], most: usize) -> Option<Range<usize>> {
    if bytes.is_empty() {
        return Some(0..0);
    }
    if cfg!(not(have_msg_cmsg_cloexec)) {
        return None; // The descriptors are not close-on-exec yet.
    }
    let place = Places::only(sys::SCM_RIGHTS, bytes)?;
    let fds = bytes.get(place.clone())?;
    let count = fds.len() / INT;
    (count <= most && count_fds(fds) == count).then_some(place)
}

/// Finds the descriptors in any control data, and the place of the pidfd. In each message the `int`s
/// that are not negative are moved before those that are. No kernel sends a negative `int`, so this
/// writes nothing.
#[cold]
#[inline(never)]
fn find(bytes: &mut [u8]) -> (Left, Option<NonZero<usize>>) {
    let (mut left, mut pidfd, mut messages) = (Left::of(0..0), None, Places::new());
    while let Some((kind, place)) = messages.next(bytes) {
        let start = place.start;
        match kind {
            sys::SCM_RIGHTS => {
                let count = bytes.get_mut(place).map_or(0, move_fds_first);
                if left.place.is_empty() {
                    left.place = start..start + count * INT;
                    left.messages = messages.clone();
                } else {
                    left.later += count;
                }
            }
            SCM_PIDFD if !place.is_empty() => pidfd = pidfd.or(NonZero::new(start)),
            _ => {}
        }
    }
    (left, pidfd)
}

/// Moves the `int`s that are not negative before those that are, and returns how many there are.
fn move_fds_first(place: &mut [u8]) -> usize {
    let mut count = 0;
    for at in 0..place.len() / INT {
        let (first, int) = (int_of(place, count), int_of(place, at));
        if int.is_some_and(|int| c_int::from_ne_bytes(int) >= 0) {
            put_int(place, at, first);
            put_int(place, count, int);
            count += 1;
        }
    }
    count
}

fn int_of(place: &[u8], number: usize) -> Option<Int> {
    place.get(number * INT..)?.first_chunk().copied()
}

fn put_int(place: &mut [u8], number: usize, int: Option<Int>) {
    let to = place.get_mut(number * INT..);
    if let (Some(to), Some(int)) = (to.and_then(|to| to.first_chunk_mut()), int) {
        *to = int;
    }
}

/// Sets the first bytes of a buffer to zero, at most `len`, and returns them.
#[inline]
pub(crate) fn zeroed<T>(buf: &mut MaybeUninit<T>, len: usize) -> &mut [u8] {
    let len = len.min(size_of::<T>());
    let bytes = buf.as_mut_ptr().cast::<u8>();
    // SAFETY: `buf` has at least `len` bytes, and any byte may be written to them.
    unsafe { bytes.write_bytes(0, len) };
    // SAFETY: the bytes have just been written, and buf is borrowed as long as they are.
    unsafe { slice::from_raw_parts_mut(bytes, len) }
}

/// Makes control data without a descriptor in it, for tests of other modules.
#[cfg(test)]
pub(crate) fn without_descriptors(bytes: &mut [u8]) -> OwnedControl<&mut [u8]> {
    for kind in [sys::SCM_RIGHTS, SCM_PIDFD] {
        assert!(Places::new().next_of(kind, bytes).is_none());
    }
    // SAFETY: the bytes contain no descriptor that could be owned.
    unsafe { OwnedControl::new(bytes, 0) }.0
}

#[cfg(test)]
mod tests;
