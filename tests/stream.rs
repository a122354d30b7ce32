//! Tests of stream sockets, end to end, through the public API.
#![cfg(feature = "std")]

mod fresh;

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use sunpath::error::{Call, Cause};
use sunpath::{Errno, Shutdown, Socket, Stream, UnixAddr, UnixListener, UnixStream};
use tempfile::TempDir;

/// Makes a fresh directory, and a path in it that does not exist.
fn fresh() -> (TempDir, PathBuf) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    (dir, path)
}

fn connected() -> (TempDir, UnixStream, UnixStream) {
    let (dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    (dir, client, server)
}

#[test]
fn stream_bytes_go_both_ways() {
    let (_dir, client, server) = connected();
    let mut buf = [0; 8];
    assert_eq!(client.write(b"ping").unwrap(), 4);
    assert_eq!(server.read(&mut buf).unwrap(), 4);
    assert_eq!(&buf[..4], b"ping");
    assert_eq!(server.write(b"pong!").unwrap(), 5);
    assert_eq!(client.read(&mut buf).unwrap(), 5);
    assert_eq!(&buf[..5], b"pong!");
}

#[test]
fn stream_vectored_bytes_keep_their_order() {
    let (a, b) = UnixStream::pair().unwrap();
    let sent = a.write_vectored(&[IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")]);
    assert_eq!(sent.unwrap(), 5);
    let (mut first, mut second) = ([0; 3], [0; 3]);
    let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    assert_eq!(b.read_vectored(&mut bufs).unwrap(), 5);
    assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
}

#[test]
fn stream_traits_of_std_use_every_slice() {
    fn through(mut writer: impl Write, mut reader: impl Read) {
        let pieces = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
        assert_eq!(writer.write_vectored(&pieces).unwrap(), 5);
        let (mut first, mut second) = ([0; 3], [0; 3]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(reader.read_vectored(&mut bufs).unwrap(), 5);
        assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
    }
    let (a, b) = UnixStream::pair().unwrap();
    through(&a, &b);
    through(a, b);
}

/// More bytes than the queue holds, so no single read gets all of them.
const MUCH: usize = 8 << 20;

#[test]
fn stream_all_is_read_in_as_many_calls_as_it_takes() {
    let (mut a, mut b) = UnixStream::pair().unwrap();
    let sent: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
    let mut received = vec![0; MUCH];
    thread::scope(|scope| {
        scope.spawn(|| a.write_all(&sent).unwrap());
        b.read_exact(&mut received).unwrap();
    });
    assert!(received == sent);

    // The traits of std are used on the value and on a reference.
    Write::write_all(&mut a, b"ab").unwrap();
    Write::write_all(&mut &a, b"c").unwrap();
    let (mut first, mut second) = ([0; 1], [0; 2]);
    Read::read_exact(&mut b, &mut first).unwrap();
    Read::read_exact(&mut &b, &mut second).unwrap();
    assert_eq!((&first, &second), (b"a", b"bc"));
}

#[test]
fn stream_that_ends_too_early_says_so() {
    let (a, mut b) = UnixStream::pair().unwrap();
    a.write_all(b"abc").unwrap();
    drop(a);
    let error = b.read_exact(&mut [0; 4]).unwrap_err();
    assert_eq!(
        (error.errno(), error.cause()),
        (Errno::EPIPE, Some(Cause::StreamEnded))
    );
    assert_eq!(io::Error::from(error).kind(), ErrorKind::UnexpectedEof);
    assert_eq!(b.write_all(b"x").unwrap_err().errno(), Errno::EPIPE);

    let error = Read::read_exact(&mut b, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let error = Write::write_all(&mut b, b"x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(Errno::EPIPE.raw()));
}

/// Reading or writing no bytes makes no system call, so it neither waits nor fails.
#[test]
fn stream_nothing_is_read_and_written_without_a_call() {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    a.read_exact(&mut []).unwrap();
    drop(b);
    a.write_all(&[]).unwrap();
}

#[test]
fn stream_vectored_with_more_slices_than_the_kernel_takes_is_short() {
    let (a, b) = UnixStream::pair().unwrap();
    let many = vec![IoSlice::new(b"x"); 1025];
    assert_eq!(a.write_vectored(&many).unwrap(), 1024);
    let mut bytes = vec![0; 1025];
    let mut bufs: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
    assert_eq!(b.read_vectored(&mut bufs).unwrap(), 1024);
}

#[test]
fn stream_shutdown_write_is_end_of_file_for_the_peer() {
    let (a, b) = UnixStream::pair().unwrap();
    a.write(b"abc").unwrap();
    a.shutdown(Shutdown::Write).unwrap();
    let mut received = Vec::new();
    (&b).read_to_end(&mut received).unwrap();
    assert_eq!(received, b"abc");
    assert_eq!(a.write(b"d").unwrap_err().errno(), Errno::EPIPE);
    assert_eq!(b.write(b"back").unwrap(), 4);
}

#[test]
fn stream_shutdown_read_is_epipe_for_the_peer() {
    let (a, b) = UnixStream::pair().unwrap();
    a.shutdown(Shutdown::Read).unwrap();
    assert_eq!(b.write(b"x").unwrap_err().errno(), Errno::EPIPE);
    assert_eq!(a.read(&mut [0]).unwrap(), 0);
}

#[test]
fn stream_shutdown_both_ends_both_directions() {
    let (a, b) = UnixStream::pair().unwrap();
    a.shutdown(Shutdown::Both).unwrap();
    assert_eq!(a.write(b"x").unwrap_err().errno(), Errno::EPIPE);
    assert_eq!(b.write(b"x").unwrap_err().errno(), Errno::EPIPE);
    assert_eq!(b.read(&mut [0]).unwrap(), 0);
}

#[test]
fn stream_peer_that_closes_on_unread_data_resets_once() {
    let (a, b) = UnixStream::pair().unwrap();
    a.write(b"unread").unwrap();
    drop(b);
    let error = a.read(&mut [0]).unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Recv, Errno::ECONNRESET)
    );
    assert_eq!(a.read(&mut [0]).unwrap(), 0);
}

#[test]
fn stream_take_error_takes_it() {
    let (a, b) = UnixStream::pair().unwrap();
    assert_eq!(a.take_error().unwrap(), None);
    a.write(b"unread").unwrap();
    drop(b);
    assert_eq!(a.take_error().unwrap(), Some(Errno::ECONNRESET));
    assert_eq!(a.take_error().unwrap(), None);
}

#[test]
fn stream_addresses_are_those_that_were_bound() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let addr = UnixAddr::from_pathname(&path).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);

    let client = UnixStream::connect(&path).unwrap();
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(client.peer_addr().unwrap(), addr);
    assert_eq!(server.local_addr().unwrap(), addr);
    assert!(client.local_addr().unwrap().is_unnamed());
    assert!(server.peer_addr().unwrap().is_unnamed());
    assert!(peer.is_unnamed());
}

#[test]
fn stream_client_that_bound_itself_has_a_name() {
    let (dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let name = UnixAddr::from_pathname(dir.path().join("client.sock")).unwrap();
    let client = Socket::<Stream>::new().unwrap();
    client.bind_to(&name).unwrap();
    client.connect_to(&listener.local_addr().unwrap()).unwrap();
    assert_eq!(listener.accept().unwrap().1, name);
}

#[test]
fn stream_pair_is_unnamed() {
    let (a, b) = UnixStream::pair().unwrap();
    for socket in [&a, &b] {
        assert!(socket.local_addr().unwrap().is_unnamed());
        assert!(socket.peer_addr().unwrap().is_unnamed());
    }
}

#[test]
fn stream_without_a_peer_says_so() {
    let socket = UnixStream::new().unwrap();
    assert_eq!(socket.peer_addr().unwrap_err().errno(), Errno::ENOTCONN);
    assert_eq!(socket.peer_cred().unwrap_err().errno(), Errno::ENOTCONN);
    assert_eq!(socket.write(b"x").unwrap_err().errno(), Errno::ENOTCONN);
    assert_eq!(socket.read(&mut [0]).unwrap_err().errno(), Errno::EINVAL);
}

#[test]
fn stream_peer_cred_is_this_process() {
    let (_dir, client, server) = connected();
    // SAFETY: the call takes no arguments and cannot fail.
    let uid = unsafe { libc::geteuid() };
    // SAFETY: the call takes no arguments and cannot fail.
    let gid = unsafe { libc::getegid() };
    for stream in [&client, &server] {
        let cred = stream.peer_cred().unwrap();
        assert_eq!((cred.uid(), cred.gid()), (uid, gid));
        assert_eq!(cred.pid(), Some(std::process::id() as i32));
    }
}

#[test]
fn stream_nonblocking_does_not_wait() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let error = listener.accept().unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Accept, Errno::EAGAIN));

    let client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert!(
        !server.nonblocking().unwrap(),
        "the listener's flag is not inherited"
    );
    client.set_nonblocking(true).unwrap();
    assert!(client.nonblocking().unwrap());
    assert_eq!(client.read(&mut [0]).unwrap_err().errno(), Errno::EAGAIN);
    let chunk = [0; 4096];
    let full = (0..10_000)
        .find_map(|_| client.write(&chunk).err())
        .expect("the queue fills up");
    assert_eq!(full.errno(), Errno::EAGAIN);
    client.set_nonblocking(false).unwrap();
    assert!(!client.nonblocking().unwrap());
}

#[test]
fn stream_nonblocking_connect_to_a_full_queue_has_not_begun() {
    let (_dir, path) = fresh();
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to(&addr).unwrap();
    let listener = socket.listen(0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();

    let late = UnixStream::new().unwrap();
    late.set_nonblocking(true).unwrap();
    assert_eq!(late.connect_to(&addr).unwrap_err().errno(), Errno::EAGAIN);
    assert_eq!(late.peer_addr().unwrap_err().errno(), Errno::ENOTCONN);
    listener.accept().unwrap();
    late.connect_to(&addr).unwrap();
    assert_eq!(late.peer_addr().unwrap(), addr);
}

#[test]
fn stream_timeouts_are_kept_and_kept_to() {
    let (_dir, path) = fresh();
    let addr = UnixAddr::from_pathname(&path).unwrap();
    let (a, _b) = UnixStream::pair().unwrap();
    assert_eq!(a.read_timeout().unwrap(), None);
    assert_eq!(a.write_timeout().unwrap(), None);

    a.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    a.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
    assert_eq!(a.read_timeout().unwrap(), Some(Duration::from_millis(20)));
    assert_eq!(a.write_timeout().unwrap(), Some(Duration::from_secs(3)));
    assert_eq!(a.read(&mut [0]).unwrap_err().errno(), Errno::EAGAIN);

    a.set_read_timeout(None).unwrap();
    assert_eq!(a.read_timeout().unwrap(), None);
    a.set_read_timeout(Some(Duration::MAX)).unwrap();
    let longest = Duration::from_secs(i32::MAX as u64);
    let counted = (size_of::<libc::time_t>() == 4).then_some(longest);
    assert_eq!(a.read_timeout().unwrap(), counted, "forever");
    a.set_read_timeout(Some(Duration::from_nanos(1))).unwrap();
    assert!(
        a.read_timeout().unwrap().is_some(),
        "rounded up, not to zero"
    );
    a.set_read_timeout(Some(Duration::MAX)).unwrap();

    let zero = Some(Duration::ZERO);
    for refused in [a.set_read_timeout(zero), a.set_write_timeout(zero)] {
        let error = refused.unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::Setsockopt, Errno::EINVAL)
        );
    }
    assert_eq!(a.write_timeout().unwrap(), Some(Duration::from_secs(3)));

    let socket = Socket::<Stream>::new().unwrap();
    socket.bind_to(&addr).unwrap();
    let _listener = socket.listen(0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    let late = UnixStream::new().unwrap();
    late.set_write_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    assert_eq!(late.connect_to(&addr).unwrap_err().errno(), Errno::EAGAIN);
}

#[test]
fn stream_try_clone_is_the_same_socket() {
    let (a, b) = UnixStream::pair().unwrap();
    let a2 = a.try_clone().unwrap();
    drop(a);
    a2.write(b"x").unwrap();
    assert_eq!(b.read(&mut [0]).unwrap(), 1);
}

#[test]
fn std_types_convert_both_ways() {
    let (a, b) = UnixStream::pair().unwrap();
    let mut a = std::os::unix::net::UnixStream::from(a);
    a.write_all(b"x").unwrap();
    assert_eq!(b.read(&mut [0]).unwrap(), 1);
    let a = UnixStream::from(a);
    assert_eq!(b.write(b"y").unwrap(), 1);
    assert_eq!(a.read(&mut [0]).unwrap(), 1);

    let (_dir, path) = fresh();
    let listener = std::os::unix::net::UnixListener::from(UnixListener::bind(&path).unwrap());
    let _client = UnixStream::connect(&path).unwrap();
    listener.accept().unwrap();
    UnixListener::try_from(listener).unwrap();
}

/// The longest path that fits compiles. The `compile_fail` example of the macro has one byte more.
#[test]
fn addr_literal_of_107_bytes_compiles() {
    let addr = sunpath::addr!(
        "/tmp/678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
    );
    assert_eq!(addr.len(), 110);
}

#[test]
fn debug_shows_the_peer_and_an_abstract_address() {
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let shown = format!("{:?}", UnixStream::connect_addr(&addr).unwrap());
    assert!(format!("{addr:?}").starts_with("Abstract(\""), "{addr:?}");
    let ends = format!("local: Unnamed, peer: {addr:?} }}");
    assert!(shown.ends_with(&ends), "{shown}");
}

#[test]
fn debug_shows_kind_and_addresses_escaped() {
    let dir = fresh::dir();
    let path = dir.path().join("esc\x1b[2J");
    let listener = UnixListener::bind(&path).unwrap();
    let shown = format!("{listener:?}");
    assert!(
        shown.starts_with("Listener(Socket { kind: SOCK_STREAM, fd: "),
        "{shown}"
    );
    assert!(shown.contains("nonblocking: false"), "{shown}");
    assert!(
        shown.contains(r"esc\x1b[2J") && !shown.contains('\x1b'),
        "{shown}"
    );
}

#[test]
fn stream_has_nothing_to_flush() {
    let (mut a, b) = UnixStream::pair().unwrap();
    drop(b);
    a.flush().unwrap();
    (&a).flush().unwrap();
    assert_eq!(a.write(b"x").unwrap_err().errno(), Errno::EPIPE);
}

/// A mode over 0777 is rejected, because 660 in decimal is probably meant to be octal.
#[test]
fn stream_mode_over_0777_is_einval_with_the_number() {
    let socket = UnixStream::new().unwrap();
    for mode in [0o776, 0o777] {
        socket.set_mode(mode).unwrap();
    }
    for (mode, text) in [
        (0o1000, "fchmod: EINVAL (mode 01000 is over 0777)"),
        (660, "fchmod: EINVAL (mode 01224 is over 0777)"),
        (u32::MAX, "fchmod: EINVAL (mode 037777777777 is over 0777)"),
    ] {
        assert_eq!(socket.set_mode(mode).unwrap_err().to_string(), text);
    }
}

#[test]
fn stream_shuts_down_by_the_direction_of_std() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
    theirs.write_all(b"x").unwrap();
    ours.shutdown(Shutdown::Both).unwrap();
    assert_eq!(theirs.write_all(b"x").unwrap_err().errno(), Errno::EPIPE);
}

#[test]
fn stream_waits_for_what_comes_and_for_space() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let now = Some(Duration::ZERO);
    assert!(!theirs.wait_readable(now).unwrap());
    assert!(
        !theirs
            .wait_readable(Some(Duration::from_millis(2)))
            .unwrap()
    );
    ours.write_all(b"x").unwrap();
    assert!(theirs.wait_readable(None).unwrap());
    assert!(theirs.wait_readable(now).unwrap(), "nothing was taken");

    assert!(ours.wait_writable(None).unwrap());
    ours.set_nonblocking(true).unwrap();
    while ours.write(&[0; 4096]).is_ok() {}
    assert!(!ours.wait_writable(now).unwrap());
    drop(theirs);
    assert!(
        ours.wait_writable(now).unwrap(),
        "a send would fail at once"
    );
}

#[test]
fn stream_is_nonblocking_from_the_beginning_if_asked() {
    let (dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let client = Socket::<Stream>::new_nonblocking().unwrap();
    client
        .connect_to(&UnixAddr::from_pathname(&path).unwrap())
        .unwrap();
    let (server, _) = listener.accept_nonblocking().unwrap();
    let (a, b) = UnixStream::pair_nonblocking().unwrap();
    for socket in [&client, &server, &a, &b] {
        assert!(socket.nonblocking().unwrap());
        assert!(socket.read(&mut [0]).unwrap_err().is_would_block());
    }
    assert!(!listener.as_socket().nonblocking().unwrap());
    drop(dir);
}
