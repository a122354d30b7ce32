//! Lets `partners/stream.c` and `sunpath` talk to each other, each as server and as client.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use sunpath::{Shutdown, UnixListener, UnixStream};
use sunpath_c_tests::c;
use sunpath_c_tests::lane::{self, FreshDir};

/// More bytes than sockets and pipes hold at once, so that both sides must read while they write.
const BYTES: usize = 1_000_003;

fn message() -> Vec<u8> {
    (0..BYTES).map(|i| (i % 251) as u8).collect()
}

/// The running C program, which is killed when this value is dropped.
struct Partner(Child);

impl Partner {
    fn new(mut command: Command, verb: &str, path: &str, dir: &Path) -> Self {
        command.args([verb, path]).current_dir(dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().expect("the C program runs"))
    }

    fn serve(dir: &Path) -> Self {
        let mut partner = Self::new(Command::new(c::program("stream")), "serve", "a.sock", dir);
        let mut line = String::new();
        let stdout = partner.0.stdout.as_mut().expect("stdout is a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the server prints");
        assert_eq!(line, "ready\n");
        partner
    }

    /// Returns what the client prints if `message` is its input.
    fn talk(path: &str, dir: &Path, message: Vec<u8>) -> Vec<u8> {
        let mut partner = Self::new(lane::under(&c::program("stream")), "connect", path, dir);
        let mut stdin = partner.0.stdin.take().expect("stdin is a pipe");
        let writer = thread::spawn(move || stdin.write_all(&message));
        let mut answer = Vec::new();
        let stdout = partner.0.stdout.as_mut().expect("stdout is a pipe");
        stdout
            .read_to_end(&mut answer)
            .expect("the answer can be read");
        writer
            .join()
            .expect("the writer ends")
            .expect("the client reads all");
        assert!(partner.0.wait().expect("the client ends").success());
        answer
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        // `kill` and `wait` fail only if the program has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn partners_c_client_hears_c_server() {
    let dir = FreshDir::new();
    let _server = Partner::serve(dir.path());
    assert!(Partner::talk("a.sock", dir.path(), message()) == message());
}

#[test]
fn partners_rust_client_hears_c_server() {
    let dir = FreshDir::new();
    let _server = Partner::serve(dir.path());
    let stream = UnixStream::connect(dir.path().join("a.sock")).expect("the server listens");
    let sender = stream.try_clone().expect("a descriptor is free");
    let writer = thread::spawn(move || {
        sender.write_all(&message())?;
        Ok::<_, std::io::Error>(sender.shutdown(Shutdown::Write)?)
    });
    let mut answer = Vec::new();
    (&stream)
        .read_to_end(&mut answer)
        .expect("the answer can be read");
    writer
        .join()
        .expect("the writer ends")
        .expect("the server reads all");
    assert!(answer == message());
}

#[test]
fn partners_c_client_hears_rust_server() {
    let dir = FreshDir::new();
    let listener = UnixListener::bind(dir.path().join("a.sock")).expect("the name is free");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        std::io::copy(&mut &stream, &mut &stream)
    });
    let answer = Partner::talk("a.sock", dir.path(), message());
    server
        .join()
        .expect("the server ends")
        .expect("it copies all");
    assert!(answer == message());
}

#[test]
fn partners_c_client_refuses_a_path_that_does_not_fit() {
    let dir = FreshDir::new();
    for path in ["", &*"p".repeat(108)] {
        let mut command = Command::new(c::program("stream"));
        let output = command
            .args(["connect", path])
            .current_dir(dir.path())
            .output();
        let output = output.expect("the C program runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stderr.starts_with(b"stream: "), "{output:?}");
    }
}
