//! What the answer to each exercise has to do. Each check takes the answer as a function, which was
//! written in Rust or in C.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sunpath::{Socket, Stream, UnixAddr, UnixDatagram, UnixListener, UnixStream};

use crate::fresh;

pub(crate) fn address(length: impl Fn(&[u8]) -> Option<usize>) {
    assert_eq!(length(b"a"), Some(4), "2 bytes, the letter, and its NUL");
    assert_eq!(length(&[b'x'; 106]), Some(109));
    assert_eq!(length(&[b'x'; 107]), Some(110), "the longest path");
    assert_eq!(length(&[b'x'; 108]), None, "no space for the NUL");
    assert_eq!(length(b""), None, "an empty path is not a path");
}

pub(crate) fn stream(receive_exactly: impl Fn(&UnixStream, &mut [u8]) -> bool) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let writer = thread::spawn(move || {
        for byte in 0..100 {
            ours.write_all(&[byte]).unwrap();
            thread::yield_now();
        }
    });
    let mut buf = [0; 90];
    assert!(receive_exactly(&theirs, &mut buf));
    let expected: Vec<u8> = (0..90).collect();
    assert_eq!(buf[..], expected, "all bytes, in their order");
    writer.join().unwrap();
    assert!(
        !receive_exactly(&theirs, &mut buf),
        "the stream ends after 10 bytes"
    );
}

pub(crate) fn file(is_dead: impl Fn(&Path) -> bool) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    assert!(!is_dead(&path), "there is nothing");
    File::create(&path).unwrap();
    assert!(!is_dead(&path), "it is not a socket");
    fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    assert!(!is_dead(&path), "a server listens");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the server noticed");
    drop(listener);
    assert!(is_dead(&path), "no process holds it");
    assert!(path.exists(), "the question changes nothing");
}

pub(crate) fn permission<S>(bind_private: impl Fn(&Path) -> Option<S>) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let _sock = bind_private(&path).expect("it is bound");
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600, "the mode is {mode:o}");
    assert!(bind_private(&path).is_none(), "the file is in the way");
}

pub(crate) fn names(is_our_user: impl Fn(&UnixStream) -> bool) {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    assert!(is_our_user(&ours), "this process is of our user");
    let alone = Socket::<Stream>::new().unwrap();
    assert!(!is_our_user(&alone), "there is no peer");
}

pub(crate) fn messages(receive_whole: impl Fn(&UnixDatagram, &mut [u8]) -> Option<usize>) {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    for message in ["one", "four", "fives"] {
        ours.send(message.as_bytes()).unwrap();
    }
    let mut buf = [0; 4];
    assert_eq!(receive_whole(&theirs, &mut buf), Some(3));
    assert_eq!(
        receive_whole(&theirs, &mut buf),
        Some(4),
        "it fills the buffer"
    );
    assert_eq!(receive_whole(&theirs, &mut buf), None, "a byte is lost");
}

pub(crate) fn descriptors(receive_one: impl Fn(&UnixStream) -> Option<OwnedFd>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (mut kept, given) = net::UnixStream::pair().unwrap();
    ours.send_fd(&given).unwrap();
    drop(given);
    let received = receive_one(&theirs).expect("a descriptor came");
    let received = UnixStream::try_from(received).unwrap();
    assert!(received.getsockopt::<i32>(libc::SO_TYPE).is_ok());
    received.write_all(b"hello").unwrap();
    kept.read_exact(&mut [0; 5]).unwrap();
    ours.write_all(b"x").unwrap();
    assert!(
        receive_one(&theirs).is_none(),
        "no descriptor came with this byte"
    );
}

pub(crate) fn abstract_names<S>(connect_abstract: impl Fn(&str) -> Option<S>) {
    // An abstract name belongs to the network namespace, which other tests share.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("sunpath-exercise-{}-{count}", process::id());
    assert!(
        connect_abstract(&name).is_none(),
        "nobody is bound to the name"
    );
    let _listener = UnixListener::bind_addr(&UnixAddr::from_abstract(&name).unwrap()).unwrap();
    assert!(
        connect_abstract(&name).is_some(),
        "a server is bound to exactly this name"
    );
}

pub(crate) fn long<S>(connect_long: impl Fn(&Path, &str) -> Option<S>) {
    let dir = fresh::dir();
    let deep = dir.path().join("d".repeat(200));
    fs::create_dir(&deep).unwrap();
    assert!(connect_long(&deep, "a.sock").is_none(), "there is nothing");
    let _listener = UnixListener::bind_at(sunpath::CWD, deep.join("a.sock")).unwrap();
    assert!(connect_long(&deep, "a.sock").is_some(), "a server listens");
}

pub(crate) fn many(accept_all: impl Fn(&UnixListener) -> usize) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    for expected in [3, 0, 1] {
        let clients: Vec<_> = (0..expected)
            .map(|_| UnixStream::connect(&path).unwrap())
            .collect();
        assert_eq!(accept_all(&listener), expected);
        drop(clients);
    }
}

pub(crate) fn lock(take_lock: impl Fn(&Path) -> Option<OwnedFd>) {
    let dir = fresh::dir();
    let path = dir.path().join("a.lock");
    let first = take_lock(&path).expect("nobody has it");
    assert!(take_lock(&path).is_none(), "the first one has it");
    drop(first);
    assert!(take_lock(&path).is_some(), "a lock ends with its holder");
}

pub(crate) fn daemon<S>(start: impl Fn(&Path) -> Option<S>) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    drop(UnixListener::bind(&path).unwrap()); // a daemon that was killed leaves its file
    let daemon = start(&path).expect("the file is that of a dead daemon");
    assert!(start(&path).is_none(), "a daemon runs");
    drop(daemon);
    assert!(start(&path).is_some(), "the daemon has stopped");
    let file = dir.path().join("b.sock");
    File::create(&file).unwrap().write_all(b"mine").unwrap();
    assert!(start(&file).is_none(), "the file is not a socket");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}
