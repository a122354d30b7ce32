//! Tests that no descriptor is lost and none leaks, even if the buffer has no space for it, if
//! nobody takes it, or after a panic.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sunpath::ancillary::{
    Control, ControlBuffer, Credentials, Message, Outgoing, Pidfd, RecvBatch, RecvSlots, Rights,
    SendBatch, SendSlots,
};
use sunpath::socket::{Kind, Messages};
use sunpath::sys::{CMSG_LEN, CMSG_SPACE};
use sunpath::{Datagram, Errno, Error, Seqpacket, Socket, Stream};

use super::{
    INT, MANY, all_cloexec, alone, curious_pair, give, is_cloexec, is_open, open, refused, take,
    truncated_text, with_free,
};

/// Receives `K` descriptors, credentials and a pidfd under each limit that leaves from 0 to `K` + 1
/// descriptors free. With `K` + 1 there are enough for all descriptors and the pidfd.
fn arrives_as_far_as_descriptors_are_free<T: Kind, const K: usize>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
    let mut room = ControlBuffer::<(Rights<K>, Credentials, Pidfd)>::new();
    let before = open();
    for free in 0..=K + 1 {
        let what = format!("{K} descriptors, {free} free");

        give(&a, K);
        let message = with_free(free, || take(&b, &mut room)).unwrap();
        assert_eq!(message.len(), 1);
        assert_eq!(message.is_control_truncated(), free < K, "{what}");
        assert_eq!(message.received().is_control_truncated(), free < K);
        drop(message);
        assert_eq!(open(), before, "{what}: a message that is not opened");

        give(&a, K);
        let refused = with_free(free, || take(&b, &mut room).map(refused)).unwrap();
        let expected = (free < K).then(|| truncated_text(free));
        assert_eq!(refused, expected, "{what}");
        assert_eq!(open(), before, "{what}: a message that was refused");

        give(&a, K);
        let message = with_free(free, || take(&b, &mut room)).unwrap();
        let mut control = message.into_partial_control();
        assert_eq!(control.credentials(), Some(Credentials::own()), "{what}");
        assert_eq!(control.closed(), 0, "nothing counts what the kernel drops");
        let fds: Vec<_> = control.rights().collect();
        assert_eq!(fds.len(), free.min(K), "{what}");
        assert!(all_cloexec(&fds), "{what}");
        match control.pidfd() {
            Ok(Some(pidfd)) => assert!(free > K && is_cloexec(&pidfd), "{what}"),
            Ok(None) => panic!("{what}: no place for a pidfd"),
            Err(error) => {
                assert!(free <= K, "{what}");
                assert_eq!(error.errno(), Errno::EMFILE);
            }
        }
        assert!(control.pidfd().unwrap().is_none(), "it is taken once");
        drop(fds);
        drop(control);
        assert_eq!(open(), before, "{what}: a message that was taken in part");
    }
}

/// Runs one check for each of these numbers of descriptors.
macro_rules! for_each_count {
    ($check:ident of $kind:ident: $($count:literal)+) => {
        $($check::<$kind, $count>();)+
    };
}

#[test]
fn ancillary_at_every_limit_of_descriptors_loses_none() {
    if crate::limit::unless_descriptors(MANY) {
        return;
    }
    alone(
        "lost::ancillary_at_every_limit_of_descriptors_loses_none",
        || {
            for_each_count!(arrives_as_far_as_descriptors_are_free of Stream: 1 2 3 4 5 6 7 8 253);
            for_each_count!(arrives_as_far_as_descriptors_are_free of Seqpacket: 1 2 3 4 5 6 7 8 253);
            for_each_count!(arrives_as_far_as_descriptors_are_free of Datagram: 1 2 3 4 5 6 7 8 253);
        },
    );
}

/// Receives this many descriptors, credentials and a pidfd into a buffer of this size and
/// alignment.
fn arrives_as_far_as_room_is<T: Kind>(
    (a, b): &(Socket<T>, Socket<T>),
    count: usize,
    (size, shift): (usize, usize),
) {
    let what = format!("{count} descriptors into {size} bytes at {shift}");
    let mut bytes = vec![0xaa; size + 16];
    let begin = bytes.as_ptr().align_offset(8) + shift;
    let room = &mut bytes[begin..][..size];
    let before = open();

    give(a, count);
    let message = take(b, &mut *room).unwrap();
    let truncated = message.is_control_truncated();
    let mut control = message.into_partial_control();
    assert_eq!(control.is_truncated(), truncated);
    let fds: Vec<_> = control.rights().collect();
    assert!(all_cloexec(&fds), "{what}");
    let expected = size.saturating_sub(CMSG_SPACE(3 * INT) + CMSG_LEN(0)) / INT;
    assert_eq!(fds.len(), expected.min(count), "{what}");
    let pidfd = control.pidfd().unwrap();
    if let Some(credentials) = control.credentials() {
        assert_eq!(credentials, Credentials::own());
    }
    let whole = fds.len() == count && pidfd.is_some() && control.credentials().is_some();
    assert_eq!(truncated, !whole, "{what}");
    let arrived = fds.len();
    drop((fds, pidfd));
    drop(control);
    assert_eq!(open(), before, "{what}");

    // The same bytes are used again, with the data that the last receive left in them.
    give(a, count);
    let expected = (!whole).then(|| truncated_text(arrived));
    assert_eq!(take(b, room).map(refused), Ok(expected), "{what}");
    assert_eq!(open(), before, "{what}");
}

#[test]
fn ancillary_in_every_room_loses_none() {
    if crate::limit::unless_descriptors(MANY) {
        return;
    }
    alone("lost::ancillary_in_every_room_loses_none", || {
        let Some(pair) = curious_pair::<Stream>() else {
            return;
        };
        let full =
            |count: usize| CMSG_SPACE(3 * INT) + CMSG_SPACE(count * INT) + CMSG_SPACE(INT) + 8;
        for count in 1..=8 {
            for size in 0..=full(count) {
                for shift in 0..8 {
                    arrives_as_far_as_room_is(&pair, count, (size, shift));
                }
            }
        }
        for size in 0..=full(253) {
            arrives_as_far_as_room_is(&pair, 253, (size, size % 8));
        }
    });
}

#[test]
fn ancillary_that_nobody_takes_to_the_end_is_closed() {
    alone(
        "lost::ancillary_that_nobody_takes_to_the_end_is_closed",
        || {
            let Some((a, b)) = curious_pair::<Stream>() else {
                return;
            };
            let mut room = ControlBuffer::<(Rights<8>, Credentials, Pidfd)>::new();
            let before = open();
            for taken in 0..=8 {
                give(&a, 8);
                let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
                let fds: Vec<_> = control.rights().take(taken).collect();
                assert_eq!(fds.len(), taken);
                assert_eq!(control.rights().len(), 8 - taken, "the rest stays");
                drop(control);
                assert!(fds.iter().all(|fd| is_open(fd.as_raw_fd())));
                assert_eq!(open().len(), before.len() + taken);
                drop(fds);
                assert_eq!(open(), before);
            }

            // The receiver panics while it holds the message, after it has opened the message, and
            // after it has taken one of the descriptors.
            type Held<'c> = Message<&'c mut ControlBuffer<(Rights<8>, Credentials, Pidfd)>>;
            type Broken = fn(Held<'_>);
            let fall: [Broken; 3] = [
                |_message| panic!("on purpose"),
                |message| {
                    let _control = message.into_control().unwrap();
                    panic!("on purpose");
                },
                |message| {
                    let mut control = message.into_partial_control();
                    let mut rights = control.rights();
                    let _fd = rights.next().unwrap();
                    panic!("on purpose");
                },
            ];
            for fall in fall {
                give(&a, 8);
                let caught = catch_unwind(AssertUnwindSafe(|| fall(take(&b, &mut room).unwrap())));
                assert!(caught.is_err());
                assert_eq!(open(), before);
            }

            // One buffer is used a thousand times, with and without descriptors.
            for round in 0..1000 {
                give(&a, round % 9);
                let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
                assert_eq!(control.rights().len(), round % 9);
                let kept = control.rights().next();
                assert_eq!(kept.is_some(), round % 9 > 0);
            }
            assert_eq!(open(), before);
        },
    );
}

#[test]
fn ancillary_receive_that_fails_leaves_the_room_usable() {
    alone(
        "lost::ancillary_receive_that_fails_leaves_the_room_usable",
        || {
            let mut room = ControlBuffer::<(Rights<2>, Credentials, Pidfd)>::new();
            let before = open();
            let Some((a, b)) = curious_pair::<Stream>() else {
                return;
            };
            b.set_nonblocking(true).unwrap();
            give(&a, 2);
            drop(take(&b, &mut room).unwrap());
            let during = open();
            let empty = take(&b, &mut room).map(drop).unwrap_err();
            assert_eq!(empty.errno(), Errno::EAGAIN);
            assert_eq!(open(), during);

            // The peer closes its end and leaves our bytes unread.
            b.write(b"unread").unwrap();
            drop(a);
            let reset = take(&b, &mut room).map(drop).unwrap_err();
            assert_eq!(
                reset.to_string(),
                "recvmsg: ECONNRESET (connection reset by peer)"
            );
            let end = take(&b, &mut room).unwrap();
            assert_eq!((end.len(), end.is_control_truncated()), (0, false));
            let mut end = end.into_control().unwrap();
            assert_eq!(
                end.credentials(),
                None,
                "those of no process, which read as root's"
            );
            assert_eq!(end.rights().len(), 0);
            assert!(end.pidfd().unwrap().is_none());
            drop(end);
            let (received, credentials) = b.recv_with_credentials(&mut [0; 8]).unwrap();
            assert_eq!((received.len(), credentials), (0, None));
            drop(b);
            assert_eq!(open(), before);
        },
    );
}

/// Receives a batch of six messages with two descriptors each. The test takes only some of them.
fn batch_is_closed<T: Messages>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
    let before = open();
    let mut room = SendSlots::<8, Rights<2>>::new();
    let mut sending = SendBatch::new(&mut room);
    let fds = [a.as_fd(); 2];
    let (data, control) = ([IoSlice::new(b"x")], [Control::Rights(&fds)]);
    for _ in 0..6 {
        let message = Outgoing::new(&data).control(&control);
        sending.push(message).unwrap();
    }
    let mut texts = [[0; 4]; 8];
    let mut room = RecvSlots::<8, (Rights<2>, Credentials, Pidfd)>::new();
    let mut receiving = RecvBatch::new(&mut room, &mut texts);
    for looked_at in 0..=6 {
        sending.rewind();
        a.sendmmsg(&mut sending).unwrap();
        assert_eq!(b.recvmmsg(&mut receiving).unwrap(), 6);
        let mut arrivals = receiving.arrivals();
        assert_eq!(arrivals.len(), 6);
        let mut kept = Vec::new();
        for (number, arrival) in arrivals.by_ref().take(looked_at).enumerate() {
            assert_eq!(arrival.bytes(), b"x");
            match number {
                0 => drop(arrival),
                1 => drop(arrival.into_message()),
                _ => {
                    let (bytes, message) = arrival.into_message();
                    assert_eq!(bytes, b"x");
                    kept.extend(message.into_control().unwrap().rights().next());
                }
            }
        }
        assert!(all_cloexec(&kept));
        drop(arrivals);
        assert_eq!(open().len(), before.len() + kept.len());
        drop(kept);
        assert_eq!(open(), before, "{looked_at} messages were looked at");
    }

    // Seven descriptors are free. With their pidfds, two and a half messages need seven.
    sending.rewind();
    a.sendmmsg(&mut sending).unwrap();
    with_free(7, || b.recvmmsg(&mut receiving)).unwrap();
    let came: Vec<_> = receiving
        .arrivals()
        .map(|arrival| {
            let (_, message) = arrival.into_message();
            let truncated = message.is_control_truncated();
            let mut control = message.into_partial_control();
            let pidfd = control.pidfd().map_err(Error::errno);
            (
                truncated,
                control.rights().len(),
                pidfd.map(|fd| fd.is_some()),
            )
        })
        .collect();
    let whole = (false, 2, Ok(true));
    let none = (true, 0, Err(Errno::EMFILE));
    let half = (true, 1, Err(Errno::EMFILE));
    assert_eq!(came, [whole, whole, half, none, none, none]);
    assert_eq!(open(), before);

    // Three descriptors are received into a buffer with space for two.
    give(&a, 3);
    b.recvmmsg(&mut receiving).unwrap();
    let arrival = receiving.arrivals().next().unwrap();
    let (_, message) = arrival.into_message();
    let mut control = message.into_partial_control();
    assert_eq!((control.rights().len(), control.is_truncated()), (2, true));
    drop(control);
    assert_eq!(open(), before);
}

#[test]
fn ancillary_of_a_batch_half_looked_at_is_closed() {
    alone(
        "lost::ancillary_of_a_batch_half_looked_at_is_closed",
        || {
            batch_is_closed::<Datagram>();
            batch_is_closed::<Seqpacket>();
        },
    );
}

fn plain_receive_says_so<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    let mut buf = [0; 8];
    a.send(b"plain").unwrap();
    let mut vectored = |b: &Socket<T>| b.recv_vectored(&mut [IoSliceMut::new(&mut buf)]);
    assert!(!vectored(&b).unwrap().is_control_truncated());
    give(&a, 2);
    let received = vectored(&b).unwrap();
    assert!(received.is_control_truncated());
    assert_eq!((received.len(), received.is_truncated()), (1, false));
    // recv(2) returns no flags that could report lost descriptors, but the kernel closes them.
    give(&a, 2);
    assert!(!b.recv(&mut buf).unwrap().is_control_truncated());
    assert_eq!(open(), before);
    give(&a, 1);
    let (received, credentials) = b.recv_with_credentials(&mut buf).unwrap();
    assert!(
        received.is_control_truncated(),
        "it arrived without being asked for"
    );
    assert_eq!(credentials, None);
    assert_eq!(open(), before);
}

#[test]
fn ancillary_that_plain_receives_drop_is_said() {
    alone("lost::ancillary_that_plain_receives_drop_is_said", || {
        plain_receive_says_so::<Datagram>();
        plain_receive_says_so::<Seqpacket>();
    });
}
