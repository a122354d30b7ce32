//! Tests of the private parts of this module.

use super::*;
use crate::control::Writer;
use crate::fd::{AsFd, AsRawFd, IntoRawFd};
use crate::syscall;
use std::vec::Vec;

const SPACE: usize = sys::CMSG_SPACE(8) + 3 * sys::CMSG_SPACE(4);
const NO_PIDFD: c_int = -3;

/// Writes control data with three descriptors in two messages, an unknown message between these
/// two, and `pidfd` at the end. Returns the other ends of the three descriptors.
fn arrived(buf: &mut [u8; SPACE], pidfd: c_int) -> Vec<OwnedFd> {
    let (sent, kept) = pairs(3);
    let messages: [(c_int, &[c_int]); 4] = [
        (sys::SCM_RIGHTS, &sent[..2]),
        (77, &sent[..1]),
        (sys::SCM_RIGHTS, &sent[2..]),
        (SCM_PIDFD, &[pidfd]),
    ];
    lay_out(buf, &messages);
    kept
}

/// Makes pairs of sockets. Returns the numbers of their first ends, which have no owner, and their
/// other ends.
fn pairs(count: usize) -> (Vec<c_int>, Vec<OwnedFd>) {
    let pair = |_| {
        let (a, b) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
        (a.into_raw_fd(), b)
    };
    (0..count).map(pair).unzip()
}

/// Returns a copy of a descriptor, which is the lowest free one from `lowest` on.
fn copy(fd: &OwnedFd, lowest: c_int) -> c_int {
    // SAFETY: F_DUPFD takes an open descriptor and an integer, no pointer.
    let copy = unsafe { sys::fcntl(fd.as_raw_fd(), sys::F_DUPFD_CLOEXEC, lowest) };
    assert!(copy >= lowest);
    copy
}

fn lay_out(buf: &mut [u8], messages: &[(c_int, &[c_int])]) {
    let mut writer = Writer::new(buf);
    for (kind, ints) in messages {
        let data = writer.push(*kind, ints.len()).unwrap();
        syscall::put_ints(data, ints.iter().copied());
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

fn numbers(fds: &[OwnedFd]) -> Vec<c_int> {
    fds.iter().map(AsRawFd::as_raw_fd).collect()
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
    assert_eq!((all.len(), control.rights_left()), (3, 0));
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
fn control_keeps_descriptors_of_the_next_message() {
    for most in 0..=4 {
        let (sent, kept) = pairs(4);
        let mut buf = [0; sys::CMSG_SPACE(4) + sys::CMSG_SPACE(12)];
        let (first, next) = sent.split_at(1);
        lay_out(
            &mut buf,
            &[(sys::SCM_RIGHTS, first), (sys::SCM_RIGHTS, next)],
        );
        let (mut control, beyond) = owned(&mut buf, most);
        assert_eq!((beyond, closed(&kept)), (4 - most, 4 - most));
        let taken: Vec<OwnedFd> = iter::from_fn(|| control.take()).collect();
        assert_eq!(numbers(&taken), sent[..most]);
        assert_eq!(control.rights_left(), 0);
    }
}

#[test]
fn control_gives_a_collection_the_descriptors_of_every_message() {
    let mut buf = [0; SPACE];
    let kept = arrived(&mut buf, NO_PIDFD);
    let all: Vec<OwnedFd> = owned(&mut buf, 3).0.collect();
    assert_eq!((all.len(), closed(&kept)), (3, 0));

    let kept = arrived(&mut buf, NO_PIDFD);
    let array = owned(&mut buf, 3).0.take_array::<3>();
    assert_eq!((array.len(), closed(&kept)), (3, 0));
}

/// A collection that takes nothing, and keeps what the iterator says about its length.
struct Announced((usize, Option<usize>));

impl FromIterator<OwnedFd> for Announced {
    fn from_iter<I: IntoIterator<Item = OwnedFd>>(fds: I) -> Self {
        Self(fds.into_iter().size_hint())
    }
}

/// A `Vec` that knows the length allocates once.
#[test]
fn control_tells_a_collection_how_many_descriptors_a_message_has() {
    let (sent, kept) = pairs(5);
    let mut buf = [0; sys::CMSG_SPACE(20)];
    lay_out(&mut buf, &[(sys::SCM_RIGHTS, &sent)]);
    let (mut control, _) = owned(&mut buf, 5);
    let Announced(length) = control.collect();
    assert_eq!((length, control.rights_left()), ((5, Some(5)), 5));
    drop(control);
    assert_eq!(closed(&kept), 5);
}

#[test]
fn control_negative_int_is_no_descriptor() {
    for negative in [&[-9][..], &[-9, -9], &[-9, -2, -9]] {
        let mut buf = [0; 2 * (sys::CMSG_SPACE(12) + sys::CMSG_SPACE(4))];
        let alone = &mut buf[..sys::CMSG_SPACE(size_of_val(negative))];
        lay_out(alone, &[(sys::SCM_RIGHTS, negative)]);
        let (mut control, _) = owned(alone, usize::MAX);
        assert_eq!(control.rights_left(), 0, "{negative:?}");
        assert!(control.take().is_none());
        drop(control);

        for taken in 0..=2 {
            let (sent, kept) = pairs(2);
            buf.fill(0);
            let messages = [negative, &sent[..1], negative, &sent[1..]];
            lay_out(&mut buf, &messages.map(|ints| (sys::SCM_RIGHTS, ints)));
            let (mut control, _) = owned(&mut buf, usize::MAX);
            assert_eq!(control.rights_left(), 2);
            let fds: Vec<OwnedFd> = iter::from_fn(|| control.take()).take(taken).collect();
            assert_eq!(numbers(&fds), sent[..taken], "{negative:?}");
            drop(control);
            assert_eq!(closed(&kept), 2 - taken, "{negative:?}");
        }
    }
}

#[test]
fn control_descriptors_are_found_among_negative_ints() {
    let (sent, kept) = pairs(2);
    let mut buf = [0; sys::CMSG_SPACE(16)];
    let ints = [-9, sent[0], -2, sent[1]];
    lay_out(&mut buf, &[(sys::SCM_RIGHTS, &ints)]);
    let (mut control, beyond) = owned(&mut buf, 4);
    assert_eq!((control.rights_left(), beyond), (2, 0));
    let fds: Vec<OwnedFd> = control.collect();
    assert_eq!(numbers(&fds), sent);
    drop((control, fds));
    assert_eq!(closed(&kept), 2);
}

/// A descriptor over the expected count is closed at once. By the time that the other
/// descriptors are closed, a new file may have got the same descriptor. The call that closes a
/// run of consecutive descriptors must not close that file.
#[test]
fn control_closes_no_number_twice() {
    let (socket, _peer) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
    // No other test of this process opens that many descriptors.
    let copy = |_| copy(&socket, 128);
    let is_open = |fd: c_int| {
        // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
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

#[test]
fn control_pidfd_is_not_in_a_message_without_data() {
    let mut buf = [0; SPACE];
    lay_out(&mut buf, &[(SCM_PIDFD, &[]), (SCM_PIDFD, &[NO_PIDFD])]);
    let (mut control, _) = owned(&mut buf, 0);
    assert_eq!(control.left(), 0);
    let said = control.pidfd().unwrap().unwrap_err();
    assert_eq!(said, Errno::from_raw(-NO_PIDFD));
}
