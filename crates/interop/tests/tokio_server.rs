//! The example `tokio_server`, run as a user would run it.

mod program;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use program::{Running, example};
use sunpath::{SocketRef, Stream};

#[test]
fn tokio_server_greets_each_client_by_its_user_and_removes_its_file() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let mut command = Command::new(example("tokio_server"));
    let (mut server, ready) = Running::start_server(command.arg(&path));
    assert_eq!(ready, "ready\n");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);

    for _ in 0..3 {
        let mut client = UnixStream::connect(&path).unwrap();
        let mut greeting = String::new();
        client.read_to_string(&mut greeting).unwrap();
        // The server has this process's user and groups.
        let server = SocketRef::<Stream>::from(&client);
        let user = server.peer_cred().unwrap().uid();
        let mut groups = vec![0; server.peer_group_count().unwrap()];
        server.peer_groups(&mut groups).unwrap();
        assert_eq!(greeting, format!("user {user} in groups {groups:?}\n"));
    }

    server.signal(libc::SIGINT);
    let status = server.wait();
    assert!(status.success(), "{status}");
    assert!(!path.exists());
}

/// A client and the signal come at the same time: both wait while the server is stopped. In each round it
/// is by chance which of them the server takes first.
#[test]
fn tokio_server_that_gets_a_signal_and_a_client_at_the_same_time_ends() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    for _ in 0..16 {
        let mut command = Command::new(example("tokio_server"));
        let (mut server, ready) = Running::start_server(command.arg(&path));
        assert_eq!(ready, "ready\n");
        let mut greeting = String::new();
        let mut first = UnixStream::connect(&path).unwrap();
        first.read_to_string(&mut greeting).unwrap(); // Now it waits for signals, too.
        server.signal(libc::SIGSTOP);
        let _second = UnixStream::connect(&path).unwrap();
        server.signal(libc::SIGINT);
        server.signal(libc::SIGCONT);
        let until = Instant::now() + Duration::from_secs(60);
        while server.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the signal was lost");
            thread::yield_now();
        }
    }
}
