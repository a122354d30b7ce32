//! Tests of the example `peer`, which finds the program of a client.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process;

use sunpath::UnixStream;

use crate::{Running, example, fresh, skip};

#[test]
fn peer_is_told_its_program_and_its_group() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let _server = Running::start(example("peer").arg(&path), "ready");
    let mut client = UnixStream::connect(&*path).unwrap();
    let mut answer = String::new();
    BufReader::new(&mut client).read_line(&mut answer).unwrap();
    if answer.starts_with("unknown: getsockopt: ENOPROTOOPT") {
        return skip::skip("SO_PEERPIDFD");
    }
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap();
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"));
    let executable = std::env::current_exe().unwrap();
    let (pid, executable) = (process::id(), executable.display());
    let group = group.unwrap_or("/");
    let expected = format!("process {pid}, {executable}, in {group}");
    assert!(answer.starts_with(&expected), "{answer}");
}

/// The server is stopped until its client has ended and the client's process id may be used again.
#[test]
fn peer_that_has_ended_is_not_taken_for_another() {
    let dir = fresh::dir();
    let path = dir.path().join("a.sock");
    let mut server = Running::start(example("peer").arg(&path), "ready");
    server.signal(libc::SIGSTOP);
    // SAFETY: the child makes system calls, and ends by _exit.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let connected = UnixStream::connect(&*path);
        // SAFETY: _exit ends this process and does nothing else.
        unsafe { libc::_exit(i32::from(connected.is_err())) };
    }
    let mut status = 0;
    // SAFETY: `status` is a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0);
    server.signal(libc::SIGCONT);
    let said = server.line();
    if said.starts_with("unknown: getsockopt: E") {
        return skip::skip("SO_PEERPIDFD of a process that has ended (Linux 6.16)");
    }
    assert_eq!(said, "it has ended");
}
