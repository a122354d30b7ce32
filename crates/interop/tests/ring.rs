//! The example `ring`, an echo server on io_uring, run as a user would run it.

mod program;

use std::fs;
use std::io::Result;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use program::{Running, example, raise_limit, skip};
use sunpath::{ConnectOptions, Shutdown, UnixStream};

/// More than what the server's buffers and both sockets hold together.
const LARGE: usize = 8 << 20;

/// How long a step may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns the example with these arguments. If the system does not let a process use io_uring, the
/// current test is skipped.
fn ring(args: &[&str]) -> Option<Command> {
    let ring = example("ring");
    let probe = Command::new(&ring).arg("zero-copy").output().unwrap();
    if probe.status.code() == Some(77) {
        skip::skip("io_uring of Linux 6.1, which many containers forbid");
        return None;
    }
    let mut command = Command::new(ring);
    command.args(args);
    Some(command)
}

fn text_of(mut command: Command) -> String {
    let Output { status, stdout, .. } = command.output().unwrap();
    assert!(status.success(), "{status}");
    String::from_utf8(stdout).unwrap()
}

fn connect(path: &PathBuf) -> Result<UnixStream> {
    let options = ConnectOptions::new().wait_for_server(true).timeout(LIMIT);
    let stream: UnixStream = options.connect(path)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// Bytes in an order that shows if some are missing or come too early.
fn pattern() -> Vec<u8> {
    let numbers = 0..(LARGE / 4) as u32;
    numbers.flat_map(u32::to_le_bytes).collect()
}

#[test]
fn ring_sends_back_what_each_client_sends() -> Result<()> {
    let dir = tempfile::tempdir_in("/tmp")?;
    let path = dir.path().join("a.sock");
    let Some(mut command) = ring(&["serve", path.to_str().unwrap(), "40"]) else {
        return Ok(());
    };
    let mut server = Running::start(&mut command);

    // Many clients at once, each of which gets its own bytes.
    let clients = (0..38)
        .map(|_| connect(&path))
        .collect::<Result<Vec<_>>>()?;
    for (number, client) in clients.iter().enumerate() {
        client.write_all(&[number as u8; 100])?;
    }
    for (number, client) in clients.iter().enumerate() {
        let mut back = [0; 100];
        client.read_exact(&mut back)?;
        assert_eq!(back, [number as u8; 100]);
    }

    // A client that sends for so long that all buffers are used, and then the rest of it while it reads.
    let client = connect(&path)?;
    let (sent, mut back) = (pattern(), vec![0; LARGE]);
    thread::scope(|scope| {
        let (client, sent) = (&client, &sent);
        let writer = scope.spawn(move || client.write_all(sent));
        let read = client.read_exact(&mut back);
        client.shutdown(Shutdown::Both)?; // If the server is stuck, the writer is, too.
        read?;
        writer.join().unwrap()
    })?;
    assert!(sent == back, "the bytes that came back are others");

    // A client that goes away while a send to it waits. The two sockets hold up to 416 KiB, so the server
    // has some of these bytes in its buffers.
    let rude = connect(&path)?;
    rude.write_all(&[1; 512 << 10])?;
    drop((rude, client, clients));

    let until = Instant::now() + LIMIT;
    let status = loop {
        match server.0.try_wait()? {
            Some(status) => break status,
            None => assert!(Instant::now() < until, "the server does not end"),
        }
        thread::yield_now();
    };
    assert!(status.success());
    assert!(!path.exists(), "it has removed its file");
    Ok(())
}

#[test]
fn zero_copy_does_not_exist_for_unix_sockets() {
    if let Some(command) = ring(&["zero-copy"]) {
        assert_eq!(text_of(command), "Operation not supported (os error 95)\n");
    }
}

#[test]
fn measurement_compares_accepts_and_echoes() {
    // Each of the two programs has 1,000 connections, none of which is accepted before the last one waits.
    let longest = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    if longest.trim().parse::<u32>().unwrap() < 1000 {
        return skip::skip("net.core.somaxconn of at least 1000");
    }
    if !raise_limit(1100) {
        return;
    }
    let Some(command) = ring(&["measure", "1"]) else {
        return;
    };
    let text = text_of(command);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    for (line, title) in lines.iter().zip(["accept: ", "echo: "]) {
        let rest = line.strip_prefix(title).expect(title);
        let ratio: f64 = rest.split(' ').next().unwrap().parse().unwrap();
        assert!(ratio.is_finite(), "{text}");
    }
}
