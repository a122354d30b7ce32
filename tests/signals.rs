//! Tests that no send raises `SIGPIPE`, and that a signal ends no waiting call.
#![cfg(all(feature = "std", feature = "files"))]

mod calls;
mod fresh;

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use calls::{POLL, sleeps_in};
use sunpath::ancillary::{
    Control, Credentials, MsgFlags, Outgoing, RecvBatch, RecvSlots, SendBatch, SendSlots,
};
use sunpath::{
    ConnectOptions, Errno, Error, Shutdown, Socket, Stream, UnixAddr, UnixDatagram, UnixSeqpacket,
    UnixStream,
};

/// Runs `action` in a child process in which `SIGPIPE` kills, as it does in a C program. Returns
/// the exit status, which is 0 if `action` returned true and otherwise 1, or as an error the signal
/// that killed the child.
fn child_with_sigpipe_at_default(action: impl FnOnce() -> bool) -> Result<i32, i32> {
    // SAFETY: the child calls signal, `action` (which makes system calls) and _exit. All of these
    // are safe in the child of a process with threads.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: signal takes the integer SIGPIPE and the handler SIG_DFL.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let status = if action() { 0 } else { 1 };
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(waited, pid);
    if libc::WIFSIGNALED(status) {
        Err(libc::WTERMSIG(status))
    } else {
        Ok(status)
    }
}

/// A lock that each test holds while it forks, because a child has copies of all descriptors, even
/// of a peer that another test has just closed.
static FORK: Mutex<()> = Mutex::new(());

fn epipe(sent: Result<usize, Error>) -> bool {
    sent.is_err_and(|error| error.errno() == Errno::EPIPE)
}

#[test]
fn sigpipe_kills_the_child_that_uses_plain_write() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, b) = UnixStream::pair().unwrap();
    drop(b);
    let fd = a.as_raw_fd();
    let child = child_with_sigpipe_at_default(|| {
        // SAFETY: the byte is readable.
        unsafe { libc::write(fd, [0].as_ptr().cast(), 1) == -1 }
    });
    assert_eq!(
        child,
        Err(libc::SIGPIPE),
        "the other tests of this file can fail"
    );
}

#[test]
fn sigpipe_is_not_raised_by_write() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, b) = UnixStream::pair().unwrap();
    drop(b);
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(a.write(b"x"))),
        Ok(0)
    );
    assert_eq!(child_with_sigpipe_at_default(|| epipe(a.write(b""))), Ok(0));
}

#[test]
fn sigpipe_is_not_raised_by_write_vectored() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, b) = UnixStream::pair().unwrap();
    drop(b);
    let pieces = [IoSlice::new(b"x"), IoSlice::new(b"y")];
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(a.write_vectored(&pieces))),
        Ok(0)
    );
}

#[test]
fn sigpipe_is_not_raised_after_own_shutdown() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, _b) = UnixStream::pair().unwrap();
    a.shutdown(Shutdown::Write).unwrap();
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(a.write(b"x"))),
        Ok(0)
    );
}

#[test]
fn sigpipe_is_not_raised_by_send_oob() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, b) = UnixStream::pair().unwrap();
    drop(b);
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(a.send_oob(b"x"))),
        Ok(0)
    );
}

#[test]
fn sigpipe_is_not_raised_by_messages() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let (a, b) = UnixSeqpacket::pair().unwrap();
    drop(b);
    let (receiver, sender) = (UnixDatagram::new().unwrap(), UnixDatagram::new().unwrap());
    receiver.autobind().unwrap();
    let addr = receiver.local_addr().unwrap();
    receiver.shutdown(Shutdown::Read).unwrap();
    sender.connect_to(&addr).unwrap();

    let epipe = |sent: Result<(), Error>| epipe(sent.map(|()| 0));
    let pieces = [IoSlice::new(b"x"), IoSlice::new(b"y")];
    assert_eq!(child_with_sigpipe_at_default(|| epipe(a.send(b"x"))), Ok(0));
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(a.send_vectored(&pieces))),
        Ok(0)
    );
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(sender.send(b"x"))),
        Ok(0)
    );
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(sender.send_vectored(&pieces))),
        Ok(0)
    );
    assert_eq!(
        child_with_sigpipe_at_default(|| epipe(sender.send_to(b"x", &addr))),
        Ok(0)
    );
}

/// The number of signals that the child gets before it ends. One signal is sent each millisecond.
const ENOUGH: usize = 5000;

extern "C" fn count_to_the_end(_signal: libc::c_int) {
    if HANDLED.fetch_add(1, Ordering::SeqCst) == ENOUGH {
        // SAFETY: _exit ends this process, and a handler may call it.
        unsafe { libc::_exit(2) };
    }
}

/// Runs `action` in a child process that gets a signal every millisecond. Returns the exit status:
/// 0 if `action` failed with `EAGAIN` after its timeout, 2 if it did not return, and otherwise 1.
fn child_under_signals<T>(action: impl FnOnce() -> Result<T, Error>) -> Result<i32, i32> {
    child_with_sigpipe_at_default(|| {
        HANDLED.store(0, Ordering::SeqCst);
        handle(libc::SIGALRM, count_to_the_end);
        let millisecond = libc::timeval {
            tv_sec: 0,
            tv_usec: 1000,
        };
        let periodic = libc::itimerval {
            it_interval: millisecond,
            it_value: millisecond,
        };
        let began = Instant::now();
        // SAFETY: `periodic` is live, and the old timer is not asked for.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &periodic, ptr::null_mut()) };
        let outcome = action();
        let signals = HANDLED.load(Ordering::SeqCst);
        signals > 0
            && began.elapsed() >= TIMEOUT
            && outcome.is_err_and(|error| error.errno() == Errno::EAGAIN)
    })
}

const TIMEOUT: Duration = Duration::from_millis(200);

#[test]
fn sigpipe_is_not_raised_by_ancillary() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let stream = UnixStream::pair().unwrap().0;
    let packets = UnixSeqpacket::pair().unwrap().0;
    let pieces = [IoSlice::new(b"x")];
    // The credentials are made in the child, because only root may send another process's
    // credentials.
    let own = Credentials::own;
    // The program may pass the flag itself, too.
    let given = MsgFlags::from_bits(libc::MSG_NOSIGNAL);
    let of_stream: [&dyn Fn() -> Result<(), Error>; 5] = [
        &|| stream.send_fd(&packets),
        &|| stream.sendmsg(&pieces, &[]).map(drop),
        &|| stream.sendmsg_with(&pieces, &[], given).map(drop),
        &|| stream.send_all(b"x", &[Control::Credentials(own())]),
        &|| stream.send_with_credentials(b"x", own()),
    ];
    // Linux raises SIGPIPE only for streams. Other systems also raise it for these packet sockets.
    let of_packets: [&dyn Fn() -> Result<(), Error>; 2] = [&|| packets.send_fd(&stream), &|| {
        let mut room = SendSlots::<2>::new();
        let mut batch = SendBatch::new(&mut room);
        for _ in 0..2 {
            batch.push(Outgoing::new(&pieces))?;
        }
        packets.sendmmsg(&mut batch)
    }];
    for send in of_stream.into_iter().chain(of_packets) {
        let sent = child_with_sigpipe_at_default(|| epipe(send().map(|()| 0)));
        assert_eq!(sent, Ok(0));
    }
}

/// Each socket has a timeout for one direction only. If a call used the other direction's timeout,
/// which is not set, its wait would never end.
#[test]
fn timeout_ends_under_periodic_signals() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let socket = Socket::<Stream>::new().unwrap();
    socket.autobind().unwrap();
    let addr = socket.local_addr().unwrap();
    let listener = socket.listen(0).unwrap();
    listener
        .as_socket()
        .set_read_timeout(Some(TIMEOUT))
        .unwrap();
    assert_eq!(child_under_signals(|| listener.accept()), Ok(0));
    let _queued = UnixStream::connect_addr(&addr).unwrap();
    let client = UnixStream::new().unwrap();
    client.set_write_timeout(Some(TIMEOUT)).unwrap();
    assert_eq!(child_under_signals(|| client.connect_to(&addr)), Ok(0));

    let (reader, _peer) = UnixStream::pair().unwrap();
    reader.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut bytes = [0; 8];
    assert_eq!(child_under_signals(|| reader.read(&mut bytes)), Ok(0));
    let room = &mut [IoSliceMut::new(&mut bytes)];
    assert_eq!(child_under_signals(|| reader.read_vectored(room)), Ok(0));

    let (writer, _peer) = UnixStream::pair().unwrap();
    writer.set_write_timeout(Some(TIMEOUT)).unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[0; 4096]).is_ok() {}
    writer.set_nonblocking(false).unwrap();
    let pieces = [IoSlice::new(b"x")];
    assert_eq!(child_under_signals(|| writer.write(b"x")), Ok(0));
    assert_eq!(
        child_under_signals(|| writer.write_vectored(&pieces)),
        Ok(0)
    );
}

#[test]
fn timeout_of_messages_ends_under_periodic_signals() {
    let _alone = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    let receiver = UnixDatagram::new().unwrap();
    receiver.autobind().unwrap();
    receiver.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut bytes = [0; 8];
    assert_eq!(child_under_signals(|| receiver.recv(&mut bytes)), Ok(0));
    assert_eq!(
        child_under_signals(|| receiver.recv_from(&mut bytes)),
        Ok(0)
    );
    let room = &mut [IoSliceMut::new(&mut bytes)];
    assert_eq!(child_under_signals(|| receiver.recv_vectored(room)), Ok(0));
    let (mut room, mut bufs) = (RecvSlots::<2>::new(), [[0; 8]; 2]);
    let mut batch = RecvBatch::new(&mut room, &mut bufs);
    let received = child_under_signals(|| receiver.recvmmsg(&mut batch).map(drop));
    assert_eq!(received, Ok(0));

    let sender = UnixDatagram::new().unwrap();
    let addr = receiver.local_addr().unwrap();
    sender.connect_to(&addr).unwrap();
    sender.set_write_timeout(Some(TIMEOUT)).unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send(b"x").is_ok() {}
    sender.set_nonblocking(false).unwrap();
    assert_eq!(child_under_signals(|| sender.send(b"x")), Ok(0));
    assert_eq!(child_under_signals(|| sender.send_to(b"x", &addr)), Ok(0));
    let pieces = [IoSlice::new(b"x")];
    let mut room = SendSlots::<2>::new();
    let mut batch = SendBatch::new(&mut room);
    for _ in 0..2 {
        batch.push(Outgoing::new(&pieces)).unwrap();
    }
    assert_eq!(child_under_signals(|| sender.sendmmsg(&mut batch)), Ok(0));
}

/// The number of signals that have been handled.
static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Installs a handler without `SA_RESTART`, so the kernel returns `EINTR` to the caller.
fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: all zeroes is a valid sigaction.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    // SAFETY: `action` is live, and the handlers of this file do only what a handler may.
    let set = unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
    assert_eq!(set, 0);
}

/// Runs `blocking` in a thread, and interrupts it a few times while it sleeps in `syscall`. Then
/// calls `release`, which ends the wait, and returns the result of `blocking`.
fn interrupted<T: Send + 'static>(
    syscall: libc::c_long,
    blocking: impl FnOnce() -> T + Send + 'static,
    release: impl FnOnce(),
) -> T {
    let (send, receive) = mpsc::channel();
    let thread = thread::spawn(move || {
        // SAFETY: the call takes no arguments and cannot fail.
        let tid = unsafe { libc::gettid() };
        // SAFETY: the call takes no arguments and cannot fail.
        let pthread = unsafe { libc::pthread_self() };
        // The thread's id is passed as a usize, because it is a pointer in some C libraries.
        send.send((tid, pthread as usize)).unwrap();
        blocking()
    });
    let (tid, pthread) = receive.recv().unwrap();
    let until = |done: &dyn Fn() -> bool| {
        while !done() {
            assert!(
                !thread.is_finished(),
                "the call ended before it was released"
            );
            thread::yield_now();
        }
    };
    for _ in 0..5 {
        until(&|| sleeps_in(syscall, tid));
        let before = HANDLED.load(Ordering::SeqCst);
        // SAFETY: the thread was not joined, so its id is valid.
        let sent = unsafe { libc::pthread_kill(pthread as _, libc::SIGUSR1) };
        assert_eq!(sent, 0);
        until(&|| HANDLED.load(Ordering::SeqCst) > before);
    }
    until(&|| sleeps_in(syscall, tid));
    release();
    thread.join().unwrap()
}

/// All cases are in one test, because the handler and its count belong to the process.
#[test]
fn eintr_is_not_seen_by_any_call_that_waits() {
    handle(libc::SIGUSR1, count);
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to(&addr).unwrap();
    let listener = socket.listen(0).unwrap();

    // accept is interrupted.
    let clone = listener.try_clone().unwrap();
    let mut client = None;
    let accepted = interrupted(
        libc::SYS_accept4,
        move || clone.accept(),
        || client = Some(UnixStream::connect(&path).unwrap()),
    );
    let (server, _) = accepted.unwrap();
    let client = client.unwrap();

    // connect to a full queue is interrupted, without and with a timeout.
    let queued = UnixStream::connect(&path).unwrap();
    let connected = interrupted(
        libc::SYS_connect,
        move || UnixStream::connect_addr(&addr),
        || drop(listener.accept().unwrap()),
    );
    let queued = (queued, connected.unwrap());
    let options = ConnectOptions::new().timeout(Duration::from_secs(3600));
    let connected = interrupted(
        libc::SYS_connect,
        move || options.connect_addr::<Stream>(&addr),
        || drop(listener.accept().unwrap()),
    );
    let queued = (queued, connected.unwrap());

    // accept with a timeout is interrupted.
    drop(listener.accept().unwrap());
    let clone = listener.try_clone().unwrap();
    let accepted = interrupted(
        POLL,
        move || clone.accept_timeout(Duration::from_secs(3600)),
        || drop(UnixStream::connect(&path).unwrap()),
    );
    accepted.unwrap();
    drop((queued, listener));

    // read is interrupted.
    let reader = client.try_clone().unwrap();
    let read = interrupted(
        libc::SYS_recvfrom,
        move || reader.read(&mut [0; 8]),
        || assert_eq!(server.write(b"late").unwrap(), 4),
    );
    assert_eq!(read.unwrap(), 4);

    // write to a peer that does not read is interrupted.
    client.set_nonblocking(true).unwrap();
    while client.write(&[0; 4096]).is_ok() {}
    client.set_nonblocking(false).unwrap();
    let writer = client.try_clone().unwrap();
    let drain = || {
        server.set_nonblocking(true).unwrap();
        while server.read(&mut [0; 65536]).is_ok() {}
    };
    let written = interrupted(libc::SYS_sendto, move || writer.write(&[0; 4096]), drain);
    assert_eq!(written.unwrap(), 4096);

    // write_all is interrupted half way, and then the peer reads.
    let (writer, reader) = UnixStream::pair().unwrap();
    let much: Vec<u8> = (0..8 << 20).map(|at| (at % 251) as u8).collect();
    let (sent, mut received) = (much.clone(), vec![0; much.len()]);
    let written = interrupted(
        libc::SYS_sendto,
        move || writer.write_all(&sent),
        || {
            reader.read_exact(&mut received).unwrap();
            drop(reader);
        },
    );
    written.unwrap();
    assert!(received == much);

    // A receive of a message is interrupted.
    let (a, b) = UnixSeqpacket::pair().unwrap();
    let reader = a.try_clone().unwrap();
    let received = interrupted(
        libc::SYS_recvfrom,
        move || reader.recv(&mut [0; 8]),
        || b.send(b"late").unwrap(),
    );
    assert_eq!(received.unwrap().len(), 4);

    // A send of a message is interrupted, because the peer does not read.
    b.set_nonblocking(true).unwrap();
    while b.send(&[0; 4096]).is_ok() {}
    b.set_nonblocking(false).unwrap();
    a.set_nonblocking(true).unwrap();
    let drain = || while a.recv(&mut [0; 8]).is_ok_and(|received| received.len() > 0) {};
    let pieces = move || b.send_vectored(&[IoSlice::new(&[0; 4096])]);
    interrupted(libc::SYS_sendmsg, pieces, drain).unwrap();
}
