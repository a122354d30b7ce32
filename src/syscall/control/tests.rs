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

/// A descriptor over the expected count is closed at once. By the time that the other
/// descriptors are closed, a new file may have got the same descriptor. The call that closes a
/// run of consecutive descriptors must not close that file.
#[test]
fn control_closes_no_number_twice() {
    let (socket, _peer) = syscall::socketpair(sys::SOCK_STREAM, false).unwrap();
    // No other test of this process opens that many descriptors.
    let copy = |_| copy(&socket, 48);
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
