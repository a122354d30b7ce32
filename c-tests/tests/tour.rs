//! Runs the tour as a user would, with clients and servers in C and Python, and with socat and nc.
#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use sunpath::UnixStream;
use sunpath_c_tests::c;
use sunpath_c_tests::lane::{self, FreshDir, installed, skip};

/// More bytes than one read or one write takes, and fewer than the queues hold.
const LENGTH: usize = 60_000;

const PYTHON_CLIENT: &str = "
import socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect('a.sock')
client.sendall(sys.stdin.buffer.read())
client.shutdown(socket.SHUT_WR)
while received := client.recv(4096):
    sys.stdout.buffer.write(received)
";

const PYTHON_SERVER: &str = "
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind('a.sock')
server.listen()
print('ready', flush=True)
client, _ = server.accept()
while received := client.recv(4096):
    client.sendall(received)
client.close()
";

/// Prepares the tour with these arguments in this directory.
fn tour_in<A: AsRef<OsStr>>(dir: &FreshDir, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(lane::example("tour"));
    command
        .args(args)
        .current_dir(dir.path())
        .env("TMPDIR", dir.path());
    command
}

/// Returns whether the installed `nc` knows Unix sockets, and ends when its input ends. There are
/// several versions of nc. OpenBSD's version does both.
fn installed_nc() -> bool {
    let knows = || {
        let help = Command::new("nc").arg("-h").stdin(Stdio::null()).output();
        let help = help.expect("nc is installed");
        let said = [help.stdout, help.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        said.contains("-N") && said.contains("-U")
    };
    installed("nc") && (knows() || skip("nc with -N and -U"))
}

/// Returns text of this length that does not repeat soon.
fn message() -> Vec<u8> {
    let lines = (0..).map(|number: u32| format!("line {number}\n"));
    lines.flat_map(String::into_bytes).take(LENGTH).collect()
}

/// Runs a program with `input` as its standard input, and returns its output.
fn filter(command: &mut Command, input: &[u8]) -> Output {
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawned
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_vec();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the child is ours");
    // A program that fails early does not read its input.
    let _ = writer.join().expect("writing does not panic");
    output
}

fn assert_echoes(command: &mut Command) {
    let output = filter(command, &message());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}: {stderr}",
        output.status
    );
    assert!(
        output.stdout == message(),
        "{command:?}: {} bytes were returned",
        output.stdout.len()
    );
}

/// A running server, which is killed when this value is dropped.
struct Server {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Server {
    /// Starts the server, and waits for the line that it prints when it is ready.
    fn start(command: &mut Command) -> Self {
        let mut server = Self::start_silent(command);
        let line = server.line();
        assert!(!line.is_empty(), "{command:?} ended early");
        server
    }

    fn start_silent(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self { child, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said
            .read_line(&mut line)
            .expect("a server prints text");
        line
    }

    /// Ends the server by a signal, and returns its exit status.
    fn end_by(mut self, signal: libc::c_int) -> Option<i32> {
        let pid = self.child.id().try_into().expect("a pid is positive");
        // SAFETY: kill takes integers, and the child has not been waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        self.child.wait().expect("the child is ours").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tour_alone_shows_each_step_and_leaves_nothing() {
    let dir = FreshDir::new();
    let output = tour_in(&dir, [] as [&str; 0])
        .output()
        .expect("the tour runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let steps: Vec<_> = stdout
        .lines()
        .filter_map(|line| line.split_once(". "))
        .collect();
    let numbers: Vec<_> = steps.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6"], "{stdout}");
    assert!(stdout.contains("sun_family 1 (AF_UNIX)"), "{stdout}");
    assert!(
        stdout.contains("74 6f 75 72 2e 73 6f 63") || stdout.contains("tour.sock"),
        "{stdout}"
    );
    assert!(stdout.contains("sent hello, got back hello"), "{stdout}");
    assert_eq!(
        fs::read_dir(dir.path())
            .expect("the directory is there")
            .count(),
        0
    );
}

#[test]
fn tour_at_a_path_of_107_bytes_runs() {
    let dir = FreshDir::new();
    let path = "p".repeat(107);
    let output = tour_in(&dir, [&path]).output().expect("the tour runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("addrlen 110"), "{stdout}");
    assert!(stdout.contains("mode 0600"), "{stdout}");
    assert!(!dir.path().join(path).exists());
}

#[test]
fn tour_at_a_path_of_108_bytes_and_of_300_runs_and_says_how_long_it_is() {
    let dir = FreshDir::new();
    let deep = format!("{0}/{0}/a.sock", "d".repeat(146));
    fs::create_dir_all(dir.path().join(&deep).parent().expect("it has one"))
        .expect("the fresh directory can be written to");
    for (path, len) in [("p".repeat(108), "108 bytes"), (deep, "300 bytes")] {
        let output = tour_in(&dir, [&path]).output().expect("the tour runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        for part in [len, "at most 107", "mode 0600", "got back hello"] {
            assert!(stdout.contains(part), "{part}: {stdout}");
        }
        assert!(!dir.path().join(path).exists());
    }
}

#[test]
fn tour_whose_reader_is_gone_leaves_nothing() {
    let dir = FreshDir::new();
    let (stdout, reader) = UnixStream::pair().expect("two descriptors are free");
    drop(reader);
    let output = tour_in(&dir, ["a.sock"])
        .stdout(OwnedFd::from(stdout))
        .output()
        .expect("the tour runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        fs::read_dir(dir.path())
            .expect("the directory is there")
            .count(),
        0
    );
}

#[test]
fn tour_with_bad_input_says_one_line_and_exits_1() {
    let dir = FreshDir::new();
    fs::write(dir.path().join("file"), "").expect("the fresh directory can be written to");
    let no_name = "p".repeat(256);
    let rows: &[(&[&str], &[&str])] = &[
        (&[""], &["empty", "0 bytes"]),
        (&["serve", ""], &["empty", "0 bytes"]),
        (&[&no_name], &["ENAMETOOLONG", "256 bytes", "255 bytes"]),
        (
            &["serve", &no_name],
            &["ENAMETOOLONG", "256 bytes", "255 bytes"],
        ),
        (
            &["connect", &no_name],
            &["ENAMETOOLONG", "256 bytes", "255 bytes"],
        ),
        (&["file"], &["EADDRINUSE", "4 bytes", "choose another"]),
        (
            &["serve", "file"],
            &["EADDRINUSE", "4 bytes", "choose another"],
        ),
        (
            &["absent/a.sock"],
            &["ENOENT", "13 bytes", "no directory", "make it"],
        ),
        (
            &["file/a.sock"],
            &["ENOTDIR", "11 bytes", "not a directory"],
        ),
        (
            &["connect", "absent"],
            &["ENOENT", "6 bytes", "server running"],
        ),
        (&["connect", "x"], &["ENOENT", "(1 byte)"]),
        (
            &["connect", "file"],
            &["ECONNREFUSED", "4 bytes", "nobody listens"],
        ),
        (&["connect"], &["usage"]),
        (&["--help"], &["usage"]),
        (&["a", "b", "c"], &["usage"]),
    ];
    for (args, expected) in rows {
        assert_refused(&mut tour_in(&dir, *args), expected);
    }
    let invalid = [
        OsString::from("connect"),
        OsStr::from_bytes(b"\xff\x1b[2J").to_owned(),
    ];
    assert_refused(
        &mut tour_in(&dir, invalid),
        &[r"\xFF\u{1b}[2J", "ENOENT", "5 bytes"],
    );
    let left: Vec<_> = fs::read_dir(dir.path())
        .expect("the directory is there")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// The program runs as a user that may not write to the directory. If the test runs as root, who
/// may write everywhere, the program runs as nobody.
#[test]
fn tour_in_a_directory_that_is_not_writable_says_so() {
    let dir = FreshDir::new();
    let program = dir.path().join("tour");
    // Another process copies the program. If this process wrote the copy, a child that another
    // thread forks could keep it open for writing, and then it could not be executed.
    let copied = Command::new("cp")
        .arg(lane::example("tour"))
        .arg(&program)
        .status();
    assert!(copied.expect("cp runs").success());
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the copy is ours");
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).expect("the fresh directory can be written to");
    for path in [dir.path(), &closed] {
        fs::set_permissions(path, Permissions::from_mode(0o555)).expect("the directory is ours");
    }
    let mut command = Command::new(&program);
    command.arg("closed/a.sock").current_dir(dir.path());
    // SAFETY: the call takes no arguments and cannot fail.
    if unsafe { libc::geteuid() } == 0 {
        command.uid(65534).gid(65534);
    }
    assert_refused(
        &mut command,
        &["EACCES", "13 bytes", "may not write to \"closed\""],
    );
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("the directory is ours");
}

fn assert_refused(command: &mut Command, expected: &[&str]) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the tour runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{command:?}: {stderr}");
    for part in expected {
        assert!(
            stderr.contains(part),
            "{command:?}: {part:?} is not in: {stderr}"
        );
    }
}

#[test]
fn tour_serves_clients_in_c_python_socat_and_nc() {
    let dir = FreshDir::new();
    let mut server = Server::start(&mut tour_in(&dir, ["serve", "a.sock"]));
    let path = dir.path().join("a.sock");
    let mode = fs::symlink_metadata(&path)
        .expect("it serves")
        .permissions()
        .mode()
        & 0o7777;
    assert_eq!(mode, 0o600);

    let client = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(dir.path());
        assert_echoes(&mut command);
    };
    client(&c::program("stream"), &["connect", "a.sock"]);
    assert_echoes(&mut tour_in(&dir, ["connect", "a.sock"]));
    if installed("python3") {
        client("python3", &["-c", PYTHON_CLIENT]);
    }
    if installed("socat") {
        client("socat", &["-t", "60", "-", "UNIX-CONNECT:a.sock"]);
    }
    if installed_nc() {
        client("nc", &["-N", "-U", "a.sock"]);
    }

    // SAFETY: the call takes no arguments and cannot fail.
    let uid = unsafe { libc::geteuid() };
    assert!(
        server
            .line()
            .starts_with(&format!("a client: uid {uid}, gid "))
    );
    assert_eq!(
        server.end_by(libc::SIGINT),
        Some(0),
        "Ctrl-C is a clean end"
    );
    assert!(!path.exists(), "the server removed its file");
}

#[test]
fn tour_server_that_ends_leaves_the_file_of_its_successor() {
    let dir = FreshDir::new();
    let path = dir.path().join("a.sock");
    let first = Server::start(&mut tour_in(&dir, ["serve", "a.sock"]));
    fs::remove_file(&path).expect("it serves");
    // This server does not check what was at the path before.
    let mut second = Command::new(c::program("stream"));
    let second = Server::start(second.args(["serve", "a.sock"]).current_dir(dir.path()));
    assert_eq!(first.end_by(libc::SIGTERM), Some(0));
    assert_echoes(&mut tour_in(&dir, ["connect", "a.sock"]));
    drop(second);
    assert!(path.exists());
}

#[test]
fn tour_server_starts_once_and_again_after_a_kill() {
    let dir = FreshDir::new();
    let path = dir.path().join("a.sock");
    let serve = || tour_in(&dir, ["serve", "a.sock"]);
    let first = Server::start(&mut serve());
    assert_refused(&mut serve(), &["EADDRINUSE", "end that server first"]);
    assert_eq!(first.end_by(libc::SIGKILL), None);
    assert!(path.exists(), "nothing removes the file");
    let second = Server::start(&mut serve());
    assert_echoes(&mut tour_in(&dir, ["connect", "a.sock"]));
    assert_eq!(second.end_by(libc::SIGTERM), Some(0));
    let left = fs::read_dir(dir.path()).expect("the directory is there");
    assert_eq!(left.count(), 0);
}

#[test]
fn tour_server_without_a_free_descriptor_says_so_and_goes_on() {
    const LIMIT: usize = 16;
    let dir = FreshDir::new();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit -n {LIMIT}; exec \"$@\""), "sh"])
        .args([
            lane::example("tour").as_os_str(),
            "serve".as_ref(),
            "a.sock".as_ref(),
        ])
        .current_dir(dir.path())
        .stderr(Stdio::piped());
    let mut server = Server::start(&mut limited);
    let path = dir.path().join("a.sock");
    let clients: Vec<_> = (0..LIMIT).map(|_| UnixStream::connect(&path)).collect();
    assert!(clients.iter().all(Result::is_ok));
    let mut said = String::new();
    let stderr = server.child.stderr.take().expect("stderr is a pipe");
    let read = BufReader::new(stderr).read_line(&mut said);
    read.expect("a server prints text");
    assert!(said.contains("EMFILE"), "{said}");
    drop(clients);
    assert_echoes(&mut tour_in(&dir, ["connect", "a.sock"]));
    assert_eq!(server.end_by(libc::SIGTERM), Some(0));
}

#[test]
fn tour_is_a_client_of_servers_in_c_and_python() {
    let c_server = c::program("stream");
    let servers = [
        (&*c_server, vec!["serve", "a.sock"]),
        ("python3", vec!["-c", PYTHON_SERVER]),
    ];
    for (program, args) in servers {
        if Path::new(program).is_absolute() || installed(program) {
            let dir = FreshDir::new();
            let _server = Server::start(Command::new(program).args(args).current_dir(dir.path()));
            assert_echoes(&mut tour_in(&dir, ["connect", "a.sock"]));
        }
    }
}

/// socat and nc print nothing when they are ready, so the client retries until it connects.
#[test]
fn tour_is_a_client_of_socat_and_nc() {
    let connect_until_served = |server: &mut Server, dir: &FreshDir, input: &[u8]| loop {
        let output = filter(&mut tour_in(dir, ["connect", "a.sock"]), input);
        if output.status.success() {
            return output.stdout;
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let not_yet = stderr.contains("ENOENT") || stderr.contains("ECONNREFUSED");
        assert!(not_yet, "{stderr}");
        let ended = server.child.try_wait().expect("the child is ours");
        assert_eq!(ended, None, "the server ended before it served");
    };
    if installed("socat") {
        let dir = FreshDir::new();
        let args = ["-t", "60", "UNIX-LISTEN:a.sock", "EXEC:cat"];
        let mut server =
            Server::start_silent(Command::new("socat").args(args).current_dir(dir.path()));
        assert!(connect_until_served(&mut server, &dir, &message()) == message());
    }
    if installed_nc() {
        let dir = FreshDir::new();
        let args = ["-l", "-U", "a.sock"];
        let mut server =
            Server::start_silent(Command::new("nc").args(args).current_dir(dir.path()));
        assert_eq!(connect_until_served(&mut server, &dir, b"hello nc\n"), b"");
        assert_eq!(server.line(), "hello nc\n");
    }
}
