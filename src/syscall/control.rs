//! The descriptors in control data: owned from the instant that they arrive.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::slice;

use sunpath_sys as sys;

use crate::control::{ControlMessages, Ints, SCM_PIDFD};
use crate::error::Errno;
use crate::fd::{FromRawFd, OwnedFd};

/// Written over the number of a descriptor that was taken. No errno has it, which the kernel may put
/// in a descriptor's place.
const TAKEN: c_int = c_int::MIN;

/// Control data that was received, with the descriptors in it, which are closed on drop.
#[derive(Debug)]
pub(crate) struct Received<'c> {
    /// INVARIANT: as the kernel wrote it, but for `TAKEN`. What is not negative in the `int`s of
    /// `SCM_RIGHTS` and `SCM_PIDFD` is an open descriptor that nobody else owns.
    bytes: &'c mut [u8],
}

impl<'c> Received<'c> {
    /// Owns the descriptors in control data.
    ///
    /// # Safety
    ///
    /// - recvmsg(2) has just written the bytes, and said that they are as many.
    /// - Nobody has owned the descriptors in them yet.
    pub(super) unsafe fn new(bytes: &'c mut [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn messages(&self) -> ControlMessages<'_> {
        ControlMessages::new(self.bytes)
    }

    /// The descriptors of `SCM_RIGHTS`. What is not taken from the iterator stays here.
    pub(crate) fn rights(&mut self) -> Descriptors<'_> {
        Descriptors {
            bytes: self.bytes,
            ints: Ints::of(sys::SCM_RIGHTS),
        }
    }

    /// The descriptor of `SCM_PIDFD`, or the errno that the kernel put in its place.
    pub(crate) fn pidfd(&mut self) -> Option<Result<OwnedFd, Errno>> {
        let mut ints = Ints::of(SCM_PIDFD);
        while let Some((place, int)) = ints.next(self.bytes) {
            if int == TAKEN {
                continue;
            }
            return Some(take(self.bytes, place).ok_or(Errno::from_raw(-int)));
        }
        None
    }

    /// What is to be done before anybody sees the descriptors: those beyond `most` are closed, the
    /// others made close-on-exec where they are not from birth. How many were closed.
    pub(super) fn settle(&mut self, most: usize) -> usize {
        #[cfg(not(have_msg_cmsg_cloexec))]
        self.set_cloexec();
        let mut rights = self.rights();
        for _ in 0..most {
            if rights.skip_one().is_none() {
                break;
            }
        }
        rights.count()
    }

    #[cfg(not(have_msg_cmsg_cloexec))]
    fn set_cloexec(&self) {
        let mut ints = Ints::of(sys::SCM_RIGHTS);
        while let Some((_, fd)) = ints.next(self.bytes) {
            // SAFETY: F_SETFD takes an int and touches the descriptor alone, which is ours.
            unsafe { sys::fcntl(fd, sys::F_SETFD, sys::FD_CLOEXEC) };
        }
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        self.rights().for_each(drop);
        drop(self.pidfd());
    }
}

/// The descriptors of `SCM_RIGHTS` in received control data, each owned as it is taken.
#[derive(Debug)]
pub(crate) struct Descriptors<'d> {
    bytes: &'d mut [u8],
    ints: Ints,
}

impl Descriptors<'_> {
    /// The place of the next descriptor, which stays there.
    fn skip_one(&mut self) -> Option<usize> {
        while let Some((place, int)) = self.ints.next(self.bytes) {
            if int >= 0 {
                return Some(place);
            }
        }
        None
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        let (mut ints, mut left) = (self.ints.clone(), 0);
        while let Some((_, int)) = ints.next(self.bytes) {
            left += usize::from(int >= 0);
        }
        left
    }
}

impl Iterator for Descriptors<'_> {
    type Item = OwnedFd;

    fn next(&mut self) -> Option<OwnedFd> {
        let place = self.skip_one()?;
        take(self.bytes, place)
    }
}

/// Moves the descriptor out whose number stands at `place`, an `int` of `SCM_RIGHTS` or
/// `SCM_PIDFD`; none, where no descriptor stands there.
fn take(bytes: &mut [u8], place: usize) -> Option<OwnedFd> {
    let number = bytes.get_mut(place..)?.first_chunk_mut()?;
    let fd = c_int::from_ne_bytes(*number);
    *number = TAKEN.to_ne_bytes();
    if fd < 0 {
        return None;
    }
    // SAFETY: by the invariant of the bytes it is open and nobody else's; its number is overwritten.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The first bytes of any room, at most `len`, all of them zero.
pub(crate) fn zeroed<T>(room: &mut MaybeUninit<T>, len: usize) -> &mut [u8] {
    let len = len.min(size_of::<T>());
    let bytes = room.as_mut_ptr().cast::<u8>();
    // SAFETY: the room is len bytes or larger, and may hold any bytes.
    unsafe { bytes.write_bytes(0, len) };
    // SAFETY: the bytes have just been written, and the room is borrowed as long as they are.
    unsafe { slice::from_raw_parts_mut(bytes, len) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Writer;
    use crate::fd::{AsFd, AsRawFd, IntoRawFd};
    use crate::syscall;
    use std::vec::Vec;

    /// Control data with three descriptors in two messages, an unknown message between them and
    /// `pidfd` at the end; and the other ends of the three.
    fn arrived(room: &mut [u8], pidfd: c_int) -> Vec<OwnedFd> {
        let (mut sent, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (a, b) = syscall::socketpair(sys::SOCK_STREAM).unwrap();
            sent.push(a.into_raw_fd());
            kept.push(b);
        }
        let mut writer = Writer::new(room);
        writer.push(sys::SCM_RIGHTS, 2, sent[..2].iter().copied());
        writer.push(77, 1, [sent[0]].into_iter());
        writer.push(sys::SCM_RIGHTS, 1, sent[2..].iter().copied());
        writer.push(SCM_PIDFD, 1, [pidfd].into_iter());
        kept
    }

    /// How many of the descriptors are closed, seen from their other ends.
    fn closed(kept: &[OwnedFd]) -> usize {
        let write = |fd: &&OwnedFd| syscall::send(fd.as_fd(), b"x", 0).is_err();
        kept.iter().filter(write).count()
    }

    const SPACE: usize = sys::CMSG_SPACE(8) + 3 * sys::CMSG_SPACE(4);

    #[test]
    fn control_closes_what_nobody_took() {
        let mut room = [0; SPACE];
        let kept = arrived(&mut room, TAKEN);
        // SAFETY: the descriptors in the room were given away, as the kernel gives them.
        let mut control = unsafe { Received::new(&mut room) };
        let taken = control.rights().next().unwrap();
        assert_eq!(control.rights().left(), 2);
        assert_eq!(closed(&kept), 0);
        drop(control);
        assert_eq!(closed(&kept), 2);
        drop(taken);
        assert_eq!(closed(&kept), 3);
    }

    #[test]
    fn control_gives_each_descriptor_once() {
        let mut room = [0; SPACE];
        let kept = arrived(&mut room, TAKEN);
        // SAFETY: the descriptors in the room were given away, as the kernel gives them.
        let mut control = unsafe { Received::new(&mut room) };
        let all: Vec<OwnedFd> = control.rights().collect();
        assert_eq!(all.len(), 3);
        assert_eq!(control.rights().count(), 0);
        assert!(control.pidfd().is_none());
        drop(control);
        assert_eq!(closed(&kept), 0, "the control data owned them no more");
    }

    #[test]
    fn control_closes_beyond_what_was_asked_for() {
        for most in 0..=4 {
            let mut room = [0; SPACE];
            let kept = arrived(&mut room, TAKEN);
            // SAFETY: the descriptors in the room were given away, as the kernel gives them.
            let mut control = unsafe { Received::new(&mut room) };
            let beyond = 3_usize.saturating_sub(most);
            assert_eq!(control.settle(most), beyond);
            assert_eq!(closed(&kept), beyond);
            assert_eq!(control.rights().count(), most.min(3));
        }
    }

    #[test]
    fn control_pidfd_is_a_descriptor_or_an_errno() {
        for errno in [1, 3, 24] {
            let mut room = [0; SPACE];
            let _kept = arrived(&mut room, -errno);
            // SAFETY: the descriptors in the room were given away, as the kernel gives them.
            let mut control = unsafe { Received::new(&mut room) };
            let said = control.pidfd().unwrap().unwrap_err();
            assert_eq!(said, Errno::from_raw(errno));
        }
        let (a, b) = syscall::socketpair(sys::SOCK_STREAM).unwrap();
        let mut room = [0; SPACE];
        let _kept = arrived(&mut room, a.into_raw_fd());
        // SAFETY: the descriptors in the room were given away, as the kernel gives them.
        let mut control = unsafe { Received::new(&mut room) };
        let pidfd = control.pidfd().unwrap().unwrap();
        assert!(pidfd.as_raw_fd() >= 0);
        assert!(control.pidfd().is_none());
        drop((control, pidfd));
        assert_eq!(closed(&[b]), 1);
    }
}
