//! Tests of the example `daemon`. The daemon listens at a path, at an abstract name, or with a
//! socket that the manager passed. This test is the manager.

use std::os::fd::OwnedFd;
use std::process::Stdio;

use sunpath::{UnixAddr, UnixListener, UnixStream};

use crate::{Running, example, fresh, with_passed};

fn expect_greeting(addr: &UnixAddr) {
    let client = UnixStream::connect_addr(addr).unwrap();
    let mut hello = [0; 6];
    client.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello\n");
}

#[test]
fn daemon_listens_at_a_path_and_at_an_abstract_name() {
    let dir = fresh::dir();
    let path = UnixAddr::from_pathname(dir.path().join("a.sock")).unwrap();
    // Linux chose this name for a socket that is already closed, so the name is free.
    let name = UnixListener::autobind().unwrap().local_addr().unwrap();
    for addr in [path, name] {
        let address = addr.to_string();
        let ready = format!("listening at {address}");
        for _start in ["the first", "after a kill"] {
            let _killed = Running::start(example("daemon").arg(&address), &ready);
            expect_greeting(&addr);
        }
    }
}

#[test]
fn daemon_listens_with_the_socket_that_was_passed() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let passed = UnixListener::bind(&path).unwrap();
    let addr = passed.local_addr().unwrap();
    let mut command = with_passed("daemon");
    command.stdin(OwnedFd::from(passed));
    let daemon = Running::start(&mut command, &format!("listening at {addr}"));
    expect_greeting(&addr);
    drop(daemon);
    assert!(path.exists(), "the file is the manager's");
}

#[test]
fn daemon_binds_nothing_if_a_socket_was_passed_to_another_process() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let mut command = example("daemon");
    command
        .arg(&path)
        .env("LISTEN_PID", "1")
        .env("LISTEN_FDS", "1");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    let text = "daemon: LISTEN_PID is 1, but this process is ";
    assert!(error.starts_with(text), "{error}");
    assert!(!path.exists());
}
