//! Tests of datagrams and sequenced packets, end to end, through the public API.
#![cfg(feature = "std")]

mod fresh;

use std::fs;
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::process;

use sunpath::ancillary::{
    ControlBuffer, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots, Sender,
};
use sunpath::error::Cause;
use sunpath::socket::Messages;
use sunpath::{
    Errno, Shutdown, Socket, SunPath, UnixAddr, UnixDatagram, UnixSeqpacket, UnixSeqpacketListener,
    UnixStream, sys,
};
use tempfile::TempDir;

/// Makes a fresh directory, and a path in it that does not exist.
fn fresh(name: &str) -> (TempDir, PathBuf) {
    let dir = fresh::dir();
    let path = dir.path().join(name);
    (dir, path)
}

/// Checks that messages of either type keep their boundaries.
fn keeps_boundaries<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let mut buf = [0; 8];
    a.send(b"abc").unwrap();
    a.send(b"").unwrap();
    a.send_vectored(&[IoSlice::new(b"de"), IoSlice::new(b""), IoSlice::new(b"fgh")])
        .unwrap();

    let first = b.recv(&mut buf).unwrap();
    assert_eq!(
        (first.len(), first.is_truncated(), first.true_len()),
        (3, false, Some(3))
    );
    assert_eq!(
        b.recv(&mut buf).unwrap().len(),
        0,
        "an empty message is one"
    );

    let (mut left, mut right) = ([0; 2], [0; 8]);
    let bufs = &mut [IoSliceMut::new(&mut left), IoSliceMut::new(&mut right)];
    assert_eq!(b.recv_vectored(bufs).unwrap().len(), 5);
    assert_eq!((&left, &right[..3]), (b"de", &b"fgh"[..]));
}

#[test]
fn message_boundaries_are_kept() {
    keeps_boundaries::<sunpath::Datagram>();
    keeps_boundaries::<sunpath::Seqpacket>();
}

fn says_truncation<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    for room in [5, 6, 7] {
        a.send(b"sixsix").unwrap();
        let mut buf = vec![0; room];
        let peeked = b.peek(&mut buf).unwrap();
        let received = b.recv(&mut buf).unwrap();
        assert_eq!(peeked, received);
        assert_eq!(received.len(), room.min(6));
        assert_eq!(received.is_truncated(), room < 6);
        assert_eq!(received.true_len(), Some(6));
        assert_eq!(
            b.recv(&mut buf).unwrap_err().errno(),
            Errno::EAGAIN,
            "the rest is lost"
        );
    }
    a.send(b"xyz").unwrap();
    let peeked = b.peek(&mut []).unwrap();
    assert_eq!(
        (peeked.len(), peeked.is_truncated(), peeked.true_len()),
        (0, true, Some(3))
    );
    let mut buf = [MaybeUninit::uninit(); 2];
    let (filled, received) = b.recv_uninit(&mut buf).unwrap();
    assert_eq!(filled, b"xy");
    assert_eq!(
        (received.is_truncated(), received.true_len()),
        (true, None),
        "without MSG_TRUNC the system does not tell"
    );
}

#[test]
fn message_truncation_is_said_with_the_true_length() {
    says_truncation::<sunpath::Datagram>();
    says_truncation::<sunpath::Seqpacket>();
}

/// A TCP socket is converted to std's datagram socket, which std does not check, and then to ours.
/// With `MSG_TRUNC` TCP would count the bytes and write none of them.
#[test]
fn message_uninit_of_a_tcp_socket_is_what_was_written() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    let socket: UnixDatagram = net::UnixDatagram::from(OwnedFd::from(accepted)).into();

    for size in [4, 5, 6] {
        peer.write_all(b"hello").unwrap();
        let mut buf = vec![MaybeUninit::new(0xaa); size];
        let (filled, received) = socket.recv_uninit(&mut buf).unwrap();
        assert_eq!(filled, &b"hello"[..size.min(5)]);
        assert_eq!(received.len(), filled.len());
        if filled.len() < 5 {
            let (rest, _) = socket.recv_uninit(&mut buf).unwrap();
            assert_eq!(rest, b"o");
        }
    }
}

#[test]
fn message_longer_than_the_send_buffer_is_emsgsize() {
    let (a, _b) = UnixDatagram::pair().unwrap();
    let most = a.send_buffer_size().unwrap() - 32;
    a.send(&vec![0; most]).unwrap();
    assert_eq!(
        a.send(&vec![0; most + 1]).unwrap_err().errno(),
        Errno::EMSGSIZE
    );
}

/// Tries every call that sends one message with one byte less than the limit, with exactly as many
/// bytes, and with one more.
#[cfg(target_os = "linux")]
fn limit_is_told<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    a.set_send_buffer_size(1).unwrap();
    let limit = a.send_buffer_size().unwrap() - 32;
    let told = |call: &str, len: usize, sent: Result<(), sunpath::Error>| {
        if len <= limit {
            sent.unwrap();
            assert_eq!(b.recv(&mut [0]).unwrap().true_len(), Some(len));
            return;
        }
        let (error, limit) = (sent.unwrap_err(), limit as u32);
        assert_eq!(error.cause(), Some(Cause::MessageTooLong { limit }));
        let said = format!("{call}: EMSGSIZE (the message is over the limit of {limit} bytes)");
        assert_eq!(error.to_string(), said);
    };
    for len in [limit - 1, limit, limit + 1] {
        let bytes = vec![0; len];
        let (one, two) = bytes.split_at(len / 2);
        let slices = [IoSlice::new(one), IoSlice::new(two)];
        told("send", len, a.send(&bytes));
        told("sendmsg", len, a.send_vectored(&slices));
        let sent = a.sendmsg(&slices, &[]);
        told("sendmsg", len, sent.map(|sent| assert_eq!(sent, len)));
        let mut slots = SendSlots::<2>::new();
        let mut batch = SendBatch::new(&mut slots);
        batch.push(Outgoing::new(&[])).unwrap();
        batch.push(Outgoing::new(&slices)).unwrap();
        let sent = a.sendmmsg(&mut batch);
        assert_eq!(b.recv(&mut [0]).unwrap().true_len(), Some(0));
        told("sendmmsg", len, sent);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn message_over_the_limit_is_told_the_limit() {
    limit_is_told::<sunpath::Datagram>();
    limit_is_told::<sunpath::Seqpacket>();

    let (_dir, path) = fresh("receiver");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let (a, to) = (UnixDatagram::new().unwrap(), receiver.local_addr().unwrap());
    let limit = a.send_buffer_size().unwrap() as u32 - 32;
    let bytes = vec![0; limit as usize + 1];
    let slices = [IoSlice::new(&bytes)];
    for error in [a.send_to(&bytes, &to), a.send_vectored_to(&slices, &to)] {
        let cause = error.unwrap_err().cause();
        assert_eq!(cause, Some(Cause::MessageTooLong { limit }));
    }
    a.send_to(&bytes[1..], &to).unwrap();
}

#[test]
fn message_of_more_slices_than_the_kernel_takes_is_refused_whole() {
    let (a, b) = UnixDatagram::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    let error = a
        .send_vectored(&vec![IoSlice::new(b"x"); 1025])
        .unwrap_err();
    let said =
        "sendmsg: EMSGSIZE (1025 slices are too many for one call, which takes at most 1024)";
    assert_eq!(error.to_string(), said);
    assert_eq!(b.recv(&mut [0]).unwrap_err().errno(), Errno::EAGAIN);
    a.send_vectored(&vec![IoSlice::new(b"x"); 1024]).unwrap();
    assert_eq!(b.recv(&mut [0; 2000]).unwrap().len(), 1024);
    // 1024 slices are allowed, but together they can be too long for a message.
    let bytes = vec![0; a.send_buffer_size().unwrap() / 1024 + 1];
    let error = a.send_vectored(&vec![IoSlice::new(&bytes); 1024]);
    let cause = error.unwrap_err().cause();
    assert!(
        matches!(cause, Some(Cause::MessageTooLong { .. })),
        "{cause:?}"
    );
}

#[test]
fn datagram_tells_its_sender() {
    let (dir, path) = fresh("receiver");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let to = receiver.local_addr().unwrap();
    let mut buf = [0; 8];

    UnixDatagram::new().unwrap().send_to(b"who", &to).unwrap();
    let (received, from) = receiver.peek_from(&mut buf).unwrap();
    assert_eq!((received.len(), from), (3, UnixAddr::unnamed()));
    assert_eq!(receiver.recv_from(&mut buf).unwrap(), (received, from));

    let named = UnixDatagram::bind(dir.path().join("sender")).unwrap();
    named
        .send_vectored_to(&[IoSlice::new(b"m"), IoSlice::new(b"e")], &to)
        .unwrap();
    let (_, from) = receiver
        .recv_vectored_from(&mut [IoSliceMut::new(&mut buf)])
        .unwrap();
    assert_eq!(from, named.local_addr().unwrap());
    receiver.send_to(b"back", &from).unwrap();
    assert_eq!(named.recv(&mut buf).unwrap().len(), 4);
}

/// Makes an address whose path has exactly 108 bytes: the path of the directory, a slash, and a
/// name that fills the rest.
fn filling_sun_path(dir: &Path) -> UnixAddr {
    let mut full = dir.as_os_str().as_encoded_bytes().to_vec();
    full.push(b'/');
    full.resize(108, b'f');
    let mut raw = *UnixAddr::unnamed().as_sockaddr_un();
    for (to, from) in raw.sun_path.iter_mut().zip(&full) {
        *to = *from as _;
    }
    let full = UnixAddr::from_raw(raw, 110).unwrap();
    assert!(matches!(full.name(), SunPath::Pathname(path) if path.len() == 108));
    full
}

#[test]
fn datagram_sender_whose_path_fills_sun_path_can_be_answered() {
    let (dir, path) = fresh("receiver");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let full = filling_sun_path(dir.path());
    let sender = UnixDatagram::bind_addr(&full).unwrap();
    sender
        .send_to(b"x", &receiver.local_addr().unwrap())
        .unwrap();
    let (_, from) = receiver.recv_from(&mut [0]).unwrap();
    assert_eq!(from, full);
    receiver.send_to(b"back", &from).unwrap();
    assert_eq!(sender.recv(&mut [0; 8]).unwrap().len(), 4);
}

/// Linux reports a path with a length that counts one NUL after it, whatever length was passed to
/// bind. `UnixAddr` relies on this.
#[test]
fn address_of_a_path_is_reported_with_one_nul_counted() {
    let (dir, path) = fresh("receiver");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let room = sys::SUN_PATH_MAX - dir.path().as_os_str().len() - 1;
    let name = |len| UnixAddr::from_pathname(path.with_file_name("n".repeat(len))).unwrap();
    let mut addrs = [1, 2, room - 1, room].map(name).to_vec();
    addrs.push(filling_sun_path(dir.path()));
    for addr in addrs {
        let most = size_of_val(addr.as_sockaddr_un()) as sys::socklen_t;
        let lens = [addr.len() - 1, addr.len(), addr.len() + 1, most];
        for told in lens.into_iter().filter(|told| *told <= most) {
            let socket = UnixDatagram::new().unwrap();
            // SAFETY: the address is live, and has as many bytes as the length says.
            let bound = unsafe { libc::bind(socket.as_raw_fd(), addr.as_ptr(), told) };
            assert_eq!(bound, 0);
            socket
                .send_to(b"x", &receiver.local_addr().unwrap())
                .unwrap();
            let (_, from) = receiver.recv_from(&mut [0]).unwrap();
            let expected = UnixAddr::from_raw(*addr.as_sockaddr_un(), told).unwrap();
            let path = expected.as_pathname().unwrap();
            for reported in [socket.local_addr().unwrap(), from] {
                assert_eq!(reported, expected);
                if cfg!(have_counted_path) {
                    let counted = sys::SUN_PATH_OFFSET + path.as_os_str().len() + 1;
                    assert_eq!(reported.len(), (counted as sys::socklen_t).min(most));
                }
            }
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn datagram_sender_is_told_alike_by_every_receive() {
    let (dir, path) = fresh("receiver");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let to = receiver.local_addr().unwrap();
    let name = |len| path.with_file_name("n".repeat(len));
    let room = 107 - dir.path().as_os_str().len() - 1;
    let mut senders = vec![
        UnixAddr::unnamed(),
        filling_sun_path(dir.path()),
        UnixAddr::from_pathname(name(room)).unwrap(),
        UnixAddr::from_pathname(name(room - 1)).unwrap(),
    ];
    // A longer name comes first, because its bytes must not be read as part of a shorter name after
    // it.
    let abstract_names = [
        format!("{:a<107}", process::id()),
        format!("q\0{}", process::id()),
    ];
    senders.extend(
        abstract_names
            .iter()
            .filter_map(|name| UnixAddr::from_abstract(name).ok()),
    );
    for addr in senders {
        let sender = UnixDatagram::new().unwrap();
        if addr != UnixAddr::unnamed() {
            sender.bind_to(&addr).unwrap();
        }
        for _ in 0..5 {
            sender.send_to(b"x", &to).unwrap();
        }
        let mut buf = [0; 8];
        let (_, peeked) = receiver.peek_from(&mut buf).unwrap();
        let (_, plain) = receiver.recv_from(&mut buf).unwrap();
        let (_, vectored) = receiver
            .recv_vectored_from(&mut [IoSliceMut::new(&mut buf)])
            .unwrap();
        let mut room = ControlBuffer::<()>::new();
        let message = receiver.recvmsg(&mut [IoSliceMut::new(&mut buf)], &mut room);
        let message = *message.unwrap().sender().expect("a datagram tells it");
        let (mut room, mut bufs) = (RecvSlots::<2, Sender>::new(), [[0; 8]; 2]);
        let mut batch = RecvBatch::new(&mut room, &mut bufs);
        receiver.recvmmsg(&mut batch).unwrap();
        let batch: Vec<_> = batch
            .arrivals()
            .filter_map(|arrival| arrival.into_message().1.sender().copied())
            .collect();
        assert_eq!(batch.len(), 2);
        for told in [peeked, plain, vectored, message].into_iter().chain(batch) {
            assert_eq!(
                (told, told.len()),
                (addr, sender.local_addr().unwrap().len())
            );
        }
    }
}

#[test]
fn datagram_connection_filters_and_dissolves() {
    let (dir, path) = fresh("a");
    let a = UnixDatagram::bind(&path).unwrap();
    let b = UnixDatagram::bind(dir.path().join("b")).unwrap();
    let stranger = UnixDatagram::new().unwrap();
    a.connect(dir.path().join("b")).unwrap();
    assert_eq!(a.peer_addr().unwrap(), b.local_addr().unwrap());
    let to_a = a.local_addr().unwrap();
    assert_eq!(
        stranger.send_to(b"x", &to_a).unwrap_err().errno(),
        Errno::EPERM
    );
    b.send_to(b"x", &to_a).unwrap();

    a.disconnect().unwrap();
    assert_eq!(a.send(b"x").unwrap_err().errno(), Errno::ENOTCONN);
    stranger.send_to(b"x", &to_a).unwrap();
}

#[test]
fn datagram_peer_that_is_gone_refuses_once() {
    let (a, b) = UnixDatagram::pair().unwrap();
    drop(b);
    assert_eq!(a.send(b"x").unwrap_err().errno(), Errno::ECONNREFUSED);
    assert_eq!(a.send(b"x").unwrap_err().errno(), Errno::ENOTCONN);
}

#[test]
fn datagram_to_a_stream_is_eprototype() {
    let (_dir, path) = fresh("stream");
    let _listener = sunpath::UnixListener::bind(&path).unwrap();
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let datagram = UnixDatagram::new().unwrap();
    assert_eq!(
        datagram.send_to(b"x", &addr).unwrap_err().errno(),
        Errno::EPROTOTYPE
    );
    assert_eq!(
        datagram.connect(&path).unwrap_err().errno(),
        Errno::EPROTOTYPE
    );
    assert_eq!(
        UnixSeqpacket::connect(&path).unwrap_err().errno(),
        Errno::EPROTOTYPE
    );
    UnixStream::connect(&path).unwrap();
}

#[test]
fn seqpacket_listens_and_connects() {
    let (_dir, path) = fresh("a");
    let listener = UnixSeqpacketListener::bind(&path).unwrap();
    let client = UnixSeqpacket::connect(&path).unwrap();
    let (server, peer) = listener.accept().unwrap();
    assert!(peer.is_unnamed());
    client.send(b"record").unwrap();
    let mut buf = [0; 16];
    assert_eq!(server.recv(&mut buf).unwrap().len(), 6);
    assert_eq!(server.peer_cred().unwrap(), client.peer_cred().unwrap());

    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        server.recv(&mut buf).unwrap().len(),
        0,
        "the end, like an empty record"
    );
    drop(client);
    assert_eq!(server.send(b"x").unwrap_err().errno(), Errno::EPIPE);
}

#[test]
fn seqpacket_peer_that_closes_on_unread_records_resets() {
    let (a, b) = UnixSeqpacket::pair().unwrap();
    a.send(b"unread").unwrap();
    drop(b);
    assert_eq!(a.recv(&mut [0]).unwrap_err().errno(), Errno::ECONNRESET);
    assert_eq!(a.recv(&mut [0]).unwrap().len(), 0);
}

#[test]
fn options_read_back() {
    let (a, b) = UnixStream::pair().unwrap();
    assert_eq!(a.socket_type().unwrap(), libc::SOCK_STREAM);
    assert_eq!(a.domain().unwrap(), libc::AF_UNIX);
    assert!(!a.is_listening().unwrap());
    for size in [0, 5000, 100_000] {
        a.set_send_buffer_size(size).unwrap();
        assert_eq!(a.send_buffer_size().unwrap(), (2 * size).max(4608));
        a.set_receive_buffer_size(size).unwrap();
        assert!(a.receive_buffer_size().unwrap() >= 2 * size);
    }
    assert_eq!(
        a.set_send_buffer_size(usize::MAX).unwrap_err().errno(),
        Errno::EINVAL
    );

    assert_eq!(a.peek_offset().unwrap(), None);
    a.set_peek_offset(Some(2)).unwrap();
    assert_eq!(a.peek_offset().unwrap(), Some(2));
    a.set_peek_offset(None).unwrap();
    assert_eq!(a.peek_offset().unwrap(), None);

    assert!(!a.pass_credentials().unwrap());
    a.set_pass_credentials(true).unwrap();
    assert!(a.pass_credentials().unwrap());
    a.set_pass_security(true).unwrap();
    assert!(a.pass_security().unwrap());

    b.write(b"12345").unwrap();
    assert_eq!(a.readable_bytes().unwrap(), 5);
    assert!(b.unreceived_bytes().unwrap() >= 5);
}

#[test]
fn options_of_new_kernels_work_or_are_unsupported() {
    let (a, _b) = UnixStream::pair().unwrap();
    let supported = |outcome: Result<(), sunpath::Error>| match outcome {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_unsupported(), "{error}");
            false
        }
    };
    if supported(a.set_pass_pidfd(true)) {
        assert!(a.pass_pidfd().unwrap());
    }
    if supported(a.set_pass_rights(false)) {
        assert!(!a.pass_rights().unwrap());
    }
    supported(a.set_pass_queue_length(true));
}
