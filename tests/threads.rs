//! Tests of the effect of a second thread on a call of the first, as `guide::signals_threads_fork`
//! describes it.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod calls;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use calls::sleeps_in;
use libc::c_long;
use sunpath::{
    Errno, Error, Shutdown, Socket, Stream, UnixDatagram, UnixListener, UnixSeqpacket, UnixStream,
};

/// Runs `waiting` in a thread and, when that thread sleeps in `syscall`, `meanwhile` in this one.
/// Returns the result of `waiting`.
fn together<R: Send>(
    syscall: c_long,
    waiting: impl FnOnce() -> R + Send,
    meanwhile: impl FnOnce(),
) -> R {
    let tid = AtomicI32::new(0);
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the call takes no arguments and cannot fail.
            tid.store(unsafe { libc::gettid() }, Ordering::Relaxed);
            waiting()
        });
        while !sleeps_in(syscall, tid.load(Ordering::Relaxed)) {
            assert!(!thread.is_finished(), "it did not wait");
            thread::yield_now();
        }
        meanwhile();
        thread.join().unwrap()
    })
}

fn errno<T>(result: Result<T, Error>) -> Option<Errno> {
    result.err().map(Error::errno)
}

#[test]
fn threads_that_change_options_do_not_disturb_a_call_that_waits() {
    let (a, b) = UnixStream::pair().unwrap();
    for (nonblocking, timeout) in [(false, Some(Duration::from_micros(1))), (true, None)] {
        let read = together(
            libc::SYS_recvfrom,
            || a.read(&mut [0; 8]),
            || {
                a.set_nonblocking(nonblocking).unwrap();
                a.set_read_timeout(timeout).unwrap();
                b.write(b"x").unwrap();
            },
        );
        assert_eq!(read, Ok(1));
        assert_eq!(a.nonblocking(), Ok(nonblocking));
        assert_eq!(a.read_timeout().unwrap().is_some(), timeout.is_some());
        assert_eq!(
            errno(a.read(&mut [0; 8])),
            Some(Errno::EAGAIN),
            "the next one obeys"
        );
        a.set_read_timeout(None).unwrap();
    }
}

#[test]
fn threads_that_shut_down_end_a_receive_an_accept_and_a_send() {
    let (a, _b) = UnixStream::pair().unwrap();
    let shut_down = || a.shutdown(Shutdown::Both).unwrap();
    let read = together(libc::SYS_recvfrom, || a.read(&mut [0; 8]), shut_down);
    assert_eq!(read, Ok(0));

    let listener = UnixListener::autobind().unwrap();
    let accepted = together(
        libc::SYS_accept4,
        || listener.accept().map(drop),
        || listener.as_socket().shutdown(Shutdown::Both).unwrap(),
    );
    assert_eq!(errno(accepted), Some(Errno::EINVAL));

    let (a, _b) = UnixStream::pair().unwrap();
    let large = vec![0; 1 << 24];
    let shut_down = || a.shutdown(Shutdown::Write).unwrap();
    let sent = together(libc::SYS_sendto, || a.write(&large), shut_down).unwrap();
    assert!((1..large.len()).contains(&sent), "{sent}");
    assert_eq!(errno(a.write(b"x")), Some(Errno::EPIPE));
}

#[test]
fn threads_cannot_end_a_connect_that_waits_by_a_shutdown() {
    let listener = UnixListener::autobind().unwrap();
    listener.listen_again(0).unwrap();
    let addr = listener.local_addr().unwrap();
    let _first = UnixStream::connect_addr(&addr).unwrap();
    let second = Socket::<Stream>::new().unwrap();
    let connected = together(
        libc::SYS_connect,
        || second.connect_to(&addr),
        || {
            let _ = second.shutdown(Shutdown::Both);
            drop(listener);
        },
    );
    assert_eq!(
        errno(connected),
        Some(Errno::ECONNREFUSED),
        "the listener ended it"
    );
}

#[test]
fn threads_that_receive_and_accept_share_what_comes() {
    let (a, b) = UnixSeqpacket::pair().unwrap();
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let (numbers, clients) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut byte = [0];
                while b.recv(&mut byte).unwrap().len() == 1 {
                    numbers.lock().unwrap().push(byte[0]);
                }
            });
            scope.spawn(|| {
                for client in &listener {
                    let mut byte = [0];
                    client.unwrap().read_exact(&mut byte).unwrap();
                    clients.lock().unwrap().push(byte[0]);
                }
            });
        }
        for number in 0..=255 {
            a.send(&[number]).unwrap();
            UnixStream::connect_addr(&addr)
                .unwrap()
                .write(&[number])
                .unwrap();
        }
        a.shutdown(Shutdown::Write).unwrap();
        listener.as_socket().shutdown(Shutdown::Both).unwrap();
    });
    for came in [numbers, clients].map(|came| came.into_inner().unwrap()) {
        let each: BTreeSet<u8> = came.iter().copied().collect();
        assert_eq!((came.len(), each.len()), (256, 256));
    }
}

#[test]
fn threads_that_connect_a_datagram_socket_do_not_end_its_receive() {
    let (receiver, sender) = (
        UnixDatagram::unbound().unwrap(),
        UnixDatagram::unbound().unwrap(),
    );
    receiver.autobind().unwrap();
    sender.autobind().unwrap();
    let (to, from) = (receiver.local_addr().unwrap(), sender.local_addr().unwrap());
    let received = together(
        libc::SYS_recvfrom,
        || receiver.recv(&mut [0; 8]),
        || {
            receiver.connect_to(&from).unwrap();
            let stranger = UnixDatagram::unbound().unwrap();
            assert_eq!(
                errno(stranger.send_to(b"stranger", &to)),
                Some(Errno::EPERM)
            );
            sender.send_to(b"x", &to).unwrap();
        },
    );
    assert_eq!(received.unwrap().len(), 1);
}
