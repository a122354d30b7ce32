//! Tests of the example `handshake`. This test is its server, which sends its answers in pieces.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;

use sunpath::{UnixListener, UnixStream};

use crate::{Running, example, fresh};

/// Returns the client's next line, with "\r\n" at its end.
fn line(client: &UnixStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    String::from_utf8(line).unwrap()
}

fn start(dir: &std::path::Path) -> (Running, UnixStream) {
    let (path, file) = (dir.join("a.sock"), dir.join("a file"));
    let listener = UnixListener::bind(&path).unwrap();
    fs::write(&file, "passed").unwrap();
    let client = Running::new(example("handshake").arg(path).arg(file));
    let (connection, _) = listener.accept().unwrap();
    (client, connection)
}

#[test]
fn handshake_ends_and_descriptors_go_both_ways() {
    let dir = fresh::dir();
    let (mut client, connection) = start(dir.path());
    let user = connection.peer_cred().unwrap().uid().to_string();
    let user: String = user.bytes().map(|digit| format!("{digit:x}")).collect();
    assert_eq!(line(&connection), format!("\0AUTH EXTERNAL {user}\r\n"));
    connection.write_all(b"OK 1234").unwrap();
    connection.write_all(b"5678\r\n").unwrap();
    assert_eq!(line(&connection), "NEGOTIATE_UNIX_FD\r\n");
    connection.write_all(b"AGREE_UNIX_FD\r\n").unwrap();
    assert_eq!(line(&connection), "BEGIN\r\n");

    let mut text = [0; 64];
    let (received, [file]) = connection.recv_fds(&mut text).unwrap();
    assert_eq!(&text[..received.len()], b"a file");
    let mut contents = String::new();
    fs::File::from(file).read_to_string(&mut contents).unwrap();
    assert_eq!(contents, "passed");

    let files = ["one\n", "two\n"].map(|line| {
        let (end, file) = UnixStream::pair().unwrap();
        end.write_all(line.as_bytes()).unwrap();
        file
    });
    let fds = [files[0].as_fd(), files[1].as_fd()];
    connection.send_fds(b"thank you", &fds).unwrap();
    let lines = [client.line(), client.line(), client.line()];
    assert_eq!(lines, ["thank you", "one", "two"]);
    client.end();
}

#[test]
fn handshake_that_is_rejected_ends_the_client() {
    let dir = fresh::dir();
    let (mut client, connection) = start(dir.path());
    line(&connection);
    connection.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
    assert!(!client.child.wait().unwrap().success());
}
