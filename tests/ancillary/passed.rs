//! Tests that every sent item arrives once. For what cannot be sent or received, the error must
//! have the right counts and sizes.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::thread;

use sunpath::ancillary::{Control, ControlBuffer, Credentials, Rights};
use sunpath::socket::{Kind, Messages};
use sunpath::sys::{CMSG_LEN, CMSG_SPACE};
use sunpath::{
    Datagram, Errno, Seqpacket, Socket, Stream, UnixDatagram, UnixSeqpacket, UnixStream,
};

use super::{
    INT, MANY, all_cloexec, alone, counts_text, curious_pair, give, has_option, is_cloexec, open,
    take, with_free,
};

/// Makes a file that has no path and contains these bytes.
fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn descriptors_are_the_same_files<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut files: Vec<_> = (0..5).map(|i| file(&[i; 4])).collect();
    let fds: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    a.send_fds(b"five", &fds).unwrap();
    a.send_fd(&files[0]).unwrap();
    let mut buf = [0; 8];
    let (received, five) = b.recv_fds::<5>(&mut buf).unwrap();
    assert_eq!(&buf[..received.len()], b"five");
    let one = b.recv_fd().unwrap();
    assert!(all_cloexec(&five) && is_cloexec(&one));
    let mut five = five.map(File::from);
    for (i, (theirs, ours)) in (0..).zip(five.iter_mut().zip(&mut files)) {
        let mut bytes = [0xff; 2];
        theirs.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, [i; 2], "in the order that they were sent");
        let offset = ours.stream_position().unwrap();
        assert_eq!(offset, 2, "one file offset");
    }
    assert_eq!(File::from(one).stream_position().unwrap(), 2);
}

#[test]
fn ancillary_descriptors_are_the_same_open_files_in_order() {
    descriptors_are_the_same_files::<Stream>();
    descriptors_are_the_same_files::<Seqpacket>();
    descriptors_are_the_same_files::<Datagram>();
}

fn refuses_by_number<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    for count in [252, 253] {
        give(&a, count);
        let mut room = ControlBuffer::<Rights<253>>::new();
        let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
        assert_eq!(control.rights().len(), count);
    }
    let fd = a.as_fd();
    let (many, some) = (vec![fd; 200], vec![fd; 54]);
    let both = [Control::Rights(&many), Control::Rights(&some)];
    let text = "sendmsg: EINVAL (254 descriptors are too many for one message, which takes at most \
                253)";
    for error in [
        a.send_fds(b"x", &vec![fd; 254]).unwrap_err(),
        a.send_all(b"x", &both).unwrap_err(),
        a.sendmsg(&[IoSlice::new(b"x")], &both).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), text);
    }
    b.set_nonblocking(true).unwrap();
    let nothing = b.recv_fd().unwrap_err();
    assert_eq!(nothing.errno(), Errno::EAGAIN, "none of them was sent");
    assert_eq!(open(), before);
}

#[test]
fn ancillary_descriptors_253_go_and_254_are_refused() {
    if crate::limit::unless_descriptors(MANY) {
        return;
    }
    alone(
        "passed::ancillary_descriptors_253_go_and_254_are_refused",
        || {
            refuses_by_number::<Stream>();
            refuses_by_number::<Seqpacket>();
            refuses_by_number::<Datagram>();
        },
    );
}

#[test]
fn ancillary_without_a_byte_is_refused_on_streams_alone() {
    // The socket is not connected, so a call would report ENOTCONN.
    let unconnected = UnixStream::new().unwrap();
    let fds = [unconnected.as_fd()];
    let rights = [Control::Rights(&fds)];
    let empty = IoSlice::new(b"");
    for error in [
        unconnected.send_fds(b"", &fds).unwrap_err(),
        unconnected.sendmsg(&[], &rights).unwrap_err(),
        unconnected.sendmsg(&[empty, empty], &rights).unwrap_err(),
        unconnected
            .send_with_credentials(b"", Credentials::own())
            .unwrap_err(),
    ] {
        let text = "sendmsg: EINVAL (a stream drops control messages that come with no byte)";
        assert_eq!(error.to_string(), text);
    }
    let error = unconnected.send_fds(b"x", &fds).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOTCONN);

    let (a, b) = UnixSeqpacket::pair().unwrap();
    a.send_fds(b"", &[a.as_fd()]).unwrap();
    let (received, [_fd]) = b.recv_fds(&mut [0; 8]).unwrap();
    assert_eq!(received.len(), 0);
}

/// The number of descriptors that fit into a buffer for one. Two descriptors fit if control
/// messages are aligned to 8 bytes, because the padding after the first descriptor has space for a
/// second.
const IN_ONE: usize = (CMSG_SPACE(4) - CMSG_LEN(0)) / 4;

/// Checks the errors of `recv_fd` and `recv_fds` and their texts.
fn receives_say_what_is_wrong<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    let buf = &mut [0; 8];
    let few = |expected, closed| {
        format!("recvmsg: ENOMSG (expected {expected} descriptors, received {closed} (closed))")
    };
    give(&a, 0);
    assert_eq!(b.recv_fd().unwrap_err().to_string(), few(1, 0));
    give(&a, 2);
    let error = b.recv_fds::<3>(buf).unwrap_err();
    assert_eq!(error.to_string(), few(3, 2));
    assert_eq!(open(), before);
    for sent in 2..=10 {
        give(&a, sent);
        let error = b.recv_fd().unwrap_err();
        assert_eq!(error.errno(), Errno::EMSGSIZE);
        assert_eq!(open(), before, "{sent} were sent");
    }
    give(&a, 2);
    assert_eq!(b.recv_fd().unwrap_err().to_string(), counts_text(1, 2));
    give(&a, 2);
    let mut room = ControlBuffer::<Rights<1>>::new();
    let message = take(&b, &mut room).unwrap();
    assert!(message.is_control_truncated());
    let mut control = message.into_partial_control();
    let (closed, taken) = (control.closed(), control.rights().len());
    assert_eq!((closed, taken), (IN_ONE - 1, 1));
    assert!(control.rights().next().is_some_and(|fd| is_cloexec(&fd)));
    drop(control);
    give(&a, 1);
    let error = with_free(0, || b.recv_fd()).unwrap_err();
    assert_eq!(error.to_string(), counts_text(1, 0));
    assert_eq!(open(), before);
}

/// Checks that `recv_fd`, which receives one byte, refuses a message of two.
fn message_of_two_bytes_is_refused<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    a.send_fds(b"xy", &[a.as_fd()]).unwrap();
    let error = b.recv_fd().unwrap_err();
    assert_eq!(
        error.to_string(),
        "recvmsg: EMSGSIZE (the message has more than one byte)"
    );
    assert_eq!(open(), before);
}

#[test]
fn ancillary_errors_of_receiving_descriptors_say_the_numbers() {
    alone(
        "passed::ancillary_errors_of_receiving_descriptors_say_the_numbers",
        || {
            receives_say_what_is_wrong::<Stream>();
            receives_say_what_is_wrong::<Seqpacket>();
            receives_say_what_is_wrong::<Datagram>();
            message_of_two_bytes_is_refused::<Seqpacket>();
            message_of_two_bytes_is_refused::<Datagram>();

            let (a, b) = UnixStream::pair().unwrap();
            drop(a);
            for error in [
                b.recv_fd().unwrap_err(),
                b.recv_fds::<2>(&mut [0; 8]).unwrap_err(),
            ] {
                assert_eq!(error.errno(), Errno::EPIPE);
                let text = "recvmsg: EPIPE (the stream ended, and no descriptor came)";
                assert_eq!(error.to_string(), text);
                let error = io::Error::from(error);
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert_eq!(error.to_string(), text);
            }
        },
    );
}

/// Receives descriptors by a socket that other code has set up to receive a pidfd, with and without
/// credentials. In the control data of Linux the pidfd comes after the descriptors.
fn descriptors_come_beside_others<T: Kind>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
    for credentials in [true, false] {
        b.set_pass_credentials(credentials).unwrap();
        let before = open();
        give(&a, 1);
        assert!(is_cloexec(&b.recv_fd().unwrap()));
        give(&a, 3);
        let (received, fds) = b.recv_fds::<3>(&mut [0; 8]).unwrap();
        assert_eq!(received.len(), 1);
        assert!(all_cloexec(&fds));
        drop(fds);
        assert_eq!(open(), before);
    }
}

#[test]
fn ancillary_descriptors_come_beside_what_nobody_asked_for() {
    alone(
        "passed::ancillary_descriptors_come_beside_what_nobody_asked_for",
        || {
            descriptors_come_beside_others::<Stream>();
            descriptors_come_beside_others::<Seqpacket>();
            descriptors_come_beside_others::<Datagram>();
        },
    );
}

#[test]
fn ancillary_to_a_receiver_that_takes_no_descriptors_is_eperm() {
    let (a, b) = UnixDatagram::pair().unwrap();
    if !has_option("SO_PASSRIGHTS", b.set_pass_rights(false)) {
        return;
    }
    let error = a.send_fd(&a).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sendmsg: EPERM (operation not permitted)"
    );
    a.send(b"bytes pass").unwrap();
    assert_eq!(b.recv(&mut [0; 16]).unwrap().len(), 10);
}

/// Returns the bytes that arrive until the end of the stream, and how many descriptors arrived with
/// them. Calls `before_each` before each receive.
fn all_that_comes(from: &UnixStream, before_each: impl Fn()) -> (Vec<u8>, usize) {
    let (mut bytes, mut descriptors) = (Vec::new(), 0);
    let mut buf = vec![0; 4096];
    let mut room = ControlBuffer::<Rights<8>>::new();
    loop {
        before_each();
        let message = from
            .recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut room)
            .unwrap();
        let len = message.len();
        descriptors += message.into_control().unwrap().rights().count();
        if len == 0 {
            return (bytes, descriptors);
        }
        bytes.extend_from_slice(&buf[..len]);
    }
}

#[test]
fn ancillary_of_a_short_write_goes_once() {
    let long: Vec<u8> = (0..1_000_003).map(|i| (i % 251) as u8).collect();
    let small_pair = || {
        let (a, b) = UnixStream::pair().unwrap();
        a.set_send_buffer_size(4096).unwrap();
        (a, b)
    };

    // After a short write the test itself sends the rest of the bytes, without the descriptors.
    let (a, b) = small_pair();
    a.set_nonblocking(true).unwrap();
    let fds = [a.as_fd(), a.as_fd()];
    let rights = [Control::Rights(&fds)];
    let sent = a.sendmsg(&[IoSlice::new(&long)], &rights).unwrap();
    assert!(0 < sent && sent < long.len(), "{sent} bytes were sent");
    a.set_nonblocking(false).unwrap();
    let reader = thread::spawn(move || all_that_comes(&b, || ()));
    a.send_all(&long[sent..], &[]).unwrap();
    drop(a);
    assert!(reader.join().unwrap() == (long.clone(), 2));

    // `send_fds` sends the rest by itself, even if signals interrupt its calls.
    let (a, b) = small_pair();
    signal_hook::flag::register(libc::SIGUSR1, Arc::default()).unwrap();
    // The thread's id is passed as a usize, because it is a pointer in some C libraries. SAFETY:
    // pthread_self takes no argument.
    let sender = unsafe { libc::pthread_self() } as usize;
    let interrupt = move || {
        // SAFETY: the sender lives until it has joined the thread that runs this.
        assert_eq!(unsafe { libc::pthread_kill(sender as _, libc::SIGUSR1) }, 0);
    };
    let reader = thread::spawn(move || all_that_comes(&b, interrupt));
    a.send_fds(&long, &[a.as_fd(), a.as_fd()]).unwrap();
    drop(a);
    assert!(reader.join().unwrap() == (long.clone(), 2));

    // If `send_fds` fails half way, the descriptors have been sent.
    let (a, b) = small_pair();
    a.set_nonblocking(true).unwrap();
    let error = a.send_fds(&long, &[a.as_fd(), a.as_fd()]).unwrap_err();
    assert_eq!(error.errno(), Errno::EAGAIN);
    drop(a);
    let (bytes, descriptors) = all_that_comes(&b, || ());
    assert!(!bytes.is_empty() && long.starts_with(&bytes));
    assert_eq!(descriptors, 2);
}

#[test]
fn ancillary_debug_counts_and_shows_no_contents() {
    let (a, b) = UnixSeqpacket::pair().unwrap();
    let fds = [a.as_fd(); 2];
    a.sendmsg(&[IoSlice::new(b"secret")], &[Control::Rights(&fds)])
        .unwrap();
    let mut room = ControlBuffer::<Rights<2>>::default();
    assert!(format!("{room:?}").contains(&format!("space: {}", CMSG_SPACE(2 * INT))));
    let mut buf = [0; 8];
    let message = b
        .recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut room)
        .unwrap();
    let shown = format!("{message:?}");
    for part in ["from: None", "messages: 1", "truncated: false"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("secret"), "{shown}");

    // Descriptors that nobody has taken yet are counted.
    a.send_fds(b"x", &fds).unwrap();
    let message = b
        .recvmsg(
            &mut [IoSliceMut::new(&mut buf)],
            ControlBuffer::<Rights<2>>::new(),
        )
        .unwrap();
    let rights = message.into_control().unwrap().into_rights();
    let shown = format!("{rights:?}");
    for part in ["left: 2", "bytes: ["] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
