//! Ancillary data where it goes wrong: no descriptor free for what arrives, no room for it, nobody who
//! takes it, a panic on the way. What came is said, what is missing is said, and the process has
//! the descriptors that it had.
#![cfg(all(target_os = "linux", feature = "std"))]

use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use sunpath::sys::{CMSG_LEN, CMSG_SPACE};
use sunpath::{
    Ancillary, Control, ControlBuffer, ControlRoom, Credentials, Datagram, Errno, Error, Kind,
    Message, Messages, Outgoing, Pidfd, RecvBatch, RecvRoom, Rights, SendBatch, SendRoom,
    Seqpacket, Socket, Stream, UnixDatagram, UnixSeqpacket, UnixStream,
};

const INT: usize = size_of::<i32>();

/// Runs the test of this name in a process of its own, since descriptors and their limit belong to
/// the process.
fn alone(name: &str, test: impl FnOnce()) {
    const ALONE: &str = "SUNPATH_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return test();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--test-threads=1"]);
    let output = command.env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no test is called {name}");
}

fn is_open(fd: i32) -> bool {
    // SAFETY: F_GETFD takes any number.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

fn is_cloexec(fd: &OwnedFd) -> bool {
    // SAFETY: F_GETFD takes nothing.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC != 0
}

/// The descriptors that are open; opens none to find out.
fn open() -> Vec<i32> {
    (0..512).filter(|fd| is_open(*fd)).collect()
}

/// Sets the soft `RLIMIT_NOFILE`; what it was.
fn limit_descriptors(limit: libc::rlim_t) -> libc::rlim_t {
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: old is a live rlimit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut old) }, 0);
    let new = libc::rlimit {
        rlim_cur: limit,
        ..old
    };
    // SAFETY: new is a live rlimit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &new) }, 0);
    old.rlim_cur
}

/// What `action` gives while exactly so many descriptors are free.
fn with_free<R>(free: usize, action: impl FnOnce() -> R) -> R {
    let beyond = (0..).filter(|fd| !is_open(*fd)).nth(free).unwrap();
    let old = limit_descriptors(beyond as libc::rlim_t);
    let result = action();
    limit_descriptors(old);
    result
}

/// A pair whose second end asks for credentials and a pidfd; none, and that is said, where the kernel
/// has no pidfds to give.
fn curious_pair<T: Kind>() -> Option<(Socket<T>, Socket<T>)> {
    let (a, b) = Socket::<T>::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    has_option("SO_PASSPIDFD", b.set_pass_pidfd(true)).then_some((a, b))
}

fn has_option(name: &str, set: Result<(), Error>) -> bool {
    match set {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_unsupported(), "{error}");
            // Not eprintln, which is silent where a test passes.
            let _ = writeln!(io::stderr(), "SKIPPED: the kernel has no {name}");
            false
        }
    }
}

/// Sends a byte and so many descriptors.
fn give<T: Kind>(to: &Socket<T>, count: usize) {
    to.send_fds(b"x", &vec![to.as_fd(); count]).unwrap();
}

fn take<'c, T: Kind, R: ControlRoom + ?Sized>(
    from: &Socket<T>,
    room: &'c mut R,
) -> Result<Message<'c>, Error> {
    from.recvmsg(&mut [IoSliceMut::new(&mut [0; 8])], room)
}

fn all_cloexec(fds: &[OwnedFd]) -> bool {
    fds.iter().all(is_cloexec)
}

/// What `into_control` says of a message that is not whole.
fn truncated_text(closed: usize) -> String {
    format!(
        "recvmsg: EMSGSIZE (control messages were truncated; descriptors that arrived and were \
         closed: {closed})"
    )
}

/// Of a message, as an action that cannot be made twice: all there is to do with it.
fn refused(message: Message<'_>) -> Option<String> {
    message.into_control().err().map(|error| error.to_string())
}

/// `K` descriptors, credentials and a pidfd, while any number of descriptors up to one too many is
/// free.
fn arrives_as_far_as_descriptors_are_free<T: Kind, const K: usize>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
    let mut room = ControlBuffer::<(Rights<K>, Credentials, Pidfd)>::new();
    let before = open();
    for free in 0..=K + 1 {
        let what = format!("{K} descriptors, {free} free");

        give(&a, K);
        let message = with_free(free, || take(&b, &mut room)).unwrap();
        assert_eq!(message.len(), 1);
        assert_eq!(message.is_control_truncated(), free < K, "{what}");
        assert_eq!(message.received().is_control_truncated(), free < K);
        drop(message);
        assert_eq!(open(), before, "{what}: a message that nobody looked at");

        give(&a, K);
        let refused = with_free(free, || take(&b, &mut room).map(refused)).unwrap();
        let expected = (free < K).then(|| truncated_text(free));
        assert_eq!(refused, expected, "{what}");
        assert_eq!(open(), before, "{what}: a message that was refused");

        give(&a, K);
        let message = with_free(free, || take(&b, &mut room)).unwrap();
        let mut control = message.into_partial_control();
        assert_eq!(control.credentials(), Some(Credentials::own()), "{what}");
        assert_eq!(control.closed(), 0, "what the kernel drops, nobody counts");
        let fds: Vec<_> = control.rights().collect();
        assert_eq!(fds.len(), free.min(K), "{what}");
        assert!(all_cloexec(&fds), "{what}");
        match control.pidfd() {
            Ok(Some(pidfd)) => assert!(free > K && is_cloexec(&pidfd), "{what}"),
            Ok(None) => panic!("{what}: no place for a pidfd"),
            Err(error) => {
                assert!(free <= K, "{what}");
                assert_eq!(error.errno(), Errno::EMFILE);
            }
        }
        assert!(control.pidfd().unwrap().is_none(), "it is taken once");
        drop(fds);
        drop(control);
        assert_eq!(open(), before, "{what}: a message that was taken in part");
    }
}

/// The same for each number of descriptors.
macro_rules! for_each_count {
    ($check:ident of $kind:ident: $($count:literal)+) => {
        $($check::<$kind, $count>();)+
    };
}

#[test]
fn ancillary_at_every_limit_of_descriptors_loses_none() {
    alone("ancillary_at_every_limit_of_descriptors_loses_none", || {
        for_each_count!(arrives_as_far_as_descriptors_are_free of Stream: 1 2 3 4 5 6 7 8 253);
        for_each_count!(arrives_as_far_as_descriptors_are_free of Seqpacket: 1 2 3 4 5 6 7 8 253);
        for_each_count!(arrives_as_far_as_descriptors_are_free of Datagram: 1 2 3 4 5 6 7 8 253);
    });
}

/// So many descriptors, credentials and a pidfd, into bytes of this number and alignment.
fn arrives_as_far_as_room_is<T: Kind>(
    (a, b): &(Socket<T>, Socket<T>),
    count: usize,
    (size, shift): (usize, usize),
) {
    let what = format!("{count} descriptors into {size} bytes at {shift}");
    let mut bytes = vec![0xaa; size + 16];
    let begin = bytes.as_ptr().align_offset(8) + shift;
    let room = &mut bytes[begin..][..size];
    let before = open();

    give(a, count);
    let message = take(b, room).unwrap();
    let truncated = message.is_control_truncated();
    let mut control = message.into_partial_control();
    assert_eq!(control.is_truncated(), truncated);
    let fds: Vec<_> = control.rights().collect();
    assert!(all_cloexec(&fds), "{what}");
    let expected = size.saturating_sub(CMSG_SPACE(3 * INT) + CMSG_LEN(0)) / INT;
    assert_eq!(fds.len(), expected.min(count), "{what}");
    let pidfd = control.pidfd().unwrap();
    if let Some(credentials) = control.credentials() {
        assert_eq!(credentials, Credentials::own());
    }
    let whole = fds.len() == count && pidfd.is_some() && control.credentials().is_some();
    assert_eq!(truncated, !whole, "{what}");
    let arrived = fds.len();
    drop((fds, pidfd));
    drop(control);
    assert_eq!(open(), before, "{what}");

    // The same bytes again, with what the last receive has left in them.
    give(a, count);
    let expected = (!whole).then(|| truncated_text(arrived));
    assert_eq!(take(b, room).map(refused), Ok(expected), "{what}");
    assert_eq!(open(), before, "{what}");
}

#[test]
fn ancillary_in_every_room_loses_none() {
    alone("ancillary_in_every_room_loses_none", || {
        let Some(pair) = curious_pair::<Stream>() else {
            return;
        };
        let full =
            |count: usize| CMSG_SPACE(3 * INT) + CMSG_SPACE(count * INT) + CMSG_SPACE(INT) + 8;
        for count in 1..=8 {
            for size in 0..=full(count) {
                for shift in 0..8 {
                    arrives_as_far_as_room_is(&pair, count, (size, shift));
                }
            }
        }
        for size in 0..=full(253) {
            arrives_as_far_as_room_is(&pair, 253, (size, size % 8));
        }
    });
}

#[test]
fn ancillary_that_nobody_takes_to_the_end_is_closed() {
    alone("ancillary_that_nobody_takes_to_the_end_is_closed", || {
        let Some((a, b)) = curious_pair::<Stream>() else {
            return;
        };
        let mut room = ControlBuffer::<(Rights<8>, Credentials, Pidfd)>::new();
        let before = open();
        for taken in 0..=8 {
            give(&a, 8);
            let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
            let fds: Vec<_> = control.rights().take(taken).collect();
            assert_eq!(fds.len(), taken);
            assert_eq!(control.rights().len(), 8 - taken, "the rest stays");
            drop(control);
            assert!(fds.iter().all(|fd| is_open(fd.as_raw_fd())));
            assert_eq!(open().len(), before.len() + taken);
            drop(fds);
            assert_eq!(open(), before);
        }

        // A panic while the message is held, while it is opened, and half way through.
        type Broken = fn(Message<'_>);
        let fall: [Broken; 3] = [
            |_message| panic!("on purpose"),
            |message| {
                let _control = message.into_control().unwrap();
                panic!("on purpose");
            },
            |message| {
                let mut control = message.into_partial_control();
                let mut rights = control.rights();
                let _fd = rights.next().unwrap();
                panic!("on purpose");
            },
        ];
        for fall in fall {
            give(&a, 8);
            let caught = catch_unwind(AssertUnwindSafe(|| fall(take(&b, &mut room).unwrap())));
            assert!(caught.is_err());
            assert_eq!(open(), before);
        }

        // One room, used a thousand times, with and without descriptors.
        for round in 0..1000 {
            give(&a, round % 9);
            let mut control = take(&b, &mut room).unwrap().into_control().unwrap();
            assert_eq!(control.rights().len(), round % 9);
            let kept = control.rights().next();
            assert_eq!(kept.is_some(), round % 9 > 0);
        }
        assert_eq!(open(), before);
    });
}

#[test]
fn ancillary_receive_that_fails_leaves_the_room_usable() {
    alone(
        "ancillary_receive_that_fails_leaves_the_room_usable",
        || {
            let mut room = ControlBuffer::<(Rights<2>, Credentials, Pidfd)>::new();
            let before = open();
            let Some((a, b)) = curious_pair::<Stream>() else {
                return;
            };
            b.set_nonblocking(true).unwrap();
            give(&a, 2);
            drop(take(&b, &mut room).unwrap());
            let during = open();
            let empty = take(&b, &mut room).map(drop).unwrap_err();
            assert_eq!(empty.errno(), Errno::EAGAIN);
            assert_eq!(open(), during);

            // The peer goes with bytes of ours unread.
            b.write(b"unread").unwrap();
            drop(a);
            let reset = take(&b, &mut room).map(drop).unwrap_err();
            assert_eq!(
                reset.to_string(),
                "recvmsg: ECONNRESET (connection reset by peer)"
            );
            let end = take(&b, &mut room).unwrap();
            assert_eq!((end.len(), end.is_control_truncated()), (0, false));
            let mut end = end.into_control().unwrap();
            assert_eq!(
                end.credentials(),
                None,
                "those of nobody, which read as root's"
            );
            assert_eq!(end.rights().len(), 0);
            assert!(end.pidfd().unwrap().is_none());
            drop(end);
            let (received, credentials) = b.recv_with_credentials(&mut [0; 8]).unwrap();
            assert_eq!((received.len(), credentials), (0, None));
            drop(b);
            assert_eq!(open(), before);
        },
    );
}

/// A batch of six messages with two descriptors each, of which some are looked at.
fn batch_is_closed<T: Messages>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
    let before = open();
    let mut room = SendRoom::<8, Rights<2>>::new();
    let mut sending = SendBatch::new(&mut room);
    let fds = [a.as_fd(); 2];
    let (data, control) = ([IoSlice::new(b"x")], [Control::Rights(&fds)]);
    for _ in 0..6 {
        let message = Outgoing::new(&data).control(&control);
        sending.push(message).unwrap();
    }
    let mut texts = [[0; 4]; 8];
    let mut room = RecvRoom::<8, (Rights<2>, Credentials, Pidfd)>::new();
    let mut receiving = RecvBatch::new(&mut room, &mut texts);
    for looked_at in 0..=6 {
        sending.rewind();
        a.sendmmsg(&mut sending).unwrap();
        let mut arrivals = b.recvmmsg(&mut receiving).unwrap();
        assert_eq!(arrivals.len(), 6);
        let mut kept = Vec::new();
        for (number, arrival) in arrivals.by_ref().take(looked_at).enumerate() {
            assert_eq!(arrival.bytes(), b"x");
            match number {
                0 => drop(arrival),
                1 => drop(arrival.into_message()),
                _ => {
                    let (bytes, message) = arrival.into_message();
                    assert_eq!(bytes, b"x");
                    kept.extend(message.into_control().unwrap().rights().next());
                }
            }
        }
        assert!(all_cloexec(&kept));
        drop(arrivals);
        assert_eq!(open().len(), before.len() + kept.len());
        drop(kept);
        assert_eq!(open(), before, "{looked_at} messages were looked at");
    }

    // Descriptors for two messages and a half, pidfds among them.
    sending.rewind();
    a.sendmmsg(&mut sending).unwrap();
    let arrivals = with_free(7, || b.recvmmsg(&mut receiving)).unwrap();
    let came: Vec<_> = arrivals
        .map(|arrival| {
            let (_, message) = arrival.into_message();
            let truncated = message.is_control_truncated();
            let mut control = message.into_partial_control();
            let pidfd = control.pidfd().map_err(Error::errno);
            (
                truncated,
                control.rights().len(),
                pidfd.map(|fd| fd.is_some()),
            )
        })
        .collect();
    let whole = (false, 2, Ok(true));
    let none = (true, 0, Err(Errno::EMFILE));
    let half = (true, 1, Err(Errno::EMFILE));
    assert_eq!(came, [whole, whole, half, none, none, none]);
    assert_eq!(open(), before);

    // Three descriptors where room is for two.
    give(&a, 3);
    let arrival = b.recvmmsg(&mut receiving).unwrap().next().unwrap();
    let (_, message) = arrival.into_message();
    let mut control = message.into_partial_control();
    assert_eq!((control.rights().len(), control.is_truncated()), (2, true));
    drop(control);
    assert_eq!(open(), before);
}

#[test]
fn ancillary_of_a_batch_half_looked_at_is_closed() {
    alone("ancillary_of_a_batch_half_looked_at_is_closed", || {
        batch_is_closed::<Datagram>();
        batch_is_closed::<Seqpacket>();
    });
}

fn plain_receive_says_so<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    let mut buf = [0; 8];
    a.send(b"plain").unwrap();
    let mut vectored = |b: &Socket<T>| b.recv_vectored(&mut [IoSliceMut::new(&mut buf)]);
    assert!(!vectored(&b).unwrap().is_control_truncated());
    give(&a, 2);
    let received = vectored(&b).unwrap();
    assert!(received.is_control_truncated());
    assert_eq!((received.len(), received.is_truncated()), (1, false));
    // recv(2) has no flags to tell it with; the kernel closes them all the same.
    give(&a, 2);
    assert!(!b.recv(&mut buf).unwrap().is_control_truncated());
    assert_eq!(open(), before);
    give(&a, 1);
    let (received, credentials) = b.recv_with_credentials(&mut buf).unwrap();
    assert!(received.is_control_truncated(), "it came unasked");
    assert_eq!(credentials, None);
    assert_eq!(open(), before);
}

#[test]
fn ancillary_that_plain_receives_drop_is_said() {
    alone("ancillary_that_plain_receives_drop_is_said", || {
        plain_receive_says_so::<Datagram>();
        plain_receive_says_so::<Seqpacket>();
    });
}

/// A file with these bytes, without a path.
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
    assert_eq!(nothing.errno(), Errno::EAGAIN, "none of them went");
    assert_eq!(open(), before);
}

#[test]
fn ancillary_descriptors_253_go_and_254_are_refused() {
    alone("ancillary_descriptors_253_go_and_254_are_refused", || {
        refuses_by_number::<Stream>();
        refuses_by_number::<Seqpacket>();
        refuses_by_number::<Datagram>();
    });
}

#[test]
fn ancillary_without_a_byte_is_refused_on_streams_alone() {
    // Not connected: a call would say ENOTCONN.
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

/// The errors of `recv_fd` and `recv_fds`, each with its text.
fn receives_say_what_is_wrong<T: Kind>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    let buf = &mut [0; 8];
    let few = |expected, closed| {
        format!(
            "recvmsg: ENOMSG (descriptors expected: {expected}; that arrived and were closed: {closed})"
        )
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
    assert_eq!(b.recv_fd().unwrap_err().to_string(), truncated_text(2));
    give(&a, 2);
    let mut room = ControlBuffer::<Rights<1>>::new();
    let message = take(&b, &mut room).unwrap();
    assert!(message.is_control_truncated());
    let mut control: Ancillary<'_> = message.into_partial_control();
    assert_eq!((control.closed(), control.rights().len()), (1, 1));
    assert!(control.rights().next().is_some_and(|fd| is_cloexec(&fd)));
    drop(control);
    give(&a, 1);
    let error = with_free(0, || b.recv_fd()).unwrap_err();
    assert_eq!(error.to_string(), truncated_text(0));
    assert_eq!(open(), before);
}

/// Of a message the one byte of `recv_fd` has to be all.
fn message_of_two_bytes_is_refused<T: Messages>() {
    let (a, b) = Socket::<T>::pair().unwrap();
    let before = open();
    a.send_fds(b"xy", &[a.as_fd()]).unwrap();
    let error = b.recv_fd().unwrap_err();
    assert_eq!(error.to_string(), "recvmsg: EMSGSIZE (message too long)");
    assert_eq!(open(), before);
}

#[test]
fn ancillary_errors_of_receiving_descriptors_say_the_numbers() {
    alone(
        "ancillary_errors_of_receiving_descriptors_say_the_numbers",
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
                let text = "recvmsg: EPIPE (end of file, no descriptor)";
                assert_eq!(error.to_string(), text);
                let error = io::Error::from(error);
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                assert_eq!(error.to_string(), text);
            }
        },
    );
}

/// The receiver's socket was made by somebody who wanted to know more: credentials and a pidfd come
/// beside the descriptors.
fn descriptors_come_beside_others<T: Kind>() {
    let Some((a, b)) = curious_pair::<T>() else {
        return;
    };
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

#[test]
fn ancillary_descriptors_come_beside_what_nobody_asked_for() {
    alone(
        "ancillary_descriptors_come_beside_what_nobody_asked_for",
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

/// The bytes and descriptors that come until the end of the stream.
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

    // By hand: what is left goes without them.
    let (a, b) = small_pair();
    a.set_nonblocking(true).unwrap();
    let fds = [a.as_fd(), a.as_fd()];
    let rights = [Control::Rights(&fds)];
    let sent = a.sendmsg(&[IoSlice::new(&long)], &rights).unwrap();
    assert!(0 < sent && sent < long.len(), "{sent} bytes went");
    a.set_nonblocking(false).unwrap();
    let reader = thread::spawn(move || all_that_comes(&b, || ()));
    a.send_all(&long[sent..], &[]).unwrap();
    drop(a);
    assert!(reader.join().unwrap() == (long.clone(), 2));

    // send_all does it by itself, when signals cut its calls short,
    let (a, b) = small_pair();
    signal_hook::flag::register(libc::SIGUSR1, Arc::default()).unwrap();
    // SAFETY: pthread_self takes nothing.
    let sender = unsafe { libc::pthread_self() };
    let interrupt = move || {
        // SAFETY: the sender lives until it has joined the thread that runs this.
        assert_eq!(unsafe { libc::pthread_kill(sender, libc::SIGUSR1) }, 0);
    };
    let reader = thread::spawn(move || all_that_comes(&b, interrupt));
    a.send_fds(&long, &[a.as_fd(), a.as_fd()]).unwrap();
    drop(a);
    assert!(reader.join().unwrap() == (long.clone(), 2));

    // and where it fails half way, they have gone.
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
}
