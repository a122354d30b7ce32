//! Tests of the example `borrowed`, whose server is this test.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::Stdio;

use sunpath::{UnixListener, UnixStream};

use crate::{Running, example, fresh};

/// Accepts one client, and returns its connection and the name that it asks for.
fn accept(listener: &UnixListener) -> (UnixStream, String) {
    let (client, _) = listener.accept().unwrap();
    let mut name = Vec::new();
    while !name.ends_with(b"\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        name.extend(byte);
    }
    (client, String::from_utf8(name).unwrap())
}

#[test]
fn borrowed_stream_of_std_brings_a_file_or_the_reason_why_not() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let ask = || {
        let mut command = example("borrowed");
        command.arg(&path).arg("a name").stderr(Stdio::piped());
        Running::new(&mut command)
    };

    let mut client = ask();
    let (connection, name) = accept(&listener);
    assert_eq!(name, "a name\n");
    let (contents, file) = UnixStream::pair().unwrap();
    contents.write_all(b"what the file has\n").unwrap();
    drop(contents);
    connection.send_fds(b"here it is", &[file.as_fd()]).unwrap();
    assert_eq!(client.line(), "what the file has");
    client.end();

    let mut client = ask();
    let (connection, _) = accept(&listener);
    connection.write_all(b"there is none").unwrap();
    let mut error = String::new();
    let mut stderr = client.child.stderr.take().unwrap();
    stderr.read_to_string(&mut error).unwrap();
    assert!(error.contains("there is none"), "{error}");
    assert!(!client.child.wait().unwrap().success());
}
