//! Tests of servers and clients that people run, each with `sunpath` at the other end. There is a
//! table of servers and a table of clients, with a row for each program. The programs that are not
//! installed are listed at the end.
#![cfg(target_os = "linux")]

mod clients;
mod servers;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sunpath::error::Call;
use sunpath::socket::Kind;
use sunpath::{Errno, Error, Socket, UnixAddr};
use sunpath_c_tests::lane::{self, FreshDir};

/// The time after which the test stops waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// A row of a table: a program, and how the test talks with it.
struct Row {
    program: &'static str,
    /// The arguments of the program. In them, `DIR` stands for the path of the directory in which
    /// the program runs, which is also our abstract name.
    args: &'static [&'static str],
    /// The standard input of the program, which is the file `input` of that directory.
    input: &'static str,
    /// Makes the sockets that the program needs, starts it and talks with it.
    talk: fn(&Stage),
}

/// A fresh directory, and the program that will run in it.
struct Stage {
    dir: FreshDir,
    row: &'static Row,
}

impl Stage {
    fn new(row: &'static Row) -> Self {
        let stage = Self {
            dir: FreshDir::new(),
            row,
        };
        let input = stage.fill(row.input);
        fs::write(stage.path("input"), input).expect("the fresh directory can be written to");
        stage
    }

    fn fill(&self, text: &str) -> String {
        let dir = self.dir.path().to_str().expect("it is a path of ours");
        text.replace("DIR", dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn address(&self) -> UnixAddr {
        UnixAddr::from_pathname(self.path("a.sock")).expect("fresh directories have short paths")
    }

    /// Returns an abstract name that no other process has.
    fn abstract_address(&self) -> UnixAddr {
        UnixAddr::from_abstract(self.fill("DIR")).expect("fresh directories have short paths")
    }

    fn start(&self) -> Running {
        let mut command = Command::new(self.row.program);
        command
            .args(self.row.args.iter().map(|arg| self.fill(arg)))
            .current_dir(self.dir.path())
            .env("NOTIFY_SOCKET", self.path("a.sock"))
            .stdin(File::open(self.path("input")).expect("it was written"))
            .stdout(create(&self.path("stdout")))
            .stderr(create(&self.path("stderr")));
        let child = command.spawn().expect("an installed program can be run");
        let dir = self.dir.path().to_owned();
        Running { child, dir }
    }
}

fn create(path: &Path) -> Stdio {
    File::create(path)
        .expect("the fresh directory can be written to")
        .into()
}

/// The running program, which is killed when this value is dropped.
struct Running {
    child: Child,
    dir: PathBuf,
}

impl Running {
    /// Waits until the program serves at the address, and returns a socket that is connected to it.
    fn client<T: Kind>(&mut self, at: &UnixAddr) -> Socket<T> {
        let began = Instant::now();
        loop {
            let socket = Socket::<T>::new().expect("a descriptor is free");
            patient(&socket);
            match socket.connect_to(at) {
                Ok(()) => return socket,
                Err(error) => assert!(is_not_yet(error), "{at}: {error}"),
            }
            self.assert_goes_on();
            assert!(began.elapsed() < PATIENCE, "it does not serve at {at}");
            thread::yield_now();
        }
    }

    fn assert_goes_on(&mut self) {
        let ended = self.child.try_wait().expect("the child is ours");
        assert_eq!(ended, None, "it ended, and printed:\n{}", self.said());
    }

    /// Waits until the program ends, asserts that it succeeded, and returns what it printed.
    fn printed(mut self) -> String {
        let status = self.child.wait().expect("the child is ours");
        assert!(status.success(), "{status}: {}", self.said());
        fs::read_to_string(self.dir.join("stdout")).expect("it prints text")
    }

    fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        ["stdout", "stderr"].map(read).concat()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // `kill` and `wait` fail only if the program has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_not_yet(error: Error) -> bool {
    let not_yet = [Errno::ENOENT, Errno::ECONNREFUSED];
    error.call() == Call::Connect && not_yet.contains(&error.errno())
}

/// Sets timeouts, so that no call waits forever.
fn patient<T: Kind>(socket: &Socket<T>) {
    let set = socket.set_read_timeout(Some(PATIENCE));
    set.expect("a timeout can be set");
}

/// Runs every row whose program is installed, and prints the names of the others at the end.
fn talk_with(rows: &'static [Row]) {
    let mut missing = Vec::new();
    for row in rows {
        if lane::found(row.program) {
            // libtest shows this line only if the test fails.
            eprintln!("{} {}", row.program, row.args.join(" "));
            (row.talk)(&Stage::new(row));
        } else if !missing.contains(&row.program) {
            missing.push(row.program);
        }
    }
    if !missing.is_empty() {
        let _ = lane::skip(&missing.join(", "));
    }
}

#[test]
fn interop_with_programs_that_serve() {
    talk_with(servers::ROWS);
}

#[test]
fn interop_with_programs_that_connect() {
    talk_with(clients::ROWS);
}

/// Returns everything that arrives until the end of the stream.
fn read_to_end(mut stream: impl io::Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it sends text");
    text
}
