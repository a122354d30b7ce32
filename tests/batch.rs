//! Tests of many messages with one call, through the public API.
#![cfg(feature = "std")]

mod fresh;

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::path::PathBuf;

use sunpath::ancillary::{
    Arrival, Control, ControlBuffer, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
    Sender,
};
use sunpath::error::Cause;
use sunpath::socket::Messages;
use sunpath::{Datagram, Errno, Seqpacket, Socket, UnixAddr, UnixDatagram};

/// Sends the messages, each from one slice, with one call.
fn send<T: Messages>(from: &Socket<T>, messages: &[&[u8]]) {
    let data: Vec<_> = messages.iter().map(|bytes| [IoSlice::new(bytes)]).collect();
    let mut room = SendSlots::<8>::new();
    let mut batch = SendBatch::new(&mut room);
    for data in &data {
        batch.push(Outgoing::new(data)).unwrap();
    }
    from.sendmmsg(&mut batch).unwrap();
    assert!(batch.is_empty());
}

/// Receives several times into the same slots, after shorter and after longer messages. The batch
/// is moved before the first receive.
fn serves_again<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let (mut room, mut bufs) = (RecvSlots::<4>::new(), vec![[0; 4]; 5]);
    let batch = RecvBatch::new(&mut room, &mut bufs);
    let mut batch = Box::new(batch);
    for round in [&[&b"abc"[..], b"", b"d"][..], &[b"e"], &[b"", b"fghi"]] {
        send(&a, round);
        assert_eq!(b.recvmmsg(&mut batch).unwrap(), round.len());
        let arrivals = batch.arrivals();
        assert_eq!(arrivals.len(), round.len());
        for (arrival, sent) in arrivals.zip(round) {
            assert_eq!(arrival.bytes(), *sent);
            assert!(!arrival.received().is_truncated());
            let (bytes, message) = arrival.into_message();
            assert_eq!((&*bytes, message.sender()), (*sent, None));
        }
    }
    send(&a, &[b"x".as_slice(); 6]);
    assert_eq!(
        b.recvmmsg(&mut batch).unwrap(),
        4,
        "as many as there are slots"
    );
    assert_eq!(b.recvmmsg(&mut batch).unwrap(), 2);
    let arrivals = batch.arrivals();
    let bytes: Vec<_> = arrivals.map(|arrival| arrival.into_message().0).collect();
    assert_eq!(bytes, [b"x"; 2]);
    assert_eq!(batch.arrivals().len(), 0, "they were given away");
    drop(batch);

    let mut none = RecvBatch::<8, _>::new(&mut room, &mut []);
    assert_eq!(b.recvmmsg(&mut none).unwrap(), 0);
}

#[test]
fn batch_serves_again_wherever_it_lies() {
    serves_again::<Datagram>();
    serves_again::<Seqpacket>();
}

fn says_truncation<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    send(&a, &[b"abc", b"abcd", b"abcde"]);
    let (mut room, mut bufs) = (RecvSlots::<3>::new(), [[0; 4]; 3]);
    let mut batch = RecvBatch::new(&mut room, &mut bufs);
    b.recvmmsg(&mut batch).unwrap();
    let received: Vec<_> = batch
        .arrivals()
        .map(|arrival| {
            let received = arrival.received();
            assert_eq!(arrival.bytes().len(), received.len());
            let (bytes, message) = arrival.into_message();
            assert_eq!(bytes.len(), received.len());
            assert_eq!(message.is_truncated(), received.is_truncated());
            (received.len(), received.is_truncated(), received.true_len())
        })
        .collect();
    let whole = |len| (len, false, Some(len));
    assert_eq!(received, [whole(3), whole(4), (4, true, Some(5))]);
}

#[test]
fn batch_message_of_size_minus_one_size_and_size_plus_one() {
    says_truncation::<Datagram>();
    says_truncation::<Seqpacket>();
}

#[test]
fn batch_tells_the_senders_that_it_expects() {
    let dir = fresh::dir();
    let at = |name: &str| -> PathBuf { dir.path().join(name) };
    let receiver = UnixDatagram::bind(at("receiver")).unwrap();
    let to = receiver.local_addr().unwrap();
    let senders = [
        UnixDatagram::bind(at("a-sender-of-a-long-name")).unwrap(),
        UnixDatagram::new().unwrap(),
        UnixDatagram::bind(at("short")).unwrap(),
    ];
    let (mut room, mut bufs) = (RecvSlots::<3, Sender>::new(), [[0; 8]; 3]);
    let mut batch = RecvBatch::new(&mut room, &mut bufs);
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let addrs: Vec<UnixAddr> = order
            .iter()
            .map(|number| {
                senders[*number].send_to(b"x", &to).unwrap();
                senders[*number].local_addr().unwrap()
            })
            .collect();
        receiver.recvmmsg(&mut batch).unwrap();
        let came: Vec<UnixAddr> = batch
            .arrivals()
            .map(Arrival::into_message)
            .filter_map(|(_, message)| message.sender().copied())
            .collect();
        assert_eq!(came, addrs);
    }
}

#[test]
fn batch_sends_to_addresses() {
    let dir = fresh::dir();
    let receivers = ["a", "b"].map(|name| UnixDatagram::bind(dir.path().join(name)).unwrap());
    let addrs = receivers.each_ref().map(|of| of.local_addr().unwrap());
    let data = [IoSlice::new(b"x")];
    let mut room = SendSlots::<2>::new();
    let mut batch = SendBatch::new(&mut room);
    for addr in &addrs {
        batch.push(Outgoing::new(&data).to(addr)).unwrap();
    }
    UnixDatagram::new().unwrap().sendmmsg(&mut batch).unwrap();
    for receiver in receivers {
        assert_eq!(receiver.recv(&mut [0; 8]).unwrap().len(), 1);
    }
}

#[test]
fn batch_of_n_minus_one_n_and_n_plus_one_messages() {
    let data = [IoSlice::new(b"x")];
    let mut room = SendSlots::<3>::new();
    let mut batch = SendBatch::new(&mut room);
    for len in 1..=3 {
        batch.push(Outgoing::new(&data)).unwrap();
        assert_eq!(batch.len(), len);
    }
    let error = batch.push(Outgoing::new(&data)).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOBUFS);
    let said = "sendmmsg: ENOBUFS (the batch is full: it holds 3 messages)";
    assert_eq!((error.to_string(), batch.len()), (said.to_owned(), 3));
}

/// A header that was written for bytes alone is used again for the next bytes. In between the same
/// slots have an address, descriptors, or several slices, which must not stay in the header.
#[test]
fn batch_slots_keep_nothing_of_an_earlier_batch() {
    let dir = fresh::dir();
    let other = UnixDatagram::bind(dir.path().join("other")).unwrap();
    other.set_nonblocking(true).unwrap();
    let (a, b) = UnixDatagram::pair().unwrap();
    let (addr, fd) = (other.local_addr().unwrap(), [a.as_fd()]);
    let (control, two) = (
        [Control::Rights(&fd)],
        [IoSlice::new(b"12"), IoSlice::new(b"3")],
    );
    let to_other = Outgoing::from_bytes(b"456").to(&addr);
    let with_fd = Outgoing::from_bytes(b"789").control(&control);
    let mut slots = SendSlots::<3, Rights<1>>::new();
    let mut send = |messages: [Outgoing<'_>; 3]| {
        let mut batch = SendBatch::new(&mut slots);
        batch.push_all(messages).unwrap();
        a.sendmmsg(&mut batch).unwrap();
    };
    // Receives the bytes of a message, and counts its descriptors.
    let receive = || {
        let (mut buf, control) = ([0; 8], ControlBuffer::<Rights<1>>::new());
        let slices = &mut [IoSliceMut::new(&mut buf)];
        let message = b.try_recvmsg(slices, control).unwrap();
        let len = message.len();
        let fds = message.into_control().unwrap().into_rights().count();
        (buf[..len].to_vec(), fds)
    };
    let plain = [b"a", &b"bc"[..], b""].map(Outgoing::from_bytes);
    for place in 0..3 {
        for (special, arrives) in [
            (to_other, None),
            (with_fd, Some((&b"789"[..], 1))),
            (Outgoing::new(&two), Some((b"123", 0))),
        ] {
            let (mut messages, mut expected) =
                (plain, [b"a", &b"bc"[..], b""].map(|of| Some((of, 0))));
            let all_plain = expected;
            (messages[place], expected[place]) = (special, arrives);
            for (messages, expected) in
                [(plain, all_plain), (messages, expected), (plain, all_plain)]
            {
                send(messages);
                for (bytes, fds) in expected.into_iter().flatten() {
                    assert_eq!(receive(), (bytes.to_vec(), fds));
                }
                let at_other = other.recv(&mut [0; 8]).map(|received| received.len());
                let expected_there = if expected.contains(&None) {
                    Some(3)
                } else {
                    None
                };
                assert_eq!(at_other.ok(), expected_there);
            }
        }
    }
}

#[test]
fn batch_takes_messages_until_one_does_not_fit() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let fds = [a.as_fd(), b.as_fd()];
    let control = [Control::Rights(&fds)];
    let mut slots = SendSlots::<4, Rights<1>>::new();
    let too_large = Outgoing::from_bytes(b"two").control(&control);
    for (len, messages) in [
        (4, vec![Outgoing::from_bytes(b"one"); 5]),
        (
            1,
            vec![
                Outgoing::from_bytes(b"one"),
                too_large,
                Outgoing::from_bytes(b"three"),
            ],
        ),
        (0, vec![too_large]),
    ] {
        let mut batch = SendBatch::new(&mut slots);
        let error = batch.push_all(messages).unwrap_err();
        let errno = if len == 4 {
            Errno::ENOBUFS
        } else {
            Errno::EMSGSIZE
        };
        assert_eq!((error.errno(), batch.len()), (errno, len));
        batch.push_all([]).unwrap();
        a.sendmmsg(&mut batch).unwrap();
        for _ in 0..len {
            let mut buf = [0; 8];
            let received = b.recv(&mut buf).unwrap().len();
            assert_eq!(&buf[..received], b"one");
        }
    }
}

#[test]
fn batch_keeps_what_did_not_go() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let long = vec![0; a.send_buffer_size().unwrap() + 1];
    let messages: [&[u8]; 4] = [b"one", &long, b"two", b"three"];
    let data = messages.map(|bytes| [IoSlice::new(bytes)]);
    let mut room = SendSlots::<4>::new();
    let mut batch = SendBatch::new(&mut room);
    for data in &data {
        batch.push(Outgoing::new(data)).unwrap();
    }
    for _ in 0..2 {
        let error = a.sendmmsg(&mut batch).unwrap_err();
        assert_eq!((error.errno(), batch.len()), (Errno::EMSGSIZE, 3));
        let cause = error.cause();
        assert!(
            matches!(cause, Some(Cause::MessageTooLong { limit }) if long.len() > limit as usize)
        );
    }
    batch.skip();
    a.sendmmsg(&mut batch).unwrap();
    batch.skip();
    assert!(batch.is_empty(), "there was none to leave out");

    let mut buf = [0; 8];
    for sent in ["one", "two", "three"] {
        let len = b.recv(&mut buf).unwrap().len();
        assert_eq!(&buf[..len], sent.as_bytes());
    }
}

#[test]
fn batch_goes_on_where_the_queue_was_full() {
    let (a, b) = UnixDatagram::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    let data = [IoSlice::new(b"x")];
    let mut room = SendSlots::<1024>::new();
    let mut batch = SendBatch::new(&mut room);
    for _ in 0..1024 {
        batch.push(Outgoing::new(&data)).unwrap();
    }
    let (mut sent, mut received) = (0, 0);
    for _ in 0..4 {
        batch.rewind();
        sent += batch.len();
        while let Err(error) = a.sendmmsg(&mut batch) {
            assert_eq!(error.errno(), Errno::EAGAIN);
            while b.recv(&mut [0]).is_ok() {
                received += 1;
            }
        }
    }
    while b.recv(&mut [0]).is_ok() {
        received += 1;
    }
    assert_eq!(received, sent);
}
