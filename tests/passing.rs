//! Tests of passing descriptors by the methods that need no control buffer: from which types, how
//! many, and with which bytes.
#![cfg(feature = "std")]

mod limit;
mod skip;

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use sunpath::ancillary::{Control, Credentials};
use sunpath::error::Cause;
use sunpath::socket::Kind;
use sunpath::{Datagram, Errno, Seqpacket, Socket, Stream, UnixStream};

/// Sends these descriptors, and asserts that as many are received.
fn goes<T: Kind, F: AsFd>(fds: &[F]) {
    let (a, b) = Socket::<T>::pair().unwrap();
    a.send_fds(b"x", fds).unwrap();
    let (received, came) = b.recv_fds_up_to::<3>(&mut [0; 8]).unwrap();
    assert_eq!((received.len(), came.len()), (1, fds.len()));
    assert_eq!(came.count(), fds.len());
}

fn from_whatever_has_descriptors<T: Kind>() {
    let files: Vec<File> = (0..3).map(|_| File::open("/dev/null").unwrap()).collect();
    for count in 0..=3 {
        let borrowed: Vec<BorrowedFd<'_>> = files[..count].iter().map(AsFd::as_fd).collect();
        let references: Vec<&File> = files[..count].iter().collect();
        let owned: Vec<OwnedFd> = references
            .iter()
            .map(|file| file.try_clone().unwrap().into())
            .collect();
        goes::<T, File>(&files[..count]);
        goes::<T, &File>(&references);
        goes::<T, BorrowedFd<'_>>(&borrowed);
        goes::<T, OwnedFd>(&owned);
    }
}

#[test]
fn passing_from_a_slice_of_anything_that_has_a_descriptor() {
    from_whatever_has_descriptors::<Stream>();
    from_whatever_has_descriptors::<Datagram>();
    from_whatever_has_descriptors::<Seqpacket>();
}

#[test]
fn passing_253_descriptors_of_files_and_not_254() {
    if limit::unless_descriptors(512) {
        return;
    }
    let (a, b) = UnixStream::pair().unwrap();
    let files = vec![&a; 254];
    for count in [252, 253] {
        a.send_fds(b"x", &files[..count]).unwrap();
        let (_, came) = b.recv_fds_up_to::<253>(&mut [0; 1]).unwrap();
        assert_eq!(came.len(), count);
    }
    let error = a.send_fds(b"x", &files).unwrap_err();
    assert_eq!(
        error.cause(),
        Some(Cause::TooManyDescriptors { count: 254 })
    );
    let error = a.send_fds(b"", &files[..1]).unwrap_err();
    assert_eq!(error.cause(), Some(Cause::EmptyPayload));
    assert!(b.try_read(&mut [0; 1]).is_err(), "nothing was sent");
}

fn up_to_two<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut buf = [0; 8];
    for count in 0..=2 {
        a.send_fds(b"abc", &vec![&a; count]).unwrap();
        let (received, mut fds) = b.recv_fds_up_to::<2>(&mut buf).unwrap();
        assert_eq!((received.len(), fds.len()), (3, count));
        assert_eq!(fds.next().is_some(), count > 0);
    }
    a.send_fds(b"abc", &[&a; 3]).unwrap();
    let error = b.recv_fds_up_to::<2>(&mut buf).unwrap_err();
    let extra = Cause::ExtraDescriptors {
        expected: 2,
        received: 3,
    };
    assert_eq!(error.cause(), Some(extra));
}

#[test]
fn passing_up_to_n_descriptors_says_how_many_came() {
    up_to_two::<Stream>();
    up_to_two::<Datagram>();
    up_to_two::<Seqpacket>();
    let (a, b) = UnixStream::pair().unwrap();
    drop(a);
    let (received, fds) = b.recv_fds_up_to::<2>(&mut [0; 8]).unwrap();
    assert_eq!((received.len(), fds.len()), (0, 0), "the end");
}

/// Six bytes are sent in parts, and descriptors come with some of the parts.
#[test]
fn passing_exact_bytes_collects_the_descriptors_of_all_parts() {
    let (a, b) = UnixStream::pair().unwrap();
    for parts in [
        &[(6, 2)][..],
        &[(4, 0), (2, 2)],
        &[(1, 1), (4, 0), (1, 1)],
        &[(3, 1), (3, 1)],
    ] {
        let send = |parts: &[(usize, usize)]| {
            for (bytes, fds) in parts {
                a.send_fds(&b"abcdef"[..*bytes], &vec![&a; *fds]).unwrap();
            }
        };
        let mut buf = [0; 6];
        send(parts);
        let [_, _] = b.recv_exact_fds(&mut buf).unwrap();
        // Now the receiver waits while the parts are sent one after the other.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for part in parts {
                    while b.readable_bytes().unwrap() > 0 {
                        std::thread::yield_now();
                    }
                    send(&[*part]);
                }
            });
            let [_, _] = b.recv_exact_fds(&mut buf).unwrap();
        });
        send(parts);
        let error = b.recv_exact_fds::<1>(&mut buf).unwrap_err();
        assert!(
            matches!(
                error.cause(),
                Some(Cause::ExtraDescriptors { expected: 1, .. })
            ),
            "{error}"
        );
        while b.try_read(&mut buf).is_ok() {}
        send(parts);
        let error = b.recv_exact_fds::<3>(&mut buf).unwrap_err();
        let too_few = Cause::TooFewDescriptors {
            expected: 3,
            received: 2,
        };
        assert_eq!(error.cause(), Some(too_few));
    }
    a.send_fds(b"abc", &[&b]).unwrap();
    drop(a);
    let error = b.recv_exact_fds::<1>(&mut [0; 4]).unwrap_err();
    assert_eq!(
        (error.errno(), error.cause()),
        (Errno::EPIPE, Some(Cause::StreamEnded))
    );
    let [] = b.recv_exact_fds(&mut []).unwrap();
}

/// The slices need several calls, because they have more bytes than the queue takes, or because
/// there are more of them than one call takes.
#[test]
fn passing_all_slices_whatever_one_call_takes() {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_send_buffer_size(4608).unwrap();
    let long: Vec<u8> = (0..50_000_u32).map(|n| n as u8).collect();
    let shapes: [Vec<&[u8]>; 6] = [
        vec![],
        vec![b"", b""],
        vec![b"ab", b"", b"c", b""],
        vec![&long, b"x", &long],
        long.chunks(3).collect(),
        long.chunks(48).take(1025).collect(),
    ];
    for shape in &shapes {
        let slices: Vec<_> = shape.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let mut received = vec![0; shape.iter().map(|bytes| bytes.len()).sum()];
        let rights = [a.as_fd()];
        let some = usize::from(!received.is_empty());
        let control = [Control::Rights(&rights)];
        std::thread::scope(|scope| {
            scope.spawn(|| a.send_all_vectored(&slices, &control[..some]).unwrap());
            match some {
                0 => assert_eq!(b.recv_exact_fds::<0>(&mut received).map(drop), Ok(())),
                _ => assert_eq!(b.recv_exact_fds::<1>(&mut received).map(drop), Ok(())),
            }
        });
        assert_eq!(received, shape.concat());
        assert!(b.try_read(&mut [0; 1]).is_err(), "nothing more");
    }
    let error = a.send_all_vectored(&[], &[Control::Rights(&[a.as_fd()])]);
    assert_eq!(error.unwrap_err().cause(), Some(Cause::EmptyPayload));
}

#[test]
fn passing_slices_of_a_message_is_one_message() {
    let (a, b) = Socket::<Seqpacket>::pair().unwrap();
    a.send_all_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b"c")], &[])
        .unwrap();
    let mut buf = [0; 8];
    let received = b.recv_vectored(&mut [IoSliceMut::new(&mut buf)]).unwrap();
    assert_eq!((received.len(), &buf[..3]), (3, &b"abc"[..]));
    a.send_all_vectored(&[], &[]).unwrap();
    assert_eq!(b.try_recv(&mut buf).unwrap().len(), 0, "an empty message");
    if cfg!(target_os = "linux") {
        let control = [Control::Credentials(Credentials::own())];
        a.send_all_vectored(&vec![IoSlice::new(b"x"); 1025], &control)
            .unwrap_err();
        assert!(b.try_recv(&mut buf).is_err(), "one slice too many");
    }
}

/// Some senders send more than the one byte of `send_fd` with a descriptor: an integer of four
/// bytes, or a name. `recv_fd` takes the first byte of a stream. `recv_exact_fds` and `recv_fds`
/// take all of them.
#[test]
fn passing_from_a_sender_of_more_than_one_byte() {
    let (a, b) = UnixStream::pair().unwrap();
    let send = || {
        a.send_fds(&4_u32.to_ne_bytes(), &[&a]).unwrap();
        a.write_all(b"next").unwrap();
    };
    let mut next = [0; 8];
    send();
    drop(b.recv_fd().unwrap());
    assert_eq!(b.read(&mut next).unwrap(), 7, "the stream is out of step");

    let mut number = [0; 4];
    send();
    let [_fd] = b.recv_exact_fds(&mut number).unwrap();
    assert_eq!(u32::from_ne_bytes(number), 4);
    assert_eq!(b.read(&mut next).unwrap(), 4);
    assert_eq!(&next[..4], b"next");

    // `recv_fds` receives a name of unknown length: it ends where bytes without a descriptor
    // follow, or when the buffer is full.
    a.send_fds(b"name", &[&a]).unwrap();
    let mut name = [0; 16];
    let (received, [_fd]) = b.recv_fds(&mut name).unwrap();
    assert_eq!(&name[..received.len()], b"name");
}

/// `recv_fd` receives a whole message, and its bytes after the first would be lost.
#[test]
fn passing_in_a_message_of_more_than_one_byte_is_an_error() {
    fn refused<T: Kind>() {
        let (a, b) = Socket::<T>::pair().unwrap();
        a.send_fds(b"name", &[&a]).unwrap();
        let error = b.recv_fd().unwrap_err();
        let expected = (Errno::EMSGSIZE, Some(Cause::LongMessage));
        assert_eq!((error.errno(), error.cause()), expected);
        a.send_fds(b"name", &[&a]).unwrap();
        let (received, [_fd]) = b.recv_fds(&mut [0; 16]).unwrap();
        assert_eq!(received.len(), 4);
    }
    refused::<Datagram>();
    refused::<Seqpacket>();
}
