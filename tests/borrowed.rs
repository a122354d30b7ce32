//! Tests of the promises of borrowed sockets: the owner keeps the descriptor, and a wrong socket
//! type is reported as an errno.

#![cfg(feature = "std")]

mod fresh;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net;

use sunpath::socket::ListenerRef;
use sunpath::{Datagram, Errno, SocketRef, Stream, UnixStream};

#[test]
fn borrowed_std_stream_passes_a_descriptor_and_stays_open() {
    let (mut ours, mut theirs) = net::UnixStream::pair().unwrap();
    let (kept, given) = UnixStream::pair().unwrap();
    SocketRef::<Stream>::from(&ours).send_fd(&given).unwrap();
    let received = SocketRef::<Stream>::from(&theirs).recv_fd().unwrap();
    drop(given);

    UnixStream::try_from(received)
        .unwrap()
        .write(b"hello")
        .unwrap();
    assert_eq!(kept.read(&mut [0; 8]).unwrap(), 5);

    ours.write_all(b"still").unwrap();
    let mut bytes = [0; 5];
    theirs.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"still");
}

#[test]
fn borrowed_datagram_of_std_tells_the_true_length() {
    let (ours, theirs) = net::UnixDatagram::pair().unwrap();
    ours.send(b"hello").unwrap();
    let received = SocketRef::<Datagram>::from(&theirs)
        .recv(&mut [0; 2])
        .unwrap();
    assert!(received.is_truncated());
    assert_eq!(received.len(), 2);
    ours.send(b"again").unwrap();
    assert_eq!(theirs.recv(&mut [0; 8]).unwrap(), 5);
}

#[test]
fn borrowed_number_is_used_while_it_is_open() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    // SAFETY: `ours` is open until the end of this test.
    let fd = unsafe { BorrowedFd::borrow_raw(ours.as_raw_fd()) };
    let borrowed = SocketRef::<Stream>::from(&fd);
    assert_eq!(borrowed.as_fd().as_raw_fd(), ours.as_raw_fd());
    borrowed.write(b"x").unwrap();
    assert_eq!(theirs.read(&mut [0; 2]).unwrap(), 1);
    assert_eq!(ours.write(b"y").unwrap(), 1);
}

#[test]
fn borrowed_listener_of_std_accepts_as_ours_does() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = net::UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let borrowed = ListenerRef::<Stream>::from(&listener);
    let (server, _) = borrowed.accept_if(|_| true).unwrap();
    server.write(b"x").unwrap();
    assert_eq!(client.read(&mut [0; 2]).unwrap(), 1);
    let _second = UnixStream::connect(&path).unwrap();
    listener.accept().unwrap();
}

#[test]
fn borrowed_descriptor_of_another_kind_fails_with_an_errno() {
    let file = File::open("/dev/null").unwrap();
    let error = SocketRef::<Stream>::from(&file).write(b"x").unwrap_err();
    assert_eq!(error.errno(), Errno::ENOTSOCK);

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = SocketRef::<Stream>::from(&tcp).local_addr().unwrap_err();
    assert_eq!(error.errno(), Errno::EAFNOSUPPORT);
    let error = SocketRef::<Stream>::from(&tcp).peer_cred().unwrap_err();
    assert!(matches!(
        error.errno(),
        Errno::ENOTCONN | Errno::ENOPROTOOPT | Errno::EINVAL
    ));

    let stream = net::UnixStream::pair().unwrap().0;
    let error = ListenerRef::<Stream>::from(&stream).accept().unwrap_err();
    assert_eq!(error.errno(), Errno::EINVAL);
}
