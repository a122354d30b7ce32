//! The examples `descriptors` and `activated`, run as a user would run them, and the pages that show the
//! code of the examples.

mod program;

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use program::{Running, example, is_installed, own_uid};
use sunpath::{ConnectOptions, UnixStream};

#[test]
fn descriptors_arrive_with_the_messages_that_they_belong_to() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let output = Command::new(example("descriptors"))
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "first: \"one\"\nsecond: \"two\"\nno descriptor: \"\"\n"
    );
    assert!(output.status.success());
    assert!(!path.exists());
}

fn assert_greets(mut command: Command, path: &PathBuf) {
    let mut running = Running::start(&mut command);
    let options = ConnectOptions::new()
        .wait_for_server(true)
        .timeout(Duration::from_secs(60));
    let mut client: UnixStream = options.connect(path).unwrap();
    let mut greeting = String::new();
    client.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, format!("hello, user {}\n", own_uid()));
    assert!(running.wait().success());
}

#[test]
fn activated_server_takes_the_socket_of_the_manager() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let mut by_hand = Command::new(example("activated"));
    by_hand.arg(&path).env_remove("LISTEN_FDS");
    assert_greets(by_hand, &path);
    assert!(!path.exists(), "it has removed its file");

    if !is_installed("systemd-socket-activate") {
        return;
    }
    let mut manager = Command::new("systemd-socket-activate");
    manager.arg("--listen").arg(&path).arg(example("activated"));
    assert_greets(manager, &path);
    assert!(path.exists(), "the file is the manager's");
}

#[allow(dead_code)] // its `main`
#[path = "../examples/descriptors/main.rs"]
mod descriptors;

/// The heads of messages are read before the messages, so a peer could claim any length.
#[tokio::test]
async fn descriptors_with_a_message_that_is_cut_off_or_too_long_are_an_error() {
    let head = |length: u32, count: u32| [length.to_le_bytes(), count.to_le_bytes()].concat();
    for (bytes, expected) in [
        (vec![], None),
        (head(0, 0)[..7].to_vec(), Some(ErrorKind::UnexpectedEof)),
        (head(1, 0), Some(ErrorKind::UnexpectedEof)),
        (head(0, 1), Some(ErrorKind::UnexpectedEof)),
        (head(u32::MAX, 0), Some(ErrorKind::InvalidData)),
        (head(0, 17), Some(ErrorKind::InvalidData)),
    ] {
        let (ours, theirs) = sunpath_tokio::UnixStream::pair().unwrap();
        ours.write(&bytes).await.unwrap();
        drop(ours);
        let next = descriptors::Connection::new(theirs).next().await;
        assert_eq!(next.as_ref().err().map(|error| error.kind()), expected);
        assert!(next.is_ok_and(|message| message.is_none()) == expected.is_none());
    }
}

/// A peer that sends descriptors that no head claims cannot use up those of this process.
#[tokio::test]
async fn descriptors_that_belong_to_no_message_are_an_error() {
    let (ours, theirs) = sunpath_tokio::UnixStream::pair().unwrap();
    let mut client = descriptors::Connection::new(theirs);
    for _ in 0..3 {
        ours.send_fds(&[0; 8], &[&ours; 16]).await.unwrap();
    }
    assert!(client.next().await.unwrap().is_some());
    assert!(client.next().await.unwrap().is_some());
    let error = client.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
}

/// The README of an example has its whole code.
#[test]
fn readmes_show_the_code_of_the_examples() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut compared = 0;
    for name in ["activated", "descriptors", "grpc", "http"] {
        let dir = examples.join(name);
        let code = fs::read_to_string(dir.join("main.rs")).unwrap();
        let readme = fs::read_to_string(dir.join("README.md")).unwrap();
        let expected = format!("```rust\n{}```\n", code_of(&code));
        assert!(
            readme.contains(&expected),
            "{name}/README.md has other code"
        );
        compared += 1;
    }
    assert_eq!(compared, 4);
}

/// Returns the program without the text at its beginning, which is the text of the README.
fn code_of(file: &str) -> String {
    let lines = file
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}
