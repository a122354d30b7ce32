//! The example `tokio_server`, run as a user would run it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use sunpath::{SocketRef, Stream};

#[test]
fn tokio_server_greets_each_client_by_its_user_and_removes_its_file() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    // This test program is PROFILE/deps/NAME, and cargo has built the example with it.
    let test = std::env::current_exe().unwrap();
    let program = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/tokio_server");
    let mut command = Command::new(program);
    let mut server = command.arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);

    let mut groups = [0; 64];
    for _ in 0..3 {
        let mut client = UnixStream::connect(&path).unwrap();
        let mut greeting = String::new();
        client.read_to_string(&mut greeting).unwrap();
        // The server has this process's user and groups.
        let server = SocketRef::<Stream>::from(&client);
        let user = server.peer_cred().unwrap().uid();
        let groups = server.peer_groups(&mut groups).unwrap();
        assert_eq!(greeting, format!("user {user} in groups {groups:?}\n"));
    }

    // SAFETY: the call takes only numbers; the child has not been waited for.
    let sent = unsafe { libc::kill(server.id() as libc::pid_t, libc::SIGINT) };
    assert_eq!(sent, 0);
    let status = server.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(!path.exists());
}
