//! Tests of the collection `Fds`: it owns what a message brought, lends and gives each descriptor
//! once, and on drop closes those that nobody took and no other.

use std::any::Any;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sunpath::ancillary::{ControlBuffer, Fds, Rights};
use sunpath::{Errno, Stream, UnixStream};

use super::{all_cloexec, alone, curious_pair, give, is_open, open, take, with_free};

fn numbers(fds: &[OwnedFd]) -> Vec<RawFd> {
    fds.iter().map(AsRawFd::as_raw_fd).collect()
}

/// Closes every second one of twelve descriptors, and returns the others. Descriptors that arrive
/// then fill the holes between these, so no two of them are consecutive.
fn with_holes(socket: &UnixStream) -> Vec<OwnedFd> {
    let clone = || socket.as_fd().try_clone_to_owned().unwrap();
    let mut row: Vec<_> = (0..12).map(|_| clone()).collect();
    let mut at = 0;
    row.retain(|_| {
        at += 1;
        at % 2 == 1
    });
    row
}

fn receive<const N: usize>(from: &UnixStream) -> Fds<N> {
    from.recv_fds_up_to::<N>(&mut [0; 8]).unwrap().1
}

#[test]
fn kept_descriptors_are_closed_once_however_many_were_taken_from_either_end() {
    alone(
        "kept::kept_descriptors_are_closed_once_however_many_were_taken_from_either_end",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            for holes in [false, true] {
                let _between = holes.then(|| with_holes(&a));
                let before = open();
                for (front, back) in (0..=7).flat_map(|n| (0..=7).map(move |m| (n, m))) {
                    give(&a, 7);
                    let mut fds = receive::<9>(&b);
                    let came = numbers(fds.as_slice());
                    assert_eq!((came.len(), fds.len()), (7, 7));
                    assert!(all_cloexec(fds.as_slice()));

                    let mut taken: Vec<_> = fds.by_ref().take(front).collect();
                    assert_eq!(numbers(&taken), came[..front]);
                    taken.extend(fds.by_ref().rev().take(back));
                    let left = 7_usize.saturating_sub(front + back);
                    assert_eq!((fds.len(), fds.as_slice().len()), (left, left));
                    assert_eq!(numbers(fds.as_slice()), came[front..front + left]);
                    assert!(came.iter().all(|fd| is_open(*fd)), "{front}, {back}");

                    drop(fds);
                    let mut expected = before.clone();
                    expected.extend(numbers(&taken));
                    expected.sort_unstable();
                    assert_eq!(open(), expected, "{front}, {back}");
                    drop(taken);
                    assert_eq!(open(), before, "{front}, {back}");
                }
            }
        },
    );
}

/// While the collection exists, a descriptor that was taken and closed may be assigned to another
/// file. The call that closes a run must leave that file alone.
#[test]
fn kept_number_that_was_taken_is_not_closed_with_those_around_it() {
    alone(
        "kept::kept_number_that_was_taken_is_not_closed_with_those_around_it",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            give(&a, 5);
            let mut fds = receive::<5>(&b);
            let taken = fds.next().unwrap().into_raw_fd();
            // SAFETY: the collection has given the descriptor up.
            assert_eq!(unsafe { libc::close(taken) }, 0);
            let another = a.as_fd().try_clone_to_owned().unwrap();
            assert_eq!(another.as_raw_fd(), taken, "the lowest free descriptor");
            let left = numbers(fds.as_slice());
            drop(fds);
            assert!(is_open(taken));
            assert!(!left.iter().any(|fd| is_open(*fd)));
        },
    );
}

#[test]
fn kept_descriptors_of_several_messages_are_joined_by_push() {
    alone(
        "kept::kept_descriptors_of_several_messages_are_joined_by_push",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            let before = open();
            let mut all = Fds::<3>::default();
            assert!(all.as_slice().is_empty() && all.next().is_none());
            let sizes = match size_of::<usize>() {
                8 => (32, 48),
                _ => (20, 40),
            };
            assert_eq!((size_of_val(&all), size_of::<Fds<8>>()), sizes);
            for _ in 0..2 {
                give(&a, 1);
                let fd = receive::<1>(&b).next().unwrap();
                all.push(fd).unwrap();
            }
            let mut all = all.into_array().unwrap_err();
            assert_eq!(all.len(), 2, "an array of three is not full");
            give(&a, 2);
            let mut two = receive::<2>(&b);
            all.push(two.next().unwrap()).unwrap();
            let refused = all.push(two.next().unwrap()).unwrap_err();
            assert!(is_open(refused.as_raw_fd()));
            drop(refused);

            let expected = numbers(all.as_ref());
            let shown = format!("{all:?}");
            assert!(shown.contains(&format!("fd: {}", expected[0])), "{shown}");
            assert_eq!((&all).into_iter().count(), 3);
            let array = all.into_array().unwrap();
            assert_eq!(numbers(&array), expected);
            assert!(expected.iter().all(|fd| is_open(*fd)));
            drop(array);
            assert_eq!(open(), before);

            // A descriptor that was taken makes the array incomplete.
            give(&a, 3);
            let mut fds = receive::<3>(&b);
            drop(fds.next());
            let fds = fds.into_array().unwrap_err();
            assert_eq!(fds.len(), 2);
            drop(fds);
            assert_eq!(open(), before);
        },
    );
}

/// A collection that takes `TAKEN` descriptors, and panics on the next one.
struct Fragile<const TAKEN: usize>(#[allow(dead_code, reason = "they are held")] Vec<OwnedFd>);

impl<const TAKEN: usize> FromIterator<OwnedFd> for Fragile<TAKEN> {
    fn from_iter<I: IntoIterator<Item = OwnedFd>>(fds: I) -> Self {
        let mut taken = Vec::new();
        for fd in fds {
            assert!(taken.len() < TAKEN, "no more");
            taken.push(fd);
        }
        Self(taken)
    }
}

/// A collection that takes at most `TAKEN` descriptors.
struct Some_<const TAKEN: usize>(Vec<OwnedFd>);

impl<const TAKEN: usize> FromIterator<OwnedFd> for Some_<TAKEN> {
    fn from_iter<I: IntoIterator<Item = OwnedFd>>(fds: I) -> Self {
        Self(fds.into_iter().take(TAKEN).collect())
    }
}

#[test]
fn kept_descriptors_are_collected_once_even_if_the_collection_panics() {
    fn panics<T>(action: impl FnOnce() -> T) -> Box<dyn Any + Send> {
        catch_unwind(AssertUnwindSafe(action)).err().unwrap()
    }
    alone(
        "kept::kept_descriptors_are_collected_once_even_if_the_collection_panics",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            let message = || take(&b, ControlBuffer::<Rights<6>>::new()).unwrap();
            let before = open();

            // Each of the three iterators returns all descriptors, in their order.
            give(&a, 6);
            let fds = receive::<8>(&b);
            let expected = numbers(fds.as_slice());
            assert_eq!(numbers(&fds.collect::<Vec<_>>()), expected);
            give(&a, 6);
            let mut control = message().into_control().unwrap();
            assert_eq!(numbers(&control.rights().collect::<Vec<_>>()), expected);
            assert_eq!(control.rights().len(), 0);
            give(&a, 6);
            let control = message().into_control().unwrap();
            let all: Vec<_> = control.into_rights().collect();
            assert_eq!(numbers(&all), expected);
            drop(all);
            assert_eq!(open(), before);

            // If only a part is taken, the others stay where they are, and are closed there.
            give(&a, 6);
            let mut control = message().into_control().unwrap();
            let Some_(two) = control.rights().collect::<Some_<2>>();
            assert_eq!(numbers(&two), expected[..2]);
            assert_eq!(control.rights().len(), 4);
            let rest = control.take_rights::<3>();
            assert_eq!(numbers(rest.as_slice()), expected[2..5]);
            assert_eq!(control.rights().len(), 1);
            drop((two, rest));
            assert_eq!(open().len(), before.len() + 1);
            drop(control);
            assert_eq!(open(), before);

            // The collection panics.
            give(&a, 6);
            let mut control = message().into_control().unwrap();
            panics(|| control.rights().collect::<Fragile<2>>());
            assert_eq!(control.rights().len(), 3, "the third was handed over");
            drop(control);
            assert_eq!(open(), before);
            give(&a, 6);
            let fds = receive::<8>(&b);
            panics(|| fds.collect::<Fragile<5>>());
            assert_eq!(open(), before);
        },
    );
}

#[test]
fn kept_are_none_where_the_process_had_too_few_free() {
    alone(
        "kept::kept_are_none_where_the_process_had_too_few_free",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            let mut room = ControlBuffer::<Rights<4>>::new();
            let before = open();
            for free in 0..4 {
                give(&a, 4);
                let refused = with_free(free, || b.recv_fds_up_to::<4>(&mut [0; 8]).map(drop));
                assert_eq!(refused.unwrap_err().errno(), Errno::EMSGSIZE, "{free}");
                assert_eq!(open(), before, "{free}");

                // Those that did arrive can be kept, if the receiver asks for them.
                give(&a, 4);
                let message = with_free(free, || take(&b, &mut room)).unwrap();
                let fds = message.into_partial_control().take_rights::<4>();
                assert_eq!(fds.len(), free);
                assert!(all_cloexec(fds.as_slice()));
                drop(fds);
                assert_eq!(open(), before, "{free}");
            }
            give(&a, 4);
            let fds = with_free(4, || receive::<4>(&b));
            assert_eq!(fds.len(), 4);
        },
    );
}

/// In the control data of Linux, credentials come before the descriptors, and a pidfd after them.
#[test]
fn kept_descriptors_are_found_among_other_control_messages() {
    alone(
        "kept::kept_descriptors_are_found_among_other_control_messages",
        || {
            let Some((a, b)) = curious_pair::<Stream>() else {
                return;
            };
            let before = open();
            give(&a, 3);
            let fds = receive::<3>(&b);
            assert_eq!((fds.len(), open().len()), (3, before.len() + 3));
            drop(fds);
            assert_eq!(open(), before);
            give(&a, 3);
            let collected: Vec<_> = receive::<3>(&b).collect();
            assert_eq!((collected.len(), open().len()), (3, before.len() + 3));
        },
    );
}
