//! `sunpath relay`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use sunpath::{UnixSeqpacket, UnixSeqpacketListener};
use tempfile::TempDir;

use super::ls::terminal::{Printed, terminal};
use super::{run, skip, sunpath};

struct Relay {
    child: Child,
    notes: BufReader<std::process::ChildStderr>,
    _dir: TempDir,
    from: PathBuf,
    to: PathBuf,
}

impl Relay {
    fn start(arguments: &[&str]) -> Self {
        Self::start_by("exec \"$0\" \"$@\"", arguments)
    }

    /// Starts it by a line of a shell.
    fn start_by(line: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let mut command = Command::new("sh");
        command.args(["-c", line, env!("CARGO_BIN_EXE_sunpath"), "relay", "-v"]);
        let mut child = command
            .stdin(Stdio::null())
            .args(arguments)
            .args([&from, &to])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut notes = BufReader::new(child.stderr.take().unwrap());
        let mut note = String::new();
        notes.read_line(&mut note).unwrap();
        assert!(note.starts_with("sunpath: listening on "), "{note}");
        Self {
            child,
            notes,
            _dir: dir,
            from,
            to,
        }
    }

    fn client(&self) -> UnixStream {
        UnixStream::connect(&self.from).unwrap()
    }

    fn note(&mut self) -> String {
        let mut note = String::new();
        self.notes.read_line(&mut note).unwrap();
        note
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap();
        assert!(!Path::exists(&self.from), "the socket file is removed");
    }
}

/// Answers each client with everything that it sent, after its half-close.
fn echo(listener: UnixListener, clients: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let threads: Vec<_> = (0..clients)
            .map(|_| {
                let (mut client, _) = listener.accept().unwrap();
                thread::spawn(move || {
                    let mut all = Vec::new();
                    client.read_to_end(&mut all).unwrap();
                    client.write_all(&all).unwrap();
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    })
}

#[test]
fn relay_many_connections_lose_nothing_and_half_closes_are_passed_on() {
    for arguments in [&[][..], &["--fds"]] {
        let relay = Relay::start(arguments);
        let server = echo(UnixListener::bind(&relay.to).unwrap(), 20);
        let clients: Vec<_> = (0..20_usize)
            .map(|number| {
                let mut client = relay.client();
                thread::spawn(move || {
                    let sent: Vec<u8> =
                        (0..number * 50_000).map(|i| (i * 31 % 251) as u8).collect();
                    client.write_all(&sent).unwrap();
                    client.shutdown(Shutdown::Write).unwrap();
                    let mut back = Vec::new();
                    client.read_to_end(&mut back).unwrap();
                    assert!(back == sent, "{} of {} bytes", back.len(), sent.len());
                })
            })
            .collect();
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
        server.join().unwrap();
    }
}

/// Each connection takes six descriptors, and the usual limit is low. The relay may inherit some, so the limit
/// is not lower.
#[test]
fn relay_raises_its_limit_of_descriptors() {
    let hard = getrlimit(Resource::Nofile).maximum;
    if hard.is_some_and(|hard| hard < 1024) {
        return skip("a hard limit of 1024 descriptors");
    }
    let relay = Relay::start_by("ulimit -S -n 256; exec \"$0\" \"$@\"", &[]);
    let server = echo(UnixListener::bind(&relay.to).unwrap(), 80);
    let clients: Vec<_> = (0..80_u8).map(|_| relay.client()).collect();
    for (number, mut client) in clients.into_iter().enumerate() {
        client.write_all(&[number as u8]).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut back = Vec::new();
        client.read_to_end(&mut back).unwrap();
        assert_eq!(back, [number as u8]);
    }
    server.join().unwrap();
}

#[test]
fn relay_server_that_closes_ends_the_client() {
    let relay = Relay::start(&[]);
    let listener = UnixListener::bind(&relay.to).unwrap();
    let mut client = relay.client();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"bye").unwrap();
    drop(server);
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"bye");
    // The client learns that nobody reads any more.
    while client.write_all(b"x").is_ok() {}
}

#[test]
fn relay_passes_descriptors_only_if_asked() {
    for (arguments, expected) in [(&["--fds"][..], 1), (&[], 0)] {
        let relay = Relay::start(arguments);
        let listener = sunpath::UnixListener::bind(&relay.to).unwrap();
        let client = sunpath::UnixStream::connect(&relay.from).unwrap();
        client
            .send_fds(b"one", &[File::open("/dev/null").unwrap()])
            .unwrap();
        let (server, _) = listener.accept().unwrap();
        let (received, fds) = server.recv_fds_up_to::<4>(&mut [0; 8]).unwrap();
        assert_eq!((received.len(), fds.len()), (3, expected), "{arguments:?}");
    }
}

#[test]
fn relay_seqpacket_keeps_the_boundaries_and_empty_records() {
    let relay = Relay::start(&["--kind", "seqpacket", "--fds"]);
    let listener = UnixSeqpacketListener::bind(&relay.to).unwrap();
    let client = UnixSeqpacket::connect(&relay.from).unwrap();
    let large = vec![7; 100_000];
    for message in [&b"one"[..], b"", b"two", &large] {
        client.send(message).unwrap();
    }
    client.shutdown(sunpath::Shutdown::Write).unwrap();
    let (server, _) = listener.accept().unwrap();
    let mut buf = vec![0; 200_000];
    let lengths: Vec<_> = (0..5)
        .map(|_| server.recv(&mut buf).unwrap().len())
        .collect();
    assert_eq!(lengths, [3, 0, 3, 100_000, 0]);
}

#[test]
fn relay_target_that_refuses_closes_the_client_and_says_why() {
    let mut relay = Relay::start(&[]);
    let mut all = Vec::new();
    relay.client().read_to_end(&mut all).unwrap();
    assert_eq!(all, b"");
    assert!(relay.note().starts_with("sunpath: accepted: user "));
    let note = relay.note();
    assert!(note.contains("/to: connect: ENOENT"), "{note}");
}

#[test]
fn relay_wrong_arguments_exit_with_2() {
    for arguments in [
        &["a"][..],
        &["--kind", "datagram", "a", "b"],
        &["--existing", "x", "a", "b"],
    ] {
        assert_eq!(
            run(sunpath(["relay"]).args(arguments)).status,
            2,
            "{arguments:?}"
        );
    }
    assert_eq!(
        run(&mut sunpath(["relay", "/no/such/directory", "b"])).status,
        1
    );
}

#[test]
fn relay_on_a_terminal_shows_connections_and_bytes() {
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let server = echo(UnixListener::bind(&to).unwrap(), 1);
    let (ours, theirs) = terminal();
    let mut command = sunpath(["relay"]);
    command.args([&from, &to]).env("TERM", "xterm");
    let child = command.stderr(Stdio::from(theirs)).spawn().unwrap();
    drop(command); // it has a copy of the terminal
    let relay = Kill(child);
    let printed = Printed::to(ours);
    wait_for(&printed, "connections: 0 open, 0 in all, 0 B");
    let mut client = UnixStream::connect(&from).unwrap();
    client.write_all(&[b'x'; 2048]).unwrap();
    wait_for(&printed, "connections: 1 open, 1 in all, 2.00 KiB");
    client.shutdown(Shutdown::Write).unwrap();
    client.read_to_end(&mut Vec::new()).unwrap();
    wait_for(&printed, "connections: 0 open, 1 in all, 4.00 KiB");
    server.join().unwrap();
    drop(relay);
}

/// A process that is killed at the end.
struct Kill(Child);

impl Drop for Kill {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads what is printed until the text is there.
fn wait_for(printed: &Printed, text: &str) {
    let mut seen = String::new();
    while !seen.contains(text) {
        match printed.pieces.recv_timeout(Duration::from_secs(60)) {
            Ok(piece) => seen += &piece,
            Err(error) => panic!("{error}: {seen:?}"),
        }
    }
}
