//! The example `configured`, run as a user would run it.

mod program;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Running, example};
use sunpath::{UnixAddr, UnixListener, UnixStream, activation};

fn configured() -> Command {
    let mut command = Command::new(example("configured"));
    // A daemon that wrongly takes the text for a path makes its file in this directory.
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.env_remove("LISTEN_FDS");
    command
}

/// Starts the daemon, and checks that it greets a client at this address.
fn assert_listens(command: &mut Command, addr: &UnixAddr) {
    let (_daemon, ready) = Running::start_server(command);
    assert_eq!(ready, format!("listening at {addr}\n"));
    let mut greeting = String::new();
    let mut client = UnixStream::connect_addr(addr).unwrap();
    client.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, "hello\n");
}

/// Starts a daemon that must fail before it listens. Returns what it reported on standard error.
fn refusal(command: &mut Command) -> String {
    let (mut daemon, ready) = Running::start_server(command.stderr(Stdio::piped()));
    assert_eq!(ready, "", "it listens");
    let (mut error, stderr) = (String::new(), daemon.0.stderr.take());
    stderr.unwrap().read_to_string(&mut error).unwrap();
    assert!(!daemon.wait().success());
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
