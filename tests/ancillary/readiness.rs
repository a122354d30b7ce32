//! Tests of messages in a readiness loop. A message is returned from the loop, or from the closure,
//! in which the receive is retried. Only the call of poll(2) needs `unsafe` in these tests.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use sunpath::ancillary::{
    Control, ControlBuffer, Credentials, IntoDescriptors, Message, Outgoing, RecvBatch, RecvSlots,
    Rights, SendBatch, SendSlots,
};
use sunpath::socket::Kind;
use sunpath::{Datagram, Error, Seqpacket, Socket, Stream};

use super::{all_cloexec, alone, give, open};

/// A buffer for descriptors and credentials. The kernel writes the descriptors after the
/// credentials, although they come first in the type.
type Buffer = ControlBuffer<(Rights<3>, Credentials)>;

/// Receives a message of at most 8 bytes, and retries until one arrives. The borrow checker would
/// refuse this loop (E0499) if the message borrowed its buffer from the caller.
fn retried<T: Kind>(socket: &Socket<T>) -> Result<Message<Buffer>, Error> {
    let mut buf = [0; 8];
    loop {
        match socket.recvmsg(&mut [IoSliceMut::new(&mut buf)], Buffer::new()) {
            Err(error) if error.is_would_block() => {
                wait(&[socket]);
            }
            received => return received,
        }
    }
}

/// Retries `call` until it does not have to wait, as the methods of async runtimes do. A closure
/// cannot return a borrow of what it captured (E0524 and similar errors), so the message must own
/// its buffer.
fn when_readable<T: Kind, R>(
    socket: &Socket<T>,
    mut call: impl FnMut(&Socket<T>) -> Result<R, Error>,
) -> Result<R, Error> {
    loop {
        match call(socket) {
            Err(error) if error.is_would_block() => {
                wait(&[socket]);
            }
            result => return result,
        }
    }
}

/// Waits until at least one of the sockets is readable, and returns for each whether it is
/// readable.
fn wait<T: Kind>(sockets: &[&Socket<T>]) -> Vec<bool> {
    let slot = |socket: &&Socket<T>| libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut slots: Vec<_> = sockets.iter().map(slot).collect();
    // SAFETY: the slots are live, and `len` counts them.
    let ready = unsafe { libc::poll(slots.as_mut_ptr(), slots.len() as libc::nfds_t, -1) };
    assert!(ready > 0);
    slots.iter().map(|slot| slot.revents != 0).collect()
}

/// Makes a pair whose second end is nonblocking and asks for credentials.
fn pair<T: Kind>() -> (Socket<T>, Socket<T>) {
    let (a, b) = Socket::<T>::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    b.set_pass_credentials(true).unwrap();
    (a, b)
}

/// Receives from several peers in several rounds. In each round the test receives from every socket
/// that is ready until the call would wait.
fn polled<T: Kind>() {
    let before = open();
    let pairs: Vec<_> = (0..3).map(|_| pair::<T>()).collect();
    let receivers: Vec<_> = pairs.iter().map(|(_, b)| b).collect();
    let mut kept: Vec<OwnedFd> = Vec::new();
    for round in 0..4 {
        // In every round another peer is silent, and messages carry 0 to 3 descriptors.
        for (number, (a, _)) in pairs.iter().enumerate().filter(|(n, _)| *n != round % 3) {
            give(a, number);
            give(a, round);
        }
        let mut came = Vec::new();
        for (number, _) in wait(&receivers).iter().enumerate().filter(|(_, is)| **is) {
            let mut messages = 0;
            let error = loop {
                let mut buf = [0; 1];
                let bufs = &mut [IoSliceMut::new(&mut buf)];
                match receivers[number].recvmsg(bufs, Buffer::new()) {
                    Ok(message) => {
                        assert_eq!((message.len(), message.is_end()), (1, false));
                        let control = message.into_control().unwrap();
                        assert_eq!(control.credentials(), Some(Credentials::own()));
                        let fds: Vec<_> = control.into_rights().collect();
                        assert_eq!(fds.len(), [number, round][messages], "in round {round}");
                        kept.extend(fds);
                        messages += 1;
                    }
                    Err(error) => break error,
                }
            };
            assert!(error.is_would_block(), "{error}");
            came.push((number, messages));
        }
        let all = (0..3).filter(|number| *number != round % 3);
        assert_eq!(came, all.map(|number| (number, 2)).collect::<Vec<_>>());
    }
    assert!(all_cloexec(&kept));
    drop((kept, pairs));
    assert_eq!(open(), before);
}

#[test]
fn ancillary_comes_out_of_a_poll_loop() {
    alone("readiness::ancillary_comes_out_of_a_poll_loop", || {
        polled::<Stream>();
        polled::<Datagram>();
        polled::<Seqpacket>();
    });
}

/// Receives messages in a loop and in a closure while another thread sends them, so the receiver
/// may have to retry.
fn leaves_the_loop<T: Kind + Sync>() {
    let (a, b) = pair::<T>();
    std::thread::scope(|scope| {
        scope.spawn(|| give(&a, 2));
        let message = retried(&b).unwrap();
        assert_eq!(message.into_control().unwrap().rights().len(), 2);

        let (data, mut buf, mut calls) = (b"later", [0; 8], 0);
        scope.spawn(|| a.sendmsg(&[IoSlice::new(data)], &[Control::Rights(&[a.as_fd()])]));
        let message: Message<Buffer> = when_readable(&b, |socket| {
            calls += 1;
            socket.recvmsg(&mut [IoSliceMut::new(&mut buf)], ControlBuffer::new())
        })
        .unwrap();
        assert!(calls >= 1);
        assert_eq!(buf[..message.len()], *data);
        assert_eq!(message.into_control().unwrap().rights().len(), 1);
    });
    drop(a);
    if b.socket_type().unwrap() != libc::SOCK_DGRAM {
        assert!(retried(&b).unwrap().is_end());
    }
}

#[test]
fn ancillary_leaves_the_loop_that_tries_again() {
    leaves_the_loop::<Stream>();
    leaves_the_loop::<Datagram>();
    leaves_the_loop::<Seqpacket>();
}

/// Receives a message, and returns an iterator that owns its descriptors.
fn rights<T: Kind>(socket: &Socket<T>) -> Result<IntoDescriptors<ControlBuffer<Rights<3>>>, Error> {
    let mut buf = [0; 8];
    let bufs = &mut [IoSliceMut::new(&mut buf)];
    let message = socket.recvmsg(bufs, ControlBuffer::new())?;
    Ok(message.into_control()?.into_rights())
}

#[test]
fn ancillary_rights_outlive_the_message_and_are_closed() {
    alone(
        "readiness::ancillary_rights_outlive_the_message_and_are_closed",
        || {
            let (a, b) = Socket::<Stream>::pair().unwrap();
            let before = open();
            for taken in 0..=3 {
                give(&a, 3);
                let mut rights = Box::new(rights(&b).unwrap());
                assert_eq!(rights.len(), 3);
                let kept: Vec<_> = rights.by_ref().take(taken).collect();
                assert_eq!(rights.len(), 3 - taken);
                drop(rights);
                assert_eq!(open().len(), before.len() + taken);
                drop(kept);
                assert_eq!(open(), before);
            }
        },
    );
}

/// The message owns its buffer, so all bytes of all control messages move with it, including the
/// padding between them.
#[test]
fn ancillary_moves_with_its_message() {
    let (a, b) = pair::<Datagram>();
    for count in 0..=3 {
        give(&a, count);
        let mut buf = [0; 1];
        let bufs = &mut [IoSliceMut::new(&mut buf)];
        let message = b.recvmsg(bufs, Buffer::new()).unwrap();
        let moved = std::hint::black_box(Box::new([message]));
        let [message] = *std::thread::spawn(|| moved).join().unwrap();
        let mut control = message.into_control().unwrap();
        assert_eq!(control.credentials(), Some(Credentials::own()));
        assert_eq!(control.messages().count(), 1 + usize::from(count > 0));
        assert_eq!(control.rights().count(), count);
    }
}

/// The receive can be retried in a loop or in a closure, because the received data belongs to the
/// batch.
#[test]
fn batch_comes_out_of_a_readiness_loop() {
    alone("readiness::batch_comes_out_of_a_readiness_loop", || {
        let (a, b) = pair::<Seqpacket>();
        let before = open();
        let (data, fds) = ([IoSlice::new(b"x")], [a.as_fd(); 2]);
        let control = [Control::Rights(&fds)];
        let mut slots = SendSlots::<3, Rights<2>>::new();
        let mut sending = SendBatch::new(&mut slots);
        for _ in 0..3 {
            sending
                .push(Outgoing::new(&data).control(&control))
                .unwrap();
        }
        let (mut slots, mut bufs) = (RecvSlots::<4, Buffers>::new(), [[0; 8]; 4]);
        let mut batch = RecvBatch::new(&mut slots, &mut bufs);
        assert!(b.recvmmsg(&mut batch).unwrap_err().is_would_block());
        for round in 0..3 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    sending.rewind();
                    a.sendmmsg(&mut sending).unwrap();
                });
                let mut count = 0;
                while count < 3 {
                    count += when_readable(&b, |socket| socket.recvmmsg(&mut batch)).unwrap();
                    // The last round takes no descriptors, so the next call closes them, or they
                    // are closed when the batch is dropped.
                    for arrival in batch.arrivals().take(3 * usize::from(round < 2)) {
                        let (bytes, message) = arrival.into_message();
                        assert_eq!(bytes, b"x");
                        assert_eq!(message.into_control().unwrap().rights().count(), 2);
                    }
                }
                assert_eq!(count, 3);
            });
        }
        assert!(b.recvmmsg(&mut batch).unwrap_err().is_would_block());
        assert_eq!(batch.arrivals().len(), 0, "none of the calls before");
        drop(batch);
        assert_eq!(open(), before);
    });
}

type Buffers = (Rights<2>, Credentials);

/// The batch owns the descriptors that nobody took. The next call closes them, and so does dropping
/// the batch.
#[test]
fn batch_closes_what_nobody_asked_for() {
    alone("readiness::batch_closes_what_nobody_asked_for", || {
        let (a, b) = pair::<Datagram>();
        let before = open();
        let (mut slots, mut bufs) = (RecvSlots::<4, Buffers>::new(), [[0; 8]; 4]);
        let mut batch = RecvBatch::new(&mut slots, &mut bufs);
        for _ in 0..2 {
            give(&a, 2);
            give(&a, 1);
            assert_eq!(b.recvmmsg(&mut batch).unwrap(), 2);
            assert_eq!(open().len(), before.len() + 3);
        }
        assert!(b.recvmmsg(&mut batch).unwrap_err().is_would_block());
        assert_eq!(open(), before, "a call that fails closes them too");
        give(&a, 2);
        assert_eq!(b.recvmmsg(&mut batch).unwrap(), 1);
        drop(batch);
        assert_eq!(open(), before);
    });
}
