//! Tests that each received descriptor is closed once if nobody took it, and that no other
//! descriptor is closed.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use sunpath::ancillary::{ControlBuffer, Credentials, Pidfd, Rights};
use sunpath::{Stream, UnixStream};

use super::{alone, counts_text, curious_pair, give, is_open, open, take, with_free};

/// Opens files until all of these descriptors are open again. The kernel always assigns the lowest
/// free descriptor.
fn use_again(numbers: &[RawFd]) -> Vec<OwnedFd> {
    let null = std::fs::File::open("/dev/null").unwrap();
    let fds = numbers
        .iter()
        .map(|_| null.as_fd().try_clone_to_owned().unwrap());
    let mut fds: Vec<_> = fds.collect();
    // The file that was opened first has one of these descriptors itself.
    fds.push(null.into());
    assert!(numbers.iter().all(|fd| is_open(*fd)));
    fds
}

/// Opens descriptors until none below the highest open descriptor is free.
fn use_all_below_the_highest(socket: &UnixStream) -> Vec<OwnedFd> {
    let highest = *open().last().unwrap();
    std::iter::repeat_with(|| socket.as_fd().try_clone_to_owned().unwrap())
        .take_while(|fd| fd.as_raw_fd() < highest)
        .collect()
}

/// The test tries every pattern of open and free descriptors among eight consecutive integers. The
/// received descriptors are exactly the free integers.
#[test]
fn closed_numbers_are_those_that_came_and_no_others() {
    if crate::limit::unless_descriptors(crate::MANY) {
        return;
    }
    alone(
        "closed::closed_numbers_are_those_that_came_and_no_others",
        || {
            let (a, b) = UnixStream::pair().unwrap();
            let mut room = ControlBuffer::<Rights<8>>::new();
            let clone = || a.as_fd().try_clone_to_owned().unwrap();
            let _below = use_all_below_the_highest(&a);
            for pattern in 0..=u8::MAX {
                let is_free = |at: usize| pattern & (1 << at) != 0;
                // The descriptors before and after these eight are open.
                let mut row: Vec<_> = (0..10).map(|_| Some(clone())).collect();
                let number = |fd: &Option<OwnedFd>| fd.as_ref().unwrap().as_raw_fd();
                let first = number(&row[0]);
                assert_eq!(number(&row[9]), first + 9);
                (0..8)
                    .filter(|at| is_free(*at))
                    .for_each(|at| row[at + 1] = None);
                let before = open();
                let count = pattern.count_ones() as usize;
                for taken in 0..=count {
                    give(&a, count);
                    let message = take(&b, &mut room).unwrap();
                    assert!((first..first + 10).all(is_open), "{pattern:08b}");
                    let mut control = message.into_control().unwrap();
                    let fds: Vec<_> = control.rights().take(taken).collect();
                    let mut expected = before.clone();
                    expected.extend(fds.iter().map(AsRawFd::as_raw_fd));
                    expected.sort_unstable();
                    drop(control);
                    assert_eq!(open(), expected, "{pattern:08b}, {taken} taken");
                    drop(fds);
                    assert_eq!(open(), before, "{pattern:08b}, {taken} taken");
                }
            }
        },
    );
}

/// After a descriptor is closed, the next file that is opened gets the same integer, even while the
/// control data that had it still exists.
#[test]
fn closed_number_that_is_used_again_is_not_closed_a_second_time() {
    alone(
        "closed::closed_number_that_is_used_again_is_not_closed_a_second_time",
        || {
            let Some((a, b)) = curious_pair::<Stream>() else {
                return;
            };
            let mut room = ControlBuffer::<(Rights<4>, Credentials, Pidfd)>::new();
            let before = open();
            // The receiver takes some or all descriptors, and closes those.
            for taken in 0..=4 {
                give(&a, 4);
                let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
                let fds: Vec<_> = control.rights().take(taken).collect();
                let pidfd = control.pidfd().unwrap().unwrap();
                let mut numbers: Vec<_> = fds.iter().map(AsRawFd::as_raw_fd).collect();
                numbers.push(pidfd.as_raw_fd());
                drop((fds, pidfd));
                let again = use_again(&numbers);
                drop(control);
                assert!(again.iter().all(|fd| is_open(fd.as_raw_fd())), "{taken}");
                drop(again);
                assert_eq!(open(), before, "{taken}");
            }
            // The descriptors that exceed the expected number were closed at once.
            let mut small = ControlBuffer::<(Rights<1>, Credentials, Pidfd)>::new();
            for sent in 2..=3 {
                give(&a, sent);
                let message = take(&b, &mut small).unwrap();
                let mut control = message.into_partial_control();
                let kept = control.rights().len();
                let closed = control.closed();
                assert!((kept, closed > 0) == (1, true), "{kept}, {closed}");
                let in_use = open();
                let numbers: Vec<_> = (0..).filter(|fd| !is_open(*fd)).take(closed).collect();
                let again = use_again(&numbers);
                drop(control);
                assert!(again.iter().all(|fd| is_open(fd.as_raw_fd())), "{sent}");
                assert!(open().len() < in_use.len() + again.len());
                drop(again);
                assert_eq!(open(), before, "{sent}");
            }
        },
    );
}

/// More descriptors are sent than the call expects, but only `N` are free in this process, so
/// exactly `N` arrive. The call still fails, because a part of what was sent is missing.
fn as_many_as_expected_came_of_more<const N: usize>() {
    let (a, b) = UnixStream::pair().unwrap();
    let before = open();
    for more in 1..=3 {
        give(&a, N + more);
        let refused = with_free(N, || b.recv_fds::<N>(&mut [0; 8]).map(drop));
        let text = refused.unwrap_err().to_string();
        assert_eq!(text, counts_text(N, N), "{N} of {}", N + more);
        assert_eq!(open(), before);
    }
    give(&a, N);
    let received = with_free(N, || b.recv_fds::<N>(&mut [0; 8]).map(drop));
    assert_eq!(received, Ok(()));
    assert_eq!(open(), before);
}

#[test]
fn closed_are_as_many_as_were_expected_where_more_were_sent() {
    alone(
        "closed::closed_are_as_many_as_were_expected_where_more_were_sent",
        || {
            as_many_as_expected_came_of_more::<1>();
            as_many_as_expected_came_of_more::<2>();
            as_many_as_expected_came_of_more::<3>();
            as_many_as_expected_came_of_more::<8>();
        },
    );
}

/// In a process that closed its standard input, a received descriptor can be 0, which is a valid
/// descriptor.
#[test]
fn closed_number_0_is_that_of_a_descriptor() {
    alone("closed::closed_number_0_is_that_of_a_descriptor", || {
        let Some((a, b)) = curious_pair::<Stream>() else {
            return;
        };
        let next = || (1..).find(|fd| !is_open(*fd)).unwrap();
        // The second received descriptor must be even, so that it has no bit in common with 1,
        // which follows 0.
        let odd = (next() % 2 == 1).then(|| a.as_fd().try_clone_to_owned().unwrap());
        // SAFETY: nothing in this process reads from standard input.
        assert_eq!(unsafe { libc::close(0) }, 0);
        let (before, second) = (open(), next());

        let mut buffer = ControlBuffer::<(Rights<2>, Credentials, Pidfd)>::new();
        give(&a, 2);
        let message = take(&b, &mut buffer).unwrap();
        assert!(is_open(0) && is_open(second));
        drop(message);
        assert_eq!(open(), before);

        a.write(b"x").unwrap();
        let mut control = take(&b, &mut buffer).unwrap().into_control().unwrap();
        let pidfd = control.pidfd().unwrap().unwrap();
        assert_eq!(pidfd.as_raw_fd(), 0);
        drop((control, pidfd, odd));
    });
}
