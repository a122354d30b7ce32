//! The examples `descriptors` and `activated`, run as a user would run them, and the pages that show the
//! code of the examples.

use std::env;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use sunpath::{ConnectOptions, UnixStream};

fn example(name: &str) -> PathBuf {
    // This test program is PROFILE/deps/NAME, and cargo has built the example with it.
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples").join(name)
}

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

/// A running program, which is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // The calls fail only if it has ended and was waited for, so errors do not matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_greets(mut command: Command, path: &PathBuf) {
    let mut running = Running(command.spawn().unwrap());
    let options = ConnectOptions::new()
        .wait_for_server(true)
        .timeout(Duration::from_secs(60));
    let mut client: UnixStream = options.connect(path).unwrap();
    let mut greeting = String::new();
    client.read_to_string(&mut greeting).unwrap();
    // SAFETY: the call takes no arguments and cannot fail.
    let uid = unsafe { libc::geteuid() };
    assert_eq!(greeting, format!("hello, user {uid}\n"));
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn activated_server_takes_the_socket_of_the_manager() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = dir.path().join("a.sock");
    let mut by_hand = Command::new(example("activated"));
    by_hand.arg(&path).env_remove("LISTEN_FDS");
    assert_greets(by_hand, &path);
    assert!(!path.exists(), "it has removed its file");

    let mut manager = Command::new("systemd-socket-activate");
    if manager.arg("--version").output().is_err() {
        println!("SKIPPED: systemd-socket-activate is not installed");
        return;
    }
    let mut manager = Command::new("systemd-socket-activate");
    manager.arg("--listen").arg(&path).arg(example("activated"));
    assert_greets(manager, &path);
    assert!(path.exists(), "the file is the manager's");
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
