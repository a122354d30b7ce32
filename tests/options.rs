//! Tests of options by their constants of C, of the out-of-band mark, and of time stamps.
#![cfg(feature = "std")]

#[path = "skip/mod.rs"]
mod skip;

use std::io::IoSliceMut;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sunpath::ancillary::{ControlBuffer, Rights, Timestamp};
use sunpath::socket::Messages;
use sunpath::{Datagram, Errno, Seqpacket, Socket, UnixDatagram, UnixStream, sys};

#[test]
fn options_by_number_are_those_with_a_method() {
    let (socket, _peer) = UnixStream::pair().unwrap();
    socket.set_send_buffer_size(10_000).unwrap();
    let size = socket.send_buffer_size().unwrap();
    assert_eq!(socket.getsockopt::<i32>(sys::SO_SNDBUF), Ok(size as i32));
    let bytes = (size as i32).to_ne_bytes();
    assert_eq!(socket.getsockopt::<[u8; 4]>(sys::SO_SNDBUF), Ok(bytes));
    socket
        .setsockopt(sys::SO_SNDBUF, &20_000_i32.to_ne_bytes())
        .unwrap();
    assert!(socket.send_buffer_size().unwrap() >= 20_000);
}

#[test]
fn options_of_another_size_are_no_values() {
    let (socket, _peer) = UnixStream::pair().unwrap();
    let error = socket.getsockopt::<u64>(sys::SO_SNDBUF).unwrap_err();
    assert_eq!(
        error.errno(),
        Errno::ENOPROTOOPT,
        "the kernel wrote 4 bytes"
    );
    let error = socket.setsockopt(sys::SO_SNDBUF, &[0_u8; 3]).unwrap_err();
    assert_eq!(error.errno(), Errno::EINVAL);
    assert!(socket.getsockopt::<i32>(-1).unwrap_err().is_unsupported());
}

#[test]
#[cfg(target_os = "linux")]
fn options_rcvlowat_and_sndbufforce_have_their_effect() {
    let (a, b) = UnixStream::pair().unwrap();
    b.setsockopt(sys::SO_RCVLOWAT, &4_i32).unwrap();
    for (first, second, received) in [(3, 1, 4), (4, 0, 4), (5, 0, 5)] {
        a.write(&[0; 8][..first]).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // When the queue is empty, the other end has taken the first bytes, and waits for
                // more or has enough.
                while b.readable_bytes().unwrap() > 0 {
                    std::thread::yield_now();
                }
                a.write(&[0; 8][..second])
            });
            assert_eq!(b.read(&mut [0; 8]), Ok(received));
        });
    }
    let much = 1 << 24;
    match a.setsockopt(sys::SO_SNDBUFFORCE, &much) {
        Err(error) => assert_eq!(error.errno(), Errno::EPERM),
        Ok(()) => assert_eq!(a.send_buffer_size(), Ok(2 * much as usize)),
    }
}

#[test]
fn options_mark_is_where_the_byte_out_of_band_is() {
    let (a, b) = UnixStream::pair().unwrap();
    match a.send_oob(b"ab!") {
        Err(error) if error.is_unsupported() => return skip::skip("bytes out of band"),
        sent => assert_eq!(sent, Ok(3)),
    }
    let mut buf = [0; 8];
    for at_mark in [false, false, true] {
        assert_eq!(b.at_mark(), Ok(at_mark));
        if !at_mark {
            b.read(&mut buf[..1]).unwrap();
        }
    }
    assert_eq!(b.recv_oob(), Ok(b'!'));
}

/// Returns the time of the system's clock, from which the kernel takes the time stamps.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn stamped<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let receive = || {
        let mut buf = [0; 8];
        let bufs = &mut [IoSliceMut::new(&mut buf)];
        let control = ControlBuffer::<(Rights<1>, Timestamp)>::new();
        let message = b.recvmsg(bufs, control).unwrap();
        message.into_control().unwrap().timestamp()
    };
    a.send(b"x").unwrap();
    assert_eq!(receive(), None, "nobody asked for it");
    assert_eq!(b.pass_timestamps(), Ok(false));
    b.set_pass_timestamps(true).unwrap();
    assert_eq!(b.pass_timestamps(), Ok(true));
    let before = now();
    a.send_fds(b"x", &[&a]).unwrap();
    let after = now();
    let stamp = receive().expect("a time stamp");
    // One second is allowed on each side, because the clock may be adjusted while the test runs,
    // and the kernel may read it with less precision.
    let second = Duration::from_secs(1);
    assert!(
        before < stamp + second && stamp < after + second,
        "{before:?} {stamp:?} {after:?}"
    );
    b.set_pass_timestamps(false).unwrap();
    a.send(b"x").unwrap();
    assert_eq!(receive(), None);
}

#[test]
fn options_timestamps_come_with_messages() {
    let (_a, b) = UnixDatagram::pair().unwrap();
    match b.set_pass_timestamps(true) {
        Err(error) if error.is_unsupported() => return skip::skip("time stamps"),
        set => set.unwrap(),
    }
    stamped::<Datagram>();
    stamped::<Seqpacket>();
}
