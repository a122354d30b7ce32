//! The example `configured`, run as a user would run it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sunpath::{UnixAddr, UnixListener, UnixStream, activation};

fn program() -> PathBuf {
    // This test program is PROFILE/deps/NAME, and cargo has built the example with it.
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/configured")
}

fn configured() -> Command {
    let mut command = Command::new(program());
    // A daemon that wrongly takes the text for a path makes its file in this directory.
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.env_remove("LISTEN_FDS");
    command
}

/// A running daemon, which is killed when this is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // The calls fail only if the daemon has ended and was waited for, so errors do not matter.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the daemon, and checks that it greets a client at this address.
fn assert_listens(command: &mut Command, addr: &UnixAddr) {
    let mut daemon = Daemon(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut ready = String::new();
    let mut output = BufReader::new(daemon.0.stdout.take().unwrap());
    output.read_line(&mut ready).unwrap();
    assert_eq!(ready, format!("listening at {addr}\n"));
    let mut greeting = String::new();
    let mut client = UnixStream::connect_addr(addr).unwrap();
    client.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, "hello\n");
}

/// Starts a daemon that must fail before it listens. Returns what it reported on standard error.
fn refusal(command: &mut Command) -> String {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut daemon = Daemon(command.spawn().unwrap());
    let (stdout, stderr) = (daemon.0.stdout.take(), daemon.0.stderr.take());
    let (mut ready, mut error) = (String::new(), String::new());
    BufReader::new(stdout.unwrap())
        .read_line(&mut ready)
        .unwrap();
    assert_eq!(ready, "", "it listens");
    stderr.unwrap().read_to_string(&mut error).unwrap();
    assert!(!daemon.0.wait().unwrap().success());
    error
}

/// Writes a configuration file with this address, and returns its path.
fn config(dir: &Path, listen: &str) -> PathBuf {
    let config = dir.join("app.toml");
    // In TOML a string in single quotes has no escapes, so every address can be written as it is.
    fs::write(&config, format!("listen = '{listen}'\n")).unwrap();
    config
}

#[test]
fn configured_address_is_a_path_an_abstract_name_or_a_passed_socket() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let path = UnixAddr::from_pathname(dir.path().join("a.sock")).unwrap();
    // Linux chose this name for a socket that was closed at once, so the name is free.
    let name = UnixListener::autobind().unwrap().local_addr().unwrap();
    for addr in [path, name] {
        let address = addr.to_string();
        assert_listens(configured().arg("--listen").arg(&address), &addr);
        let config = config(dir.path(), &address);
        assert_listens(configured().arg("--config").arg(&config), &addr);
    }
    let listeners = ["b.sock", "c.sock"].map(|name| UnixListener::bind(dir.path().join(name)));
    let [first, second] = listeners.map(Result::unwrap);
    let fds = [("other", &first), ("control", &second)];
    let addr = second.local_addr().unwrap();
    let mut command = configured();
    command.args(["--listen", "sd-listen:control"]);
    activation::pass(&mut command, &fds).unwrap();
    assert_listens(&mut command, &addr);
    let config = config(dir.path(), "sd-listen:control");
    let mut command = configured();
    command.arg("--config").arg(&config);
    activation::pass(&mut command, &fds).unwrap();
    assert_listens(&mut command, &addr);
    // A name that no passed socket has is an error. The daemon must not take the first one instead.
    let mut command = configured();
    command.args(["--listen", "sd-listen:contro"]);
    activation::pass(&mut command, &fds).unwrap();
    let text = "configured: no socket with the name \"contro\" was passed\n";
    assert_eq!(refusal(&mut command), text);
}

#[test]
fn configured_address_that_is_wrong_is_reported_with_its_reason() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let long = format!("/{}", "n".repeat(108));
    let config = config(dir.path(), &long);
    for command in [
        configured().arg("--listen").arg(&long),
        configured().arg("--config").arg(&config),
    ] {
        let error = refusal(command);
        assert!(error.contains("109"), "{error}");
        assert!(error.contains("107"), "{error}");
    }
    let error = refusal(configured().args(["--listen", "sd-listen:control"]));
    assert_eq!(error, "configured: LISTEN_FDS is not set\n");
}
