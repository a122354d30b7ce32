//! Tests of ancillary data in bad cases: descriptors arrive when the process has no free descriptor
//! number, the buffer has no space for them, nobody takes them, or a panic happens. Each receive
//! reports what arrived and what is missing, and afterwards the process has the descriptors that it
//! had before.
#![cfg(all(target_os = "linux", feature = "std"))]

mod closed;
mod end;
mod kept;
#[path = "../limit/mod.rs"]
mod limit;
mod lost;
mod order;
mod other;
mod passed;
mod readiness;
#[path = "../skip/mod.rs"]
mod skip;

use std::env;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};

use sunpath::ancillary::{ControlStorage, Message};
use sunpath::socket::Kind;
use sunpath::{Error, Socket};

const INT: usize = size_of::<i32>();

/// A limit of open descriptors, higher than the number that any test has open while it passes 253
/// descriptors.
const MANY: libc::rlim_t = 512;

/// Runs the test of this name in a process of its own, because descriptors and their limit belong
/// to the process.
fn alone(name: &str, test: impl FnOnce()) {
    const ALONE: &str = "SUNPATH_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return test();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--test-threads=1"]);
    command.env(ALONE, "1").stderr(Stdio::inherit());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no test is called {name}");
}

fn is_open(fd: i32) -> bool {
    // SAFETY: F_GETFD has no argument, and reports EBADF if the descriptor is not open.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

fn is_cloexec(fd: &OwnedFd) -> bool {
    // SAFETY: F_GETFD has no argument.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC != 0
}

/// Returns the open descriptors. The function asks about each integer and opens nothing.
fn open() -> Vec<i32> {
    (0..MANY as i32).filter(|fd| is_open(*fd)).collect()
}

/// Runs `action` under a limit that leaves exactly this many descriptors free, and returns its
/// result.
fn with_free<R>(free: usize, action: impl FnOnce() -> R) -> R {
    let beyond = (0..).filter(|fd| !is_open(*fd)).nth(free).unwrap();
    let old = limit::descriptors(beyond as libc::rlim_t);
    let result = action();
    limit::descriptors(old);
    result
}

/// Makes a pair whose second end asks for credentials and a pidfd. If the kernel cannot send
/// pidfds, returns `None` and reports it.
fn curious_pair<T: Kind>() -> Option<(Socket<T>, Socket<T>)> {
    let (a, b) = Socket::<T>::pair().unwrap();
    b.set_pass_credentials(true).unwrap();
    has_option("SO_PASSPIDFD", b.set_pass_pidfd(true)).then_some((a, b))
}

fn has_option(name: &str, set: Result<(), Error>) -> bool {
    match set {
        Ok(()) => true,
        Err(error) => {
            assert!(error.is_unsupported(), "{error}");
            skip::skip(&format!("a kernel with {name}"));
            false
        }
    }
}

/// Sends a byte and this many descriptors.
fn give<T: Kind>(to: &Socket<T>, count: usize) {
    to.send_fds(b"x", &vec![to.as_fd(); count]).unwrap();
}

fn take<T: Kind, C: ControlStorage>(from: &Socket<T>, room: C) -> Result<Message<C>, Error> {
    from.recvmsg(&mut [IoSliceMut::new(&mut [0; 8])], room)
}

fn all_cloexec(fds: &[OwnedFd]) -> bool {
    fds.iter().all(is_cloexec)
}

/// Returns the text of the error of `into_control` for a truncated message, of which this many
/// descriptors arrived and were closed.
fn truncated_text(closed: usize) -> String {
    format!(
        "recvmsg: EMSGSIZE (control messages were truncated; descriptors received: {closed} (closed))"
    )
}

/// Returns the text of the error of a receive of up to `expected` descriptors, of which this many
/// arrived and were closed.
fn counts_text(expected: usize, closed: usize) -> String {
    let why = match closed > expected {
        true => "",
        false => "; control messages were truncated, as when too few descriptors are free",
    };
    format!(
        "recvmsg: EMSGSIZE (expected at most {expected} descriptors, received {closed} (closed){why})"
    )
}

/// Returns the text of the error with which `into_control` refuses the message, or `None` if the
/// message is whole.
fn refused(message: Message<impl ControlStorage>) -> Option<String> {
    message.into_control().err().map(|error| error.to_string())
}
