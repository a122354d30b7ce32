//! Tests of listeners through the public API: binding, listening, connecting and accepting.
#![cfg(all(feature = "std", feature = "files"))]

mod fresh;
mod limit;
mod skip;

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::thread;

use sunpath::error::{Call, Cause};
use sunpath::{
    Errno, Shutdown, Socket, Stream, SunPath, SunPathError, UnixAddr, UnixListener, UnixStream,
};
use tempfile::TempDir;

/// Makes a fresh directory, and a path in it that does not exist.
fn fresh() -> (TempDir, PathBuf) {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    (dir, path)
}

#[test]
fn listener_incoming_gives_every_client() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let clients = thread::spawn(move || {
        for byte in 0..3 {
            UnixStream::connect(&path).unwrap().write(&[byte]).unwrap();
        }
    });
    for (expected, client) in (0..3).zip(&listener) {
        let mut byte = [0];
        assert_eq!(client.unwrap().read(&mut byte).unwrap(), 1);
        assert_eq!(byte, [expected]);
    }
    clients.join().unwrap();
}

#[test]
fn listener_clones_share_one_queue() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let clone = listener.try_clone().unwrap();
    drop(listener);
    let _client = UnixStream::connect(&path).unwrap();
    clone.accept().unwrap();
}

#[test]
fn listener_at_a_path_that_exists_is_eaddrinuse() {
    let (dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    let live = UnixListener::bind(&path).unwrap_err();
    drop(listener);
    let stale = UnixListener::bind(&path).unwrap_err();
    let file = UnixListener::bind(dir.path()).unwrap_err();
    for error in [live, stale, file] {
        assert_eq!(
            error.to_string(),
            "bind: EADDRINUSE (address already in use)"
        );
    }
    assert!(
        fs::symlink_metadata(&path).unwrap().file_type().is_socket(),
        "nothing removed it"
    );
}

#[test]
fn connect_says_who_is_not_there() {
    let (dir, path) = fresh();
    let errno = |path: &PathBuf| UnixStream::connect(path).unwrap_err().errno();
    assert_eq!(errno(&path), Errno::ENOENT);
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(errno(&path), Errno::ECONNREFUSED);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(errno(&file), Errno::ECONNREFUSED);
    assert_eq!(errno(&file.join("below")), Errno::ENOTDIR);
}

#[test]
fn bind_and_connect_refuse_a_bad_path_with_its_numbers() {
    let max = sunpath::sys::SUN_PATH_MAX;
    let too_long = "x".repeat(max + 1);
    for (path, refused) in [
        (&too_long[..], SunPathError::TooLong { len: max + 1, max }),
        ("", SunPathError::Empty),
        ("a\0b", SunPathError::InteriorNul { at: 1 }),
    ] {
        let bind = UnixListener::bind(path).unwrap_err();
        assert_eq!((bind.call(), bind.sun_path()), (Call::Bind, Some(refused)));
        let connect = UnixStream::connect(path).unwrap_err();
        assert_eq!(
            (connect.call(), connect.sun_path()),
            (Call::Connect, Some(refused))
        );
    }
}

#[test]
fn bind_of_the_unnamed_address_is_refused() {
    let error = UnixListener::bind_addr(&UnixAddr::unnamed()).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Bind, Errno::EINVAL));
}

#[test]
fn autobind_takes_an_abstract_name() {
    let listener = UnixListener::autobind().unwrap();
    let addr = listener.local_addr().unwrap();
    let SunPath::Abstract(name) = addr.name() else {
        panic!("{addr} is not abstract")
    };
    assert_eq!(name.len(), 5);
    assert!(name.iter().all(u8::is_ascii_hexdigit));
    let client = UnixStream::connect_addr(&addr).unwrap();
    assert_eq!(client.peer_addr().unwrap(), addr);
}

#[test]
fn listener_backlog_is_what_the_system_gives() {
    if limit::unless_descriptors(512) {
        return;
    }
    let limit = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let waiting = limit.trim().parse::<usize>().unwrap().min(200);
    let (_dir, path) = fresh();
    for listener in [
        UnixListener::bind(path).unwrap(),
        UnixListener::autobind().unwrap(),
    ] {
        let addr = listener.local_addr().unwrap();
        let connect = || {
            let client = UnixStream::new().unwrap();
            client.set_nonblocking(true).unwrap();
            client.connect_to(&addr).map(|()| client)
        };
        let clients: Result<Vec<_>, _> = (0..waiting).map(|_| connect()).collect();
        clients.unwrap();
    }
}

#[test]
fn listen_on_an_unbound_socket_is_einval() {
    let error = Socket::<Stream>::new()
        .unwrap()
        .listen(1)
        .unwrap_err()
        .error();
    assert_eq!(error.to_string(), "listen: EINVAL (invalid argument)");
}

#[test]
fn mode_is_set_before_the_file_exists() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))
        .unwrap();
    let umask = u32::from_str_radix(umask.trim(), 8).unwrap();
    for mode in [0o600, 0o666, 0o200, 0o000] {
        let (_dir, path) = fresh();
        let socket = Socket::<Stream>::new().unwrap();
        socket.set_mode(mode).unwrap();
        socket
            .bind_to(&UnixAddr::from_pathname(&path).unwrap())
            .unwrap();
        let file = fs::symlink_metadata(&path).unwrap();
        assert_eq!(
            file.permissions().mode() & 0o7777,
            mode & !umask,
            "mode {mode:04o}"
        );
    }
}

#[test]
fn listener_that_listens_again_has_another_backlog() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    listener.listen_again(0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    let late = UnixStream::new().unwrap();
    late.set_nonblocking(true).unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(late.connect_to(&addr).unwrap_err().errno(), Errno::EAGAIN);
    listener.listen_again(1).unwrap();
    late.connect_to(&addr).unwrap();
}

#[test]
fn listener_has_no_error_and_incoming_accepts() {
    let (_dir, path) = fresh();
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(listener.take_error().unwrap(), None);
    let client = UnixStream::connect(&path).unwrap();
    let mut incoming = listener.incoming();
    incoming.next().unwrap().unwrap();
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn listener_that_is_bound_yields_its_clients_in_a_loop() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let bound = sunpath::BindOptions::new().listen(&path).unwrap();
    let client = sunpath::UnixStream::connect(&path).unwrap();
    let _second = sunpath::UnixStream::connect(&path).unwrap();
    for accepted in (&bound).into_iter().take(2) {
        let _ = accepted.unwrap().write_all(b"x");
    }
    assert_eq!(client.read(&mut [0; 2]).unwrap(), 1);
}

/// The error contains the reason why the socket cannot listen, and gives the socket back.
#[test]
fn listener_socket_that_does_not_listen_is_given_back() {
    let (connected, peer) = UnixStream::pair().unwrap();
    let error = connected.listen(1).unwrap_err();
    assert_eq!(error.error().errno(), Errno::EINVAL);
    let connected = error.into_socket();
    connected.write(b"still connected").unwrap();
    assert_eq!(peer.read(&mut [0; 32]), Ok(15));
}

#[cfg(target_os = "linux")]
#[test]
fn accept_that_cannot_succeed_has_the_cause() {
    use std::os::fd::{FromRawFd, IntoRawFd};

    let listener = UnixListener::autobind().unwrap();
    listener.as_socket().shutdown(Shutdown::Both).unwrap();
    let timed = listener.accept_timeout(std::time::Duration::ZERO);
    let nonblocking = listener.accept_nonblocking();
    for accepted in [listener.accept(), nonblocking, timed] {
        let error = accepted.unwrap_err();
        assert_eq!(error.cause(), Some(Cause::ShutDown));
        assert_eq!(
            error.to_string(),
            "accept: EINVAL (the listener was shut down)"
        );
    }
    listener.set_nonblocking(true).unwrap();
    let timed = listener.accept_timeout(std::time::Duration::ZERO);
    assert_eq!(timed.unwrap_err().cause(), Some(Cause::ShutDown));
    let socket = Socket::<Stream>::new().unwrap().into_raw_fd();
    // SAFETY: the descriptor is open and has no other owner. It does not listen, so calls fail with
    // an errno.
    let listener = unsafe { UnixListener::from_raw_fd(socket) };
    let error = listener.accept().unwrap_err();
    assert_eq!(error.cause(), Some(Cause::NotListening));
}
