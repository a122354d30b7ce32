//! The descriptors in control data, which have an owner from the instant that they arrive.

use core::array;
use core::ffi::c_int;
#[cfg(have_close_range)]
use core::ffi::c_uint;
use core::fmt;
use core::mem::{self, MaybeUninit};
use core::ops::Range;
use core::slice;

use sunpath_sys as sys;

use crate::control::{ControlMessages, INT, Places, SCM_PIDFD, int_at, only_message};
use crate::error::Errno;
use crate::expected::{Expected, Space};
use crate::fd::{FromRawFd, IntoRawFd, OwnedFd};

/// Borrowed or owned bytes into which a receive writes control data. The trait cannot be named
/// outside of this crate, so an implementation always returns the bytes that were written.
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
        if let Some((kept, _)) = mem::take(self).split_at_mut_checked(len) {
            *self = kept;
        }
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
        // SAFETY: by the invariant these bytes exist, are initialised, and are borrowed as self is.
        unsafe { slice::from_raw_parts(self.space.as_ptr().cast(), self.len) }
    }

    #[inline]
    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: by the invariant these bytes exist, are initialised, and are borrowed as self is.
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
#[derive(Debug)]
pub(crate) struct OwnedControl<B: ControlData> {
    /// INVARIANT: the kernel wrote it. The following numbers in it are open descriptors that
    /// nothing else owns: the `int`s of `SCM_RIGHTS` from `rights` on, of which `left` are not
    /// negative, and the `int` of `SCM_PIDFD` at `pidfd`, if it is not negative.
    bytes: B,
    /// The messages of `SCM_RIGHTS` whose descriptors were not taken yet.
    messages: Places,
    /// The rest of the message whose descriptors are being taken.
    rights: Range<usize>,
    left: usize,
    pidfd: Option<usize>,
}

impl<B: ControlData> OwnedControl<B> {
    /// Makes the owner of the descriptors in control data. If there are more than `most`, the rest
    /// is closed, and their number is returned.
    ///
    /// # Safety
    ///
    /// - recvmsg(2) has just written the bytes, and has returned their number.
    /// - Nothing has owned the descriptors in them yet.
    #[inline]
    pub(super) unsafe fn new(bytes: B, most: usize) -> (Self, usize) {
        let (mut left, mut pidfd, mut messages) = (0, None, Places::new());
        let written = bytes.bytes();
        while let Some((kind, place)) = messages.next(written) {
            match kind {
                sys::SCM_RIGHTS => left += written.get(place).map_or(0, count_fds),
                SCM_PIDFD if !place.is_empty() => pidfd = pidfd.or(Some(place.start)),
                _ => {}
            }
        }
        let mut control = Self {
            bytes,
            messages: Places::new(),
            rights: 0..0,
            left,
            pidfd,
        };
        #[cfg(not(have_msg_cmsg_cloexec))]
        control.set_cloexec();
        let beyond = left.saturating_sub(most);
        if beyond > 0 {
            control.close_last(beyond);
        }
        (control, beyond)
    }

    /// Cold variant of [`new`](Self::new), for control data that [`exactly_in`] rejected.
    ///
    /// # Safety
    ///
    /// - As for [`new`](Self::new).
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn rejected(bytes: B, most: usize) -> (Self, usize) {
        // SAFETY: the caller guarantees the bytes.
        unsafe { Self::new(bytes, most) }
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
        self.left
    }

    /// Returns the descriptor of `SCM_PIDFD`, or the errno that the kernel put in its place.
    pub(crate) fn pidfd(&mut self) -> Option<Result<OwnedFd, Errno>> {
        let place = self.pidfd.take()?;
        let fd = int_at(self.bytes.bytes(), place)?;
        if fd < 0 {
            return Some(Err(Errno::from_raw(-fd)));
        }
        // SAFETY: by the invariant the descriptor is open and nothing else owns it. Its place in
        // the control data is forgotten.
        Some(Ok(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Returns how many descriptors are left, of both types.
    pub(crate) fn left(&self) -> usize {
        let pidfd = self
            .pidfd
            .and_then(|place| int_at(self.bytes.bytes(), place));
        self.left + usize::from(pidfd.is_some_and(|fd| fd >= 0))
    }

    /// Takes the next descriptor of `SCM_RIGHTS`.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<OwnedFd> {
        let fd = self.take_number()?;
        // SAFETY: by the invariant the descriptor is open and nothing else owns it. `rights` no
        // longer contains its place.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// Gives up the next descriptor of `SCM_RIGHTS`. The caller has to own it.
    #[inline]
    fn take_number(&mut self) -> Option<c_int> {
        while self.left > 0 {
            if self.rights.is_empty() {
                self.rights = self.messages.next_of(sys::SCM_RIGHTS, self.bytes.bytes())?;
                continue;
            }
            let fd = int_at(self.bytes.bytes(), self.rights.start)?;
            self.rights.start += INT;
            if fd >= 0 {
                self.left -= 1;
                return Some(fd);
            }
        }
        None
    }

    /// Closes the descriptors of `SCM_RIGHTS` that nobody took. One call closes a run of them,
    /// because the kernel gives them the lowest free numbers, which mostly follow each other.
    fn close_rest(&mut self) {
        let mut left = mem::take(&mut self.left);
        let bytes = self.bytes.bytes();
        let mut run = 0..0;
        let mut close = |fds: Range<c_int>| match fds.start == run.end {
            true => run.end = fds.end,
            false => close_run(mem::replace(&mut run, fds)),
        };
        while left > 0 {
            let rights = bytes.get(self.rights.clone()).unwrap_or_default();
            match as_run(rights) {
                Some(fds) if fds.len() <= left => {
                    left -= fds.len();
                    close(fds);
                }
                _ => {
                    for fd in ints(rights).filter(|fd| *fd >= 0).take(left) {
                        left -= 1;
                        close(fd..fd + 1);
                    }
                }
            }
            match self.messages.next_of(sys::SCM_RIGHTS, bytes) {
                Some(place) => self.rights = place,
                None => break,
            }
        }
        close_run(run);
    }

    /// Closes the last `count` descriptors. None of the descriptors was taken yet.
    #[cold]
    fn close_last(&mut self, count: usize) {
        let kept = self.left - count;
        for _ in 0..kept {
            self.take_number(); // the last message owns it again below
        }
        self.close_rest();
        (self.messages, self.rights, self.left) = (Places::new(), 0..0, kept);
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

impl<B: ControlData> Drop for OwnedControl<B> {
    #[inline]
    fn drop(&mut self) {
        if self.left > 0 {
            self.close_rest();
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
/// - The conditions of [`OwnedControl::new`] hold. If the function returns `None`, the descriptors still
///   have no owner.
#[inline]
pub(super) unsafe fn exactly_in<const N: usize>(bytes: &[u8]) -> Option<[OwnedFd; N]> {
    let fds = only_message(sys::SCM_RIGHTS, N, bytes).filter(|fds| count_fds(fds) == N)?;
    // SAFETY: the number is one of `N` that are not negative. The caller guarantees that the
    // descriptor is open and that nothing else owns it.
    Some(array::from_fn(|at| unsafe {
        OwnedFd::from_raw_fd(int_at(fds, at * INT).unwrap_or(-1))
    }))
}

/// Returns the descriptors if there is one in each place. Otherwise it closes them.
pub(crate) fn all_of<const N: usize>(places: [Option<OwnedFd>; N]) -> Option<[OwnedFd; N]> {
    if places.iter().any(Option::is_none) {
        return None;
    }
    let numbers = places.map(|fd| fd.map_or(-1, OwnedFd::into_raw_fd));
    // SAFETY: each place held a descriptor, and has given it up.
    Some(numbers.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Closes descriptors that the control data has given up.
fn close_run(fds: Range<c_int>) {
    #[cfg(have_close_range)]
    if fds.len() > 1 {
        // SAFETY: the control data held all of these descriptors, and has given them up.
        let closed = unsafe { sys::close_range(fds.start as c_uint, fds.end as c_uint - 1, 0) };
        if closed == 0 {
            return;
        }
    }
    for fd in fds {
        // SAFETY: the control data held this descriptor, and has given it up.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

/// Returns all the `int`s in a place.
#[inline]
fn ints(place: &[u8]) -> impl Iterator<Item = c_int> {
    place
        .chunks_exact(INT)
        .map(|int| int_at(int, 0).unwrap_or(-1))
}

/// Returns how many are not negative. The loop has no early end, so the compiler can compare
/// several at once.
#[inline]
fn count_fds(place: &[u8]) -> usize {
    match ints(place).fold(0, |all, fd| all | fd) {
        0.. => place.len() / INT,
        _ => ints(place).filter(|fd| *fd >= 0).count(),
    }
}

/// Returns the descriptors from the first to the last as a range, if their numbers follow each
/// other.
#[inline]
fn as_run(place: &[u8]) -> Option<Range<c_int>> {
    let first = ints(place).next().filter(|fd| *fd >= 0)?;
    let end = c_int::try_from(place.len() / INT)
        .ok()?
        .checked_add(first)?;
    let look =
        |(apart, wanted): (c_int, c_int), fd| (apart | (fd ^ wanted), wanted.wrapping_add(1));
    let (apart, _) = ints(place).fold((0, first), look);
    (apart == 0).then_some(first..end)
}

/// Sets the first bytes of a buffer to zero, at most `len`, and returns them.
#[inline]
pub(crate) fn zeroed<T>(buf: &mut MaybeUninit<T>, len: usize) -> &mut [u8] {
    let len = len.min(size_of::<T>());
    let bytes = buf.as_mut_ptr().cast::<u8>();
    // SAFETY: buf has len bytes or more, and each may have any value.
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
mod tests {
    use super::*;
    use crate::control::Writer;
    use crate::fd::{AsFd, AsRawFd, IntoRawFd};
    use crate::syscall;
    use core::iter;
    use std::vec::Vec;

    const SPACE: usize = sys::CMSG_SPACE(8) + 3 * sys::CMSG_SPACE(4);
    const NO_PIDFD: c_int = -3;

    /// Returns control data with three descriptors in two messages, an unknown message between them
    /// and `pidfd` at the end; and the other ends of the three.
    fn arrived(buf: &mut [u8; SPACE], pidfd: c_int) -> Vec<OwnedFd> {
        let (mut sent, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (a, b) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
            sent.push(a.into_raw_fd());
            kept.push(b);
        }
        let messages: [(c_int, &[c_int]); 4] = [
            (sys::SCM_RIGHTS, &sent[..2]),
            (77, &sent[..1]),
            (sys::SCM_RIGHTS, &sent[2..]),
            (SCM_PIDFD, &[pidfd]),
        ];
        lay_out(buf, &messages);
        kept
    }

    /// Returns a copy with the lowest free number that is at least `lowest`.
    fn copy(fd: &OwnedFd, lowest: c_int) -> c_int {
        // SAFETY: the call takes an open descriptor and a number.
        let copy = unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, lowest) };
        assert!(copy >= lowest);
        copy
    }

    fn lay_out(buf: &mut [u8], messages: &[(c_int, &[c_int])]) {
        let mut writer = Writer::new(buf);
        for (kind, ints) in messages {
            for (place, int) in writer.push(*kind, ints.len()).unwrap().zip(*ints) {
                place.copy_from_slice(&int.to_ne_bytes());
            }
        }
    }

    fn owned(buf: &mut [u8], most: usize) -> (OwnedControl<&mut [u8]>, usize) {
        // SAFETY: `arrived` gave up the descriptors in the buffer, as the kernel does.
        unsafe { OwnedControl::new(buf, most) }
    }

    /// Returns how many of the descriptors are closed, as their other ends report.
    fn closed(kept: &[OwnedFd]) -> usize {
        let write = |fd: &&OwnedFd| syscall::send(fd.as_fd(), b"x", 0).is_err();
        kept.iter().filter(write).count()
    }

    #[test]
    fn control_closes_what_nobody_took() {
        let mut buf = [0; SPACE];
        let kept = arrived(&mut buf, NO_PIDFD);
        let (mut control, _) = owned(&mut buf, 3);
        let taken = control.take().unwrap();
        assert_eq!((control.rights_left(), control.left()), (2, 2));
        assert_eq!(closed(&kept), 0);
        drop(control);
        assert_eq!(closed(&kept), 2);
        drop(taken);
        assert_eq!(closed(&kept), 3);
    }

    #[test]
    fn control_gives_each_descriptor_once() {
        let mut buf = [0; SPACE];
        let kept = arrived(&mut buf, NO_PIDFD);
        let (mut control, _) = owned(&mut buf, usize::MAX);
        let all: Vec<OwnedFd> = iter::from_fn(|| control.take()).collect();
        assert_eq!(all.len(), 3);
        assert!(control.take().is_none());
        drop(control);
        assert_eq!(closed(&kept), 0, "the control data owned them no more");
    }

    #[test]
    fn control_closes_beyond_what_was_asked_for() {
        for most in 0..=4 {
            let mut buf = [0; SPACE];
            let kept = arrived(&mut buf, NO_PIDFD);
            let beyond = 3_usize.saturating_sub(most);
            let (mut control, said) = owned(&mut buf, most);
            assert_eq!((said, closed(&kept)), (beyond, beyond), "{most} asked for");
            assert!(
                kept[..most.min(3)]
                    .iter()
                    .all(|fd| closed(slice::from_ref(fd)) == 0)
            );
            let taken: Vec<OwnedFd> = iter::from_fn(|| control.take()).collect();
            assert_eq!(taken.len(), most.min(3));
            drop(taken);
            assert_eq!(closed(&kept), 3);
        }
    }

    #[test]
    fn control_negative_int_is_no_descriptor() {
        for negative in [&[-9][..], &[-9, -9], &[-9, -2, -9]] {
            let (a, b) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
            let mut buf = [0; SPACE];
            let fd = [a.into_raw_fd()];
            lay_out(
                &mut buf,
                &[(sys::SCM_RIGHTS, negative), (sys::SCM_RIGHTS, &fd)],
            );
            let (control, _) = owned(&mut buf, usize::MAX);
            assert_eq!(control.rights_left(), 1);
            drop(control);
            assert_eq!(closed(&[b]), 1, "{negative:?}");
        }
    }

    /// A descriptor that nobody asked for is closed at once, and its number may belong to another
    /// file by the time that the others are closed. One call closes these if their numbers follow
    /// each other, so it must not close that number again.
    #[test]
    fn control_closes_no_number_twice() {
        let (socket, _peer) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
        // No other test of this process opens so many descriptors.
        let copy = |_| copy(&socket, 48);
        let is_open = |fd: c_int| {
            // SAFETY: F_GETFD takes any number.
            unsafe { sys::fcntl(fd, sys::F_GETFD) != -1 }
        };
        for asked_for in [[0, 1], [1, 0]] {
            let fds = [0; 3].map(copy);
            let (first, last) = (asked_for.map(|at| fds[at]), [fds[2]]);
            let mut buf = [0; SPACE];
            lay_out(
                &mut buf,
                &[(sys::SCM_RIGHTS, &first), (sys::SCM_RIGHTS, &last)],
            );
            let (control, beyond) = owned(&mut buf, 2);
            assert_eq!((beyond, fds.map(is_open)), (1, [true, true, false]));
            let another = copy(0);
            assert_eq!(another, fds[2]);
            drop(control);
            assert_eq!(fds.map(is_open), [false, false, true]);
            // SAFETY: the descriptor is open, and belongs to this test.
            drop(unsafe { OwnedFd::from_raw_fd(another) });
        }
    }

    #[test]
    fn control_closes_as_many_as_a_message_has() {
        let (socket, peer) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
        let copies = [0; 16].map(|_| copy(&socket, 0));
        let mut buf = [0; sys::CMSG_SPACE(4) + sys::CMSG_SPACE(64)];
        let first = [socket.into_raw_fd()];
        lay_out(
            &mut buf,
            &[(sys::SCM_RIGHTS, &first), (sys::SCM_RIGHTS, &copies)],
        );
        drop(owned(&mut buf, usize::MAX));
        assert_eq!(closed(&[peer]), 1, "all copies are closed");
    }

    #[test]
    fn control_pidfd_is_a_descriptor_or_an_errno() {
        for errno in [1, 3, 24] {
            let mut buf = [0; SPACE];
            let _kept = arrived(&mut buf, -errno);
            let (mut control, _) = owned(&mut buf, 3);
            assert_eq!(control.left(), 3);
            let said = control.pidfd().unwrap().unwrap_err();
            assert_eq!(said, Errno::from_raw(errno));
        }
        for taken in [true, false] {
            let (a, b) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
            let mut buf = [0; SPACE];
            let _kept = arrived(&mut buf, a.into_raw_fd());
            let (mut control, _) = owned(&mut buf, 3);
            assert_eq!(control.left(), 4);
            if taken {
                let _pidfd = control.pidfd().unwrap().unwrap();
                assert!(control.pidfd().is_none());
            }
            drop(control);
            assert_eq!(closed(&[b]), 1);
        }
    }
}
