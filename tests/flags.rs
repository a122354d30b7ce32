//! Tests of the flags of a single call: their effect, and that they do not change the socket.
#![cfg(feature = "std")]

mod fresh;
#[path = "skip/mod.rs"]
mod skip;

use std::fmt::Debug;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use sunpath::ancillary::{
    Control, ControlBuffer, MsgFlags, Outgoing, RecvBatch, RecvSlots, Rights, SendBatch, SendSlots,
};
use sunpath::socket::{Kind, Messages};
use sunpath::{Datagram, Error, Seqpacket, Socket, Stream, UnixDatagram, UnixStream};

/// Makes a call that would wait on a blocking socket, and asserts that it fails and leaves the
/// socket blocking.
fn does_not_wait<T: Kind, R: Debug>(socket: &Socket<T>, call: impl FnOnce() -> Result<R, Error>) {
    assert!(!socket.nonblocking().unwrap());
    assert!(call().unwrap_err().is_would_block());
    assert!(!socket.nonblocking().unwrap(), "it is still blocking");
}

/// Checks the calls that every kind of socket has.
fn calls_do_not_wait<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let (mut buf, data) = ([0; 8], [IoSlice::new(b"hello")]);
    does_not_wait(&b, || {
        let bufs = &mut [IoSliceMut::new(&mut buf)];
        b.try_recvmsg(bufs, &mut []).map(drop)
    });
    let rights = [a.as_fd()];
    let sent = a.try_sendmsg(&data, &[Control::Rights(&rights)]).unwrap();
    assert_eq!(sent, 5);
    let bufs = &mut [IoSliceMut::new(&mut buf)];
    let message = b
        .try_recvmsg(bufs, ControlBuffer::<Rights<1>>::new())
        .unwrap();
    assert_eq!(
        (
            message.len(),
            message.into_control().unwrap().into_rights().len()
        ),
        (5, 1)
    );
    assert_eq!(&buf[..5], b"hello");

    a.set_nonblocking(true).unwrap();
    while a.sendmsg(&data, &[]).is_ok() {}
    a.set_nonblocking(false).unwrap();
    does_not_wait(&a, || a.try_sendmsg(&data, &[Control::Rights(&rights)]));
}

#[test]
fn flags_of_a_call_that_does_not_wait_with_control_messages() {
    calls_do_not_wait::<Stream>();
    calls_do_not_wait::<Datagram>();
    calls_do_not_wait::<Seqpacket>();
}

#[test]
fn flags_of_a_stream_that_does_not_wait() {
    let (a, b) = UnixStream::pair().unwrap();
    let mut buf = [0; 8];
    does_not_wait(&b, || b.try_read(&mut buf));
    assert_eq!(a.try_write(b"hello"), Ok(5));
    assert_eq!(b.try_read(&mut buf), Ok(5));
    let much = vec![0; 2 * a.send_buffer_size().unwrap()];
    let sent = a.try_write(&much).unwrap();
    assert!(sent < much.len(), "what need not wait: {sent}");
    does_not_wait(&a, || a.try_write(b"x"));
    drop(b);
    assert!(a.try_write(b"x").is_err(), "and no SIGPIPE");
}

fn messages_do_not_wait<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut buf = [0; 4];
    does_not_wait(&b, || b.try_recv(&mut buf));
    a.try_send(b"hello").unwrap();
    let received = b.try_recv(&mut buf).unwrap();
    assert_eq!((received.len(), received.is_truncated()), (4, true));
    assert!(received.flags().contains(MsgFlags::TRUNC));
    while a.try_send(b"hello").is_ok() {}
    does_not_wait(&a, || a.try_send(b"x"));

    let data = [IoSlice::new(b"x")];
    let mut slots = SendSlots::<2>::new();
    let mut sending = SendBatch::new(&mut slots);
    sending.push(Outgoing::new(&data)).unwrap();
    does_not_wait(&a, || a.sendmmsg_with(&mut sending, MsgFlags::DONTWAIT));
    assert_eq!(sending.len(), 1);
    let (mut slots, mut bufs) = (RecvSlots::<2>::new(), [[0; 8]; 2]);
    let mut receiving = RecvBatch::new(&mut slots, &mut bufs);
    let mut count = 0;
    let error = loop {
        match b.recvmmsg_with(&mut receiving, MsgFlags::DONTWAIT) {
            Ok(more) => count += more,
            Err(error) => break error,
        }
    };
    assert!(
        count > 0 && error.is_would_block(),
        "{count} messages, {error}"
    );
    a.sendmmsg_with(&mut sending, MsgFlags::DONTWAIT).unwrap();
    assert_eq!(b.recvmmsg(&mut receiving), Ok(1));
}

#[test]
fn flags_of_messages_that_do_not_wait() {
    messages_do_not_wait::<Datagram>();
    messages_do_not_wait::<Seqpacket>();
}

#[test]
fn flags_of_datagrams_to_an_address_that_do_not_wait() {
    let dir = fresh::dir();
    let receiver = UnixDatagram::bind(dir.path().join("receiver")).unwrap();
    let sender = UnixDatagram::bind(dir.path().join("sender")).unwrap();
    let to = receiver.local_addr().unwrap();
    let mut buf = [0; 8];
    does_not_wait(&receiver, || receiver.try_recv_from(&mut buf));
    sender.try_send_to(b"hello", &to).unwrap();
    let (received, from) = receiver.try_recv_from(&mut buf).unwrap();
    assert_eq!((received.len(), from), (5, sender.local_addr().unwrap()));

    let uninit = &mut [std::mem::MaybeUninit::uninit(); 4];
    sender.send_to(b"hello", &to).unwrap();
    let (bytes, received, from) = receiver.recv_from_uninit(uninit).unwrap();
    assert_eq!((&*bytes, received.is_truncated()), (&b"hell"[..], true));
    assert_eq!(from, sender.local_addr().unwrap());

    while sender.try_send_to(b"hello", &to).is_ok() {}
    does_not_wait(&sender, || sender.try_send_to(b"x", &to));
    let data = [IoSlice::new(b"x")];
    let (control, flags) = ([Control::Rights(&[])], MsgFlags::DONTWAIT);
    does_not_wait(&sender, || {
        sender.sendmsg_to_with(&data, &control, &to, flags)
    });
}

/// Peeks at a message with descriptors, into two slices. Each peek makes new descriptors, and the
/// message stays in the queue.
fn peeks<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let (kept, given) = UnixStream::pair().unwrap();
    let rights = [given.as_fd()];
    a.sendmsg(&[IoSlice::new(b"hello")], &[Control::Rights(&rights)])
        .unwrap();
    drop(given);
    for flags in [MsgFlags::PEEK, MsgFlags::PEEK, MsgFlags::empty()] {
        let (mut head, mut body) = ([0; 2], [0; 8]);
        let bufs = &mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
        let control = ControlBuffer::<Rights<1>>::new();
        let message = b.recvmsg_with(bufs, control, flags).unwrap();
        assert_eq!((message.len(), &head, &body[..3]), (5, b"he", &b"llo"[..]));
        let fd = message.into_control().unwrap().into_rights().next();
        let stream = UnixStream::try_from(fd.expect("a descriptor")).unwrap();
        stream.write(b"x").unwrap();
        assert_eq!(kept.read(&mut [0; 8]), Ok(1));
    }
    assert!(b.try_recvmsg(&mut [], &mut []).is_err(), "it was received");
    assert_eq!(kept.read(&mut [0; 8]), Ok(0), "all of them are closed");
}

#[test]
fn flags_peek_makes_new_descriptors_each_time() {
    peeks::<Stream>();
    peeks::<Datagram>();
    peeks::<Seqpacket>();
}

#[test]
fn flags_waitall_waits_for_all_of_the_slices() {
    let (a, b) = UnixStream::pair().unwrap();
    let received = |size: usize| {
        let mut buf = vec![0; size];
        let (front, back) = buf.split_at_mut(size / 2);
        let bufs = &mut [IoSliceMut::new(front), IoSliceMut::new(back)];
        let message = b.recvmsg_with(bufs, &mut [], MsgFlags::WAITALL).unwrap();
        (message.len(), buf)
    };
    a.write(b"abc").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // When the queue is empty, the other end has received the first bytes and waits for the
            // rest.
            while b.readable_bytes().unwrap() > 0 {
                std::thread::yield_now();
            }
            a.write(b"def")
        });
        assert_eq!(received(6), (6, b"abcdef".to_vec()));
    });
    a.write(b"gh").unwrap();
    drop(a);
    assert_eq!(received(3), (2, b"gh\0".to_vec()), "the stream ended");
}

#[test]
fn flags_oob_goes_with_slices_and_comes_with_its_flag() {
    let (a, b) = UnixStream::pair().unwrap();
    let data = [IoSlice::new(b"ab"), IoSlice::new(b"c")];
    match a.sendmsg_with(&data, &[], MsgFlags::OOB) {
        Err(error) if error.is_unsupported() => return skip::skip("bytes out of band"),
        sent => assert_eq!(sent, Ok(3)),
    }
    let (mut first, mut second) = ([0; 1], [0; 1]);
    let bufs = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    let message = b.recvmsg_with(bufs, &mut [], MsgFlags::OOB).unwrap();
    assert!(
        message.flags().contains(MsgFlags::OOB),
        "{:?}",
        message.flags()
    );
    assert_eq!((message.len(), message.is_end(), first), (1, false, *b"c"));
    let bufs = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    let message = b.recvmsg(bufs, &mut []).unwrap();
    assert!(!message.flags().contains(MsgFlags::OOB));
    assert_eq!((message.len(), first, second), (2, *b"a", *b"b"));
    let error = Socket::<Seqpacket>::pair()
        .unwrap()
        .0
        .sendmsg_with(&data, &[], MsgFlags::OOB)
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}

#[test]
fn flags_eor_ends_a_record_that_ends_anyway() {
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    let data = [IoSlice::new(b"ab"), IoSlice::new(b"c")];
    for flags in [MsgFlags::EOR, MsgFlags::empty()] {
        assert_eq!(a.sendmsg_with(&data, &[], flags), Ok(3));
        assert_eq!(b.recv(&mut [0; 8]).unwrap().len(), 3);
    }
}

/// The flags of a message are those that the kernel returned, so both kinds of truncation are in
/// them.
#[test]
fn flags_of_a_message_tell_both_truncations() {
    let (a, b) = UnixDatagram::pair().unwrap();
    for (size, space, flags) in [
        (5, true, MsgFlags::empty()),
        (4, true, MsgFlags::TRUNC),
        (5, false, MsgFlags::CTRUNC),
        (4, false, MsgFlags::TRUNC | MsgFlags::CTRUNC),
    ] {
        a.send_fds(b"hello", &[&a]).unwrap();
        let (mut buf, mut control) = ([0; 5], ControlBuffer::<Rights<1>>::new());
        let bufs = &mut [IoSliceMut::new(&mut buf[..size])];
        let told = match space {
            true => b.recvmsg(bufs, &mut control).unwrap().flags(),
            false => b.recv_vectored(bufs).unwrap().flags(),
        };
        for flag in [MsgFlags::TRUNC, MsgFlags::CTRUNC] {
            assert_eq!(told.contains(flag), flags.contains(flag), "{told:?}");
        }
    }
}

/// A program may pass the flags that the library always adds. The other flags have their effect as
/// usual.
#[test]
fn flags_that_are_added_may_be_given() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let given = MsgFlags::from_bits(libc::MSG_CMSG_CLOEXEC);
    let is_cloexec = |fd: &OwnedFd| {
        // SAFETY: F_GETFD has no argument, and the descriptor is open.
        let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
        flags & libc::FD_CLOEXEC != 0
    };
    a.send_fds(b"x", &[&b]).unwrap();
    let mut buf = [0; 8];
    let message = b
        .recvmsg_with(
            &mut [IoSliceMut::new(&mut buf)],
            ControlBuffer::<Rights<1>>::new(),
            given,
        )
        .unwrap();
    let mut rights = message.into_control().unwrap().into_rights();
    assert!(is_cloexec(&rights.next().unwrap()));

    // A batch does not wait for more messages than there are, and has the true length of each.
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_WAITFORONE | libc::MSG_TRUNC;
    a.send_fds(b"hello", &[&b]).unwrap();
    let (mut slots, mut bufs) = (RecvSlots::<2, Rights<1>>::new(), [[0; 4]; 2]);
    let mut batch = RecvBatch::new(&mut slots, &mut bufs);
    let arrived = b.recvmmsg_with(&mut batch, MsgFlags::from_bits(flags));
    assert_eq!(arrived, Ok(1));
    let (bytes, message) = batch.arrivals().next().unwrap().into_message();
    assert_eq!(
        (bytes, message.received().true_len()),
        (&mut b"hell"[..].to_vec()[..], Some(5))
    );
    let mut control = message.into_control().unwrap();
    let fd = control.rights().next().unwrap();
    assert!(is_cloexec(&fd));
}
