//! Tests of the examples, which are run as a user would run them.
#![cfg(all(target_os = "linux", feature = "std", feature = "files"))]

mod borrowed;
mod channel;
mod daemon;
mod daemon_whole;
#[path = "../fresh/mod.rs"]
mod fresh;
mod handover;
mod handshake;
mod notify;
mod peer;
#[path = "../skip/mod.rs"]
mod skip;

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Returns the command that runs an example. `cargo test` builds the examples together with the
/// tests, as `target/PROFILE/examples/NAME`.
fn example(name: &str) -> Command {
    let test = env::current_exe().unwrap();
    // The program of this test is target/PROFILE/deps/NAME.
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    let missing = "run `cargo build --examples` first";
    assert!(program.exists(), "{}: {missing}", program.display());
    let mut command = Command::new(program);
    command.env_remove("NOTIFY_SOCKET").env_remove("LISTEN_FDS");
    command
}

/// Returns the command for a shell that starts an example and passes it the shell's standard input
/// as descriptor 3 with the name `clients`, as a service manager does.
fn with_passed(name: &str) -> Command {
    let mut command = Command::new("sh");
    let script = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=clients exec \"$@\" 3<&0 </dev/null";
    command
        .args(["-c", script, "sh"])
        .arg(example(name).get_program());
    command
}

/// A running program, and its output. The program is killed when this value is dropped.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Starts a program, and asserts that the first line that it prints is this one.
    fn start(command: &mut Command, line: &str) -> Self {
        let mut running = Self::new(command);
        assert_eq!(running.line(), line);
        running
    }

    /// Returns the next line that the program prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn signal(&self, signal: libc::c_int) {
        let pid = self.child.id() as libc::pid_t;
        // SAFETY: the arguments are integers; the child has not been waited for yet.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the program ends, and asserts that it succeeded.
    fn end(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
